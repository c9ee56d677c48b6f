/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XFS: the "XFS Algorithms & Data Structures" document, chapters Superblocks and Journaling Log. */
#include "p2v-client/free-space-parts.h"
#include "p2v-client/inventory-parts.h"

#include <string.h>

#define LOGPRINT_SECONDS 120
#define LOGPRINT_BYTES (1024 * 1024)

#define VERSION_SHARED 0x200
#define RO_KNOWN 0xFU /* free inode btree, reverse map, reflink, inode btree counts */
#define INCOMPAT_KNOWN                                                                             \
  0x2FU /* file types, sparse inodes, meta UUID, big times, large extent counts */
#define INCOMPAT_NEEDSREPAIR 0x10U

/* The checksum of a block counts its own four bytes as zeroes. */
static gboolean
checksum_matches (const guint8 *block, gsize length, gsize at)
{
  const guint8 zeroes[4] = { 0 };
  guint32 checksum = p2v_crc32c (~0U, block, at);
  checksum = p2v_crc32c (checksum, zeroes, sizeof zeroes);
  checksum = p2v_crc32c (checksum, block + at + 4, length - at - 4);
  return p2v_le32 (block + at) == ~checksum;
}

static gboolean
check_features (const guint8 *superblock, guint sector, GError **error)
{
  guint16 version = p2v_be16 (superblock + 100);
  if ((version & 0xF) == 4)
    return version & VERSION_SHARED
               ? p2v_free_refuse (error, "it has features that are not known here (shared)")
               : TRUE;
  if ((version & 0xF) != 5)
    return p2v_free_refuse (error, "it is of version %u, which is not known here", version & 0xF);
  if (!checksum_matches (superblock, sector, 224))
    return p2v_free_refuse (error, "the checksum of its superblock is wrong: it needs xfs_repair");
  guint32 ro = p2v_be32 (superblock + 212), incompat = p2v_be32 (superblock + 216);
  guint32 log = p2v_be32 (superblock + 220);
  if (incompat & INCOMPAT_NEEDSREPAIR)
    return p2v_free_refuse (error, "it is marked as in need of xfs_repair");
  if (ro & ~RO_KNOWN || incompat & ~INCOMPAT_KNOWN || log != 0)
    return p2v_free_refuse (error, "it has features that are not known here (%#x, %#x, %#x)",
                            ro & ~RO_KNOWN, incompat & ~INCOMPAT_KNOWN, log);
  return TRUE;
}

/* Whether the log is empty is for XFS's own code to say: finding its end takes as much as the
 * kernel does at mount. */
static gboolean
check_log (P2vFreeLook *look, GError **error)
{
  const char *device = p2v_free_look_device (look, error);
  if (device == NULL)
    return FALSE;
  const char *const argv[] = { "xfs_logprint", "-t", device, NULL };
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) output = p2v_tool_run (argv, look->filesystem->fd, LOGPRINT_BYTES,
                                            LOGPRINT_SECONDS, look->cancellable, &problem);
  if (output == NULL && g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  if (output == NULL && g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return p2v_free_refuse (error, "xfs_logprint is not installed (package xfsprogs), so nothing "
                                   "tells whether it is clean");
  /* More than a summary is written, or it fails, when there is something in the log. */
  if (output == NULL)
    return p2v_free_refuse (error,
                            "it was not unmounted cleanly: its log is not known to be empty "
                            "(xfs_logprint: %s)",
                            problem->message);
  gsize length;
  const char *text = g_bytes_get_data (output, &length);
  if (g_strstr_len (text, length, "state: <CLEAN>") == NULL
      || g_strstr_len (text, length, "<DIRTY>") != NULL)
    return p2v_free_refuse (error, "it was not unmounted cleanly: its log is not empty");
  return TRUE;
}

gboolean
p2v_free_xfs_clean (P2vFreeLook *look, GError **error)
{
  guint8 superblock[32768];
  if (!p2v_free_look_read (look, 0, superblock, 512, error))
    return FALSE;
  guint32 block = p2v_be32 (superblock + 4), group = p2v_be32 (superblock + 84);
  guint32 groups = p2v_be32 (superblock + 88);
  guint64 blocks = p2v_be64 (superblock + 8);
  guint16 sector = p2v_be16 (superblock + 102);
  if (memcmp (superblock, "XFSB", 4) != 0 || block < 512 || block > 65536
      || (block & (block - 1)) != 0 || sector < 512 || sector > sizeof superblock
      || (sector & (sector - 1)) != 0 || sector > block || group == 0 || groups == 0
      || blocks > (guint64)group * groups || blocks <= (guint64)group * (groups - 1))
    return p2v_free_refuse (error, "its superblock makes no sense");
  if (!p2v_free_look_read (look, 0, superblock, sector, error)
      || !check_features (superblock, sector, error))
    return FALSE;
  if (superblock[126] != 0)
    return p2v_free_refuse (error, "it was never finished: mkfs or a copy was interrupted");
  if (p2v_be64 (superblock + 48) == 0)
    return p2v_free_refuse (error, "its log is on another device");
  if (p2v_be64 (superblock + 16) != 0 || p2v_be64 (superblock + 24) != 0)
    return p2v_free_refuse (error, "a part of it is on a realtime device");
  return p2v_free_look_measure (look, blocks, p2v_be64 (superblock + 144), block, error)
         && check_log (look, error);
}

/* An allocation group and its tree of free extents by block number. */
typedef struct
{
  const P2vFreeLook *look;
  gboolean checked; /* version 5: blocks have checksums and know where they belong */
  guint32 block;    /* bytes */
  guint32 number;
  gint64 offset;  /* bytes */
  guint32 blocks; /* in this group */
  guint32 nodes;  /* how many more may be read: a hostile tree has no end */
  guint64 end;    /* of the last free extent, in blocks */
  guint64 free;   /* blocks */
  GArray *ranges;
} Group;

#define TREE_LEVELS_MAX 9

static guint8 *
read_tree_block (Group *group, guint32 number, guint level, GError **error)
{
  gsize header = group->checked ? 56 : 16, record = level == 0 ? 8 : 12;
  g_autofree guint8 *block = g_malloc (group->block);
  if (number >= group->blocks || group->nodes == 0)
    {
      p2v_free_refuse (error, "its map of free space makes no sense: it needs xfs_repair");
      return NULL;
    }
  group->nodes--;
  if (!p2v_free_look_read (group->look, group->offset + (gint64)number * group->block, block,
                           group->block, error))
    return NULL;
  gboolean sound = memcmp (block, group->checked ? "AB3B" : "ABTB", 4) == 0
                   && p2v_be16 (block + 4) == level
                   && p2v_be16 (block + 6) <= (group->block - header) / record;
  if (sound && group->checked)
    sound = checksum_matches (block, group->block, 52) && p2v_be32 (block + 48) == group->number
            && p2v_be64 (block + 16)
                   == (guint64)(group->offset + (gint64)number * group->block) / 512;
  if (!sound)
    {
      p2v_free_refuse (error, "its map of free space is damaged: it needs xfs_repair");
      return NULL;
    }
  return g_steal_pointer (&block);
}

static gboolean
walk_tree (Group *group, guint32 number, guint level, GError **error)
{
  g_autofree guint8 *block = read_tree_block (group, number, level, error);
  if (block == NULL)
    return FALSE;
  gsize header = group->checked ? 56 : 16;
  guint count = p2v_be16 (block + 6);
  const guint8 *records = block + header;
  const guint8 *pointers = records + (group->block - header) / 12 * 8;
  for (guint i = 0; i < count; i++)
    {
      if (level > 0)
        {
          if (!walk_tree (group, p2v_be32 (pointers + 4 * i), level - 1, error))
            return FALSE;
          continue;
        }
      guint64 start = p2v_be32 (records + 8 * i), length = p2v_be32 (records + 8 * i + 4);
      if (start < group->end || length == 0 || start + length > group->blocks)
        return p2v_free_refuse (error, "its map of free space contradicts itself: it needs "
                                       "xfs_repair");
      p2v_ranges_add (group->ranges, group->offset + start * group->block, length * group->block);
      group->end = start + length;
      group->free += length;
    }
  return TRUE;
}

static gboolean
map_group (Group *group, guint16 sector, GError **error)
{
  g_autofree guint8 *header = g_malloc (sector);
  if (!p2v_free_look_read (group->look, group->offset + sector, header, sector, error))
    return FALSE;
  guint32 levels = p2v_be32 (header + 28);
  if (memcmp (header, "XAGF", 4) != 0 || p2v_be32 (header + 8) != group->number
      || p2v_be32 (header + 12) != group->blocks || levels < 1 || levels > TREE_LEVELS_MAX
      || (group->checked && !checksum_matches (header, sector, 216)))
    return p2v_free_refuse (error, "the header of its group %u is damaged: it needs xfs_repair",
                            group->number);
  group->nodes = group->blocks;
  group->end = group->free = 0;
  if (!walk_tree (group, p2v_be32 (header + 16), levels - 1, error))
    return FALSE;
  return group->free == p2v_be32 (header + 52)
             ? TRUE
             : p2v_free_refuse (error, "the count of free blocks of its group %u is wrong",
                                group->number);
}

GArray *
p2v_free_xfs_map (P2vFreeLook *look, GError **error)
{
  guint8 superblock[512];
  if (!p2v_free_look_read (look, 0, superblock, sizeof superblock, error))
    return NULL;
  guint32 block = p2v_be32 (superblock + 4), per_group = p2v_be32 (superblock + 84);
  /* Known to be sound, unless the disk does not say the same twice. */
  guint64 left = block > 0 && per_group > 0 ? look->size / block : 0;
  g_autoptr (GArray) ranges = p2v_ranges_new ();
  Group group = { .look = look, .block = block, .ranges = ranges };
  group.checked = (p2v_be16 (superblock + 100) & 0xF) == 5;
  while (left > 0)
    {
      group.blocks = MIN (left, per_group);
      if (!map_group (&group, p2v_be16 (superblock + 102), error))
        return NULL;
      left -= group.blocks;
      group.offset += (gint64)group.blocks * block;
      group.number++;
    }
  return g_steal_pointer (&ranges);
}
