/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/estimate.h"

#include <string.h>

#define MIB 1048576.0
#define GIB (G_GINT64_CONSTANT (1) << 30)

static void
assert_estimated (const P2vEstimate *estimate, gint64 seconds, const char *text)
{
  g_autofree char *said = p2v_estimate_text (estimate);
  g_assert_cmpint (p2v_estimate_seconds (estimate), ==, seconds);
  g_assert_cmpstr (said, ==, text);
}

static void
test_the_slowest_part_decides (void)
{
  P2vEstimate estimate = { .bytes = 50 * GIB, .read = 310 * MIB, .network = 100 * MIB, .ratio = 1 };
  assert_estimated (&estimate, 512,
                    "About 9 minutes to send 50.0 GiB: the disks read at 310.0 MiB/s, the network "
                    "takes 100.0 MiB/s.");
  estimate.read = 50 * MIB;
  assert_estimated (&estimate, 1024,
                    "About 18 minutes to send 50.0 GiB: the disks read at 50.0 MiB/s, the network "
                    "takes 100.0 MiB/s.");
}

static void
test_compression_helps_as_far_as_the_processors_go (void)
{
  P2vEstimate estimate
      = { .bytes = 50 * GIB, .read = 310 * MIB, .network = 100 * MIB, .ratio = 0.5 };
  estimate.compress = 400 * MIB;
  assert_estimated (&estimate, 256,
                    "About 5 minutes to send 50.0 GiB: the disks read at 310.0 MiB/s, the network "
                    "takes 100.0 MiB/s, compression leaves 50 %.");
  estimate.compress = 160 * MIB;
  g_assert_cmpint (p2v_estimate_seconds (&estimate), ==, 320);
  /* Lanes that would only be slowed down by it do without. */
  estimate.compress = 60 * MIB;
  g_assert_cmpint (p2v_estimate_seconds (&estimate), ==, 512);
}

static void
test_what_is_not_known_is_said (void)
{
  P2vEstimate estimate
      = { .bytes = 1000, .read = 310 * MIB, .ratio = 1, .problem = (char *)"no network" };
  assert_estimated (&estimate, 1,
                    "Less than a minute to send 1000 B, or longer: the disks read at 310.0 MiB/s; "
                    "no network.");
  estimate.read = 0;
  assert_estimated (&estimate, -1, "Not known: no network. You can convert all the same.");
  estimate = (P2vEstimate){ .bytes = 5000 * GIB, .network = 100 * MIB, .ratio = 1 };
  assert_estimated (&estimate, 51200,
                    "About 14 h 13 min to send 4.9 TiB: the network takes 100.0 MiB/s.");
}

static P2vPartition *
add_partition (P2vDisk *disk, gint64 start, gint64 size, gint64 used)
{
  P2vPartition *partition = p2v_partition_new ();
  partition->number = disk->content->partitions->len + 1;
  partition->start = start;
  partition->size = size;
  partition->content = p2v_content_new ();
  partition->content->kind = g_strdup ("filesystem");
  partition->content->type = g_strdup ("ext4");
  partition->content->used = used;
  g_ptr_array_add (disk->content->partitions, partition);
  return partition;
}

static void
test_what_filesystems_have_free_is_not_sent (void)
{
  gboolean known;
  g_autoptr (P2vDisk) disk = p2v_disk_new ();
  disk->name = g_strdup ("sda");
  disk->size = 100 * GIB;
  disk->content = p2v_content_new ();
  disk->content->kind = g_strdup ("partition-table");
  P2vPartition *first = add_partition (disk, 0, 60 * GIB, 0);
  add_partition (disk, 60 * GIB, 40 * GIB, 10 * GIB);
  g_assert_cmpint (p2v_estimate_disk_bytes (disk, &known), ==, 70 * GIB);
  g_assert_false (known);
  first->content->used = 5 * GIB;
  g_assert_cmpint (p2v_estimate_disk_bytes (disk, &known), ==, 15 * GIB);
  g_assert_true (known);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/estimate/slowest", test_the_slowest_part_decides);
  g_test_add_func ("/estimate/compression", test_compression_helps_as_far_as_the_processors_go);
  g_test_add_func ("/estimate/unknown", test_what_is_not_known_is_said);
  g_test_add_func ("/estimate/used", test_what_filesystems_have_free_is_not_sent);
  return g_test_run ();
}
