/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/bad-range.h"

#include "common/error.h"

#include <string.h>

/* How many places a sentence names. */
#define PLACES_NAMED 3

/* Longer names of places than this are nobody's, bytes. */
#define MAX_WHERE 512

static const P2vField bad_range_fields[] = {
  P2V_FIELD (STRING, P2vBadRange, disk),
  P2V_FIELD_RANGE (P2vBadRange, offset, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vBadRange, length, 0, G_MAXINT64),
  P2V_FIELD (STRING, P2vBadRange, where),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vBadRange, p2v_bad_range, "range", bad_range_fields)

static P2vBadRange *
copy (const P2vBadRange *range)
{
  return p2v_schema_copy (&p2v_bad_range_schema, range);
}

GPtrArray *
p2v_bad_ranges_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_bad_range_free);
}

/* The first range that ends behind a place of a disk, or the list's length. */
static guint
find (const GPtrArray *ranges, const char *disk, gint64 offset)
{
  guint low = 0;
  for (guint high = ranges->len; low < high;)
    {
      guint middle = low + (high - low) / 2;
      const P2vBadRange *range = ranges->pdata[middle];
      int order = strcmp (range->disk, disk);
      if (order < 0 || (order == 0 && range->offset + range->length <= offset))
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static gboolean
is_continued (const P2vBadRange *range, const P2vBadRange *next)
{
  return strcmp (range->disk, next->disk) == 0 && range->offset + range->length == next->offset
         && g_strcmp0 (range->where, next->where) == 0;
}

/* Joins what continues one another, from the range before first to the one behind last. */
static void
join (GPtrArray *ranges, guint first, guint last)
{
  guint i = MAX (first, 1) - 1;
  for (guint left = last - i + 1; left > 0 && i + 1 < ranges->len; left--)
    {
      P2vBadRange *range = ranges->pdata[i];
      const P2vBadRange *next = ranges->pdata[i + 1];
      if (!is_continued (range, next))
        {
          i++;
          continue;
        }
      range->length += next->length;
      g_ptr_array_remove_index (ranges, i + 1);
    }
}

void
p2v_bad_ranges_add (GPtrArray *ranges, const P2vBadRange *range)
{
  gint64 end = range->offset + range->length;
  guint first = find (ranges, range->disk, range->offset);
  guint i = first;
  for (gint64 at = range->offset; at < end; i++)
    {
      const P2vBadRange *old = i < ranges->len ? ranges->pdata[i] : NULL;
      gboolean ours = old != NULL && strcmp (old->disk, range->disk) == 0;
      if (ours && old->offset <= at)
        {
          at = old->offset + old->length;
          continue;
        }
      P2vBadRange *piece = copy (range);
      piece->offset = at;
      at = ours ? MIN (end, old->offset) : end;
      piece->length = at - piece->offset;
      g_ptr_array_insert (ranges, (gint)i, piece);
    }
  join (ranges, first, i);
}

void
p2v_bad_ranges_add_all (GPtrArray *ranges, const GPtrArray *others)
{
  for (guint i = 0; i < others->len; i++)
    p2v_bad_ranges_add (ranges, others->pdata[i]);
}

void
p2v_bad_ranges_set (GPtrArray *ranges, const GPtrArray *others)
{
  g_ptr_array_set_size (ranges, 0);
  p2v_bad_ranges_add_all (ranges, others);
}

void
p2v_bad_ranges_remove (GPtrArray *ranges, const char *disk, gint64 offset, gint64 length)
{
  gint64 end = offset + length;
  for (guint i = find (ranges, disk, offset); i < ranges->len;)
    {
      P2vBadRange *range = ranges->pdata[i];
      gint64 range_end = range->offset + range->length;
      if (strcmp (range->disk, disk) != 0 || range->offset >= end)
        return;
      P2vBadRange rest = { range->disk, end, range_end - end, range->where };
      P2vBadRange *behind = rest.length > 0 ? copy (&rest) : NULL;
      range->length = MAX (offset - range->offset, 0);
      if (range->length > 0)
        i++;
      else
        g_ptr_array_remove_index (ranges, i);
      if (behind != NULL)
        g_ptr_array_insert (ranges, (gint)i++, behind);
    }
}

gboolean
p2v_bad_ranges_equal (const GPtrArray *ranges, const GPtrArray *others)
{
  if (ranges->len != others->len)
    return FALSE;
  for (guint i = 0; i < ranges->len; i++)
    {
      const P2vBadRange *range = ranges->pdata[i], *other = others->pdata[i];
      if (strcmp (range->disk, other->disk) != 0 || range->offset != other->offset
          || range->length != other->length)
        return FALSE;
    }
  return TRUE;
}

gint64
p2v_bad_ranges_bytes (const GPtrArray *ranges)
{
  gint64 bytes = 0;
  for (guint i = 0; i < ranges->len; i++)
    bytes += ((const P2vBadRange *)ranges->pdata[i])->length;
  return bytes;
}

static gboolean
check_range (const P2vBadRange *range, gint64 size, GError **error)
{
  if (range->disk != NULL && range->length > 0 && range->offset <= size
      && range->length <= size - range->offset
      && (range->where == NULL || strlen (range->where) <= MAX_WHERE))
    return TRUE;
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                       "a range that could not be read is not on its disk");
  return FALSE;
}

GPtrArray *
p2v_bad_ranges_from_json (JsonObject *message, const char *member, const char *disk, gint64 size,
                          GError **error)
{
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
  JsonNode *node = json_object_get_member (message, member);
  if (node == NULL)
    return g_steal_pointer (&ranges);
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  if (array == NULL || json_array_get_length (array) > P2V_BAD_RANGES_MAX)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "\"%s\" is no list of at most %d ranges",
                   member, P2V_BAD_RANGES_MAX);
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);
      if (!JSON_NODE_HOLDS_OBJECT (item))
        {
          g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "%s[%u] is no object", member, i);
          return NULL;
        }
      g_autoptr (P2vBadRange) range = p2v_bad_range_from_json (json_node_get_object (item), error);
      if (range != NULL && disk != NULL)
        {
          g_free (range->disk);
          range->disk = g_strdup (disk);
        }
      if (range == NULL || !check_range (range, size, error))
        return NULL;
      p2v_bad_ranges_add (ranges, range);
    }
  return g_steal_pointer (&ranges);
}

JsonArray *
p2v_bad_ranges_to_json (const GPtrArray *ranges)
{
  JsonArray *array = json_array_sized_new (ranges->len);
  for (guint i = 0; i < ranges->len; i++)
    json_array_add_object_element (array, p2v_bad_range_to_json (ranges->pdata[i]));
  return array;
}

char *
p2v_bad_range_text (const P2vBadRange *range)
{
  gboolean named = range->where != NULL && range->where[0] != '\0';
  return g_strdup_printf (
      "%" G_GINT64_FORMAT " bytes at byte %" G_GINT64_FORMAT " of disk %s%s%s%s", range->length,
      range->offset, range->disk, named ? " (" : "", named ? range->where : "", named ? ")" : "");
}

char *
p2v_bad_ranges_text (const GPtrArray *ranges)
{
  static const char loss[] = "cannot be read and are zeroes in the guest";
  if (ranges->len == 1)
    {
      g_autofree char *only = p2v_bad_range_text (ranges->pdata[0]);
      return g_strdup_printf ("%s %s", only, loss);
    }
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%" G_GINT64_FORMAT " bytes in %u places %s",
                          p2v_bad_ranges_bytes (ranges), ranges->len, loss);
  for (guint i = 0; i < MIN (ranges->len, PLACES_NAMED); i++)
    {
      g_autofree char *place = p2v_bad_range_text (ranges->pdata[i]);
      g_string_append_printf (text, "%s %s", i == 0 ? ":" : ",", place);
    }
  if (ranges->len > PLACES_NAMED)
    g_string_append_printf (text, ", and %u more", ranges->len - PLACES_NAMED);
  return g_string_free (text, FALSE);
}
