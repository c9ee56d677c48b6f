/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "tests/unit/p2v-client/inventory-fixture.h"

#include <signal.h>
#include <sys/stat.h>

#define MIB (G_GINT64_CONSTANT (1) << 20)

/* A folder with what an installed system says about itself. */
static char *
make_root (const char *folder, const char *hostname, const char *adjtime)
{
  char *root = g_build_filename (folder, "root", NULL);
  g_autofree char *etc = g_build_filename (root, "etc", NULL);
  g_autofree char *lib = g_build_filename (root, "usr/lib", NULL);
  g_assert_cmpint (g_mkdir_with_parents (etc, 0755), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (lib, 0755), ==, 0);
  g_autofree char *release = g_build_filename (lib, "os-release", NULL);
  g_autofree char *link = g_build_filename (etc, "os-release", NULL);
  g_autofree char *name = g_build_filename (etc, "hostname", NULL);
  g_autofree char *clock = g_build_filename (etc, "adjtime", NULL);
  g_autofree char *name_text = g_strconcat ("# set by hand\n", hostname, "\n", NULL);
  g_assert_true (g_file_set_contents (release,
                                      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
                                      "NAME='Debian GNU/Linux'\nVERSION_ID=\"12\"\nID=debian\n",
                                      -1, NULL));
  g_assert_cmpint (symlink ("../usr/lib/os-release", link), ==, 0);
  g_assert_true (g_file_set_contents (name, name_text, -1, NULL));
  if (adjtime != NULL)
    g_assert_true (g_file_set_contents (clock, adjtime, -1, NULL));
  return root;
}

/* Copies a file into another one at an offset. */
static void
put_file (const char *disk, gint64 offset, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *contents = NULL;
  gsize length;
  g_file_get_contents (path, &contents, &length, &error);
  g_assert_no_error (error);
  test_write (disk, offset, contents, length);
}

static const P2vPartition *
partition_of (const P2vContent *content, guint index)
{
  g_assert_nonnull (content);
  g_assert_cmpuint (index, <, content->partitions->len);
  return content->partitions->pdata[index];
}

static void
assert_debian (const P2vOs *os, const char *hostname, const char *location)
{
  g_assert_nonnull (os);
  g_assert_cmpstr (os->id, ==, "debian");
  g_assert_cmpstr (os->name, ==, "Debian GNU/Linux 12 (bookworm)");
  g_assert_cmpstr (os->version, ==, "12");
  g_assert_cmpstr (os->hostname, ==, hostname);
  g_assert_cmpstr (os->location, ==, location);
}

static void
test_gpt_disk (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = make_root (folder, "web-01", "0.0 0 0.0\n0\nLOCAL\n");
  g_autofree char *disk_path = test_disk_new (folder, "sda (1).raw", 128);
  g_autofree char *ext4 = test_disk_new (folder, "ext4", 32);
  g_autofree char *swap = test_disk_new (folder, "swap", 8);
  TOOL ("sgdisk", "-n1:2048:+32M", "-t1:ef00", "-c1:EFI system", "-n2:0:+48M", "-A2:set:2",
        "-n3:0:+8M", "-t3:8200", "-n4:0:+8M", disk_path);
  TOOL ("mkfs.vfat", "-F", "32", "-s", "1", "-n", "ESP", "-i", "1234ABCD", "--offset", "2048",
        disk_path, "32768");
  TOOL ("mke2fs", "-q", "-t", "ext4", "-L", "root fs", "-U", "6652e78e-cc66-46e1-a42f-6b323e14e832",
        "-d", root, ext4);
  TOOL ("mkswap", "-L", "swap", swap);
  put_file (disk_path, 33 * MIB, ext4);
  put_file (disk_path, 81 * MIB, swap);

  g_autoptr (P2vDisk) disk = test_describe (disk_path);
  g_assert_cmpstr (disk->name, ==, "sda--1-.raw");
  g_assert_cmpstr (disk->path, ==, disk_path);
  g_assert_cmpstr (disk->bus, ==, "file");
  g_assert_cmpint (disk->size, ==, 128 * MIB);
  g_assert_cmpint (disk->logical_sector_size, ==, 512);
  g_assert_cmpstr (disk->content->kind, ==, "partition-table");
  g_assert_cmpstr (disk->content->type, ==, "gpt");
  g_assert_cmpuint (disk->content->partitions->len, ==, 4);

  const P2vPartition *esp = partition_of (disk->content, 0);
  g_assert_cmpint (esp->number, ==, 1);
  g_assert_cmpint (esp->start, ==, MIB);
  g_assert_cmpint (esp->size, ==, 32 * MIB);
  g_assert_cmpstr (esp->type, ==, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  g_assert_cmpstr (esp->label, ==, "EFI system");
  g_assert_null (esp->path);
  g_assert_cmpstr (esp->content->type, ==, "vfat");
  g_assert_cmpstr (esp->content->label, ==, "ESP");
  g_assert_cmpstr (esp->content->uuid, ==, "1234-ABCD");
  g_assert_cmpint (esp->content->size, ==, 32 * MIB);
  const P2vPartition *system = partition_of (disk->content, 1);
  g_assert_true (system->bootable && !esp->bootable);
  g_assert_cmpstr (system->content->kind, ==, "filesystem");
  g_assert_cmpstr (system->content->label, ==, "root fs");
  g_assert_cmpstr (system->content->uuid, ==, "6652e78e-cc66-46e1-a42f-6b323e14e832");
  g_assert_cmpint (system->content->size, ==, 32 * MIB);
  g_assert_cmpint (system->size, ==, 48 * MIB);
  assert_debian (system->content->os, "web-01", "sda--1-.raw partition 2");
  g_assert_cmpstr (system->content->os->clock, ==, "localtime");
  g_assert_cmpstr (partition_of (disk->content, 2)->content->kind, ==, "swap");
  g_assert_cmpint (partition_of (disk->content, 2)->content->size, ==, 8 * MIB);
  g_assert_cmpstr (partition_of (disk->content, 3)->content->kind, ==, "empty");
}

static void
test_mbr_disk_with_logical_partition (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = make_root (folder, "old", NULL);
  g_autofree char *disk_path = test_disk_new (folder, "sdb", 64);
  g_autofree char *ext3 = test_disk_new (folder, "ext3", 16);
  g_autofree char *script = g_build_filename (folder, "script", NULL);
  g_autofree char *command = g_strdup_printf ("sfdisk -q '%s' <'%s'", disk_path, script);
  g_assert_true (g_file_set_contents (script,
                                      "label: dos\nlabel-id: 0x12345678\n"
                                      "start=2048, size=8M, type=83, bootable\n"
                                      "start=20480, type=5\nstart=22528, size=16M, type=83\n",
                                      -1, NULL));
  TOOL ("sh", "-c", command);
  TOOL ("mke2fs", "-q", "-t", "ext3", "-d", root, ext3);
  put_file (disk_path, 11 * MIB, ext3);
  g_autoptr (P2vDisk) disk = test_describe (disk_path);
  g_assert_cmpstr (disk->content->type, ==, "dos");
  g_assert_cmpstr (disk->content->uuid, ==, "12345678");
  g_assert_cmpuint (disk->content->partitions->len, ==, 3);
  const P2vPartition *first = partition_of (disk->content, 0);
  const P2vPartition *extended = partition_of (disk->content, 1);
  const P2vPartition *logical = partition_of (disk->content, 2);
  g_assert_true (first->bootable && !logical->bootable);
  g_assert_cmpstr (first->type, ==, "0x83");
  g_assert_cmpstr (first->uuid, ==, "12345678-01");
  g_assert_cmpstr (extended->content->kind, ==, "partition-table");
  g_assert_cmpint (logical->number, ==, 5);
  g_assert_cmpint (logical->start, ==, 11 * MIB);
  assert_debian (logical->content->os, "old", "sdb partition 5");
  g_assert_cmpstr (logical->content->os->clock, ==, "utc");
}

static void
test_filesystems_without_a_table (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = make_root (folder, "data", NULL);
  g_autofree char *btrfs = test_disk_new (folder, "btrfs", 128);
  g_autofree char *ubuntu = test_disk_new (folder, "ubuntu", 128);
  g_autofree char *ext4 = test_disk_new (folder, "ext4", 32);
  g_autofree char *ntfs = test_disk_new (folder, "ntfs", 16);
  g_autofree char *top = g_build_filename (folder, "top", NULL);
  g_autofree char *subvolume = g_build_filename (top, "@", NULL);
  TOOL ("mkfs.btrfs", "-q", "-L", "pool", "-r", root, btrfs);
  TOOL ("mke2fs", "-q", "-t", "ext4", "-O", "metadata_csum_seed,casefold", "-d", root, ext4);
  TOOL ("mkntfs", "-q", "-F", "-L", "Daten", ntfs);
  g_autoptr (P2vDisk) disk = test_describe (btrfs);
  g_assert_cmpstr (disk->content->label, ==, "pool");
  g_assert_cmpint (disk->content->size, ==, 128 * MIB);
  assert_debian (disk->content->os, "data", btrfs);
  g_autoptr (P2vDisk) second = test_describe (ext4);
  assert_debian (second->content->os, "data", ext4);
  g_autoptr (P2vDisk) third = test_describe (ntfs);
  g_assert_cmpstr (third->content->type, ==, "ntfs");
  g_assert_cmpstr (third->content->label, ==, "Daten");
  g_assert_cmpint (third->content->size, >, 15 * MIB);
  g_assert_null (third->content->os);
  /* The root is in the folder of a subvolume. */
  g_assert_cmpint (g_mkdir (top, 0755), ==, 0);
  g_assert_cmpint (rename (root, subvolume), ==, 0);
  TOOL ("mkfs.btrfs", "-q", "-r", top, ubuntu);
  g_autoptr (P2vDisk) fourth = test_describe (ubuntu);
  assert_debian (fourth->content->os, "data", ubuntu);
}

static void
test_locked_and_empty_disks (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *luks = test_disk_new (folder, "luks", 32);
  g_autofree char *empty = test_disk_new (folder, "empty", 4);
  g_autofree char *noise = test_disk_new (folder, "noise", 4);
  g_autofree char *key = g_build_filename (folder, "key", NULL);
  g_assert_true (g_file_set_contents (key, "secret", -1, NULL));
  /* LUKS1 as cryptsetup's "LUKS On-Disk Format Specification 1.2.3" figure 1 has it. */
  guint8 header[592] = "LUKS\xba\xbe\0\1aes";
  memcpy (header + 168, "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0", 36);
  test_write (luks, 0, header, sizeof header);
  guint32 word = 1;
  for (gint64 at = 0; at < 65536; at += 4)
    {
      word = word * 1664525 + 1013904223;
      test_write (noise, at, &word, sizeof word);
    }
  g_autoptr (P2vDisk) first = test_describe (luks);
  g_assert_cmpstr (first->content->kind, ==, "luks");
  g_assert_cmpstr (first->content->uuid, ==, "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0");
  g_autoptr (P2vDisk) second = test_describe (empty);
  g_assert_cmpstr (second->content->kind, ==, "empty");
  g_autoptr (P2vDisk) third = test_describe (noise);
  g_assert_cmpstr (third->content->kind, ==, "unknown");
  g_assert_null (third->content->type);
}

/* The boot sector of Windows 7 and later, and the first of three blocks of metadata. */
static void
test_bitlocker (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *path = test_disk_new (folder, "sdc", 16);
  guint8 sector[512] = { 0xeb, 0x58, 0x90, '-', 'F', 'V', 'E', '-', 'F', 'S', '-', 0, 2, 8 };
  guint64 offset = 2 * MIB;
  memcpy (sector + 176, &offset, sizeof offset);
  sector[510] = 0x55;
  sector[511] = 0xaa;
  guint8 metadata[64] = { '-', 'F', 'V', 'E', '-', 'F', 'S', '-', 0x40, 0, 2, 0 };
  test_write (path, 0, sector, sizeof sector);
  test_write (path, offset, metadata, sizeof metadata);
  g_autoptr (P2vDisk) disk = test_describe (path);
  g_assert_cmpstr (disk->content->kind, ==, "bitlocker");
  g_assert_null (disk->content->os);
}

static volatile sig_atomic_t opened_for_writing;

static void
note_writer (int signal_number)
{
  (void)signal_number;
  opened_for_writing = 1;
}

/* A read lease, fcntl(2): the kernel tells when anybody opens the file for writing, and lets him
 * wait. Returns a descriptor, -1 where the filesystem has no leases. */
static int
watch_writers (const char *path)
{
  opened_for_writing = 0;
  signal (SIGIO, note_writer);
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  if (fcntl (fd, F_SETLEASE, F_RDLCK) == 0)
    return fd;
  close (fd);
  return -1;
}

/* A journal to be replayed is what mounting would do; nothing may happen to it. */
static void
test_source_is_never_written (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = make_root (folder, "dirty", NULL);
  g_autofree char *ext4 = test_disk_new (folder, "ext4", 32);
  g_autofree char *xfs = test_disk_new (folder, "xfs", 320);
  TOOL ("mke2fs", "-q", "-t", "ext4", "-d", root, ext4);
  TOOL ("debugfs", "-w", "-R", "feature needs_recovery", ext4);
  TOOL ("mkfs.xfs", "-q", "-L", "data", xfs);
  const char *paths[] = { ext4, xfs };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *before = NULL, *after = NULL;
      gsize length_before, length_after;
      struct stat old, new;
      g_assert_true (g_file_get_contents (paths[i], &before, &length_before, NULL));
      g_assert_cmpint (stat (paths[i], &old), ==, 0);
      int watch = watch_writers (paths[i]);
      g_autoptr (P2vDisk) disk = test_describe (paths[i]);
      g_assert_false (opened_for_writing);
      if (watch >= 0)
        close (watch);
      else
        g_test_message ("no leases here: only the contents were compared");
      g_assert_cmpint (disk->content->size, ==, disk->size);
      g_assert_true (g_file_get_contents (paths[i], &after, &length_after, NULL));
      g_assert_cmpint (stat (paths[i], &new), ==, 0);
      g_assert_cmpmem (before, length_before, after, length_after);
      g_assert_cmpint (old.st_mtim.tv_sec, ==, new.st_mtim.tv_sec);
      g_assert_cmpint (old.st_mtim.tv_nsec, ==, new.st_mtim.tv_nsec);
      if (i == 0)
        assert_debian (disk->content->os, "dirty", ext4);
    }
}

static void
test_hostile_text_is_made_valid (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = make_root (folder, "a\033[31m\xff\xfe b", NULL);
  g_autofree char *ext4 = test_disk_new (folder, "ext4", 8);
  TOOL ("mke2fs", "-q", "-t", "ext4", "-L", "l\xe4\033b", "-d", root, ext4);
  g_autoptr (P2vDisk) disk = test_describe (ext4);
  const char *texts[] = { disk->content->label, disk->content->os->hostname };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_assert_nonnull (texts[i]);
      g_assert_true (g_utf8_validate (texts[i], -1, NULL));
      g_assert_null (strchr (texts[i], '\033'));
    }
}

static void
assert_no_disk (const char *path, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (p2v_inventory_describe_file (path, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  g_assert_nonnull (strstr (error->message, part));
}

static void
test_what_is_no_disk_is_refused (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *empty = test_disk_new (folder, "empty", 0);
  g_autofree char *fifo = g_build_filename (folder, "fifo", NULL);
  g_autofree char *missing = g_build_filename (folder, "missing", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  assert_no_disk ("sda.raw", "must be absolute");
  assert_no_disk (missing, "No such file or directory");
  assert_no_disk (folder, "neither a file nor a block device");
  assert_no_disk (fifo, "neither a file nor a block device");
  assert_no_disk ("/dev/zero", "neither a file nor a block device");
  assert_no_disk (empty, "it is empty");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inventory/gpt-disk", test_gpt_disk);
  g_test_add_func ("/inventory/mbr-disk-with-logical-partition",
                   test_mbr_disk_with_logical_partition);
  g_test_add_func ("/inventory/filesystems-without-a-table", test_filesystems_without_a_table);
  g_test_add_func ("/inventory/locked-and-empty-disks", test_locked_and_empty_disks);
  g_test_add_func ("/inventory/bitlocker", test_bitlocker);
  g_test_add_func ("/inventory/source-is-never-written", test_source_is_never_written);
  g_test_add_func ("/inventory/hostile-text-is-made-valid", test_hostile_text_is_made_valid);
  g_test_add_func ("/inventory/what-is-no-disk-is-refused", test_what_is_no_disk_is_refused);
  return g_test_run ();
}
