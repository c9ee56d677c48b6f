/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/progress-view.h"

#include "common/error.h"

/* One JSON object a line. The names are documented in p2v-client(1) and stay as they are. */

/* Microseconds between two "progress" lines, and until a "waiting" one. */
#define INTERVAL G_USEC_PER_SEC
#define WAITING_INTERVAL (10 * G_USEC_PER_SEC)

static void
set_text (JsonObject *object, const char *name, const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;
  if (valid != NULL)
    json_object_set_string_member (object, name, valid);
}

static JsonObject *
object_new (const char *type)
{
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "type", type);
  return object;
}

static void
print_object (P2vProgress *progress, JsonObject *object)
{
  g_autofree char *text = p2v_json_to_text (object, FALSE);
  p2v_progress_print (progress, "%s\n", text);
}

static void
print_text (P2vProgress *progress, const char *type, const char *name, const char *text)
{
  g_autoptr (JsonObject) object = object_new (type);
  set_text (object, name, text);
  print_object (progress, object);
}

static void
json_begin (P2vProgress *progress, gint64 now)
{
  print_text (progress, "activity", "activity", progress->activity);
  progress->shown = now;
}

static void
json_note (P2vProgress *progress, const char *text, gint64 now)
{
  print_text (progress, "activity", "activity", text);
  progress->shown = now;
}

static JsonObject *
disk_to_object (const P2vDiskState *disk)
{
  JsonObject *object = json_object_new ();
  set_text (object, "name", disk->name);
  json_object_set_int_member (object, "size", disk->size);
  json_object_set_int_member (object, "done", disk->done);
  json_object_set_int_member (object, "sent", disk->sent);
  json_object_set_int_member (object, "zero", disk->zero);
  json_object_set_int_member (object, "skipped", disk->skipped);
  json_object_set_int_member (object, "bad", disk->bad);
  return object;
}

static void
print_progress (P2vProgress *progress)
{
  gint64 done;
  gint64 size;
  p2v_progress_totals (progress, &done, &size);
  g_autoptr (JsonObject) object = object_new ("progress");
  json_object_set_int_member (object, "done", done);
  json_object_set_int_member (object, "size", size);
  json_object_set_int_member (object, "wire", progress->wire);
  /* Whole bytes: fractions would say nothing and differ from one JSON library to the next. */
  json_object_set_int_member (object, "rate", (gint64)CLAMP (progress->rate, 0, 1e18));
  if (progress->time_left >= 0)
    json_object_set_int_member (object, "time_left", progress->time_left);
  else
    json_object_set_null_member (object, "time_left");
  JsonArray *disks = json_array_new ();
  for (guint i = 0; i < progress->disks->len; i++)
    json_array_add_object_element (disks, disk_to_object (progress->disks->pdata[i]));
  json_object_set_array_member (object, "disks", disks);
  print_object (progress, object);
}

static void
print_event (P2vProgress *progress, const P2vEvent *event)
{
  g_autoptr (JsonObject) object = object_new ("event");
  set_text (object, "kind", event->kind);
  set_text (object, "stage", event->stage);
  set_text (object, "message", event->message);
  if (g_strcmp0 (event->kind, "progress") == 0)
    json_object_set_int_member (object, "percent", event->percent);
  json_object_set_int_member (object, "time", event->time);
  print_object (progress, object);
}

static void
print_bad (P2vProgress *progress, const GPtrArray *bad)
{
  g_autoptr (JsonObject) object = object_new ("bad");
  JsonArray *ranges = json_array_sized_new (bad->len);
  for (guint i = 0; i < bad->len; i++)
    {
      const P2vBadRange *range = bad->pdata[i];
      JsonObject *item = json_object_new ();
      set_text (item, "disk", range->disk);
      json_object_set_int_member (item, "offset", range->offset);
      json_object_set_int_member (item, "length", range->length);
      set_text (item, "where", range->where);
      json_array_add_object_element (ranges, item);
    }
  json_object_set_array_member (object, "ranges", ranges);
  print_object (progress, object);
}

static void
json_update (P2vProgress *progress, const P2vUpdate *update, gint64 now)
{
  gint64 done;
  gint64 size;
  p2v_progress_totals (progress, &done, &size);
  switch (update->kind)
    {
    case P2V_UPDATE_CONNECTED:
      print_text (progress, "connected", "message", update->text);
      break;
    case P2V_UPDATE_MAPPING:
      print_text (progress, "activity", "activity", progress->activity);
      break;
    case P2V_UPDATE_MAP:
      print_text (progress, "map", "message", update->text);
      break;
    case P2V_UPDATE_CREATED:
      print_text (progress, "created", "job", update->text);
      break;
    case P2V_UPDATE_PROGRESS:
      if (now - progress->shown < INTERVAL && done < size)
        return;
      print_progress (progress);
      break;
    case P2V_UPDATE_LANDED:
      print_text (progress, "landed", "message", NULL);
      break;
    case P2V_UPDATE_EVENT:
      print_event (progress, update->event);
      break;
    case P2V_UPDATE_LOST:
      print_text (progress, "lost", "message", update->text);
      break;
    case P2V_UPDATE_RESTORED:
      print_text (progress, "restored", "message", update->text);
      break;
    case P2V_UPDATE_PAUSED:
      print_text (progress, "paused", "message", update->text);
      break;
    case P2V_UPDATE_WARNING:
      print_text (progress, "warning", "message", update->text);
      break;
    case P2V_UPDATE_BAD:
      print_bad (progress, update->bad);
      break;
    case P2V_UPDATE_DONE:
      print_text (progress, "done", "message", update->text);
      break;
    }
  progress->shown = now;
}

static void
json_tick (P2vProgress *progress, gint64 now)
{
  if (now - progress->shown < WAITING_INTERVAL
      || (progress->activity == NULL && !progress->transferring))
    return;
  gint64 since = progress->transferring ? progress->moved : progress->activity_since;
  g_autoptr (JsonObject) object = object_new ("waiting");
  set_text (object, "activity", progress->transferring ? "Sending the disks" : progress->activity);
  json_object_set_int_member (object, "seconds", (now - since) / G_USEC_PER_SEC);
  print_object (progress, object);
  progress->shown = now;
}

static void
json_end (P2vProgress *progress, const GError *error)
{
  if (error == NULL)
    return;
  P2vErrorCode code = p2v_error_code_of (error);
  g_autoptr (JsonObject) object = object_new ("error");
  json_object_set_string_member (object, "code", p2v_error_code_name (code));
  json_object_set_int_member (object, "status", code);
  set_text (object, "message", error->message);
  print_object (progress, object);
}

const P2vProgressView p2v_progress_view_json = {
  .begin = json_begin,
  .note = json_note,
  .update = json_update,
  .tick = json_tick,
  .end = json_end,
};
