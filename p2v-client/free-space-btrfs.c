/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Btrfs: what the extent tree does not mention is free. partclone is not asked, see free-space.c.
 */
#include "p2v-client/free-space-btrfs.h"

#include <string.h>

#define SUPERBLOCK 65536
#define SUPERBLOCK_SIZE 4096
#define SYSTEM_CHUNKS 0x32B
#define SYSTEM_CHUNKS_SIZE 2048

/* Written by mkfs or the kernel. Others: an error, a seed, a metadata dump, a change of identity.
 */
#define FLAGS_KNOWN 1U
/* Mixed back references, default subvolume, mixed groups, LZO, zstd, big metadata, extended inode
 * references, skinny metadata, no holes, metadata UUID. */
#define INCOMPAT_KNOWN 0x77FU
/* Free space tree, that it is valid, verity, block group tree. */
#define RO_KNOWN 0xFU
#define CHECKSUM_LAST 2

#define OBJECT_EXTENT_TREE 2
#define OBJECT_CHUNKS 256
#define KEY_ROOT 132
#define KEY_EXTENT 168
#define KEY_METADATA 169
#define KEY_CHUNK 228

/* More stretches in use would take too much memory. */
#define RANGES_MAX 4000000

static gboolean
check_features (const guint8 *superblock, GError **error)
{
  guint64 incompat = p2v_le64 (superblock + 0xBC), ro = p2v_le64 (superblock + 0xB4);
  guint64 flags = p2v_le64 (superblock + 0x38);
  if (p2v_le64 (superblock + 0x88) != 1)
    return p2v_free_refuse (error, "it is spread over several devices");
  if (incompat & ~(guint64)INCOMPAT_KNOWN || ro & ~(guint64)RO_KNOWN)
    return p2v_free_refuse (error,
                            "it has features that are not known here (%#" G_GINT64_MODIFIER
                            "x, %#" G_GINT64_MODIFIER "x)",
                            incompat & ~(guint64)INCOMPAT_KNOWN, ro & ~(guint64)RO_KNOWN);
  if (flags & ~(guint64)FLAGS_KNOWN)
    return p2v_free_refuse (
        error, "it is damaged, a seed, or was never finished (%#" G_GINT64_MODIFIER "x)", flags);
  if (p2v_le64 (superblock + 0x60) != 0)
    return p2v_free_refuse (error, "it was not unmounted cleanly: its log is not empty");
  return TRUE;
}

static gboolean
read_superblock (P2vFreeLook *look, guint8 *superblock, GError **error)
{
  if (!p2v_free_look_read (look, SUPERBLOCK, superblock, SUPERBLOCK_SIZE, error))
    return FALSE;
  guint32 sector = p2v_le32 (superblock + 0x90), node = p2v_le32 (superblock + 0x94);
  if (memcmp (superblock + 0x40, "_BHRfS_M", 8) != 0 || sector < 4096 || sector > 65536
      || (sector & (sector - 1)) != 0 || node < sector || node > 65536 || (node & (node - 1)) != 0
      || p2v_le64 (superblock + 0x30) != SUPERBLOCK)
    return p2v_free_refuse (error, "its superblock makes no sense");
  guint16 kind = p2v_le16 (superblock + 0xC4);
  if (kind > CHECKSUM_LAST)
    return p2v_free_refuse (error, "its kind of checksum is not known here");
  if (!p2v_btrfs_checksum_matches (kind, superblock, SUPERBLOCK_SIZE))
    return p2v_free_refuse (error, "the checksum of its superblock is wrong");
  return TRUE;
}

gboolean
p2v_free_btrfs_clean (P2vFreeLook *look, GError **error)
{
  g_autofree guint8 *superblock = g_malloc (SUPERBLOCK_SIZE);
  if (!read_superblock (look, superblock, error) || !check_features (superblock, error))
    return FALSE;
  guint32 sector = p2v_le32 (superblock + 0x90);
  /* The device may be larger than a multiple of its sectors. */
  guint64 total = p2v_le64 (superblock + 0x70), device = p2v_le64 (superblock + 0xC9 + 8);
  return p2v_free_look_measure (look, MAX (total, device) / sector, G_MAXUINT64, sector, error);
}

static gboolean
add_chunk (P2vBtrfs *btrfs, const P2vBtrfsKey *key, const guint8 *data, gsize length,
           gpointer user_data, GError **error)
{
  (void)user_data;
  return key->type == KEY_CHUNK ? p2v_btrfs_chunk_add (btrfs, key, data, length, error) : TRUE;
}

/* The superblock holds a copy of the chunks that the chunk tree itself lies in. */
static gboolean
read_system_chunks (P2vBtrfs *btrfs, const guint8 *superblock, GError **error)
{
  guint32 size = p2v_le32 (superblock + 0xA0);
  const guint8 *array = superblock + SYSTEM_CHUNKS;
  if (size > SYSTEM_CHUNKS_SIZE)
    return p2v_free_refuse (error, "its superblock makes no sense");
  for (guint32 at = 0; at < size;)
    {
      if (size - at < 17 + 80)
        return p2v_free_refuse (error, "its superblock makes no sense");
      P2vBtrfsKey key = p2v_btrfs_key (array + at);
      const guint8 *data = array + at + 17;
      guint32 length = 48 + 32 * p2v_le16 (data + 44);
      if (key.type != KEY_CHUNK || length > size - at - 17
          || !p2v_btrfs_chunk_add (btrfs, &key, data, length, error))
        return error != NULL && *error != NULL
                   ? FALSE
                   : p2v_free_refuse (error, "its superblock makes no sense");
      at += 17 + length;
    }
  return TRUE;
}

typedef struct
{
  guint64 address, generation;
  guint8 level;
} Root;

static gboolean
take_root (P2vBtrfs *btrfs, const P2vBtrfsKey *key, const guint8 *data, gsize length,
           gpointer user_data, GError **error)
{
  (void)btrfs;
  Root *root = user_data;
  if (key->type != KEY_ROOT)
    return TRUE;
  if (length < 239 || root->address != 0)
    return p2v_free_refuse (error, "its trees make no sense");
  *root = (Root){ p2v_le64 (data + 176), p2v_le64 (data + 160), data[238] };
  return TRUE;
}

/* What is in use, as the extent tree is walked: bytes, and where they lie on the device. */
typedef struct
{
  guint64 end;  /* of the last extent, by its logical address */
  guint64 used; /* bytes, each counted once */
  GArray *ranges[P2V_BTRFS_STRIPES];
} Used;

/* Gaps that are too small to be left out anyway are not worth the memory. */
static void
add_used (GArray *ranges, gint64 at, gint64 length)
{
  if (ranges->len > 0)
    {
      P2vFreeRange *last = &g_array_index (ranges, P2vFreeRange, ranges->len - 1);
      gint64 gap = at - (last->offset + last->length);
      if (gap >= 0 && gap < P2V_RANGE_SMALLEST)
        {
          last->length += gap + length;
          return;
        }
    }
  p2v_ranges_add (ranges, at, length);
}

static gboolean
take_extent (P2vBtrfs *btrfs, const P2vBtrfsKey *key, const guint8 *data, gsize size,
             gpointer user_data, GError **error)
{
  (void)data;
  (void)size;
  Used *used = user_data;
  if (key->type != KEY_EXTENT && key->type != KEY_METADATA)
    return TRUE;
  guint64 length = key->type == KEY_EXTENT ? key->offset : btrfs->node_size;
  const P2vBtrfsChunk *chunk = p2v_btrfs_chunk_find (btrfs, key->object, length);
  if (length == 0 || key->object < used->end || chunk == NULL)
    return p2v_free_refuse (error, "its extents contradict one another");
  used->end = key->object + length;
  used->used += length;
  for (guint i = 0; i < chunk->stripes; i++)
    add_used (used->ranges[i], chunk->at[i] + (key->object - chunk->logical), length);
  if (used->ranges[0]->len + used->ranges[1]->len > RANGES_MAX)
    return p2v_free_refuse (error, "its free space is in too many pieces");
  return TRUE;
}

static gboolean
walk_extents (P2vBtrfs *btrfs, const guint8 *superblock, Used *used, GError **error)
{
  Root root = { 0 };
  if (!read_system_chunks (btrfs, superblock, error)
      || !p2v_btrfs_walk (btrfs, p2v_le64 (superblock + 0x58), superblock[0xC7],
                          p2v_le64 (superblock + 0xA4), OBJECT_CHUNKS, OBJECT_CHUNKS, add_chunk,
                          NULL, error)
      || !p2v_btrfs_walk (btrfs, p2v_le64 (superblock + 0x50), superblock[0xC6],
                          p2v_le64 (superblock + 0x48), OBJECT_EXTENT_TREE, OBJECT_EXTENT_TREE,
                          take_root, &root, error))
    return FALSE;
  if (!p2v_btrfs_walk (btrfs, root.address, root.level, root.generation, 0, G_MAXUINT64,
                       take_extent, used, error))
    return FALSE;
  if (used->used < p2v_le64 (superblock + 0x78))
    return p2v_free_refuse (error, "its map contradicts its superblock");
  return TRUE;
}

GArray *
p2v_free_btrfs_map (P2vFreeLook *look, GError **error)
{
  /* Where a superblock may be; nothing else ever lies there. */
  const gint64 superblocks[]
      = { SUPERBLOCK, 64 * (gint64)1024 * 1024, 256 * (gint64)1024 * 1024 * 1024 };
  g_autofree guint8 *superblock = g_malloc (SUPERBLOCK_SIZE);
  if (!read_superblock (look, superblock, error))
    return NULL;
  P2vBtrfs btrfs = { look,
                     p2v_le32 (superblock + 0x94),
                     p2v_le16 (superblock + 0xC4),
                     p2v_le64 (superblock + 0xC9),
                     0,
                     NULL };
  btrfs.nodes = look->size / btrfs.node_size;
  g_autoptr (GArray) chunks = g_array_new (FALSE, FALSE, sizeof (P2vBtrfsChunk));
  g_autoptr (GArray) in_use = p2v_ranges_new (), copies = p2v_ranges_new ();
  btrfs.chunks = chunks;
  Used used = { 0, 0, { in_use, copies } };
  if (!walk_extents (&btrfs, superblock, &used, error))
    return NULL;
  g_array_append_vals (in_use, copies->data, copies->len);
  for (gsize i = 0; i < G_N_ELEMENTS (superblocks); i++)
    {
      P2vFreeRange range = { superblocks[i], 65536 };
      g_array_append_val (in_use, range);
    }
  p2v_ranges_normalize (in_use);
  return p2v_ranges_complement (in_use, 0, look->size);
}
