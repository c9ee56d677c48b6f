/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NTFS: is it clean? What the linux-ntfs project's documentation says of $Volume, $LogFile and
 * the boot sector; the criteria are those by which ntfs-3g refuses to write. */
#include "p2v-client/free-space-ntfs.h"

#include <string.h>

#define RECORD_MFT 0
#define RECORD_LOG 2
#define RECORD_VOLUME 3
#define RECORD_BITMAP 6

/* To be upgraded; mounted by NT 4. Neither says anything of what is in use. */
#define VOLUME_HARMLESS 0x000C
#define VOLUME_DIRTY 0x0001

#define LOG_CLEAN 0x0002
#define LOG_NO_CLIENT 0xFFFF
#define LOG_PAGE_MAX 65536

#define HIBERNATION_HEADER 4096

static gboolean
is_power (guint32 number, guint32 least, guint32 most)
{
  return number >= least && number <= most && (number & (number - 1)) == 0;
}

/* Sizes in the boot sector are a number of units, or as a negative number the power of two. */
static guint32
shifted (guint8 number, guint32 unit)
{
  if (number < 0x80)
    return number * unit;
  guint shift = 256U - number;
  return shift < 31 ? 1U << shift : 0;
}

static gboolean
read_boot (P2vFreeLook *look, P2vNtfs *ntfs, GError **error)
{
  guint8 boot[512];
  if (!p2v_free_look_read (look, 0, boot, sizeof boot, error))
    return FALSE;
  guint32 sector = p2v_le16 (boot + 11);
  guint8 per_cluster = boot[13];
  ntfs->cluster = per_cluster <= 0x80 ? per_cluster * sector : shifted (per_cluster, 1) * sector;
  guint64 sectors = p2v_le64 (boot + 40), mft = p2v_le64 (boot + 48);
  if (memcmp (boot + 3, "NTFS    ", 8) != 0 || !is_power (sector, 256, 4096)
      || !is_power (ntfs->cluster, sector, 2 * 1024 * 1024) || sectors > G_MAXINT64 / sector)
    return p2v_free_refuse (error, "its boot sector makes no sense");
  ntfs->record_size = shifted (boot[64], ntfs->cluster);
  ntfs->clusters = sectors / (ntfs->cluster / sector);
  if (!is_power (ntfs->record_size, 1024, 65536) || mft >= ntfs->clusters)
    return p2v_free_refuse (error, "its boot sector makes no sense");
  P2vNtfsRun start = { 0, MAX (ntfs->record_size / ntfs->cluster, 1), mft };
  g_array_append_val (ntfs->mft, start);
  return p2v_free_look_measure (look, ntfs->clusters, G_MAXUINT64, ntfs->cluster, error);
}

/* An attribute of a file that every NTFS has. */
static P2vNtfsAttribute *
need_attribute (const P2vNtfs *ntfs, guint64 number, guint32 type, GError **error)
{
  g_autofree guint8 *record = p2v_ntfs_record_read (ntfs, number, error);
  if (record == NULL)
    return NULL;
  g_autoptr (GError) problem = NULL;
  P2vNtfsAttribute *attribute = p2v_ntfs_attribute_find (ntfs, record, type, "", &problem);
  if (attribute == NULL)
    p2v_free_refuse (error, "one of its own files (%" G_GUINT64_FORMAT ") cannot be looked into",
                     number);
  return attribute;
}

static gboolean
read_mft (P2vNtfs *ntfs, GError **error)
{
  g_autoptr (P2vNtfsAttribute) data = need_attribute (ntfs, RECORD_MFT, P2V_NTFS_DATA, error);
  if (data == NULL)
    return FALSE;
  if (data->runs == NULL || data->runs->len == 0
      || g_array_index (data->runs, P2vNtfsRun, 0).at
             != g_array_index (ntfs->mft, P2vNtfsRun, 0).at)
    return p2v_free_refuse (error, "its file table makes no sense");
  g_array_unref (ntfs->mft);
  ntfs->mft = g_steal_pointer (&data->runs);
  return TRUE;
}

static gboolean
check_volume (const P2vNtfs *ntfs, GError **error)
{
  g_autoptr (P2vNtfsAttribute) information
      = need_attribute (ntfs, RECORD_VOLUME, P2V_NTFS_VOLUME_INFORMATION, error);
  if (information == NULL)
    return FALSE;
  gsize length = 0;
  const guint8 *bytes
      = information->resident != NULL ? g_bytes_get_data (information->resident, &length) : NULL;
  if (length < 12)
    return p2v_free_refuse (error, "its volume information makes no sense");
  guint16 flags = p2v_le16 (bytes + 10);
  if (flags & VOLUME_DIRTY)
    return p2v_free_refuse (error, "Windows has marked it as dirty: it needs chkdsk");
  if (flags & ~VOLUME_HARMLESS)
    return p2v_free_refuse (error,
                            "Windows has marked it as in need of attention (%#x): start "
                            "Windows, and shut it down",
                            flags);
  return TRUE;
}

/* One of the log's two restart pages. *lsn: how new it is, when it is whole. clean: what it says.
 */
static gboolean
parse_restart (guint8 *page, gsize length, guint64 *lsn, gboolean *clean, gboolean *fast)
{
  if (memcmp (page, "RSTR", 4) != 0 || !p2v_ntfs_fixup (page, length))
    return FALSE;
  gsize at = p2v_le16 (page + 24);
  if (p2v_le32 (page + 16) != length || at < 30 || at + 48 > length)
    return FALSE;
  const guint8 *area = page + at;
  *lsn = p2v_le64 (area);
  *clean = p2v_le16 (area + 12) == LOG_NO_CLIENT || p2v_le16 (area + 14) & LOG_CLEAN;
  /* Version 2 says that Windows keeps what is not written for its next start. */
  *fast = p2v_le16 (page + 28) > 1;
  return TRUE;
}

static gboolean
is_filled_with (const guint8 *bytes, gsize length, guint8 value)
{
  for (gsize i = 0; i < length; i++)
    if (bytes[i] != value)
      return FALSE;
  return TRUE;
}

static gboolean
check_log (const P2vNtfs *ntfs, GError **error)
{
  g_autoptr (P2vNtfsAttribute) log = need_attribute (ntfs, RECORD_LOG, P2V_NTFS_DATA, error);
  if (log == NULL)
    return FALSE;
  g_autofree guint8 *bytes = g_malloc (2 * LOG_PAGE_MAX);
  if (!p2v_ntfs_attribute_read (ntfs, log, 0, bytes, 2 * LOG_PAGE_MAX, error))
    return FALSE;
  /* As mkfs and ntfs-3g leave it: empty. */
  if (is_filled_with (bytes, 2 * LOG_PAGE_MAX, 0xFF))
    return TRUE;
  guint64 lsn[2] = { 0, 0 };
  gboolean whole[2] = { FALSE, FALSE }, clean[2] = { FALSE, FALSE }, fast[2] = { FALSE, FALSE };
  guint32 size = p2v_le32 (bytes + 16);
  if (is_power (size, 512, LOG_PAGE_MAX))
    for (guint i = 0; i < 2; i++)
      whole[i] = parse_restart (bytes + i * (gsize)size, size, &lsn[i], &clean[i], &fast[i]);
  if (!whole[0] && !whole[1])
    return p2v_free_refuse (error, "its log cannot be read: start Windows, and shut it down");
  guint newest = !whole[0] || (whole[1] && lsn[1] > lsn[0]) ? 1 : 0;
  if (fast[newest])
    return p2v_free_refuse (error, "Windows was not shut down fully (fast startup): shut it down "
                                   "with \"shutdown /s /t 0\"");
  if (!clean[newest])
    return p2v_free_refuse (error, "it was not unmounted cleanly: its log is not empty");
  return TRUE;
}

/* A hibernated Windows has writes in memory that its disk knows nothing of. "Fast startup", the
 * usual way to shut down, hibernates too. */
static gboolean
check_hibernation (const P2vNtfs *ntfs, GError **error)
{
  guint64 number;
  guint8 header[HIBERNATION_HEADER] = { 0 };
  if (!p2v_ntfs_root_lookup (ntfs, "hiberfil.sys", &number, error))
    return FALSE;
  if (number == 0)
    return TRUE;
  g_autoptr (P2vNtfsAttribute) data = need_attribute (ntfs, number, P2V_NTFS_DATA, error);
  if (data == NULL
      || !p2v_ntfs_attribute_read (ntfs, data, 0, header, MIN (data->size, sizeof header), error))
    return FALSE;
  if (is_filled_with (header, sizeof header, 0) || memcmp (header, "wake", 4) == 0
      || memcmp (header, "WAKE", 4) == 0)
    return TRUE;
  if (memcmp (header, "hibr", 4) == 0 || memcmp (header, "HIBR", 4) == 0)
    return p2v_free_refuse (error, "Windows is hibernated in it (or shut down with fast startup): "
                                   "shut it down with \"shutdown /s /t 0\"");
  return p2v_free_refuse (error, "its hibernation file cannot be told from a used one: switch "
                                 "hibernation off with \"powercfg /h off\"");
}

gboolean
p2v_free_ntfs_clean (P2vFreeLook *look, GError **error)
{
  P2vNtfs ntfs = { look, 0, 0, 0, g_array_new (FALSE, FALSE, sizeof (P2vNtfsRun)) };
  gboolean clean = read_boot (look, &ntfs, error) && read_mft (&ntfs, error)
                   && check_volume (&ntfs, error) && check_log (&ntfs, error)
                   && check_hibernation (&ntfs, error);
  g_array_unref (ntfs.mft);
  return clean;
}

/* Parts of the filesystem that must be in use, or its map is not what it seems. */
static gboolean
is_in_use (const P2vNtfs *ntfs, const GArray *runs, const GArray *free)
{
  g_autoptr (GArray) known = p2v_ranges_new ();
  for (guint i = 0; i < runs->len; i++)
    {
      const P2vNtfsRun *run = &g_array_index (runs, P2vNtfsRun, i);
      const P2vFreeRange range = { run->at * ntfs->cluster, run->count * ntfs->cluster };
      if (run->at >= 0)
        g_array_append_val (known, range);
    }
  p2v_ranges_normalize (known);
  g_autoptr (GArray) wrong = p2v_ranges_intersect (known, free);
  return wrong->len == 0;
}

static GArray *
map_clusters (const P2vNtfs *ntfs, GError **error)
{
  enum
  {
    PART = 65536
  };
  g_autoptr (P2vNtfsAttribute) bitmap = need_attribute (ntfs, RECORD_BITMAP, P2V_NTFS_DATA, error);
  if (bitmap == NULL)
    return NULL;
  guint64 bytes = (ntfs->clusters + 7) / 8;
  if (bitmap->valid < bytes)
    {
      p2v_free_refuse (error, "its map does not cover it");
      return NULL;
    }
  g_autofree guint8 *bits = g_malloc (PART);
  g_autoptr (GArray) free = p2v_ranges_new ();
  for (guint64 at = 0; at < bytes; at += PART)
    {
      gsize part = MIN (bytes - at, PART);
      if (!p2v_ntfs_attribute_read (ntfs, bitmap, at, bits, part, error))
        return NULL;
      p2v_ranges_add_bits (free, bits, MIN (ntfs->clusters - at * 8, part * 8),
                           at * 8 * ntfs->cluster, ntfs->cluster, FALSE);
    }
  if (!is_in_use (ntfs, ntfs->mft, free)
      || (bitmap->runs != NULL && !is_in_use (ntfs, bitmap->runs, free)))
    {
      p2v_free_refuse (error, "its map contradicts its file table: it needs chkdsk");
      return NULL;
    }
  return g_steal_pointer (&free);
}

GArray *
p2v_free_ntfs_map (P2vFreeLook *look, GError **error)
{
  P2vNtfs ntfs = { look, 0, 0, 0, g_array_new (FALSE, FALSE, sizeof (P2vNtfsRun)) };
  GArray *free = NULL;
  if (read_boot (look, &ntfs, error) && read_mft (&ntfs, error))
    free = map_clusters (&ntfs, error);
  g_array_unref (ntfs.mft);
  return free;
}
