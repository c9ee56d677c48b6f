/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel does not vouch for is read. */
#include "p2v-client/block-map.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB (1024 * 1024)

/* The errno with which the next looks for data fail, 0 for the kernel's own answer. */
static int data_error;

off_t
lseek (int fd, off_t offset, int whence)
{
  if (whence == SEEK_DATA && data_error != 0)
    {
      errno = data_error;
      return -1;
    }
  return (off_t)syscall (SYS_lseek, fd, offset, whence);
}

/* 1 MiB of data, a hole, 1 MiB of data, a hole; 16 MiB in all. */
static P2vBlockMap *
make_map (void)
{
  g_autofree char *path = NULL;
  g_autofree guint8 *noise = g_malloc (MIB);
  memset (noise, 0x55, MIB);
  int fd = g_file_open_tmp ("p2v-block-map-XXXXXX", &path, NULL);
  g_assert_cmpint (ftruncate (fd, 16 * MIB), ==, 0);
  g_assert_cmpint (pwrite (fd, noise, MIB, 0), ==, MIB);
  g_assert_cmpint (pwrite (fd, noise, MIB, 8 * MIB), ==, MIB);
  P2vBlockMap *map = p2v_block_map_new (fd, 16 * MIB);
  close (fd);
  g_unlink (path);
  return map;
}

static void
test_holes_are_those_of_the_file (void)
{
  data_error = 0;
  P2vBlockMap *map = make_map ();
  g_assert_cmpint (p2v_block_map_bytes (map, P2V_EXTENT_DATA), ==, 2 * MIB);
  g_assert_cmpint (p2v_block_map_bytes (map, P2V_EXTENT_HOLE), ==, 14 * MIB);
  p2v_block_map_free (map);
}

static void
test_an_answer_that_fails_is_no_hole (void)
{
  data_error = EIO;
  P2vBlockMap *map = make_map ();
  data_error = 0;
  g_assert_cmpint (p2v_block_map_bytes (map, P2V_EXTENT_DATA), ==, 16 * MIB);
  p2v_block_map_free (map);
}

/* Extents in order without gaps; two neighbours are never both free. */
static void
assert_sound (const P2vBlockMap *map)
{
  gint64 at = 0;
  P2vExtentKind last = P2V_EXTENT_DATA;
  for (guint i = 0; i < map->extents->len; i++)
    {
      const P2vExtent *extent = &g_array_index (map->extents, P2vExtent, i);
      g_assert_cmpint (extent->offset, ==, at);
      g_assert_cmpint (extent->length, >, 0);
      g_assert_false (extent->kind == P2V_EXTENT_FREE && last == P2V_EXTENT_FREE);
      at += extent->length;
      last = extent->kind;
    }
  g_assert_cmpint (at, ==, map->size);
}

static void
test_free_space_is_what_was_said (void)
{
  P2vBlockMap *map = make_map ();
  p2v_block_map_set_free (map, 512, 1024);
  p2v_block_map_set_free (map, 4096, 8 * MIB);
  assert_sound (map);
  g_assert_cmpint (p2v_block_map_bytes (map, P2V_EXTENT_FREE), ==, 1024 + (MIB - 4096) + 4096);
  g_assert_cmpint (p2v_block_map_bytes (map, P2V_EXTENT_HOLE), ==, 14 * MIB);
  guint hint = 0;
  P2vExtent extent = p2v_block_map_at (map, 600, &hint);
  g_assert_cmpint (extent.kind, ==, P2V_EXTENT_FREE);
  g_assert_cmpint (extent.offset, ==, 600);
  g_assert_cmpint (extent.length, ==, 512 + 1024 - 600);
  extent = p2v_block_map_at (map, 2 * MIB, &hint);
  g_assert_cmpint (extent.kind, ==, P2V_EXTENT_HOLE);
  p2v_block_map_free (map);
}

static void
test_what_lies_beyond_the_disk_is_ignored (void)
{
  P2vBlockMap *map = make_map ();
  p2v_block_map_set_free (map, -1, 4096);
  p2v_block_map_set_free (map, 16 * MIB, 4096);
  p2v_block_map_set_free (map, 0, -4096);
  p2v_block_map_set_free (map, G_MAXINT64, G_MAXINT64);
  g_assert_cmpint (p2v_block_map_bytes (map, P2V_EXTENT_FREE), ==, 0);
  p2v_block_map_set_free (map, 9 * MIB - 512, G_MAXINT64);
  g_assert_cmpint (p2v_block_map_bytes (map, P2V_EXTENT_FREE), ==, 512);
  assert_sound (map);
  p2v_block_map_free (map);
}

/* Stretches in any order, overlapping as they like, against one byte of memory for each sector; the
 * search with any hint. */
static void
test_any_order_gives_the_same_map (void)
{
  enum
  {
    SECTORS = 2 * MIB / 512
  };
  g_autofree guint8 *free_sectors = g_malloc (SECTORS);
  for (int round = 0; round < 50; round++)
    {
      P2vBlockMap *map = make_map ();
      memset (free_sectors, 0, SECTORS);
      for (int i = g_test_rand_int_range (0, 60); i > 0; i--)
        {
          int start = g_test_rand_int_range (0, SECTORS);
          int length = g_test_rand_int_range (1, g_test_rand_bit () ? 16 : SECTORS - start + 1);
          length = MIN (length, SECTORS - start);
          p2v_block_map_set_free (map, start * 512, length * 512);
          memset (free_sectors + start, 1, (gsize)length);
        }
      assert_sound (map);
      for (int sector = 0; sector < SECTORS; sector++)
        {
          guint hint = (guint)g_test_rand_int_range (0, (int)map->extents->len + 3);
          P2vExtent extent = p2v_block_map_at (map, sector * 512, &hint);
          P2vExtentKind kind = free_sectors[sector] ? P2V_EXTENT_FREE : P2V_EXTENT_DATA;
          g_assert_cmpint (extent.kind, ==, sector < MIB / 512 ? kind : P2V_EXTENT_HOLE);
        }
      p2v_block_map_free (map);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/block-map/holes-are-those-of-the-file", test_holes_are_those_of_the_file);
  g_test_add_func ("/block-map/an-answer-that-fails-is-no-hole",
                   test_an_answer_that_fails_is_no_hole);
  g_test_add_func ("/block-map/free-space-is-what-was-said", test_free_space_is_what_was_said);
  g_test_add_func ("/block-map/what-lies-beyond-the-disk-is-ignored",
                   test_what_lies_beyond_the_disk_is_ignored);
  g_test_add_func ("/block-map/any-order-gives-the-same-map", test_any_order_gives_the_same_map);
  return g_test_run ();
}
