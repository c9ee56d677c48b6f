/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/free-space-btrfs.h"

#include <string.h>
#include <xxhash.h>

#define CHECKSUM_CRC32C 0
#define CHECKSUM_XXHASH 1
#define CHECKSUM_SHA256 2
#define CHECKSUM_BYTES 32

#define HEADER 101
#define KEY 17
#define POINTER 33
#define ITEM 25

#define STRIPES 48
#define STRIPE 32
#define PROFILE_RAID0 0x8
#define PROFILE_DUP 0x20
#define PROFILES 0x7F8

P2vBtrfsKey
p2v_btrfs_key (const guint8 *bytes)
{
  return (P2vBtrfsKey){ p2v_le64 (bytes), bytes[8], p2v_le64 (bytes + 9) };
}

static int
compare_keys (P2vBtrfsKey a, P2vBtrfsKey b)
{
  if (a.object != b.object)
    return a.object < b.object ? -1 : 1;
  if (a.type != b.type)
    return a.type < b.type ? -1 : 1;
  return (a.offset > b.offset) - (a.offset < b.offset);
}

gboolean
p2v_btrfs_checksum_matches (guint16 kind, const guint8 *block, gsize length)
{
  const guint8 *bytes = block + CHECKSUM_BYTES;
  length -= CHECKSUM_BYTES;
  if (kind == CHECKSUM_CRC32C)
    return p2v_le32 (block) == ~p2v_crc32c (~0U, bytes, length);
  if (kind == CHECKSUM_XXHASH)
    return p2v_le64 (block) == XXH64 (bytes, length, 0);
  if (kind != CHECKSUM_SHA256)
    return FALSE;
  guint8 digest[CHECKSUM_BYTES];
  gsize size = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, bytes, length);
  g_checksum_get_digest (checksum, digest, &size);
  return memcmp (digest, block, sizeof digest) == 0;
}

const P2vBtrfsChunk *
p2v_btrfs_chunk_find (const P2vBtrfs *btrfs, guint64 logical, guint64 length)
{
  guint low = 0, high = btrfs->chunks->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const P2vBtrfsChunk *chunk = &g_array_index (btrfs->chunks, P2vBtrfsChunk, middle);
      if (logical < chunk->logical)
        high = middle;
      else if (logical - chunk->logical >= chunk->length)
        low = middle + 1;
      else
        return length <= chunk->length - (logical - chunk->logical) ? chunk : NULL;
    }
  return NULL;
}

/* The chunk tree tells again of the chunks that the superblock has told of. */
static gboolean
insert_chunk (P2vBtrfs *btrfs, const P2vBtrfsChunk *chunk)
{
  guint at = 0;
  while (at < btrfs->chunks->len
         && g_array_index (btrfs->chunks, P2vBtrfsChunk, at).logical < chunk->logical)
    at++;
  if (at > 0)
    {
      const P2vBtrfsChunk *before = &g_array_index (btrfs->chunks, P2vBtrfsChunk, at - 1);
      if (chunk->logical - before->logical < before->length)
        return FALSE;
    }
  if (at < btrfs->chunks->len)
    {
      const P2vBtrfsChunk *next = &g_array_index (btrfs->chunks, P2vBtrfsChunk, at);
      if (next->logical == chunk->logical)
        return next->length == chunk->length && next->stripes == chunk->stripes
               && memcmp (next->at, chunk->at, sizeof next->at) == 0;
      if (next->logical - chunk->logical < chunk->length)
        return FALSE;
    }
  g_array_insert_vals (btrfs->chunks, at, chunk, 1);
  return TRUE;
}

gboolean
p2v_btrfs_chunk_add (P2vBtrfs *btrfs, const P2vBtrfsKey *key, const guint8 *data, gsize length,
                     GError **error)
{
  if (length < STRIPES + STRIPE)
    return p2v_free_refuse (error, "its chunks make no sense");
  P2vBtrfsChunk chunk = { key->offset, p2v_le64 (data), p2v_le16 (data + 44), { 0 } };
  guint64 profile = p2v_le64 (data + 24) & PROFILES, size = btrfs->look->size;
  gboolean once = chunk.stripes == 1 && (profile == 0 || profile == PROFILE_RAID0);
  if (!once && !(chunk.stripes == 2 && profile == PROFILE_DUP))
    return p2v_free_refuse (error, "it is spread over several devices (RAID)");
  if (length < STRIPES + chunk.stripes * (gsize)STRIPE || chunk.length == 0 || chunk.length > size
      || chunk.logical > G_MAXINT64)
    return p2v_free_refuse (error, "its chunks make no sense");
  for (guint i = 0; i < chunk.stripes; i++)
    {
      const guint8 *stripe = data + STRIPES + i * STRIPE;
      guint64 at = p2v_le64 (stripe + 8);
      if (p2v_le64 (stripe) != btrfs->device)
        return p2v_free_refuse (error, "it is spread over several devices");
      if (at > size - chunk.length)
        return p2v_free_refuse (error, "its chunks make no sense");
      chunk.at[i] = at;
    }
  return insert_chunk (btrfs, &chunk)
             ? TRUE
             : p2v_free_refuse (error, "its chunks contradict one another");
}

/* What points to a node. */
typedef struct
{
  guint64 logical;
  guint64 generation;
  guint8 level;
  const P2vBtrfsKey *first; /* NULL when not said */
} Pointer;

static gboolean
node_is_sound (const P2vBtrfs *btrfs, const guint8 *node, const Pointer *pointer)
{
  if (!p2v_btrfs_checksum_matches (btrfs->checksum, node, btrfs->node_size)
      || p2v_le64 (node + 48) != pointer->logical || node[100] != pointer->level
      || p2v_le64 (node + 80) != pointer->generation)
    return FALSE;
  guint32 count = p2v_le32 (node + 96), size = node[100] == 0 ? ITEM : POINTER;
  if (count > (btrfs->node_size - HEADER) / size || (count == 0 && node[100] > 0))
    return FALSE;
  for (guint32 i = 0; i < count; i++)
    {
      P2vBtrfsKey key = p2v_btrfs_key (node + HEADER + (gsize)i * size);
      if (i == 0 && pointer->first != NULL && compare_keys (key, *pointer->first) != 0)
        return FALSE;
      if (i > 0 && compare_keys (p2v_btrfs_key (node + HEADER + (gsize)(i - 1) * size), key) >= 0)
        return FALSE;
    }
  return TRUE;
}

static guint8 *
read_node (P2vBtrfs *btrfs, const Pointer *pointer, GError **error)
{
  const P2vBtrfsChunk *chunk = p2v_btrfs_chunk_find (btrfs, pointer->logical, btrfs->node_size);
  if (chunk == NULL || btrfs->nodes == 0)
    {
      p2v_free_refuse (error, "its trees make no sense");
      return NULL;
    }
  btrfs->nodes--;
  g_autofree guint8 *node = g_malloc (btrfs->node_size);
  for (guint i = 0; i < chunk->stripes; i++)
    {
      if (!p2v_free_look_read (btrfs->look, chunk->at[i] + (pointer->logical - chunk->logical),
                               node, btrfs->node_size, error))
        return NULL;
      if (node_is_sound (btrfs, node, pointer))
        return g_steal_pointer (&node);
    }
  p2v_free_refuse (error, "its trees are damaged: it needs \"btrfs check\"");
  return NULL;
}

static gboolean
visit_leaf (P2vBtrfs *btrfs, const guint8 *node, guint64 first, guint64 last, P2vBtrfsVisit visit,
            gpointer user_data, GError **error)
{
  guint32 count = p2v_le32 (node + 96);
  for (guint32 i = 0; i < count; i++)
    {
      const guint8 *item = node + HEADER + (gsize)i * ITEM;
      P2vBtrfsKey key = p2v_btrfs_key (item);
      guint64 at = (guint64)HEADER + p2v_le32 (item + KEY), length = p2v_le32 (item + KEY + 4);
      if (key.object < first || key.object > last)
        continue;
      if (at + length > btrfs->node_size)
        return p2v_free_refuse (error, "its trees make no sense");
      if (!visit (btrfs, &key, node + at, length, user_data, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
walk (P2vBtrfs *btrfs, const Pointer *pointer, guint64 first, guint64 last, P2vBtrfsVisit visit,
      gpointer user_data, GError **error)
{
  g_autofree guint8 *node = read_node (btrfs, pointer, error);
  if (node == NULL)
    return FALSE;
  if (pointer->level == 0)
    return visit_leaf (btrfs, node, first, last, visit, user_data, error);
  guint32 count = p2v_le32 (node + 96);
  for (guint32 i = 0; i < count; i++)
    {
      const guint8 *at = node + HEADER + (gsize)i * POINTER;
      P2vBtrfsKey key = p2v_btrfs_key (at);
      /* A child holds keys up to the next child's first. */
      if (key.object > last || (i + 1 < count && p2v_le64 (at + POINTER) < first))
        continue;
      Pointer child = { p2v_le64 (at + KEY), p2v_le64 (at + KEY + 8), pointer->level - 1, &key };
      if (!walk (btrfs, &child, first, last, visit, user_data, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
p2v_btrfs_walk (P2vBtrfs *btrfs, guint64 root, guint8 level, guint64 generation, guint64 first,
                guint64 last, P2vBtrfsVisit visit, gpointer user_data, GError **error)
{
  if (level > 7)
    return p2v_free_refuse (error, "its trees make no sense");
  const Pointer pointer = { root, generation, level, NULL };
  return walk (btrfs, &pointer, first, last, visit, user_data, error);
}
