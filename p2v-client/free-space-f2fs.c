/* SPDX-License-Identifier: GPL-2.0-or-later */
/* F2FS: the kernel's <linux/f2fs_fs.h>. */
#include "p2v-client/free-space-parts.h"

#define MAGIC 0xF2F52010U
#define BLOCK 4096
#define SEGMENT_BLOCKS 512
#define CHECKSUM_AT 4092
#define CHECKPOINT_BLOCKS_MAX 512

/* Zoned (2), aliases of devices (0x8000) and what came later are not among them. */
#define FEATURES_KNOWN 0x7FFDU

#define CHECKPOINT_UNMOUNTED 0x1U
/* Orphans, an error, in need of fsck, quota in need of it, disabled (two), being resized. */
#define CHECKPOINT_UNSOUND 0x781AU

typedef struct
{
  guint64 version;
  guint64 valid; /* blocks of files and of their nodes */
  guint32 flags;
} Checkpoint;

static guint32
crc32 (guint32 seed, const guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      seed ^= bytes[i];
      for (int bit = 0; bit < 8; bit++)
        seed = (seed >> 1) ^ (seed & 1 ? 0xEDB88320U : 0);
    }
  return seed;
}

static gboolean
read_checkpoint_block (const P2vFreeLook *look, guint32 block, guint8 *bytes)
{
  return p2v_free_look_read (look, (gint64)block * BLOCK, bytes, BLOCK, NULL)
         && p2v_le32 (bytes + 164) == CHECKSUM_AT
         && p2v_le32 (bytes + CHECKSUM_AT) == crc32 (MAGIC, bytes, CHECKSUM_AT);
}

/* A checkpoint was written whole when its first and its last block are of the same version. */
static gboolean
read_checkpoint (const P2vFreeLook *look, guint32 block, Checkpoint *checkpoint)
{
  g_autofree guint8 *first = g_malloc (BLOCK), *last = g_malloc (BLOCK);
  if (!read_checkpoint_block (look, block, first))
    return FALSE;
  guint32 count = p2v_le32 (first + 136);
  if (count < 2 || count > CHECKPOINT_BLOCKS_MAX
      || !read_checkpoint_block (look, block + count - 1, last)
      || p2v_le64 (first) != p2v_le64 (last))
    return FALSE;
  *checkpoint = (Checkpoint){ p2v_le64 (first), p2v_le64 (first + 16), p2v_le32 (first + 132) };
  return TRUE;
}

static gboolean
check_superblock (const guint8 *superblock, GError **error)
{
  guint32 features = p2v_le32 (superblock + 2180);
  if (p2v_le32 (superblock) != MAGIC || p2v_le32 (superblock + 16) != 12
      || p2v_le32 (superblock + 20) != 9)
    return p2v_free_refuse (error, "its superblock makes no sense");
  if (features & ~FEATURES_KNOWN)
    return p2v_free_refuse (error, "it has features that are not known here (%#x)",
                            features & ~FEATURES_KNOWN);
  if (superblock[2201] != 0)
    return p2v_free_refuse (error, "it is spread over several devices");
  /* Why it was stopped, and which errors were seen. */
  for (guint i = 2762; i < 2810; i++)
    if (superblock[i] != 0)
      return p2v_free_refuse (error, "it has errors: it needs fsck.f2fs");
  return TRUE;
}

gboolean
p2v_free_f2fs_clean (P2vFreeLook *look, GError **error)
{
  guint8 superblock[3072];
  if (!p2v_free_look_read (look, 1024, superblock, sizeof superblock, error)
      || !check_superblock (superblock, error))
    return FALSE;
  guint32 first = p2v_le32 (superblock + 76), main_area = p2v_le32 (superblock + 92);
  guint64 blocks = p2v_le64 (superblock + 36);
  Checkpoint checkpoints[2] = { 0 };
  gboolean whole[2];
  for (guint i = 0; i < 2; i++)
    whole[i] = read_checkpoint (look, first + i * SEGMENT_BLOCKS, &checkpoints[i]);
  if (!whole[0] && !whole[1])
    return p2v_free_refuse (error, "it has no checkpoint that makes sense: it needs fsck.f2fs");
  const Checkpoint *newest
      = &checkpoints[!whole[0] || (whole[1] && checkpoints[1].version > checkpoints[0].version)];
  if ((newest->flags & CHECKPOINT_UNMOUNTED) == 0)
    return p2v_free_refuse (error, "it was not unmounted cleanly");
  if (newest->flags & CHECKPOINT_UNSOUND)
    return p2v_free_refuse (error, "it is marked as in need of fsck.f2fs (%#x)", newest->flags);
  guint64 used = main_area + newest->valid;
  if (newest->valid > blocks || used > blocks)
    return p2v_free_refuse (error, "its superblock makes no sense");
  return p2v_free_look_measure (look, blocks, blocks - used, BLOCK, error);
}
