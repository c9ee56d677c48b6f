/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exFAT: Microsoft's "exFAT file system specification", revision 1.00. */
#include "p2v-client/free-space-parts.h"

#include <string.h>

#define FLAG_DIRTY 0x2
#define FLAG_FAILURE 0x4
#define ENTRY 32
#define ENTRY_END 0x00
#define ENTRY_BITMAP 0x81
#define LAST_CLUSTER 0xFFFFFFF8U
/* A root folder begins with its bitmap's entry. */
#define FOLDER_CLUSTERS 64

typedef struct
{
  guint32 sector;   /* bytes */
  guint32 cluster;  /* bytes */
  guint32 clusters; /* first one has number 2 */
  guint32 root;     /* first cluster */
  guint64 sectors;
  gint64 table; /* byte of the allocation table */
  gint64 data;  /* byte of the first cluster */
  guint16 flags;
} Exfat;

static gboolean
read_boot (const P2vFreeLook *look, Exfat *exfat, GError **error)
{
  guint8 boot[512];
  if (!p2v_free_look_read (look, 0, boot, sizeof boot, error))
    return FALSE;
  guint8 sector_shift = boot[108], cluster_shift = boot[109];
  if (memcmp (boot + 3, "EXFAT   ", 8) != 0 || p2v_le16 (boot + 510) != 0xAA55 || sector_shift < 9
      || sector_shift > 12 || cluster_shift > 25 - sector_shift || boot[110] != 1
      || p2v_le16 (boot + 104) >> 8 != 1)
    return p2v_free_refuse (error, "its boot sector makes no sense, or is of another version");
  exfat->sector = 1U << sector_shift;
  exfat->cluster = exfat->sector << cluster_shift;
  exfat->clusters = p2v_le32 (boot + 92);
  exfat->root = p2v_le32 (boot + 96);
  exfat->sectors = p2v_le64 (boot + 72);
  exfat->flags = p2v_le16 (boot + 106);
  exfat->table = (gint64)p2v_le32 (boot + 80) << sector_shift;
  exfat->data = (gint64)p2v_le32 (boot + 88) << sector_shift;
  guint64 heap = (guint64)exfat->clusters << cluster_shift;
  if (exfat->clusters == 0 || exfat->clusters > LAST_CLUSTER - 10 || exfat->sectors < heap
      || exfat->sectors - heap < p2v_le32 (boot + 88) || exfat->table == 0
      || exfat->data - exfat->table < 4 * ((gint64)exfat->clusters + 2))
    return p2v_free_refuse (error, "its boot sector makes no sense");
  return TRUE;
}

gboolean
p2v_free_exfat_clean (P2vFreeLook *look, GError **error)
{
  Exfat exfat;
  if (!read_boot (look, &exfat, error)
      || !p2v_free_look_measure (look, exfat.sectors, G_MAXUINT64, exfat.sector, error))
    return FALSE;
  if (exfat.flags & FLAG_DIRTY)
    return p2v_free_refuse (error, "it was not unmounted cleanly");
  if (exfat.flags & FLAG_FAILURE)
    return p2v_free_refuse (error, "reading or writing it has failed before: it needs a check");
  if (exfat.flags & 1)
    return p2v_free_refuse (error, "it uses a second allocation table");
  return TRUE;
}

static gboolean
is_cluster (const Exfat *exfat, guint32 number)
{
  return number >= 2 && number - 2 < exfat->clusters;
}

static gint64
cluster_at (const Exfat *exfat, guint32 number)
{
  return exfat->data + (gint64)(number - 2) * exfat->cluster;
}

/* 0 at the end of a chain. */
static gboolean
next_cluster (const P2vFreeLook *look, const Exfat *exfat, guint32 *number, GError **error)
{
  guint8 entry[4];
  if (!p2v_free_look_read (look, exfat->table + 4 * (gint64)*number, entry, sizeof entry, error))
    return FALSE;
  *number = p2v_le32 (entry);
  if (*number >= LAST_CLUSTER)
    *number = 0;
  else if (!is_cluster (exfat, *number))
    return p2v_free_refuse (error, "its allocation table makes no sense");
  return TRUE;
}

/* Finds the bitmap's entry in the root folder. */
static gboolean
find_bitmap (const P2vFreeLook *look, const Exfat *exfat, guint32 *first, guint64 *length,
             GError **error)
{
  guint8 entries[512];
  guint32 number = exfat->root;
  for (guint count = 0; is_cluster (exfat, number) && count < FOLDER_CLUSTERS; count++)
    {
      for (guint32 at = 0; at < exfat->cluster; at += sizeof entries)
        {
          if (!p2v_free_look_read (look, cluster_at (exfat, number) + at, entries, sizeof entries,
                                   error))
            return FALSE;
          for (gsize i = 0; i < sizeof entries; i += ENTRY)
            {
              if (entries[i] == ENTRY_END)
                return p2v_free_refuse (error, "its map cannot be found");
              if (entries[i] != ENTRY_BITMAP || entries[i + 1] & 1)
                continue;
              *first = p2v_le32 (entries + i + 20);
              *length = p2v_le64 (entries + i + 24);
              return TRUE;
            }
        }
      if (!next_cluster (look, exfat, &number, error))
        return FALSE;
    }
  return p2v_free_refuse (error, "its map cannot be found");
}

GArray *
p2v_free_exfat_map (P2vFreeLook *look, GError **error)
{
  enum
  {
    PART = 65536
  };
  Exfat exfat;
  guint32 number = 0;
  guint64 length = 0, first = 2;
  if (!read_boot (look, &exfat, error) || !find_bitmap (look, &exfat, &number, &length, error))
    return NULL;
  if (length < ((guint64)exfat.clusters + 7) / 8 || !is_cluster (&exfat, number))
    {
      p2v_free_refuse (error, "its map does not cover it");
      return NULL;
    }
  g_autofree guint8 *bits = g_malloc (PART);
  g_autoptr (GArray) free = p2v_ranges_new ();
  while (number != 0 && first - 2 < exfat.clusters)
    {
      for (guint32 at = 0; at < exfat.cluster && first - 2 < exfat.clusters; at += PART)
        {
          gsize part = MIN (exfat.cluster - at, PART);
          if (!p2v_free_look_read (look, cluster_at (&exfat, number) + at, bits, part, error))
            return NULL;
          p2v_ranges_add_bits (free, bits, MIN (exfat.clusters - (first - 2), part * 8),
                               cluster_at (&exfat, first), exfat.cluster, FALSE);
          first += part * 8;
        }
      if (first - 2 < exfat.clusters && !next_cluster (look, &exfat, &number, error))
        return NULL;
    }
  if (first - 2 < exfat.clusters)
    {
      p2v_free_refuse (error, "its map does not cover it");
      return NULL;
    }
  return g_steal_pointer (&free);
}
