/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A filesystem whose maps of free space are read: its kind, its size in MiB, and what is written
 * where on an otherwise empty disk: pieces of position (32 bits, bytes), length (16 bits), all
 * little-endian, and that many bytes; or of a length with its highest bit set, which counts sectors
 * that are filled with one byte. */
#include "p2v-client/free-space-parts.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define SECTOR 512
/* More takes long, and is nothing else. */
#define MAX_MIB 120
#define PIECE_HEAD 6
#define FILLED 0x8000

/* Those that no other program is asked of. */
static const char *const types[] = { "ext4", "vfat", "ntfs", "btrfs", "exfat", "hfsplus" };

static void
write_at (int fd, gint64 length, gint64 at, const guint8 *data, gsize size)
{
  if (at < length && pwrite (fd, data, MIN (size, (gsize)(length - at)), at) < 0)
    g_error ("cannot write a file in memory");
}

static void
write_pieces (int fd, gint64 length, const guint8 *data, gsize size)
{
  while (size > PIECE_HEAD)
    {
      gint64 at = p2v_le32 (data);
      gsize count = p2v_le16 (data + 4), taken = MIN (count, size - PIECE_HEAD);
      if ((count & FILLED) != 0)
        {
          count = (count & ~(gsize)FILLED) * SECTOR;
          g_autofree guint8 *filled = g_malloc (count + 1);
          memset (filled, data[PIECE_HEAD], count);
          write_at (fd, length, at, filled, count);
          taken = 1;
        }
      else
        write_at (fd, length, at, data + PIECE_HEAD, taken);
      data += PIECE_HEAD + taken;
      size -= PIECE_HEAD + taken;
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 2)
    return 0;
  P2vFilesystem filesystem = { .type = types[data[0] % G_N_ELEMENTS (types)], .sector_size = 512 };
  filesystem.size = MIN (data[1], MAX_MIB) * (gint64)MIB;
  filesystem.fd = fuzz_disk (filesystem.size);
  write_pieces (filesystem.fd, filesystem.size, data + 2, size - 2);

  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ranges = p2v_free_space_find (&filesystem, NULL, &error);
  g_assert ((ranges == NULL) == (error != NULL));
  gint64 end = MIB;
  for (guint i = 0; ranges != NULL && i < ranges->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
      g_assert (range->offset >= end && range->length > 0);
      end = range->offset + range->length;
      g_assert (end <= filesystem.size - MIB);
    }
  return 0;
}
