/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/disk-health.h"
#include "p2v-client/disk-warnings.h"
#include "p2v-client/machine-map.h"
#include "tests/unit/p2v-client/inventory-fixture.h"

#include <string.h>

#define GIB (G_GINT64_CONSTANT (1) << 30)

static P2vContent *
new_content (const char *kind, const char *type)
{
  P2vContent *content = p2v_content_new ();
  content->kind = g_strdup (kind);
  content->type = g_strdup (type);
  return content;
}

/* A disk of 10 GiB with a partition table and one partition of a content, which is returned. */
static P2vContent *
add_disk (P2vMachine *machine, const char *name, P2vContent *content)
{
  P2vDisk *disk = p2v_disk_new ();
  P2vPartition *partition = p2v_partition_new ();
  disk->name = g_strdup (name);
  disk->path = g_strconcat ("/nonexistent/", name, NULL);
  disk->size = 10 * GIB;
  disk->content = new_content ("partition-table", "gpt");
  partition->number = 1;
  partition->content = content;
  g_ptr_array_add (disk->content->partitions, partition);
  g_ptr_array_add (machine->disks, disk);
  return content;
}

/* Something that starts, so that only the matter of a test is warned of. */
static void
add_system (P2vMachine *machine)
{
  P2vContent *root = add_disk (machine, "sdz", new_content ("filesystem", "ext4"));
  root->os = p2v_os_new ();
}

static P2vContent *
add_member (P2vMachine *machine, const char *disk, const char *kind, gint64 members)
{
  gboolean lvm = g_str_equal (kind, "lvm-pv");
  P2vContent *content
      = add_disk (machine, disk, new_content (kind, lvm ? "LVM2_member" : "linux_raid_member"));
  content->group = g_strdup (lvm ? "vg0" : "web:0");
  content->uuid = g_strconcat ("uuid", lvm ? disk : "-of-array", NULL);
  content->members = members;
  return content;
}

static GPtrArray *
judge (const P2vMachine *machine, const char *chosen, gint64 free_space)
{
  g_auto (GStrv) names = g_strsplit (chosen, ",", -1);
  return p2v_disk_warnings_judge (machine, (const char *const *)names, free_space);
}

static void
assert_nothing (const P2vMachine *machine, const char *chosen)
{
  g_autoptr (GPtrArray) warnings = judge (machine, chosen, -1);
  if (warnings->len > 0)
    g_test_message ("%s", ((P2vDiskWarning *)warnings->pdata[0])->text);
  g_assert_cmpuint (warnings->len, ==, 0);
}

/* That this is the only warning of the disk, and has advice. */
static void
assert_warning (const GPtrArray *warnings, const char *disk, P2vSeverity severity, const char *text)
{
  guint count = 0;
  for (guint i = 0; i < warnings->len; i++)
    {
      const P2vDiskWarning *warning = warnings->pdata[i];
      if (g_strcmp0 (warning->disk, disk) != 0)
        continue;
      count++;
      g_assert_nonnull (strstr (warning->text, text));
      g_assert_cmpint (warning->severity, ==, severity);
      g_assert_cmpstr (warning->advice, !=, "");
    }
  g_assert_cmpuint (count, ==, 1);
}

static void
assert_one (const P2vMachine *machine, const char *chosen, const char *disk, P2vSeverity severity,
            const char *text)
{
  g_autoptr (GPtrArray) warnings = judge (machine, chosen, -1);
  g_assert_cmpuint (warnings->len, ==, 1);
  assert_warning (warnings, disk, severity, text);
}

static void
test_half_array (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  add_member (machine, "sda", "raid-member", 2);
  add_member (machine, "sdb", "raid-member", 2);
  assert_nothing (machine, "sdz,sda,sdb");
  assert_nothing (machine, "sdz");
  assert_one (machine, "sdz,sda", "sda", P2V_SEVERITY_SERIOUS,
              "Array web:0 has other members on sdb, which is not chosen");
  /* By path as well. */
  assert_nothing (machine, "sdz,/nonexistent/sda,/nonexistent/sdb");
}

static void
test_other_array (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  add_member (machine, "sda", "raid-member", 1);
  P2vContent *other = add_member (machine, "sdb", "raid-member", 1);
  g_free (other->uuid);
  /* The same name, as after a move from another machine. */
  other->uuid = g_strdup ("another");
  assert_nothing (machine, "sdz,sda");
}

static void
test_half_group (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  add_member (machine, "sda", "lvm-pv", 3);
  add_member (machine, "sdb", "lvm-pv", 3);
  add_member (machine, "sdc", "lvm-pv", 3);
  assert_nothing (machine, "sdz,sda,sdb,sdc");
  g_autoptr (GPtrArray) warnings = judge (machine, "sdz,sda,sdc", -1);
  g_assert_cmpuint (warnings->len, ==, 2);
  assert_warning (warnings, "sda", P2V_SEVERITY_SERIOUS, "Volume group vg0 continues on sdb");
  assert_warning (warnings, "sdc", P2V_SEVERITY_SERIOUS, "Volume group vg0 continues on sdb");
}

static void
test_missing_member (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  add_member (machine, "sda", "lvm-pv", 2);
  add_member (machine, "sdb", "raid-member", 3);
  assert_one (machine, "sdz,sda", "sda", P2V_SEVERITY_SERIOUS,
              "vg0 lacks 1 of its 2 physical volumes");
  assert_one (machine, "sdz,sdb", "sdb", P2V_SEVERITY_CAUTION, "web:0 lacks 2 of its 3 members");
}

static void
test_degraded (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  p2v_machine_find_disk (machine, "sdz")->missing = 1;
  assert_one (machine, "sdz", "sdz", P2V_SEVERITY_CAUTION, "degraded");
}

static void
test_encrypted (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_disk (machine, "sda", new_content ("luks", "crypto_LUKS"));
  add_disk (machine, "sdb", new_content ("bitlocker", "BitLocker"));
  assert_one (machine, "sda", "sda", P2V_SEVERITY_NOTE, "LUKS");
  assert_one (machine, "sdb", "sdb", P2V_SEVERITY_CAUTION, "BitLocker");
}

static void
test_hibernated (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  add_disk (machine, "sda", new_content ("swap", "swsuspend"));
  P2vContent *windows = add_disk (machine, "sdb", new_content ("filesystem", "ntfs"));
  assert_one (machine, "sdz,sda", "sda", P2V_SEVERITY_CAUTION, "Linux is hibernated");
  assert_nothing (machine, "sdz,sdb");
  windows->read_in_full = g_strdup ("Windows is hibernated in it (or shut down with fast startup)");
  assert_one (machine, "sdz,sdb", "sdb", P2V_SEVERITY_CAUTION, "Windows is hibernated");
}

/* What the map itself says of a real one. */
static void
test_dirty (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *path = test_disk_new (folder, "dirty", 64);
  TOOL ("mkfs.ext4", "-q", "-F", path);
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  P2vDisk *clean = test_describe (path);
  g_ptr_array_add (machine->disks, clean);
  g_assert_true (p2v_machine_map_contents (machine, NULL, NULL));
  assert_nothing (machine, "sdz,dirty");
  g_assert_cmpint (clean->content->used, >, 0);

  /* As a system that is switched off leaves it. */
  TOOL ("debugfs", "-w", "-R", "set_super_value state 0", path);
  g_assert_true (p2v_machine_map_contents (machine, NULL, NULL));
  assert_one (machine, "sdz,dirty", "dirty", P2V_SEVERITY_CAUTION, "not unmounted cleanly");
}

static void
test_failing (void)
{
  static const char failing[]
      = "{\"smartctl\":{\"exit_status\":8},\"smart_status\":{\"passed\":false}}";
  static const char good[] = "{\"smart_status\":{\"passed\":true}}";
  g_assert_cmpstr (p2v_disk_health_parse (failing, -1), ==, "failing");
  g_assert_cmpstr (p2v_disk_health_parse (good, -1), ==, "good");
  g_assert_null (p2v_disk_health_parse ("{\"smartctl\":{\"exit_status\":2}}", -1));
  g_assert_null (p2v_disk_health_parse ("{\"smart_status\":{\"passed\":\"no\"}}", -1));
  g_assert_null (p2v_disk_health_parse ("[1]", -1));
  g_assert_null (p2v_disk_health_parse ("", -1));
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  P2vDisk *disk = p2v_machine_find_disk (machine, "sdz");
  disk->health = g_strdup ("good");
  assert_nothing (machine, "sdz");
  g_free (disk->health);
  disk->health = g_strdup ("failing");
  assert_one (machine, "sdz", "sdz", P2V_SEVERITY_SERIOUS, "SMART");
}

static void
test_unreadable (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  P2vDisk *disk = p2v_machine_find_disk (machine, "sdz");
  g_clear_pointer (&disk->content, p2v_content_free);
  assert_one (machine, "sdz", "sdz", P2V_SEVERITY_CAUTION, "could not be read");
}

static void
test_space (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_system (machine);
  g_autoptr (GPtrArray) enough = judge (machine, "sdz", 10 * GIB);
  g_assert_cmpuint (enough->len, ==, 0);
  g_autoptr (GPtrArray) short_of = judge (machine, "sdz", 10 * GIB - 1);
  g_assert_cmpuint (short_of->len, ==, 1);
  assert_warning (short_of, NULL, P2V_SEVERITY_SERIOUS, "are 10.0 GiB large");
}

static void
test_nothing_to_start (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_disk (machine, "sda", new_content ("filesystem", "ext4"));
  assert_one (machine, "sda", NULL, P2V_SEVERITY_CAUTION, "No operating system");
  P2vPartition *partition = p2v_machine_find_disk (machine, "sda")->content->partitions->pdata[0];
  partition->bootable = TRUE;
  assert_nothing (machine, "sda");
  partition->bootable = FALSE;
  partition->type = g_strdup ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  assert_nothing (machine, "sda");
  g_autoptr (GPtrArray) none = p2v_disk_warnings_judge (machine, NULL, -1);
  g_assert_cmpuint (none->len, ==, 0);
}

static void
test_worst_first (void)
{
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  add_disk (machine, "sda", new_content ("luks", "crypto_LUKS"));
  add_disk (machine, "sdb", new_content ("luks", "crypto_LUKS"));
  P2vDisk *disk = p2v_machine_find_disk (machine, "sdb");
  disk->missing = 1;
  g_autoptr (GPtrArray) warnings = judge (machine, "sda,sdb", 0);
  g_assert_cmpuint (warnings->len, ==, 4);
  const P2vSeverity expected[]
      = { P2V_SEVERITY_NOTE, P2V_SEVERITY_CAUTION, P2V_SEVERITY_NOTE, P2V_SEVERITY_SERIOUS };
  for (guint i = 0; i < warnings->len; i++)
    g_assert_cmpint (((P2vDiskWarning *)warnings->pdata[i])->severity, ==, expected[i]);
}

static void
test_gone (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *path = test_disk_new (folder, "disk", 1);
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  g_ptr_array_add (machine->disks, test_describe (path));
  const char *const chosen[] = { "disk", NULL };
  g_assert_null (p2v_disk_warnings_find_gone (machine, chosen));
  g_unlink (path);
  g_assert_true (p2v_disk_warnings_find_gone (machine, chosen) == machine->disks->pdata[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/disk-warnings/half-array", test_half_array);
  g_test_add_func ("/disk-warnings/other-array", test_other_array);
  g_test_add_func ("/disk-warnings/half-group", test_half_group);
  g_test_add_func ("/disk-warnings/missing-member", test_missing_member);
  g_test_add_func ("/disk-warnings/degraded", test_degraded);
  g_test_add_func ("/disk-warnings/encrypted", test_encrypted);
  g_test_add_func ("/disk-warnings/hibernated", test_hibernated);
  g_test_add_func ("/disk-warnings/dirty", test_dirty);
  g_test_add_func ("/disk-warnings/failing", test_failing);
  g_test_add_func ("/disk-warnings/unreadable", test_unreadable);
  g_test_add_func ("/disk-warnings/space", test_space);
  g_test_add_func ("/disk-warnings/nothing-to-start", test_nothing_to_start);
  g_test_add_func ("/disk-warnings/worst-first", test_worst_first);
  g_test_add_func ("/disk-warnings/gone", test_gone);
  return g_test_run ();
}
