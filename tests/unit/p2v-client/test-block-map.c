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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/block-map/holes-are-those-of-the-file", test_holes_are_those_of_the_file);
  g_test_add_func ("/block-map/an-answer-that-fails-is-no-hole",
                   test_an_answer_that_fails_is_no_hole);
  return g_test_run ();
}
