/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of its devices, in recorded trees; swap headers. */
#include "common/error.h"
#include "p2v-client/free-space.h"
#include "p2v-client/machine-map-parts.h"
#include "tests/unit/p2v-client/inventory-fixture.h"

#include <string.h>

#define MIB (G_GINT64_CONSTANT (1) << 20)

static void
put_file (const P2vTree *tree, const char *path, const char *text)
{
  g_autofree char *full = g_strconcat (tree->root, path, NULL);
  g_autofree char *folder = g_path_get_dirname (full);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (full, text, -1, NULL));
}

static void
put_link (const P2vTree *tree, const char *path, const char *target)
{
  g_autofree char *full = g_strconcat (tree->root, path, NULL);
  g_autofree char *folder = g_path_get_dirname (full);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_assert_cmpint (symlink (target, full), ==, 0);
}

/* sda with sda1 (1 MiB + 100 MiB) and sda2 (after it, 50 MiB, below dm-0), a mirror md0 of a
 * snapshot dm-1 of sdb1, and sdc below dm-2. dm-0 is mounted. */
static void
make_tree (const P2vTree *tree)
{
  static const char *const files[][2] = {
    { "sda/dev", "8:0" },
    { "sda/sda1/partition", "1" },
    { "sda/sda1/start", "2048" },
    { "sda/sda1/size", "204800" },
    { "sda/sda2/partition", "2" },
    { "sda/sda2/start", "206848" },
    { "sda/sda2/size", "102400" },
    { "sda/sda2/holders/dm-0/x", "" },
    { "sdb/sdb1/partition", "1" },
    { "sdb/sdb1/start", "2048" },
    { "sdb/sdb1/size", "204800" },
    { "sdb/sdb1/holders/dm-1/x", "" },
    { "sdc/holders/dm-2/x", "" },
    { "virtual/dm-0/dm/uuid", "LVM-groupvolume" },
    { "virtual/dm-0/slaves/sda2/x", "" },
    { "virtual/dm-1/dm/uuid", "P2V-MEMBER-sdb1" },
    { "virtual/dm-1/slaves/sdb1/x", "" },
    { "virtual/dm-1/slaves/loop7/x", "" },
    { "virtual/dm-1/holders/md0/x", "" },
    { "virtual/md0/slaves/dm-1/x", "" },
    { "virtual/dm-2/slaves/sdc/x", "" },
    { "virtual/dm-2/dm/uuid", "LVM-othervolume" },
  };
  static const char *const links[][2] = {
    { "sda", "sda" },           { "sda1", "sda/sda1" },     { "sda2", "sda/sda2" },
    { "sdb", "sdb" },           { "sdb1", "sdb/sdb1" },     { "sdc", "sdc" },
    { "dm-0", "virtual/dm-0" }, { "dm-1", "virtual/dm-1" }, { "dm-2", "virtual/dm-2" },
    { "md0", "virtual/md0" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_strconcat ("/sys/devices/", files[i][0], NULL);
      put_file (tree, path, files[i][1]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (links); i++)
    {
      g_autofree char *path = g_strconcat ("/sys/class/block/", links[i][0], NULL);
      g_autofree char *target = g_strconcat ("../../devices/", links[i][1], NULL);
      put_link (tree, path, target);
    }
  put_link (tree, "/sys/dev/block/253:0", "../../devices/virtual/dm-0");
  put_link (tree, "/dev/mapper/swap", "../dm-2");
  put_file (tree, "/dev/dm-2", "");
  put_file (tree, "/proc/self/mountinfo",
            "22 1 253:0 / /mnt ro,relatime shared:1 - ext4 /dev/mapper/web-root ro\n"
            "23 1 0:44 / /btrfs rw - btrfs /dev/sdb9 rw\n"
            "24 1 0:5 / /proc rw - proc proc rw\n");
  put_file (tree, "/proc/swaps",
            "Filename Type Size Used Priority\n/dev/mapper/swap partition 1 0 -2\n");
}

static void
test_devices (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = realpath (folder, NULL);
  P2vTree tree = { root, TRUE, NULL };
  make_tree (&tree);
  g_autofree char *first = p2v_kernel_partition (&tree, "sda", (P2vArea){ MIB, 100 * MIB });
  g_autofree char *shorter = p2v_kernel_partition (&tree, "sda", (P2vArea){ MIB, 99 * MIB });
  g_autofree char *volume = p2v_kernel_mapped (&tree, "LVM-groupvolume");
  g_autofree char *other = p2v_kernel_mapped (&tree, "LVM-groupvolume-real");
  g_assert_cmpstr (first, ==, "sda1");
  g_assert_null (shorter);
  g_assert_cmpstr (volume, ==, "dm-0");
  g_assert_null (other);
  const char *const both[] = { "sda", "sdb", NULL }, *const one[] = { "sdb", NULL };
  g_assert_true (p2v_kernel_lies_upon (&tree, "dm-0", both));
  g_assert_false (p2v_kernel_lies_upon (&tree, "dm-0", one));
  /* The memory of a member's snapshot is no disk; sdc is none of these. */
  g_assert_true (p2v_kernel_lies_upon (&tree, "md0", one));
  g_assert_false (p2v_kernel_lies_upon (&tree, "dm-2", both));
}

static void
test_what_is_used (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *root = realpath (folder, NULL);
  P2vTree tree = { root, TRUE, NULL };
  make_tree (&tree);
  g_autoptr (GHashTable) used = p2v_kernel_used_devices (&tree);
  g_assert_true (g_hash_table_contains (used, "dm-0"));
  g_assert_true (g_hash_table_contains (used, "sdb9"));
  g_assert_true (g_hash_table_contains (used, "dm-2"));
  g_assert_false (p2v_kernel_is_used (&tree, used, "sda1"));
  g_assert_true (p2v_kernel_is_used (&tree, used, "sda2"));
  g_assert_true (p2v_kernel_is_used (&tree, used, "sda"));
  g_assert_false (p2v_kernel_is_used (&tree, used, "sdb1"));
  /* The second partition is; so is what overlaps it, but not the first. */
  P2vArea one = { MIB, 100 * MIB }, two = { 101 * MIB, 50 * MIB }, across = { 100 * MIB, 2 * MIB };
  g_assert_false (p2v_kernel_area_is_used (&tree, used, "sda", "/dev/sda", one));
  g_assert_true (p2v_kernel_area_is_used (&tree, used, "sda", "/dev/sda", two));
  g_assert_true (p2v_kernel_area_is_used (&tree, used, "sda", "/dev/sda", across));
  g_assert_true (p2v_kernel_area_is_used (&tree, used, "sdc", "/dev/sdc", one));
}

/* A disk of several paths is one: a volume on its partition lies upon it, and makes it used. */
static void
test_multipath (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *made = test_tree_make (folder, "tests/unit/p2v-client/fixtures/multipath.tree");
  g_autofree char *root = realpath (made, NULL);
  P2vTree tree = { root, TRUE, NULL };
  const char *const multipath[] = { "dm-0", NULL }, *const path[] = { "sda", NULL };
  g_autofree char *volume = p2v_kernel_mapped (&tree, "LVM-abcdef");
  g_assert_cmpstr (volume, ==, "dm-2");
  g_assert_true (p2v_kernel_lies_upon (&tree, volume, multipath));
  g_assert_false (p2v_kernel_lies_upon (&tree, volume, path));
  put_file (&tree, "/sys/devices/virtual/block/dm-0/holders/dm-1/x", "");
  put_file (&tree, "/sys/devices/virtual/block/dm-1/holders/dm-2/x", "");
  P2vArea area = { MIB, 100 * MIB };
  g_autoptr (GHashTable) nothing = p2v_kernel_used_devices (&tree);
  g_assert_false (p2v_kernel_area_is_used (&tree, nothing, "dm-0", "/dev/dm-0", area));
  put_link (&tree, "/dev/mapper/vg-root", "../dm-2");
  put_file (&tree, "/dev/dm-2", "");
  put_file (&tree, "/proc/self/mountinfo",
            "22 1 0:99 / /mnt ro,relatime shared:1 - ext4 /dev/mapper/vg-root ro\n");
  g_autoptr (GHashTable) used = p2v_kernel_used_devices (&tree);
  g_assert_true (p2v_kernel_area_is_used (&tree, used, "dm-0", "/dev/dm-0", area));
}

static guint8 *
make_swap (gsize page, guint32 last_page, guint32 bad_pages)
{
  guint8 *head = g_malloc0 (P2V_SWAP_HEAD);
  test_put_number (head + 1024, 1, 4);
  test_put_number (head + 1028, last_page, 4);
  test_put_number (head + 1032, bad_pages, 4);
  memcpy (head + page - 10, "SWAPSPACE2", 10);
  return head;
}

static gint64
swap_free (gsize page, guint32 last_page, guint32 bad_pages, gint64 size)
{
  g_autofree guint8 *head = make_swap (page, last_page, bad_pages);
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (P2vFreeRange));
  const char *reason = NULL;
  if (!p2v_swap_find_free (head, size, ranges, &reason))
    {
      g_assert_nonnull (reason);
      return -1;
    }
  if (ranges->len == 0)
    return 0;
  P2vFreeRange range = g_array_index (ranges, P2vFreeRange, 0);
  g_assert_cmpint (range.offset, ==, MIB);
  g_assert_cmpint (range.offset + range.length, <=, size - MIB);
  return range.length;
}

static void
test_swap (void)
{
  g_assert_cmpint (swap_free (4096, 16383, 0, 64 * MIB), ==, 62 * MIB);
  g_assert_cmpint (swap_free (65536, 1023, 3, 64 * MIB), ==, 62 * MIB);
  /* A swap area that ends before its place does: the rest is somebody else's. */
  g_assert_cmpint (swap_free (4096, 8191, 0, 64 * MIB), ==, 31 * MIB);
  g_assert_cmpint (swap_free (4096, 255, 0, 64 * MIB), ==, 0);
  g_assert_cmpint (swap_free (4096, 511, 0, 2 * MIB), ==, 0);
  g_assert_cmpint (swap_free (4096, 16384, 0, 64 * MIB), ==, -1);
  g_assert_cmpint (swap_free (4096, 16383, 4000, 64 * MIB), ==, -1);
  g_autofree guint8 *old = make_swap (4096, 100, 0);
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (P2vFreeRange));
  const char *reason = NULL;
  memcpy (old + 4086, "SWAP-SPACE", 10);
  g_assert_false (p2v_swap_find_free (old, 64 * MIB, ranges, &reason));
  g_assert_false (p2v_swap_is_hibernated (old, P2V_SWAP_HEAD));
  memcpy (old + 8192 - 10, "S1SUSPEND\0", 10);
  g_assert_true (p2v_swap_is_hibernated (old, P2V_SWAP_HEAD));
  g_assert_false (p2v_swap_is_hibernated (old, 4096));
}

static void
test_words (void)
{
  P2vMapArea known = { 0, 8 << 20, 6 << 20, 2 << 20, (char *)"ext4 on /dev/sda1", NULL, TRUE };
  P2vMapArea full = { 0, 1 << 20, 0, 1 << 20, (char *)"gap", (char *)"it is so", FALSE };
  g_autofree char *first = p2v_map_area_describe ("sda", &known);
  g_autofree char *second = p2v_map_area_describe ("sda", &full);
  g_assert_cmpstr (first, ==, "sda: ext4 on /dev/sda1, 8.0 MiB: only 2.0 MiB are in use and read");
  g_assert_cmpstr (second, ==, "sda: gap, 1.0 MiB, is read in full: it is so");
  g_assert_true (p2v_map_area_is_notable (&known));
  g_assert_false (p2v_map_area_is_notable (&full));
}

/* What is cancelled ends with that, and soon. */
static void
test_cancelling (void)
{
  g_autoptr (TestFolder) folder = test_folder_new ();
  g_autofree char *path = test_disk_new (folder, "sda", 8);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  int fd = g_open (path, O_RDONLY | O_CLOEXEC);
  g_autoptr (P2vBlockMap) map = p2v_block_map_new (fd, 8 * MIB);
  P2vMapDisk disk = { "sda", path, fd, 512, map, NULL };
  g_cancellable_cancel (cancellable);
  g_assert_false (p2v_machine_map (&disk, 1, NULL, cancellable, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CANCELLED);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/machine-map/devices", test_devices);
  g_test_add_func ("/machine-map/what-is-used", test_what_is_used);
  g_test_add_func ("/machine-map/multipath", test_multipath);
  g_test_add_func ("/machine-map/swap", test_swap);
  g_test_add_func ("/machine-map/words", test_words);
  g_test_add_func ("/machine-map/cancelling", test_cancelling);
  return g_test_run ();
}
