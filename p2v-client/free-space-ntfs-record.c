/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records and attributes of NTFS, as the linux-ntfs project's documentation describes them. */
#include "p2v-client/free-space-ntfs.h"

#include <string.h>

#define BITMAP 0xB0
#define ROOT_FOLDER 5
#define RECORD_IN_USE 1
#define STRIDE 512
/* No sound attribute has more pieces in one record. */
#define RUNS_MAX 32768
/* A root folder with that many files would be a hundred times larger than any. */
#define FOLDER_BYTES (64 * 1024 * 1024)

void
p2v_ntfs_attribute_free (P2vNtfsAttribute *attribute)
{
  g_clear_pointer (&attribute->resident, g_bytes_unref);
  g_clear_pointer (&attribute->runs, g_array_unref);
  g_free (attribute);
}

gboolean
p2v_ntfs_fixup (guint8 *bytes, gsize length)
{
  gsize at = p2v_le16 (bytes + 4), count = p2v_le16 (bytes + 6);
  if (length % STRIDE != 0 || count != length / STRIDE + 1 || at % 2 != 0 || at < 8
      || at + 2 * count > STRIDE - 2)
    return FALSE;
  for (gsize i = 1; i < count; i++)
    {
      guint8 *last = bytes + i * STRIDE - 2;
      if (memcmp (last, bytes + at, 2) != 0)
        return FALSE;
      memcpy (last, bytes + at + 2 * i, 2);
    }
  return TRUE;
}

static gboolean
read_runs (const P2vNtfs *ntfs, const GArray *runs, guint64 offset, guint8 *buffer, gsize length,
           GError **error)
{
  for (guint i = 0; length > 0 && i < runs->len; i++)
    {
      const P2vNtfsRun *run = &g_array_index (runs, P2vNtfsRun, i);
      guint64 begin = run->first * ntfs->cluster, end = begin + run->count * ntfs->cluster;
      if (offset < begin || offset >= end)
        continue;
      gsize part = MIN (length, end - offset);
      if (run->at < 0)
        memset (buffer, 0, part);
      else if (!p2v_free_look_read (ntfs->look, run->at * ntfs->cluster + (offset - begin), buffer,
                                    part, error))
        return FALSE;
      buffer += part;
      offset += part;
      length -= part;
    }
  return length == 0 ? TRUE
                     : p2v_free_refuse (error, "its file table is too scattered to look into");
}

gboolean
p2v_ntfs_attribute_read (const P2vNtfs *ntfs, const P2vNtfsAttribute *attribute, guint64 offset,
                         guint8 *buffer, gsize length, GError **error)
{
  if (offset > attribute->size || length > attribute->size - offset || !attribute->plain)
    return p2v_free_refuse (error, "one of its own files makes no sense");
  if (attribute->resident != NULL)
    {
      const guint8 *bytes = g_bytes_get_data (attribute->resident, NULL);
      memcpy (buffer, bytes + offset, length);
      return TRUE;
    }
  gsize valid = offset >= attribute->valid ? 0 : MIN (length, attribute->valid - offset);
  memset (buffer + valid, 0, length - valid);
  return read_runs (ntfs, attribute->runs, offset, buffer, valid, error);
}

guint8 *
p2v_ntfs_record_read (const P2vNtfs *ntfs, guint64 number, GError **error)
{
  g_autofree guint8 *record = g_malloc (ntfs->record_size);
  if (number > G_MAXUINT32)
    {
      p2v_free_refuse (error, "its file table makes no sense");
      return NULL;
    }
  if (!read_runs (ntfs, ntfs->mft, number * ntfs->record_size, record, ntfs->record_size, error))
    return NULL;
  if (memcmp (record, "FILE", 4) != 0 || !p2v_ntfs_fixup (record, ntfs->record_size)
      || p2v_le16 (record + 20) > ntfs->record_size - 8)
    {
      p2v_free_refuse (error, "record %" G_GUINT64_FORMAT " of its file table is damaged", number);
      return NULL;
    }
  return g_steal_pointer (&record);
}

/* A number of 0 to 8 bytes with its sign. */
static gint64
signed_number (const guint8 *bytes, guint width)
{
  guint64 value = width > 0 && bytes[width - 1] & 0x80 ? G_MAXUINT64 : 0;
  for (guint i = width; i > 0; i--)
    value = value << 8 | bytes[i - 1];
  return (gint64)value;
}

/* Each run: a byte with two widths, a length and the distance from where the last one began. */
static GArray *
parse_runs (const P2vNtfs *ntfs, const guint8 *bytes, gsize length)
{
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (P2vNtfsRun));
  guint64 first = 0;
  gint64 at = 0;
  for (gsize i = 0; i < length && bytes[i] != 0;)
    {
      guint count_width = bytes[i] & 15, at_width = bytes[i] >> 4;
      if (count_width < 1 || count_width > 8 || at_width > 8
          || i + 1 + count_width + at_width >= length || runs->len >= RUNS_MAX)
        return NULL;
      gint64 count = signed_number (bytes + i + 1, count_width);
      gint64 distance = signed_number (bytes + i + 1 + count_width, at_width);
      i += 1 + count_width + at_width;
      gint64 limit = (gint64)ntfs->clusters;
      if (count <= 0 || count > limit || distance > limit || distance < -limit)
        return NULL;
      P2vNtfsRun run = { first, count, -1 };
      if (at_width > 0)
        {
          at += distance;
          if (at < 0 || at > limit - count)
            return NULL;
          run.at = at;
        }
      g_array_append_val (runs, run);
      first += count;
    }
  return g_steal_pointer (&runs);
}

static gboolean
has_name (const guint8 *attribute, gsize length, const char *name)
{
  gsize count = attribute[9], at = p2v_le16 (attribute + 10);
  if (count != strlen (name) || (count > 0 && at + 2 * count > length))
    return FALSE;
  for (gsize i = 0; i < count; i++)
    if (p2v_le16 (attribute + at + 2 * i) != (guint8)name[i])
      return FALSE;
  return TRUE;
}

static P2vNtfsAttribute *
parse_attribute (const P2vNtfs *ntfs, const guint8 *bytes, gsize length)
{
  g_autoptr (P2vNtfsAttribute) attribute = g_new0 (P2vNtfsAttribute, 1);
  guint16 flags = p2v_le16 (bytes + 12);
  attribute->plain = (flags & 0x40FF) == 0;
  if (bytes[8] == 0)
    {
      gsize size = p2v_le32 (bytes + 16), at = p2v_le16 (bytes + 20);
      if (at > length || size > length - at)
        return NULL;
      attribute->resident = g_bytes_new (bytes + at, size);
      attribute->size = attribute->valid = size;
      return g_steal_pointer (&attribute);
    }
  gsize at = p2v_le16 (bytes + 32);
  if (length < 64 || p2v_le64 (bytes + 16) != 0 || at >= length)
    return NULL;
  attribute->size = p2v_le64 (bytes + 48);
  attribute->valid = p2v_le64 (bytes + 56);
  attribute->runs = parse_runs (ntfs, bytes + at, length - at);
  if (attribute->runs == NULL || attribute->valid > attribute->size
      || attribute->size > G_MAXINT64 / 2)
    return NULL;
  return g_steal_pointer (&attribute);
}

P2vNtfsAttribute *
p2v_ntfs_attribute_find (const P2vNtfs *ntfs, const guint8 *record, guint32 type, const char *name,
                         GError **error)
{
  gsize at = p2v_le16 (record + 20);
  while (at + 24 <= ntfs->record_size)
    {
      const guint8 *bytes = record + at;
      gsize length = p2v_le32 (bytes + 4);
      if (p2v_le32 (bytes) == 0xFFFFFFFF)
        return NULL;
      if (length < 24 || length > ntfs->record_size - at)
        break;
      if (p2v_le32 (bytes) == type && has_name (bytes, length, name))
        {
          P2vNtfsAttribute *attribute = parse_attribute (ntfs, bytes, length);
          if (attribute != NULL)
            return attribute;
          break;
        }
      at += length;
      /* The end is four bytes only, which may be the last ones. */
      if (at + 4 <= ntfs->record_size && p2v_le32 (record + at) == 0xFFFFFFFF)
        return NULL;
    }
  p2v_free_refuse (error, "one of its own files makes no sense");
  return NULL;
}

/* Looks through entries of an index for a name. *record: 0 when it is not there. */
static gboolean
search_entries (const guint8 *header, gsize length, const char *name, guint64 *record)
{
  gsize at = p2v_le32 (header), end = p2v_le32 (header + 4), letters = strlen (name);
  if (at < 16 || end > length)
    return FALSE;
  while (at + 16 <= end)
    {
      const guint8 *entry = header + at;
      gsize size = p2v_le16 (entry + 8), key = p2v_le16 (entry + 10);
      if (size < 16 || size > end - at)
        return FALSE;
      if (p2v_le16 (entry + 12) & 2)
        return TRUE;
      if (key < 66 || key + 16 > size || entry[16 + 64] * 2U + 66 > key)
        return FALSE;
      gboolean same = entry[16 + 64] == letters;
      for (gsize i = 0; same && i < letters; i++)
        {
          guint16 letter = p2v_le16 (entry + 16 + 66 + 2 * i);
          same = letter < 128 && g_ascii_tolower (letter) == g_ascii_tolower (name[i]);
        }
      if (same)
        *record = p2v_le64 (entry) & G_GUINT64_CONSTANT (0xFFFFFFFFFFFF);
      at += size;
    }
  return FALSE;
}

static gboolean
search_blocks (const P2vNtfs *ntfs, const guint8 *folder, gsize block_size, const char *name,
               guint64 *record, GError **error)
{
  g_autoptr (P2vNtfsAttribute) blocks
      = p2v_ntfs_attribute_find (ntfs, folder, P2V_NTFS_INDEX_ALLOCATION, "$I30", error);
  g_autoptr (P2vNtfsAttribute) bitmap
      = blocks != NULL ? p2v_ntfs_attribute_find (ntfs, folder, BITMAP, "$I30", error) : NULL;
  if (bitmap == NULL || blocks->size > FOLDER_BYTES || bitmap->size * 8 < blocks->size / block_size)
    return error != NULL && *error != NULL
               ? FALSE
               : p2v_free_refuse (error, "its root folder is too scattered to look into");
  g_autofree guint8 *block = g_malloc (block_size);
  for (guint64 i = 0; *record == 0 && i < blocks->size / block_size; i++)
    {
      guint8 bits;
      if (!p2v_ntfs_attribute_read (ntfs, bitmap, i / 8, &bits, 1, error))
        return FALSE;
      if ((bits >> (i % 8) & 1) == 0)
        continue;
      if (!p2v_ntfs_attribute_read (ntfs, blocks, i * block_size, block, block_size, error))
        return FALSE;
      if (memcmp (block, "INDX", 4) != 0 || !p2v_ntfs_fixup (block, block_size)
          || !search_entries (block + 24, block_size - 24, name, record))
        return p2v_free_refuse (error, "its root folder is damaged");
    }
  return TRUE;
}

gboolean
p2v_ntfs_root_lookup (const P2vNtfs *ntfs, const char *name, guint64 *record, GError **error)
{
  *record = 0;
  g_autofree guint8 *folder = p2v_ntfs_record_read (ntfs, ROOT_FOLDER, error);
  if (folder == NULL)
    return FALSE;
  g_autoptr (GError) problem = NULL;
  g_autoptr (P2vNtfsAttribute) root
      = p2v_ntfs_attribute_find (ntfs, folder, P2V_NTFS_INDEX_ROOT, "$I30", &problem);
  gsize length = 0;
  const guint8 *bytes
      = root != NULL && root->resident != NULL ? g_bytes_get_data (root->resident, &length) : NULL;
  if (length < 32 || (p2v_le16 (folder + 22) & RECORD_IN_USE) == 0)
    return p2v_free_refuse (error, "its root folder is damaged");
  gsize block_size = p2v_le32 (bytes + 8);
  if (!search_entries (bytes + 16, length - 16, name, record) || block_size < STRIDE
      || block_size > 65536 || (block_size & (block_size - 1)) != 0)
    return p2v_free_refuse (error, "its root folder is damaged");
  if (*record != 0 || (p2v_le32 (bytes + 28) & 1) == 0)
    return TRUE;
  return search_blocks (ntfs, folder, block_size, name, record, error);
}
