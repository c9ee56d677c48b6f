/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "tests/unit/p2v-client/inventory-fixture.h"

#define FIXTURES "tests/unit/p2v-client/fixtures/"
#define MIB (G_GINT64_CONSTANT (1) << 20)

/* The names of what is listed, with commas between them. */
static char *
names_of (const GPtrArray *items)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < items->len; i++)
    {
      /* Disks, drives and interfaces all begin with their name. */
      const P2vDisk *item = items->pdata[i];
      g_string_append_printf (names, "%s%s", i > 0 ? "," : "", item->name);
    }
  return g_strdup (names->str);
}

static void
assert_names (const GPtrArray *items, const char *expected)
{
  g_autofree char *names = names_of (items);
  g_assert_cmpstr (names, ==, expected);
}

static void
test_bios_server (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "dell-r720.tree");
  g_autoptr (P2vMachine) machine = test_collect (root);
  g_assert_cmpint (machine->memory, ==, 32768 * MIB);
  g_assert_null (machine->hypervisor);
  g_assert_null (machine->hostname);

  const P2vCpu *cpu = machine->cpu;
  g_assert_cmpstr (cpu->vendor, ==, "Intel");
  g_assert_cmpstr (cpu->model, ==, "Intel(R) Xeon(R) CPU E5-2643 0 @ 3.30GHz");
  g_assert_cmpint (cpu->family, ==, 6);
  g_assert_cmpint (cpu->model_number, ==, 45);
  g_assert_cmpint (cpu->stepping, ==, 7);
  g_assert_cmpint (cpu->sockets, ==, 2);
  g_assert_cmpint (cpu->cores, ==, 4);
  g_assert_cmpint (cpu->threads, ==, 2);
  g_assert_cmpint (cpu->online, ==, 16);
  g_assert_true (g_strv_contains ((const char *const *)cpu->features, "avx"));
  g_assert_true (cpu->acpi && cpu->apic && cpu->pae);

  g_assert_cmpstr (machine->firmware->type, ==, "bios");
  g_assert_cmpstr (machine->firmware->tpm, ==, "1.2");
  g_assert_cmpstr (machine->firmware->version, ==, "2.9.0");
  g_assert_cmpstr (machine->clock->basis, ==, "localtime");
  g_assert_cmpint (machine->clock->offset, ==, 7200);
  g_assert_cmpstr (machine->smbios->manufacturer, ==, "Dell Inc.");
  g_assert_cmpstr (machine->smbios->product, ==, "PowerEdge R720");
  g_assert_null (machine->smbios->version);
  g_assert_cmpstr (machine->smbios->serial, ==, "7XK2J5J");
  g_assert_cmpstr (machine->smbios->uuid, ==, "4c4c4544-0058-4b10-8032-b7c04f4a354a");
}

static void
test_bios_server_disks_and_nics (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "dell-r720.tree");
  g_autoptr (P2vMachine) machine = test_collect (root);
  assert_names (machine->disks, "sda,sdb");
  const P2vDisk *disk = machine->disks->pdata[0];
  /* A disk of a recorded machine must never be taken for one of this machine. */
  g_assert_true (g_str_has_prefix (disk->path, folder));
  g_assert_null (disk->content);
  g_assert_cmpint (disk->size, ==, G_GINT64_CONSTANT (584843264) * 512);
  g_assert_cmpstr (disk->model, ==, "PERC H710");
  g_assert_cmpstr (disk->vendor, ==, "DELL");
  g_assert_cmpstr (disk->serial, ==, "0084736251403f2e1d00b2a1f0a03cb8");
  g_assert_cmpstr (disk->wwn, ==, "0x6b8ca3a0f0a1b2001d2e3f4051627384");
  g_assert_cmpstr (disk->bus, ==, "scsi");
  g_assert_true (disk->rotational);
  const P2vDisk *second = machine->disks->pdata[1];
  g_assert_cmpint (second->logical_sector_size, ==, 512);
  g_assert_cmpint (second->physical_sector_size, ==, 4096);

  assert_names (machine->removables, "sr0");
  const P2vRemovable *drive = machine->removables->pdata[0];
  g_assert_cmpstr (drive->model, ==, "DVD+-RW DS-8A9SH");
  g_assert_cmpstr (drive->bus, ==, "ata");

  assert_names (machine->nics, "eno1,eno2,eno3,eno4");
  const P2vNic *nic = machine->nics->pdata[1];
  g_assert_cmpstr (nic->mac, ==, "b8:ca:3a:6a:10:01");
  g_assert_cmpstr (nic->driver, ==, "tg3");
  g_assert_cmpstr (nic->bus, ==, "pci");
  g_assert_cmpstr (nic->vendor, ==, "Broadcom Inc. and subsidiaries");
  g_assert_cmpstr (nic->model, ==, "NetXtreme BCM5720 Gigabit Ethernet PCIe");
  g_assert_true (nic->link);
  g_assert_cmpint (nic->speed, ==, 10000);
  const P2vNic *down = machine->nics->pdata[2];
  g_assert_false (down->link);
  g_assert_cmpint (down->speed, ==, 0);
}

static const P2vBootEntry *
find_entry (const P2vMachine *machine, const char *id)
{
  const GPtrArray *entries = machine->firmware->boot_entries;
  for (guint i = 0; i < entries->len; i++)
    {
      const P2vBootEntry *entry = entries->pdata[i];
      if (g_str_equal (entry->id, id))
        return entry;
    }
  return NULL;
}

static void
test_uefi_boot_entries (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "nuc-uefi.tree");
  g_autoptr (P2vMachine) machine = test_collect (root);
  const P2vFirmware *firmware = machine->firmware;
  g_assert_cmpstr (firmware->type, ==, "uefi");
  g_assert_true (firmware->secure_boot);
  g_assert_cmpstr (firmware->tpm, ==, "2.0");
  g_autofree char *order = g_strjoinv (",", firmware->boot_order);
  g_assert_cmpstr (order, ==, "0001,000A,0000");

  const P2vBootEntry *debian = find_entry (machine, "0001");
  g_assert_cmpstr (debian->label, ==, "debian");
  g_assert_true (debian->active);
  g_assert_cmpstr (debian->loader, ==, "\\EFI\\debian\\shimx64.efi");
  g_assert_cmpstr (debian->partition_uuid, ==, "3e1f2a4c-9b7d-4c11-8a52-6d0f1b2c3d4e");
  const P2vBootEntry *windows = find_entry (machine, "0000");
  g_assert_cmpstr (windows->loader, ==, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
  const P2vBootEntry *stick = find_entry (machine, "000A");
  g_assert_false (stick->active);
  g_assert_cmpstr (stick->loader, ==, "\\EFI\\BOOT\\BOOTX64.EFI");
  g_assert_cmpstr (stick->partition_uuid, ==, "1234abcd-01");
  /* Damaged ones: cut off, longer than they are; unreadable text is merely left out. */
  g_assert_null (find_entry (machine, "0002"));
  g_assert_null (find_entry (machine, "0003"));
  g_assert_null (find_entry (machine, "0004")->label);
}

static void
test_live_medium_and_odd_disks (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "nuc-uefi.tree");
  g_autoptr (P2vMachine) machine = test_collect (root);
  /* No empty card reader, no eMMC boot area, no hidden NVMe path, no loop device. */
  assert_names (machine->disks, "mmcblk0,nvme0n1,sda");
  const P2vDisk *mmc = machine->disks->pdata[0];
  const P2vDisk *nvme = machine->disks->pdata[1];
  const P2vDisk *stick = machine->disks->pdata[2];
  g_assert_cmpstr (mmc->bus, ==, "mmc");
  g_assert_cmpstr (mmc->model, ==, "DG4032");
  g_assert_cmpstr (nvme->bus, ==, "nvme");
  g_assert_cmpstr (nvme->model, ==, "Samsung SSD 980 PRO 1TB");
  g_assert_cmpstr (nvme->serial, ==, "S5GXNX0T123456Z");
  g_assert_cmpstr (nvme->wwn, ==, "eui.0025385b71b00001");
  g_assert_cmpint (nvme->logical_sector_size, ==, 4096);
  g_assert_cmpint (nvme->size, ==, G_GINT64_CONSTANT (1953525168) * 512);
  g_assert_true (p2v_disk_is_convertible (nvme));
  g_assert_cmpstr (stick->bus, ==, "usb");
  g_assert_cmpstr (stick->serial, ==, "4C530001130722109441");
  g_assert_true (stick->removable && stick->live_medium);
  g_assert_false (p2v_disk_is_convertible (stick));
  g_assert_false (nvme->live_medium || mmc->live_medium);

  /* Cores with one thread beside cores with two: as many processors as there are. */
  g_assert_cmpint (machine->cpu->sockets * machine->cpu->cores * machine->cpu->threads, ==, 16);
  g_assert_cmpint (machine->memory, ==, 16384 * MIB);
  g_assert_null (machine->smbios->uuid);
  g_assert_cmpstr (machine->clock->basis, ==, "unknown");
  const P2vNic *nic = machine->nics->pdata[0];
  g_assert_cmpstr (nic->model, ==, "Ethernet Controller I225-LM");
}

/* The stick is known by root=live: where nothing of it is mounted (copied to memory). */
static void
test_live_medium_by_its_label (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "nuc-uefi.tree");
  g_autofree char *mounts = g_build_filename (root, "proc/self/mountinfo", NULL);
  g_autofree char *devices = g_build_filename (root, "dev", NULL);
  g_assert_cmpint (g_unlink (mounts), ==, 0);
  g_assert_cmpint (g_mkdir (devices, 0755), ==, 0);
  g_autofree char *stick = test_disk_new (devices, "sda", 8);
  g_autofree char *other = test_disk_new (devices, "mmcblk0", 8);
  TOOL ("mke2fs", "-q", "-F", "-L", "P2V", stick);
  TOOL ("mke2fs", "-q", "-F", "-L", "P2V2", other);
  g_autoptr (P2vMachine) machine = test_collect (root);
  g_assert_true (p2v_machine_find_disk (machine, "sda")->live_medium);
  g_assert_false (p2v_machine_find_disk (machine, "mmcblk0")->live_medium);
}

/* p2v's own live image mounts nothing of its medium, and is not told where it is. */
static void
test_live_medium_of_its_own (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "nuc-uefi.tree");
  g_autofree char *mounts = g_build_filename (root, "proc/self/mountinfo", NULL);
  g_autofree char *arguments = g_build_filename (root, "proc/cmdline", NULL);
  g_autofree char *devices = g_build_filename (root, "dev", NULL);
  g_autofree char *own = g_build_filename (root, "etc/p2v", NULL);
  g_autofree char *mark = g_build_filename (own, "live", NULL);
  g_assert_cmpint (g_unlink (mounts), ==, 0);
  g_assert_true (g_file_set_contents (arguments, "console=tty0 quiet\n", -1, NULL));
  g_assert_cmpint (g_mkdir (devices, 0755), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (own, 0755), ==, 0);
  g_autofree char *stick = test_disk_new (devices, "sda", 8);
  g_autofree char *other = test_disk_new (devices, "mmcblk0", 8);
  TOOL ("xorriso", "-as", "mkisofs", "-quiet", "-V", "P2V", "-o", stick, own);
  /* A file system of the machine may have any name. */
  TOOL ("mke2fs", "-q", "-F", "-L", "P2V", other);
  {
    g_autoptr (P2vMachine) machine = test_collect (root);
    g_assert_false (p2v_machine_find_disk (machine, "sda")->live_medium);
  }
  g_assert_true (g_file_set_contents (mark, "", -1, NULL));
  g_autoptr (P2vMachine) machine = test_collect (root);
  g_assert_true (p2v_machine_find_disk (machine, "sda")->live_medium);
  g_assert_false (p2v_machine_find_disk (machine, "mmcblk0")->live_medium);
}

static void
test_raid_members_are_no_disks_to_convert (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "md-raid1.tree");
  g_autoptr (P2vMachine) machine = test_collect (root);
  /* The container is none, the mirror over partitions lives in its disks. */
  assert_names (machine->disks, "md1,md126,sda,sdb,sdc,sdd,sde");
  g_assert_cmpstr (p2v_machine_find_disk (machine, "sda")->member_of, ==, "md126");
  g_assert_cmpstr (p2v_machine_find_disk (machine, "sdb")->member_of, ==, "md126");
  g_assert_null (p2v_machine_find_disk (machine, "sdc")->member_of);
  g_assert_null (p2v_machine_find_disk (machine, "md126")->member_of);
  g_assert_cmpstr (p2v_machine_find_disk (machine, "md126")->bus, ==, "raid");
  /* An array that the live image has made of a snapshot of its member. */
  g_assert_cmpstr (p2v_machine_find_disk (machine, "sde")->member_of, ==, "md1");
  const P2vDisk *disk = p2v_machine_find_disk (machine, "sda");
  g_assert_cmpstr (disk->bus, ==, "ata");
  g_assert_cmpstr (disk->model, ==, "WDC WD1003FBYX-01Y7B1");
  g_assert_cmpstr (disk->serial, ==, "WD-WCAW31234567");
  g_assert_cmpstr (disk->wwn, ==, "0x50014ee2b0a1b2c3");
  g_assert_null (disk->vendor);
  g_assert_cmpint (machine->memory, ==, 4096 * MIB);
}

static void
test_multipath_is_one_disk (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "multipath.tree");
  g_autoptr (P2vMachine) machine = test_collect (root);
  assert_names (machine->disks, "mpatha,sda,sdb");
  const P2vDisk *disk = p2v_machine_find_disk (machine, "mpatha");
  g_assert_null (disk->member_of);
  g_assert_cmpstr (disk->bus, ==, "fc");
  g_assert_cmpstr (disk->wwn, ==, "0x600a098038303053453f463045727a37");
  g_assert_cmpstr (p2v_machine_find_disk (machine, "sda")->member_of, ==, "mpatha");
  g_assert_cmpstr (p2v_machine_find_disk (machine, "sdb")->member_of, ==, "mpatha");
}

static void
test_guest_with_offline_processor (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = test_tree_make (folder, FIXTURES "kvm-guest.tree");
  g_autoptr (P2vMachine) machine = test_collect (root);
  g_assert_cmpstr (machine->hypervisor, ==, "kvm");
  g_assert_cmpstr (machine->cpu->vendor, ==, "AMD");
  g_assert_cmpint (machine->cpu->sockets, ==, 1);
  g_assert_cmpint (machine->cpu->cores, ==, 2);
  g_assert_cmpint (machine->cpu->threads, ==, 2);
  g_assert_cmpint (machine->cpu->online, ==, 3);
  g_assert_cmpint (machine->memory, ==, 2048 * MIB);
  assert_names (machine->disks, "sda,sdz,sdaa,vda");
  g_assert_cmpstr (p2v_machine_find_disk (machine, "sda")->bus, ==, "scsi");
  g_assert_true (p2v_machine_find_disk (machine, "sdz")->read_only);
  const P2vDisk *disk = p2v_machine_find_disk (machine, "vda");
  g_assert_cmpstr (disk->bus, ==, "virtio");
  g_assert_cmpstr (disk->serial, ==, "disk-0");
  g_assert_null (disk->vendor);
}

/* What the end-to-end tests count on. */
static void
test_recorded_test_machines (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *bios_root = test_tree_make (folder, "tests/machines/recorded/bios1.tree");
  g_autofree char *uefi_root = test_tree_make (folder, "tests/machines/recorded/uefi1.tree");
  g_autoptr (P2vMachine) bios = test_collect (bios_root);
  g_autoptr (P2vMachine) uefi = test_collect (uefi_root);
  P2vMachine *both[] = { bios, uefi };
  const char *macs[] = { "52:54:00:b1:05:01", "52:54:00:0e:f1:01" };
  for (gsize i = 0; i < G_N_ELEMENTS (both); i++)
    {
      assert_names (both[i]->nics, "eno1");
      const P2vNic *nic = both[i]->nics->pdata[0];
      g_assert_cmpstr (nic->mac, ==, macs[i]);
      g_assert_cmpstr (nic->driver, ==, "e1000e");
      assert_names (both[i]->removables, "sr0");
      g_assert_cmpint (both[i]->cpu->sockets * both[i]->cpu->cores, ==, 2);
      g_assert_cmpint (both[i]->memory, ==, 1024 * MIB);
      g_assert_cmpstr (both[i]->clock->basis, ==, "utc");
      g_assert_null (both[i]->firmware->tpm);
      g_assert_false (both[i]->firmware->secure_boot);
      g_assert_cmpuint (both[i]->disks->len, ==, 0);
    }
  g_assert_cmpstr (bios->firmware->type, ==, "bios");
  g_assert_cmpstr (uefi->firmware->type, ==, "uefi");
  g_assert_cmpstr (find_entry (uefi, "0000")->loader, ==, "\\EFI\\debian\\shimx64.efi");
}

static void
test_this_machine (void)
{
  g_autoptr (P2vMachine) machine = test_collect ("/");
  g_assert_cmpint (machine->cpu->online, ==, (gint64)g_get_num_processors ());
  g_assert_cmpint (machine->memory, >=, 64 * MIB);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = p2v_machine_to_json (machine);
  g_autoptr (P2vMachine) copy = p2v_machine_from_json (object, &error);
  g_assert_no_error (error);
}

static void
test_no_such_root (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (p2v_inventory_collect ("/nonexistent/machine", NULL, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_FAILED);
  g_autoptr (GError) stopped = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (p2v_inventory_collect ("/", cancellable, &stopped));
  g_assert_error (stopped, P2V_ERROR, P2V_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inventory/bios-server", test_bios_server);
  g_test_add_func ("/inventory/bios-server-disks-and-nics", test_bios_server_disks_and_nics);
  g_test_add_func ("/inventory/uefi-boot-entries", test_uefi_boot_entries);
  g_test_add_func ("/inventory/live-medium-and-odd-disks", test_live_medium_and_odd_disks);
  g_test_add_func ("/inventory/live-medium-by-its-label", test_live_medium_by_its_label);
  g_test_add_func ("/inventory/live-medium-of-its-own", test_live_medium_of_its_own);
  g_test_add_func ("/inventory/raid-members-are-no-disks-to-convert",
                   test_raid_members_are_no_disks_to_convert);
  g_test_add_func ("/inventory/multipath-is-one-disk", test_multipath_is_one_disk);
  g_test_add_func ("/inventory/guest-with-offline-processor", test_guest_with_offline_processor);
  g_test_add_func ("/inventory/recorded-test-machines", test_recorded_test_machines);
  g_test_add_func ("/inventory/this-machine", test_this_machine);
  g_test_add_func ("/inventory/no-such-root", test_no_such_root);
  return g_test_run ();
}
