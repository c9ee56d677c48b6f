/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/conversion-parts.h"

/* What cannot be read of the disks: told to the server, which keeps the list, and to the front end.
 */

/* What of a disk's parts lies in which area of its map, as ranges. */
static GPtrArray *
name_parts (const P2vSource *source, const GArray *parts)
{
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
  const GPtrArray *areas = source->map->areas;
  for (guint i = 0; i < parts->len; i++)
    {
      const P2vBadPart *part = &g_array_index (parts, P2vBadPart, i);
      gint64 end = part->offset + part->length;
      for (guint k = 0; k < areas->len; k++)
        {
          const P2vMapArea *area = areas->pdata[k];
          gint64 from = MAX (part->offset, area->offset);
          P2vBadRange range
              = { source->name, from, MIN (end, area->offset + area->length) - from, area->what };
          if (range.length > 0)
            p2v_bad_ranges_add (ranges, &range);
        }
      /* Whatever no area covers. */
      P2vBadRange rest = { source->name, part->offset, part->length, NULL };
      p2v_bad_ranges_add (ranges, &rest);
    }
  return g_steal_pointer (&ranges);
}

/* Adds ranges to the conversion's; the front end hears of them if there is a new one. */
static void
note (P2vConversion *self, const GPtrArray *ranges)
{
  gint64 before = p2v_bad_ranges_bytes (self->bad);
  p2v_bad_ranges_add_all (self->bad, ranges);
  if (p2v_bad_ranges_bytes (self->bad) == before)
    return;
  P2vUpdate update = { .kind = P2V_UPDATE_BAD, .bad = ranges, .time_left = -1 };
  self->update (&update, self->user_data);
}

static gboolean
tell_server (P2vConversion *self, const P2vSource *source, const GPtrArray *ranges, GError **error)
{
  guint i = 0;
  g_return_val_if_fail (g_ptr_array_find (self->sources, source, &i), FALSE);
  JsonObject *message = p2v_message_new (P2V_MESSAGE_BAD);
  json_object_set_string_member (message, "disk", self->names[i]);
  json_object_set_array_member (message, "ranges", p2v_bad_ranges_to_json (ranges));
  return p2v_conversion_send (self, message, error);
}

gboolean
p2v_conversion_report_bad (P2vConversion *self, const P2vSource *source, const GArray *parts,
                           GError **error)
{
  if (parts == NULL)
    return TRUE;
  g_autoptr (GPtrArray) ranges = name_parts (source, parts);
  note (self, ranges);
  return tell_server (self, source, ranges, error);
}

gboolean
p2v_conversion_report_bad_again (P2vConversion *self, GError **error)
{
  for (guint i = 0; i < self->sources->len; i++)
    {
      const P2vSource *source = self->sources->pdata[i];
      g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
      for (guint k = 0; k < self->bad->len; k++)
        if (g_strcmp0 (((P2vBadRange *)self->bad->pdata[k])->disk, source->name) == 0)
          p2v_bad_ranges_add (ranges, self->bad->pdata[k]);
      if (ranges->len > 0 && !tell_server (self, source, ranges, error))
        return FALSE;
    }
  return TRUE;
}

gint64
p2v_conversion_count_bad (const P2vConversion *self, const P2vSource *source)
{
  gint64 bytes = 0;
  for (guint i = 0; i < self->bad->len; i++)
    {
      const P2vBadRange *range = self->bad->pdata[i];
      if (g_strcmp0 (range->disk, source->name) == 0)
        bytes += range->length;
    }
  return bytes;
}

void
p2v_conversion_hear_bad (P2vConversion *self, JsonObject *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ranges
      = p2v_bad_ranges_from_json (message, "bad", NULL, G_MAXINT64, &error);
  if (ranges != NULL)
    note (self, ranges);
  else
    g_debug ("the server's list of what could not be read makes no sense: %s", error->message);
}
