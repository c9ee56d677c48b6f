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

/* What is lost of all disks is this from now on (transfer full); the front end hears of a change.
 * Returns whether there was one. */
static gboolean
settle (P2vConversion *self, GPtrArray *ranges)
{
  gboolean same = p2v_bad_ranges_equal (self->bad, ranges);
  p2v_bad_ranges_set (self->bad, ranges);
  g_ptr_array_unref (ranges);
  if (same)
    return FALSE;
  P2vUpdate update = { .kind = P2V_UPDATE_BAD, .bad = self->bad, .time_left = -1 };
  self->update (&update, self->user_data);
  return TRUE;
}

static void
note (P2vConversion *self, const GPtrArray *ranges)
{
  GPtrArray *now = p2v_bad_ranges_new ();
  p2v_bad_ranges_set (now, self->bad);
  p2v_bad_ranges_add_all (now, ranges);
  settle (self, now);
}

/* all: nothing but the ranges is lost of the disk. */
static gboolean
tell_server (P2vConversion *self, const P2vSource *source, const GPtrArray *ranges, gboolean all,
             GError **error)
{
  guint i = 0;
  g_return_val_if_fail (g_ptr_array_find (self->sources, source, &i), FALSE);
  JsonObject *message = p2v_message_new (P2V_MESSAGE_BAD);
  json_object_set_string_member (message, "disk", self->names[i]);
  json_object_set_array_member (message, "ranges", p2v_bad_ranges_to_json (ranges));
  if (all)
    json_object_set_boolean_member (message, "all", TRUE);
  return p2v_conversion_send (self, message, error);
}

/* All that is lost of one disk goes to the server. */
static gboolean
tell_all (P2vConversion *self, const P2vSource *source, GError **error)
{
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
  for (guint i = 0; i < self->bad->len; i++)
    if (g_strcmp0 (((P2vBadRange *)self->bad->pdata[i])->disk, source->name) == 0)
      p2v_bad_ranges_add (ranges, self->bad->pdata[i]);
  return tell_server (self, source, ranges, TRUE, error);
}

gboolean
p2v_conversion_report_bad (P2vConversion *self, const P2vSource *source, const GArray *parts,
                           GError **error)
{
  if (parts == NULL)
    return TRUE;
  g_autoptr (GPtrArray) ranges = name_parts (source, parts);
  note (self, ranges);
  return tell_server (self, source, ranges, FALSE, error);
}

gboolean
p2v_conversion_withdraw_bad (P2vConversion *self, const P2vSource *source, const GArray *runs,
                             const GArray *parts, GError **error)
{
  if (self->bad->len == 0)
    return TRUE;
  GPtrArray *now = p2v_bad_ranges_new ();
  p2v_bad_ranges_set (now, self->bad);
  for (guint i = 0; i < runs->len; i++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, i);
      p2v_bad_ranges_remove (now, source->name, (gint64)(run->first * P2V_CHUNK_SIZE),
                             (gint64)(run->count * P2V_CHUNK_SIZE));
    }
  if (parts != NULL)
    {
      g_autoptr (GPtrArray) ranges = name_parts (source, parts);
      p2v_bad_ranges_add_all (now, ranges);
    }
  return !settle (self, now) || tell_all (self, source, error);
}

gboolean
p2v_conversion_report_bad_again (P2vConversion *self, JsonObject *resumed, GError **error)
{
  if (self->bad->len == 0 && !json_object_has_member (resumed, "bad"))
    return TRUE;
  for (guint i = 0; i < self->sources->len; i++)
    if (!tell_all (self, self->sources->pdata[i], error))
      return FALSE;
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

/* The job's names of the disks are those of its first run; the kernel may have given others this
 * time. */
static void
rename_disks (P2vConversion *self, GPtrArray *ranges)
{
  for (guint i = 0; i < ranges->len; i++)
    {
      P2vBadRange *range = ranges->pdata[i];
      for (guint k = 0; self->names != NULL && k < self->sources->len; k++)
        if (g_str_equal (range->disk, self->names[k]))
          {
            g_free (range->disk);
            range->disk = g_strdup (((const P2vSource *)self->sources->pdata[k])->name);
            break;
          }
    }
}

void
p2v_conversion_hear_bad (P2vConversion *self, JsonObject *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ranges
      = p2v_bad_ranges_from_json (message, "bad", NULL, G_MAXINT64, &error);
  if (ranges == NULL)
    {
      g_debug ("the server's list of what could not be read makes no sense: %s", error->message);
      return;
    }
  rename_disks (self, ranges);
  note (self, ranges);
}
