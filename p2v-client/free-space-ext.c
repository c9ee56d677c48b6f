/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ext2, ext3, ext4: linux/Documentation/filesystems/ext4/super.rst. */
#include "p2v-client/free-space-ext-journal.h"

#include <string.h>

#define MAGIC 0xEF53
/* Valid, and neither errors (2), nor orphans being deleted (4), nor a replay (32). */
#define STATE_CLEAN 1

#define INCOMPAT_RECOVER 0x4
#define INCOMPAT_JOURNAL_DEVICE 0x8
#define INCOMPAT_META_BG 0x10
#define INCOMPAT_64BIT 0x80
#define INCOMPAT_CHECKSUM_SEED 0x2000
/* File types, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, large directories, inline
 * data, encryption (of files: which blocks are in use is in the clear), casefold. */
#define INCOMPAT_KNOWN 0x3E7D2U

#define COMPAT_JOURNAL 0x4
#define COMPAT_SPARSE_SUPER2 0x200

#define RO_SPARSE_SUPER 0x1
#define RO_GROUP_CHECKSUM 0x10
#define RO_BIGALLOC 0x200
#define RO_METADATA_CHECKSUM 0x400
#define RO_ORPHAN_PRESENT 0x10000
/* sparse_super, large files, btree_dir, huge files, group checksums, dir_nlink, extra_isize, quota,
 * metadata_csum, readonly, project, verity. */
#define RO_KNOWN 0xB57FU

#define GROUP_BITMAP_IMPLIED 2

static gboolean
check_features (const guint8 *superblock, GError **error)
{
  guint32 incompat = p2v_le32 (superblock + 0x60), ro = p2v_le32 (superblock + 0x64);
  if (incompat & INCOMPAT_JOURNAL_DEVICE)
    return p2v_free_refuse (error, "it is the journal of another filesystem");
  if (incompat & INCOMPAT_RECOVER)
    return p2v_free_refuse (error, "it was not unmounted cleanly: its journal needs recovery");
  if (ro & RO_ORPHAN_PRESENT || p2v_le32 (superblock + 0xE8) != 0)
    return p2v_free_refuse (error, "it was not unmounted cleanly: files are half deleted");
  if (ro & RO_BIGALLOC)
    return p2v_free_refuse (error, "it allocates in clusters (bigalloc), which is not known here");
  if (incompat & ~INCOMPAT_KNOWN || ro & ~RO_KNOWN)
    return p2v_free_refuse (error, "it has features that are not known here (%#x, %#x)",
                            incompat & ~INCOMPAT_KNOWN, ro & ~RO_KNOWN);
  return TRUE;
}

gboolean
p2v_free_ext_clean (P2vFreeLook *look, GError **error)
{
  guint8 superblock[1024];
  if (!p2v_free_look_read (look, 1024, superblock, sizeof superblock, error))
    return FALSE;
  guint32 logarithm = p2v_le32 (superblock + 0x18);
  if (p2v_le16 (superblock + 0x38) != MAGIC || logarithm > 6)
    return p2v_free_refuse (error, "its superblock makes no sense");
  guint16 state = p2v_le16 (superblock + 0x3A);
  if (!check_features (superblock, error))
    return FALSE;
  if (state != STATE_CLEAN)
    return p2v_free_refuse (error, state & 2 ? "it has errors: it needs e2fsck"
                                             : "it was not unmounted cleanly");
  guint64 blocks = p2v_le32 (superblock + 0x4), free = p2v_le32 (superblock + 0xC);
  if (p2v_le32 (superblock + 0x60) & INCOMPAT_64BIT)
    {
      blocks |= (guint64)p2v_le32 (superblock + 0x150) << 32;
      free |= (guint64)p2v_le32 (superblock + 0x158) << 32;
    }
  return p2v_free_look_measure (look, blocks, free, 1024U << logarithm, error);
}

/* What is needed to find and to understand the groups. */
typedef struct
{
  const P2vFreeLook *look;
  const guint8 *superblock;
  guint32 compat, incompat, ro;
  guint32 block;     /* bytes */
  guint64 blocks;    /* of the filesystem, counted from 0 */
  guint32 first;     /* block of the first group */
  guint32 per_group; /* blocks */
  guint32 groups;
  guint32 descriptor;  /* bytes */
  guint32 inodes;      /* in a group */
  guint32 inode_size;  /* bytes */
  guint32 inode_table; /* blocks in a group */
  guint64 first_table; /* block: the first group's inode table */
  guint32 seed;        /* of checksums */
  GArray *metadata;    /* of P2vFreeRange: what the groups' own tables lie in */
  GArray *written;     /* of P2vFreeRange: what of that has ever been written */
  GArray *unwritten;   /* of P2vFreeRange: ends of inode tables that no inode has ever been in, and
                          what of the journal holds nothing */
} Ext;

/* One group as its descriptor has it. */
typedef struct
{
  guint64 bitmap; /* block */
  guint32 free;   /* blocks */
  guint32 checksum;
  gboolean implied; /* its bitmap was never written: only metadata is in use */
} Group;

static gboolean
open_groups (Ext *ext, GError **error)
{
  const guint8 *superblock = ext->superblock;
  ext->compat = p2v_le32 (superblock + 0x5C);
  ext->incompat = p2v_le32 (superblock + 0x60);
  ext->ro = p2v_le32 (superblock + 0x64);
  ext->block = 1024U << (p2v_le32 (superblock + 0x18) & 7);
  ext->blocks = ext->look->size / ext->block;
  ext->first = p2v_le32 (superblock + 0x14);
  ext->per_group = p2v_le32 (superblock + 0x20);
  ext->descriptor = ext->incompat & INCOMPAT_64BIT ? p2v_le16 (superblock + 0xFE) : 32;
  guint64 inodes = p2v_le32 (superblock + 0x28);
  guint64 inode_size = p2v_le32 (superblock + 0x4C) == 0 ? 128 : p2v_le16 (superblock + 0x58);
  gboolean sound = ext->per_group >= 8 && ext->per_group <= 8 * ext->block
                   && ext->per_group % 8 == 0 && ext->first == (ext->block == 1024 ? 1 : 0)
                   && ext->blocks > ext->first && ext->descriptor >= 32 && ext->descriptor <= 1024
                   && (ext->descriptor & (ext->descriptor - 1)) == 0 && inodes > 0
                   && inodes <= 8 * (guint64)ext->block && inode_size >= 128
                   && inode_size <= ext->block;
  guint64 groups = sound ? (ext->blocks - ext->first + ext->per_group - 1) / ext->per_group : 0;
  if (!sound || groups > G_MAXINT32)
    return p2v_free_refuse (error, "its superblock makes no sense");
  ext->groups = groups;
  ext->inodes = (guint32)inodes;
  ext->inode_size = (guint32)inode_size;
  ext->inode_table = (inodes * inode_size + ext->block - 1) / ext->block;
  ext->seed = ext->incompat & INCOMPAT_CHECKSUM_SEED ? p2v_le32 (superblock + 0x270)
                                                     : p2v_crc32c (~0U, superblock + 0x68, 16);
  return TRUE;
}

static gboolean
is_power_of (guint32 number, guint32 base)
{
  while (number > 1 && number % base == 0)
    number /= base;
  return number == 1;
}

static gboolean
has_superblock (const Ext *ext, guint32 group)
{
  if (group == 0)
    return TRUE;
  if (ext->compat & COMPAT_SPARSE_SUPER2)
    return group == p2v_le32 (ext->superblock + 0x24C)
           || group == p2v_le32 (ext->superblock + 0x250);
  if ((ext->ro & RO_SPARSE_SUPER) == 0)
    return TRUE;
  return is_power_of (group, 3) || is_power_of (group, 5) || is_power_of (group, 7);
}

static guint64
first_block (const Ext *ext, guint32 group)
{
  return ext->first + (guint64)group * ext->per_group;
}

static guint32
block_count (const Ext *ext, guint32 group)
{
  return MIN (ext->blocks - first_block (ext, group), ext->per_group);
}

/* How many blocks at the start of a group are the superblock's, the descriptors' and theirs to
 * grow into. */
static guint64
reserved_blocks (const Ext *ext, guint32 group)
{
  guint32 per_block = ext->block / ext->descriptor;
  guint64 blocks = has_superblock (ext, group) ? 1 : 0;
  guint64 descriptors = (ext->groups + (guint64)per_block - 1) / per_block;
  gboolean meta = ext->incompat & INCOMPAT_META_BG;
  guint32 first_meta = p2v_le32 (ext->superblock + 0x104);
  if (meta && group / per_block >= first_meta)
    {
      guint32 place = group % per_block;
      return blocks + (place <= 1 || place == per_block - 1 ? 1 : 0);
    }
  if (blocks == 0)
    return 0;
  return blocks + (meta ? first_meta : descriptors) + p2v_le16 (ext->superblock + 0xCE);
}

/* The block in which the index-th block of descriptors lies. */
static guint64
descriptor_block (const Ext *ext, guint32 index)
{
  if ((ext->incompat & INCOMPAT_META_BG) == 0 || index < p2v_le32 (ext->superblock + 0x104))
    return ext->first + (guint64)index + 1;
  guint32 group = index * (ext->block / ext->descriptor);
  return first_block (ext, group) + (has_superblock (ext, group) ? 1 : 0);
}

static gboolean
descriptor_is_sound (const Ext *ext, const guint8 *descriptor, guint32 number)
{
  if ((ext->ro & RO_METADATA_CHECKSUM) == 0)
    return TRUE;
  guint8 copy[1024];
  guint32 little = GUINT32_TO_LE (number);
  memcpy (copy, descriptor, ext->descriptor);
  memset (copy + 30, 0, 2);
  guint32 checksum = p2v_crc32c (ext->seed, (const guint8 *)&little, sizeof little);
  checksum = p2v_crc32c (checksum, copy, ext->descriptor);
  return p2v_le16 (descriptor + 30) == (checksum & 0xFFFF);
}

/* written: how many of the blocks have been, from the first on. */
static gboolean
add_metadata (Ext *ext, guint64 block, guint64 count, guint64 written)
{
  if (block < ext->first || count > ext->blocks || block > ext->blocks - count)
    return FALSE;
  const P2vFreeRange all = { block * ext->block, count * ext->block };
  const P2vFreeRange head = { all.offset, written * ext->block };
  const P2vFreeRange tail = { all.offset + head.length, all.length - head.length };
  g_array_append_val (ext->metadata, all);
  if (head.length > 0)
    g_array_append_val (ext->written, head);
  if (tail.length > 0)
    g_array_append_val (ext->unwritten, tail);
  return TRUE;
}

/* How many blocks of a group's inode table have ever held an inode. Neither the kernel nor e2fsck
 * looks at what follows, which may never have been written: some 16 GiB for each TiB, with the
 * defaults. Only a descriptor whose checksum we know is believed. */
static guint64
inode_blocks (const Ext *ext, const guint8 *descriptor)
{
  guint32 unused = p2v_le16 (descriptor + 28);
  if (ext->descriptor >= 64)
    unused |= (guint32)p2v_le16 (descriptor + 50) << 16;
  if ((ext->ro & RO_METADATA_CHECKSUM) == 0 || unused > ext->inodes)
    return ext->inode_table;
  guint64 bytes = (guint64)(ext->inodes - unused) * ext->inode_size;
  return (bytes + ext->block - 1) / ext->block;
}

static gboolean
parse_descriptor (Ext *ext, const guint8 *descriptor, guint32 number, Group *group)
{
  guint64 bitmap = p2v_le32 (descriptor), inodes = p2v_le32 (descriptor + 4);
  guint64 table = p2v_le32 (descriptor + 8);
  group->free = p2v_le16 (descriptor + 12);
  group->checksum = p2v_le16 (descriptor + 24);
  if (ext->descriptor >= 64)
    {
      bitmap |= (guint64)p2v_le32 (descriptor + 32) << 32;
      inodes |= (guint64)p2v_le32 (descriptor + 36) << 32;
      table |= (guint64)p2v_le32 (descriptor + 40) << 32;
      group->free |= (guint32)p2v_le16 (descriptor + 44) << 16;
      group->checksum |= (guint32)p2v_le16 (descriptor + 56) << 16;
    }
  group->bitmap = bitmap;
  if (number == 0)
    ext->first_table = table;
  group->implied = ext->ro & (RO_GROUP_CHECKSUM | RO_METADATA_CHECKSUM)
                   && p2v_le16 (descriptor + 18) & GROUP_BITMAP_IMPLIED;
  guint64 reserved = MIN (reserved_blocks (ext, number), block_count (ext, number));
  return descriptor_is_sound (ext, descriptor, number) && add_metadata (ext, bitmap, 1, 1)
         && add_metadata (ext, inodes, 1, 1)
         && add_metadata (ext, table, ext->inode_table, inode_blocks (ext, descriptor))
         && add_metadata (ext, first_block (ext, number), reserved, reserved);
}

static void
add_journal (Ext *ext)
{
  const P2vExtPlace place = {
    .look = ext->look,
    .block = ext->block,
    .blocks = ext->blocks,
    .inode_table = ext->first_table,
    .inode_size = ext->inode_size,
    .seed = ext->seed,
  };
  if (ext->ro & RO_METADATA_CHECKSUM && ext->compat & COMPAT_JOURNAL
      && p2v_le32 (ext->superblock + 0xE0) == P2V_EXT_JOURNAL_INODE
      && ext->inodes >= P2V_EXT_JOURNAL_INODE)
    p2v_ext_journal_add_empty (&place, ext->unwritten);
}

static Group *
read_groups (Ext *ext, GError **error)
{
  guint32 per_block = ext->block / ext->descriptor;
  g_autofree guint8 *block = g_malloc (ext->block);
  g_autofree Group *groups = g_try_new (Group, ext->groups);
  if (groups == NULL)
    {
      p2v_free_refuse (error, "it has more groups than there is memory for");
      return NULL;
    }
  for (guint32 i = 0; i < ext->groups; i++)
    {
      if (i % per_block == 0
          && !p2v_free_look_read (ext->look, descriptor_block (ext, i / per_block) * ext->block,
                                  block, ext->block, error))
        return NULL;
      if (!parse_descriptor (ext, block + (gsize)(i % per_block) * ext->descriptor, i, &groups[i]))
        {
          p2v_free_refuse (error, "the descriptor of its group %u is damaged: it needs e2fsck", i);
          return NULL;
        }
    }
  add_journal (ext);
  p2v_ranges_normalize (ext->metadata);
  p2v_ranges_normalize (ext->written);
  p2v_ranges_normalize (ext->unwritten);
  return g_steal_pointer (&groups);
}

static gboolean
bitmap_is_sound (const Ext *ext, const guint8 *bits, const Group *group)
{
  if ((ext->ro & RO_METADATA_CHECKSUM) == 0)
    return TRUE;
  guint32 mask = ext->descriptor >= 64 ? ~0U : 0xFFFF;
  return ((p2v_crc32c (ext->seed, bits, ext->per_group / 8) ^ group->checksum) & mask) == 0;
}

/* What of a group is free, all of it when its bitmap is implied. */
static gboolean
map_group (const Ext *ext, guint32 number, const Group *group, guint8 *bits, GArray *free,
           GError **error)
{
  gint64 offset = first_block (ext, number) * ext->block;
  guint32 count = block_count (ext, number);
  if (group->implied)
    {
      const P2vFreeRange all = { offset, (gint64)count * ext->block };
      g_autoptr (GArray) group_range = p2v_ranges_new ();
      g_array_append_val (group_range, all);
      g_autoptr (GArray) rest = p2v_ranges_subtract (group_range, ext->metadata);
      if (p2v_ranges_bytes (rest) / ext->block != group->free)
        return p2v_free_refuse (error, "the count of free blocks of its group %u is wrong", number);
      for (guint i = 0; i < rest->len; i++)
        p2v_ranges_add (free, g_array_index (rest, P2vFreeRange, i).offset,
                        g_array_index (rest, P2vFreeRange, i).length);
      return TRUE;
    }
  if (!p2v_free_look_read (ext->look, group->bitmap * ext->block, bits, ext->block, error))
    return FALSE;
  if (!bitmap_is_sound (ext, bits, group))
    return p2v_free_refuse (error, "the map of its group %u is damaged: it needs e2fsck", number);
  guint32 clear = 0;
  for (guint32 i = 0; i < count; i++)
    clear += (bits[i / 8] >> (i % 8) & 1) == 0;
  if (clear != group->free)
    return p2v_free_refuse (error, "the count of free blocks of its group %u is wrong", number);
  p2v_ranges_add_bits (free, bits, count, offset, ext->block, FALSE);
  return TRUE;
}

GArray *
p2v_free_ext_map (P2vFreeLook *look, GError **error)
{
  guint8 superblock[1024];
  if (!p2v_free_look_read (look, 1024, superblock, sizeof superblock, error))
    return NULL;
  g_autoptr (GArray) metadata = p2v_ranges_new ();
  g_autoptr (GArray) written = p2v_ranges_new ();
  g_autoptr (GArray) unwritten = p2v_ranges_new ();
  Ext ext = {
    .look = look,
    .superblock = superblock,
    .metadata = metadata,
    .written = written,
    .unwritten = unwritten,
  };
  if (!open_groups (&ext, error))
    return NULL;
  g_autofree Group *groups = read_groups (&ext, error);
  if (groups == NULL)
    return NULL;
  g_autofree guint8 *bits = g_malloc (ext.block);
  g_autoptr (GArray) free = p2v_ranges_new ();
  for (guint32 i = 0; i < ext.groups; i++)
    if (!map_group (&ext, i, &groups[i], bits, free, error))
      return NULL;
  /* What lies in a group's tables is in use whatever the maps say, but for what was never written.
   * That and an empty journal the filesystem's own counter has as used. */
  GArray *all = p2v_ranges_subtract (free, metadata);
  g_autoptr (GArray) more = p2v_ranges_subtract (unwritten, written);
  look->used -= p2v_ranges_bytes (more);
  g_array_append_vals (all, more->data, more->len);
  p2v_ranges_normalize (all);
  return all;
}
