/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#define MAX_SIZE (G_GINT64_CONSTANT (1) << 50)

/* Where a superblock says how large its filesystem is: the product of two numbers, or of a number
 * and a power of two. Offsets are from the superblock's start, in bytes. */
typedef struct
{
  const char *type;
  gint64 superblock;
  guint count, count_width;
  guint unit, unit_width; /* width 0: unit is itself the size of a block in bytes */
  gboolean logarithm;     /* unit is the power of two */
  gboolean big_endian;
} SizeRule;

/* Sources: the headers of the Linux kernel for each filesystem (fs/xfs/libxfs/xfs_format.h,
 * fs/ntfs3/ntfs.h, fs/exfat/exfat_raw.h, include/uapi/linux/btrfs_tree.h,
 * include/linux/f2fs_fs.h, fs/hfsplus/hfsplus_raw.h, fs/squashfs/squashfs_fs.h) and ECMA-119 8.4
 * for ISO 9660. For btrfs this is the size of its part on this device. */
static const SizeRule rules[] = {
  { "xfs", 0, 8, 8, 4, 4, FALSE, TRUE },
  { "ntfs", 0, 40, 8, 11, 2, FALSE, FALSE },
  { "exfat", 0, 72, 8, 108, 1, TRUE, FALSE },
  { "btrfs", 65536, 0xd1, 8, 1, 0, FALSE, FALSE },
  { "f2fs", 1024, 36, 8, 16, 4, TRUE, FALSE },
  { "hfsplus", 1024, 44, 4, 40, 4, FALSE, TRUE },
  { "iso9660", 32768, 80, 4, 128, 2, FALSE, FALSE },
  { "squashfs", 0, 40, 8, 1, 0, FALSE, FALSE },
  { "swap", 1024, 4, 4, 4096, 0, FALSE, FALSE },
};

static guint64
number_at (const guint8 *bytes, guint width, gboolean big_endian)
{
  guint64 number = 0;
  for (guint i = 0; i < width; i++)
    number = number << 8 | bytes[big_endian ? i : width - 1 - i];
  return number;
}

static gint64
product (guint64 count, guint64 unit)
{
  guint64 size;
  if (!g_uint64_checked_mul (&size, count, unit) || size > (guint64)MAX_SIZE)
    return 0;
  return size;
}

/* include/linux of e2fsprogs, struct ext2_super_block: s_blocks_count at 4, s_log_block_size at
 * 24, s_feature_incompat at 96 (64bit: 0x80), s_blocks_count_hi at 336. */
static gint64
ext_size (const guint8 *superblock)
{
  guint64 blocks = number_at (superblock + 4, 4, FALSE);
  guint64 shift = number_at (superblock + 24, 4, FALSE);
  if (number_at (superblock + 96, 4, FALSE) & 0x80)
    blocks |= number_at (superblock + 336, 4, FALSE) << 32;
  return shift > 6 ? 0 : product (blocks, G_GUINT64_CONSTANT (1024) << shift);
}

/* Microsoft's FAT specification 1.03: BPB_BytsPerSec at 11, BPB_TotSec16 at 19, BPB_TotSec32 at
 * 32. */
static gint64
fat_size (const guint8 *superblock)
{
  guint64 sectors = number_at (superblock + 19, 2, FALSE);
  if (sectors == 0)
    sectors = number_at (superblock + 32, 4, FALSE);
  return product (sectors, number_at (superblock + 11, 2, FALSE));
}

gint64
p2v_filesystem_size (const P2vLook *look, P2vArea area, const char *type)
{
  guint8 bytes[512];
  if (type == NULL)
    return 0;
  if (g_str_has_prefix (type, "ext") && strlen (type) == 4)
    return p2v_look_read (look, area.offset + 1024, bytes, sizeof bytes) ? ext_size (bytes) : 0;
  if (g_str_equal (type, "vfat"))
    return p2v_look_read (look, area.offset, bytes, sizeof bytes) ? fat_size (bytes) : 0;
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      const SizeRule *rule = &rules[i];
      if (!g_str_equal (type, rule->type)
          || !p2v_look_read (look, area.offset + rule->superblock, bytes, sizeof bytes))
        continue;
      guint64 count = number_at (bytes + rule->count, rule->count_width, rule->big_endian);
      guint64 unit = rule->unit;
      if (rule->unit_width > 0)
        unit = number_at (bytes + rule->unit, rule->unit_width, rule->big_endian);
      if (rule->logarithm)
        unit = unit < 32 ? G_GUINT64_CONSTANT (1) << unit : 0;
      /* The count of swap is the number of its last page. */
      return product (g_str_equal (type, "swap") ? count + 1 : count, unit);
    }
  return 0;
}
