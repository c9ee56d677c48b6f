/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An empty journal: linux/Documentation/filesystems/ext4/journal.rst, and inodes.rst, ifork.rst for
 * where it lies. A filesystem that was unmounted cleanly has no use for what its journal once held,
 * 1 GiB in a large one: the kernel and e2fsck look at the journal's superblock, find that nothing
 * is to be replayed, and begin to write at its start again. */
#include "p2v-client/free-space-ext-journal.h"

#include <string.h>

#define INODE_FLAG_EXTENTS 0x80000U
#define INODE_OLD_SIZE 128
#define INODE_MAP 0x28
#define INODE_MAP_SIZE 60
#define CHECKSUM_LOW 0x7C
#define CHECKSUM_HIGH 0x82

#define EXTENT_MAGIC 0xF30A
#define EXTENT_SIZE 12
/* Longer ones are not initialised, which makes no difference here. */
#define EXTENT_LONGEST 32768
/* A journal has at most 2^32 blocks, which no tree of this depth would be needed for. */
#define DEEPEST 3
#define MOST_TREE_BLOCKS 4096

#define JOURNAL_MAGIC 0xC03B3998U
#define JOURNAL_SUPERBLOCK_V2 4
#define JOURNAL_SUPERBLOCK_SIZE 1024
#define JOURNAL_CHECKSUM 0xFC
#define JOURNAL_INCOMPAT_CHECKSUMS 0x18U
/* Revocations, 64bit, asynchronous commit, checksums. Fast commits, which have an area of their
 * own, are not among them. */
#define JOURNAL_INCOMPAT_KNOWN 0x1FU

typedef struct
{
  const P2vExtPlace *place;
  guint32 seed;     /* of this inode's checksums */
  guint64 next;     /* block of the journal that the next extent has to begin with, or later */
  guint tree_count; /* blocks of the tree read so far */
  GArray *extents;  /* of Extent, in order */
} Journal;

typedef struct
{
  guint64 first; /* block of the journal */
  guint64 block; /* of the filesystem */
  guint64 count; /* blocks */
} Extent;

static gboolean
read_inode (Journal *journal, guint8 *inode)
{
  const P2vExtPlace *place = journal->place;
  gint64 offset
      = place->inode_table * place->block + (P2V_EXT_JOURNAL_INODE - 1) * (gint64)place->inode_size;
  if (!p2v_free_look_read (place->look, offset, inode, place->inode_size, NULL))
    return FALSE;
  guint32 number = GUINT32_TO_LE (P2V_EXT_JOURNAL_INODE), low = p2v_le16 (inode + CHECKSUM_LOW),
          mask = 0xFFFF;
  journal->seed = p2v_crc32c (place->seed, (const guint8 *)&number, sizeof number);
  journal->seed = p2v_crc32c (journal->seed, inode + 0x64, 4);
  guint32 wanted = low;
  memset (inode + CHECKSUM_LOW, 0, 2);
  if (place->inode_size >= CHECKSUM_HIGH + 2 && p2v_le16 (inode + INODE_OLD_SIZE) >= 4)
    {
      mask = ~0U;
      wanted |= (guint32)p2v_le16 (inode + CHECKSUM_HIGH) << 16;
      memset (inode + CHECKSUM_HIGH, 0, 2);
    }
  return (p2v_crc32c (journal->seed, inode, place->inode_size) & mask) == wanted
         && p2v_le32 (inode + 0x20) & INODE_FLAG_EXTENTS;
}

static gboolean
add_extents (Journal *journal, const guint8 *entries, guint count)
{
  for (guint i = 0; i < count; i++)
    {
      const guint8 *entry = entries + (gsize)i * EXTENT_SIZE;
      guint32 length = p2v_le16 (entry + 4);
      Extent extent = {
        .first = p2v_le32 (entry),
        .block = (guint64)p2v_le16 (entry + 6) << 32 | p2v_le32 (entry + 8),
        .count = length > EXTENT_LONGEST ? length - EXTENT_LONGEST : length,
      };
      if (extent.first < journal->next || extent.count == 0 || extent.count > journal->place->blocks
          || extent.block > journal->place->blocks - extent.count)
        return FALSE;
      journal->next = extent.first + extent.count;
      g_array_append_val (journal->extents, extent);
    }
  return TRUE;
}

/* node: size bytes. deepest: how many levels may be below. */
static gboolean
walk_tree (Journal *journal, const guint8 *node, gsize size, guint deepest)
{
  const P2vExtPlace *place = journal->place;
  guint count = p2v_le16 (node + 2), depth = p2v_le16 (node + 6);
  if (p2v_le16 (node) != EXTENT_MAGIC || depth > deepest || count > size / EXTENT_SIZE - 1)
    return FALSE;
  if (depth == 0)
    return add_extents (journal, node + EXTENT_SIZE, count);
  g_autofree guint8 *child = g_malloc (place->block);
  for (guint i = 1; i <= count; i++)
    {
      const guint8 *entry = node + (gsize)i * EXTENT_SIZE;
      guint64 block = (guint64)p2v_le16 (entry + 8) << 32 | p2v_le32 (entry + 4);
      if (block >= place->blocks || journal->tree_count++ >= MOST_TREE_BLOCKS
          || !p2v_free_look_read (place->look, block * place->block, child, place->block, NULL))
        return FALSE;
      gsize checked = ((gsize)p2v_le16 (child + 4) + 1) * EXTENT_SIZE;
      if (checked > place->block - 4 || p2v_le16 (child + 6) != depth - 1
          || p2v_crc32c (journal->seed, child, checked) != p2v_le32 (child + checked)
          || !walk_tree (journal, child, checked, depth - 1))
        return FALSE;
    }
  return TRUE;
}

/* The first block of the log, 0 when the journal holds anything or is not understood. */
static guint32
read_superblock (const Journal *journal)
{
  guint8 superblock[JOURNAL_SUPERBLOCK_SIZE];
  const P2vExtPlace *place = journal->place;
  const Extent *start = &g_array_index (journal->extents, Extent, 0);
  if (journal->extents->len == 0 || start->first != 0
      || !p2v_free_look_read (place->look, start->block * place->block, superblock,
                              sizeof superblock, NULL))
    return 0;
  guint32 first = p2v_be32 (superblock + 0x14), length = p2v_be32 (superblock + 0x10);
  guint32 incompat = p2v_be32 (superblock + 0x28);
  guint32 checksum = p2v_be32 (superblock + JOURNAL_CHECKSUM);
  if (p2v_be32 (superblock) != JOURNAL_MAGIC || p2v_be32 (superblock + 4) != JOURNAL_SUPERBLOCK_V2
      || p2v_be32 (superblock + 0xC) != place->block || length != journal->next || first >= length
      || incompat & ~JOURNAL_INCOMPAT_KNOWN)
    return 0;
  memset (superblock + JOURNAL_CHECKSUM, 0, 4);
  if (incompat & JOURNAL_INCOMPAT_CHECKSUMS
      && p2v_crc32c (~0U, superblock, sizeof superblock) != checksum)
    return 0;
  /* Where its log starts, none when there is nothing in it, and no error of an earlier run. */
  return p2v_be32 (superblock + 0x1C) == 0 && p2v_be32 (superblock + 0x20) == 0 ? first : 0;
}

void
p2v_ext_journal_add_empty (const P2vExtPlace *place, GArray *ranges)
{
  g_autofree guint8 *inode = g_malloc (place->inode_size);
  g_autoptr (GArray) extents = g_array_new (FALSE, FALSE, sizeof (Extent));
  Journal journal = { .place = place, .extents = extents };
  if (!read_inode (&journal, inode)
      || !walk_tree (&journal, inode + INODE_MAP, INODE_MAP_SIZE, DEEPEST))
    return;
  guint32 first = read_superblock (&journal);
  for (guint i = 0; first > 0 && i < extents->len; i++)
    {
      const Extent *extent = &g_array_index (extents, Extent, i);
      guint64 kept = extent->first < first ? MIN (first - extent->first, extent->count) : 0;
      P2vFreeRange range = {
        .offset = (extent->block + kept) * place->block,
        .length = (extent->count - kept) * place->block,
      };
      if (range.length > 0)
        g_array_append_val (ranges, range);
    }
}
