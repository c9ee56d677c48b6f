/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FAT16 and FAT32: Microsoft's "FAT32 File System Specification", version 1.03. */
#include "p2v-client/free-space-parts.h"

#include <string.h>

/* Below this many clusters it is FAT12, below the other FAT16. */
#define FAT12_CLUSTERS 4085
#define FAT16_CLUSTERS 65525
#define FAT32_CLUSTERS 0x0FFFFFF5

typedef struct
{
  gboolean wide;     /* FAT32 */
  guint32 sector;    /* bytes */
  guint32 cluster;   /* bytes */
  guint32 clusters;  /* first one has number 2 */
  guint32 tables;    /* copies of the allocation table */
  gint64 table;      /* byte of the first one */
  gint64 table_size; /* bytes of each */
  gint64 data;       /* byte of the first cluster */
  gint64 sectors;    /* of the filesystem */
} Fat;

static gboolean
is_power (guint32 number, guint32 least, guint32 most)
{
  return number >= least && number <= most && (number & (number - 1)) == 0;
}

static gboolean
parse (const guint8 *boot, Fat *fat, GError **error)
{
  fat->sector = p2v_le16 (boot + 11);
  guint32 reserved = p2v_le16 (boot + 14), entries = p2v_le16 (boot + 17);
  guint32 length = p2v_le16 (boot + 22);
  fat->tables = boot[16];
  fat->wide = length == 0;
  if (fat->wide)
    length = p2v_le32 (boot + 36);
  fat->sectors = p2v_le16 (boot + 19) != 0 ? p2v_le16 (boot + 19) : p2v_le32 (boot + 32);
  if (p2v_le16 (boot + 510) != 0xAA55 || !is_power (fat->sector, 512, 4096)
      || !is_power (boot[13], 1, 128) || reserved == 0 || fat->tables < 1 || fat->tables > 2
      || length == 0 || (fat->wide && (entries != 0 || p2v_le16 (boot + 42) != 0)))
    return p2v_free_refuse (error, "its boot sector makes no sense");
  fat->cluster = boot[13] * fat->sector;
  fat->table = (gint64)reserved * fat->sector;
  fat->table_size = (gint64)length * fat->sector;
  gint64 before
      = reserved + (gint64)fat->tables * length + (entries * 32 + fat->sector - 1) / fat->sector;
  gint64 clusters = (fat->sectors - before) / boot[13];
  fat->data = before * fat->sector;
  fat->clusters = CLAMP (clusters, 0, G_MAXUINT32);
  if (fat->sectors <= before || clusters <= 0 || clusters >= FAT32_CLUSTERS
      || (clusters + 2) * (fat->wide ? 4 : 2) > fat->table_size)
    return p2v_free_refuse (error, clusters > 0 && clusters < FAT12_CLUSTERS && !fat->wide
                                       ? "FAT12 does not tell whether it is clean"
                                       : "its boot sector makes no sense");
  if (!fat->wide && clusters < FAT12_CLUSTERS)
    return p2v_free_refuse (error, "FAT12 does not tell whether it is clean");
  if (!fat->wide && clusters >= FAT16_CLUSTERS)
    return p2v_free_refuse (error, "its boot sector makes no sense");
  if (fat->wide && p2v_le16 (boot + 40) & 0x80)
    return p2v_free_refuse (error, "its allocation tables are not kept alike");
  return TRUE;
}

/* The table's second entry has a bit for a clean end, and one that no read or write failed; Linux
 * and newer Windows keep the contrary of both in the boot sector. */
static gboolean
check_clean (const P2vFreeLook *look, const guint8 *boot, const Fat *fat, GError **error)
{
  guint8 start[8];
  if (!p2v_free_look_read (look, fat->table, start, sizeof start, error))
    return FALSE;
  guint32 entry = fat->wide ? p2v_le32 (start + 4) : p2v_le16 (start + 2);
  guint32 clean = fat->wide ? 0x08000000 : 0x8000, well = fat->wide ? 0x04000000 : 0x4000;
  guint8 marks = boot[fat->wide ? 65 : 37];
  if ((entry & clean) == 0 || marks & 1)
    return p2v_free_refuse (error, "it was not unmounted cleanly");
  if ((entry & well) == 0 || marks & 2)
    return p2v_free_refuse (error, "reading or writing it has failed before: it needs a check");
  return TRUE;
}

/* The count of free clusters that FAT32 keeps, G_MAXUINT64 when there is none. */
static guint64
free_count (const P2vFreeLook *look, const guint8 *boot, const Fat *fat)
{
  guint8 info[512];
  guint16 sector = p2v_le16 (boot + 48);
  if (!fat->wide || sector == 0 || sector == 0xFFFF
      || !p2v_free_look_read (look, (gint64)sector * fat->sector, info, sizeof info, NULL)
      || p2v_le32 (info) != 0x41615252 || p2v_le32 (info + 484) != 0x61417272)
    return G_MAXUINT64;
  guint32 count = p2v_le32 (info + 488);
  return count <= fat->clusters ? count : G_MAXUINT64;
}

gboolean
p2v_free_fat_clean (P2vFreeLook *look, GError **error)
{
  guint8 boot[512];
  Fat fat;
  if (!p2v_free_look_read (look, 0, boot, sizeof boot, error) || !parse (boot, &fat, error)
      || !p2v_free_look_measure (look, fat.sectors, G_MAXUINT64, fat.sector, error)
      || !check_clean (look, boot, &fat, error))
    return FALSE;
  guint64 free = free_count (look, boot, &fat);
  if (free != G_MAXUINT64)
    look->used = look->size - (gint64)(free * fat.cluster);
  return TRUE;
}

/* One stretch of all tables: a cluster is free when every table says so. */
static gboolean
map_part (const P2vFreeLook *look, const Fat *fat, guint32 first, guint32 count, guint8 *buffer,
          guint8 *other, GArray *free, GError **error)
{
  guint32 width = fat->wide ? 4 : 2;
  gsize length = (gsize)count * width;
  gint64 at = fat->table + (gint64)first * width;
  if (!p2v_free_look_read (look, at, buffer, length, error))
    return FALSE;
  if (fat->tables > 1)
    {
      if (!p2v_free_look_read (look, at + fat->table_size, other, length, error))
        return FALSE;
      for (gsize i = 0; i < length; i++)
        buffer[i] |= other[i];
    }
  for (guint32 i = 0; i < count; i++)
    {
      guint32 entry
          = fat->wide ? p2v_le32 (buffer + 4 * i) & 0x0FFFFFFF : p2v_le16 (buffer + 2 * i);
      if (entry == 0)
        p2v_ranges_add (free, fat->data + (gint64)(first + i - 2) * fat->cluster, fat->cluster);
    }
  return TRUE;
}

GArray *
p2v_free_fat_map (P2vFreeLook *look, GError **error)
{
  enum
  {
    PART = 65536
  };
  guint8 boot[512];
  Fat fat;
  if (!p2v_free_look_read (look, 0, boot, sizeof boot, error) || !parse (boot, &fat, error))
    return NULL;
  g_autofree guint8 *buffer = g_malloc (PART * 4), *other = g_malloc (PART * 4);
  g_autoptr (GArray) free = p2v_ranges_new ();
  for (guint32 done = 0, count; done < fat.clusters; done += count)
    {
      count = MIN (fat.clusters - done, PART);
      if (!map_part (look, &fat, 2 + done, count, buffer, other, free, error))
        return NULL;
    }
  return g_steal_pointer (&free);
}
