/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/disk-layout.h"

#define MIB (G_GINT64_CONSTANT (1) << 20)
#define GIB (G_GINT64_CONSTANT (1) << 30)

static P2vDisk *
new_disk (gint64 size)
{
  P2vDisk *disk = p2v_disk_new ();
  disk->name = g_strdup ("sda");
  disk->size = size;
  disk->content = p2v_content_new ();
  disk->content->kind = g_strdup ("partition-table");
  return disk;
}

static P2vPartition *
add_partition (P2vContent *table, gint64 start, gint64 size, const char *kind, const char *type)
{
  P2vPartition *partition = p2v_partition_new ();
  partition->number = table->partitions->len + 1;
  partition->start = start;
  partition->size = size;
  partition->content = p2v_content_new ();
  partition->content->kind = g_strdup (kind);
  partition->content->type = g_strdup (type);
  g_ptr_array_add (table->partitions, partition);
  return partition;
}

static void
assert_described (const P2vDisk *disk, const char *expected)
{
  g_autoptr (GPtrArray) layout = p2v_disk_layout_new (disk);
  g_autofree char *text = p2v_disk_layout_describe (layout);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_partitions (void)
{
  g_autoptr (P2vDisk) disk = new_disk (100 * GIB);
  /* Out of order, with a gap at the end and one that is too small to be shown. */
  P2vPartition *root = add_partition (disk->content, GIB, 60 * GIB, "filesystem", "ext4");
  P2vPartition *esp = add_partition (disk->content, MIB, 512 * MIB, "filesystem", "vfat");
  P2vPartition *ntfs = add_partition (disk->content, 61 * GIB, 10 * GIB, "filesystem", "ntfs");
  root->content->label = g_strdup ("root\n");
  assert_described (disk, "2: vfat, 512.0 MiB; 1: ext4 \"root \", 60.0 GiB; 3: ntfs, 10.0 GiB; "
                          "in no partition, 29.0 GiB");
  root->content->used = 5 * GIB;
  esp->content->used = 6 * MIB;
  ntfs->content->read_in_full = g_strdup ("it was not unmounted cleanly");
  assert_described (disk, "2: vfat, 512.0 MiB, 6.0 MiB used; 1: ext4 \"root \", 60.0 GiB, 5.0 GiB "
                          "used; 3: ntfs, 10.0 GiB, sent in full; in no partition, 29.0 GiB");
}

static void
test_extended (void)
{
  g_autoptr (P2vDisk) disk = new_disk (10 * GIB);
  add_partition (disk->content, 0, 10 * GIB, "partition-table", "dos");
  add_partition (disk->content, MIB, 10 * GIB - MIB, "swap", "swap");
  assert_described (disk, "2: swap, 10.0 GiB");
}

static void
test_whole_disk (void)
{
  g_autoptr (P2vDisk) disk = new_disk (10 * GIB);
  g_free (disk->content->kind);
  disk->content->kind = g_strdup ("filesystem");
  disk->content->type = g_strdup ("xfs");
  assert_described (disk, "xfs, 10.0 GiB");
  g_clear_pointer (&disk->content, p2v_content_free);
  assert_described (disk, "");
}

/* What the table says is not believed beyond the disk's end. */
static void
test_beyond_the_end (void)
{
  g_autoptr (P2vDisk) disk = new_disk (GIB);
  P2vPartition *partition
      = add_partition (disk->content, 0, G_GINT64_CONSTANT (1) << 50, "filesystem", "ext4");
  partition->content->used = 5 * GIB;
  add_partition (disk->content, 2 * GIB, GIB, "filesystem", "ext4");
  assert_described (disk, "1: ext4, 1.0 GiB, 1.0 GiB used");
}

static void
test_group (void)
{
  g_autoptr (P2vDisk) disk = new_disk (10 * GIB);
  P2vPartition *pv = add_partition (disk->content, 0, 10 * GIB, "lvm-pv", "LVM2_member");
  P2vPartition *root = add_partition (pv->content, 0, 4 * GIB, "filesystem", "ext4");
  P2vPartition *data = add_partition (pv->content, 0, 2 * GIB, "filesystem", "xfs");
  pv->content->members = 1;
  root->content->used = GIB;
  assert_described (disk, "1: LVM, 10.0 GiB");
  data->content->read_in_full = g_strdup ("it was not unmounted cleanly");
  assert_described (disk, "1: LVM, 10.0 GiB, 3.0 GiB used");
  pv->content->members = 2;
  assert_described (disk, "1: LVM, 10.0 GiB");
}

static void
test_widths (void)
{
  g_autoptr (P2vDisk) disk = new_disk (1000 * GIB);
  add_partition (disk->content, 0, MIB, "empty", NULL);
  add_partition (disk->content, MIB, 25 * GIB, "filesystem", "vfat");
  add_partition (disk->content, 30 * GIB, 970 * GIB, "filesystem", "ext4");
  g_autoptr (GPtrArray) layout = p2v_disk_layout_new (disk);
  double widths[3];
  g_assert_cmpuint (layout->len, ==, 3);
  p2v_disk_layout_share (layout, 500, 10, widths);
  g_assert_cmpfloat_with_epsilon (widths[0], 10, 0.001);
  g_assert_cmpfloat_with_epsilon (widths[1], 490 * 25.0 / 995, 0.001);
  g_assert_cmpfloat_with_epsilon (widths[0] + widths[1] + widths[2], 500, 0.001);
  p2v_disk_layout_share (layout, 500, 20, widths);
  g_assert_cmpfloat_with_epsilon (widths[1], 20, 0.001);
  g_assert_cmpfloat_with_epsilon (widths[2], 460, 0.001);
  /* Too narrow for the least. */
  p2v_disk_layout_share (layout, 30, 20, widths);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (widths[i], 10, 0.001);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/disk-layout/partitions", test_partitions);
  g_test_add_func ("/disk-layout/extended", test_extended);
  g_test_add_func ("/disk-layout/whole-disk", test_whole_disk);
  g_test_add_func ("/disk-layout/beyond-the-end", test_beyond_the_end);
  g_test_add_func ("/disk-layout/group", test_group);
  g_test_add_func ("/disk-layout/widths", test_widths);
  return g_test_run ();
}
