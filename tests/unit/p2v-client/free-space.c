/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints what is free in a filesystem, for the bats files: lines "OFFSET LENGTH", or "refused:" and
 * the reason with exit status 1.
 *   free-space [--copy=FILE] PATH OFFSET SIZE TYPE [SECTOR-SIZE]
 * SIZE 0 is all that is left. --copy writes the area into FILE with everything that is free
 * replaced by rubbish, so that whoever needs a byte of it will stumble. */
#include "p2v-client/free-space.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART (1024 * 1024)

static void
copy (const P2vFilesystem *filesystem, const GArray *ranges, const char *path)
{
  int out = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_autofree guint8 *buffer = g_malloc (PART), *zeroes = g_malloc0 (PART);
  g_assert_cmpint (out, >=, 0);
  g_assert_cmpint (ftruncate (out, filesystem->size), ==, 0);
  for (gint64 at = 0; at < filesystem->size;)
    {
      ssize_t length = MIN (PART, filesystem->size - at);
      g_assert_cmpint (pread (filesystem->fd, buffer, length, filesystem->offset + at), ==, length);
      /* A sparse copy: rubbish only where it might be missed, what reads as zeroes. */
      if (memcmp (buffer, zeroes, length) != 0)
        g_assert_cmpint (pwrite (out, buffer, length, at), ==, length);
      at += length;
    }
  memset (buffer, 0xA5, PART);
  for (guint i = 0; i < ranges->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
      for (gint64 at = range->offset, end = at + range->length; at < end;)
        {
          ssize_t length = MIN (PART, end - at);
          g_assert_cmpint (pwrite (out, buffer, length, at), ==, length);
          at += length;
        }
    }
  g_assert_cmpint (close (out), ==, 0);
}

int
main (int argc, char **argv)
{
  const char *target = NULL;
  if (argc > 1 && g_str_has_prefix (argv[1], "--copy="))
    {
      target = argv[1] + strlen ("--copy=");
      argc--;
      argv++;
    }
  if (argc < 5)
    {
      fprintf (stderr, "usage: free-space [--copy=FILE] PATH OFFSET SIZE TYPE [SECTOR-SIZE]\n");
      return 2;
    }
  P2vFilesystem filesystem = { 0 };
  filesystem.fd = open (argv[1], O_RDONLY | O_CLOEXEC);
  filesystem.offset = g_ascii_strtoll (argv[2], NULL, 10);
  filesystem.size = g_ascii_strtoll (argv[3], NULL, 10);
  filesystem.type = argv[4];
  filesystem.sector_size = argc > 5 ? g_ascii_strtoll (argv[5], NULL, 10) : 512;
  struct stat status = { 0 };
  if (filesystem.fd < 0 || fstat (filesystem.fd, &status) != 0)
    {
      perror (argv[1]);
      return 2;
    }
  if (S_ISBLK (status.st_mode))
    filesystem.device = argv[1];
  if (filesystem.size == 0)
    filesystem.size = lseek (filesystem.fd, 0, SEEK_END) - filesystem.offset;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ranges = p2v_free_space_find (&filesystem, NULL, &error);
  if (ranges == NULL)
    {
      printf ("refused: %s\n", error->message);
      return 1;
    }
  for (guint i = 0; i < ranges->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
      printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", range->offset, range->length);
    }
  if (target != NULL)
    copy (&filesystem, ranges, target);
  return 0;
}
