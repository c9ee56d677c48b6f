/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/progress-view.h"

#include "p2v-client/text.h"

#include <string.h>

/* Without a byte for this long, a rate would be a lie. Microseconds. */
#define STALLED_AFTER (5 * G_USEC_PER_SEC)

#define WAITING "Waiting for the server"
#define MAPPING "Asking the filesystems what is in use"
#define RECONNECTING "Reconnecting to the server"
#define NO_SPACE "Waiting for space on the server"

static void
disk_state_free (P2vDiskState *disk)
{
  g_free (disk->name);
  g_free (disk);
}

P2vProgress *
p2v_progress_new_with_view (const P2vProgressView *view, P2vProgressOutput output,
                            gpointer user_data)
{
  P2vProgress *progress = g_new0 (P2vProgress, 1);
  g_mutex_init (&progress->lock);
  progress->view = view;
  progress->output = output;
  progress->user_data = user_data;
  progress->columns = 80;
  progress->rows = 24;
  progress->percent = -1;
  progress->time_left = -1;
  progress->disks = g_ptr_array_new_with_free_func ((GDestroyNotify)disk_state_free);
  return progress;
}

P2vProgress *
p2v_progress_new (P2vProgressStyle style, P2vProgressOutput output, gpointer user_data)
{
  static const P2vProgressView *const views[] = {
    [P2V_PROGRESS_TERMINAL] = &p2v_progress_view_terminal,
    [P2V_PROGRESS_LINES] = &p2v_progress_view_lines,
    [P2V_PROGRESS_JSON] = &p2v_progress_view_json,
  };
  return p2v_progress_new_with_view (views[style], output, user_data);
}

void
p2v_progress_free (P2vProgress *progress)
{
  if (progress == NULL)
    return;
  g_mutex_clear (&progress->lock);
  g_free (progress->activity);
  g_ptr_array_unref (progress->disks);
  g_free (progress);
}

void
p2v_progress_set_size (P2vProgress *progress, guint columns, guint rows)
{
  g_mutex_lock (&progress->lock);
  progress->columns = columns > 0 ? columns : 80;
  progress->rows = rows > 0 ? rows : 24;
  g_mutex_unlock (&progress->lock);
}

void
p2v_progress_print (P2vProgress *progress, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  progress->output (text, progress->user_data);
}

/* activity: NULL when there is nothing to wait for. */
static void
set_activity (P2vProgress *progress, const char *activity, gint64 now)
{
  g_free (progress->activity);
  progress->activity = activity != NULL ? p2v_text_printable (activity) : NULL;
  progress->activity_since = now;
  progress->percent = -1;
  progress->quiet_beats = 0;
}

void
p2v_progress_begin (P2vProgress *progress, const char *activity, gint64 now)
{
  g_mutex_lock (&progress->lock);
  set_activity (progress, activity, now);
  progress->view->begin (progress, now);
  g_mutex_unlock (&progress->lock);
}

void
p2v_progress_note (P2vProgress *progress, const char *text, gint64 now)
{
  g_mutex_lock (&progress->lock);
  progress->transferring = FALSE;
  set_activity (progress, NULL, now);
  progress->view->note (progress, text, now);
  g_mutex_unlock (&progress->lock);
}

static const char *
stage_activity (const char *stage)
{
  static const char *const activities[][2] = {
    { P2V_STAGE_PREPARE, "Preparing the disks on the server" },
    { P2V_STAGE_RECEIVE, "Sending the disks" },
    { P2V_STAGE_VERIFY, "Verifying what has landed" },
    { P2V_STAGE_CONVERT, "Converting" },
    { P2V_STAGE_DEFINE, "Defining the guest" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (activities); i++)
    if (g_strcmp0 (stage, activities[i][0]) == 0)
      return activities[i][1];
  return stage;
}

static char *
event_message (const P2vProgress *progress, const P2vEvent *event, gint64 now)
{
  g_autofree char *message = p2v_text_printable (event->message);
  g_autofree char *stage = p2v_text_printable (stage_activity (event->stage));
  gboolean has_message = message[0] != '\0';
  if (g_strcmp0 (event->kind, "warning") == 0)
    return g_strdup_printf ("Warning: %s", message);
  /* Why is the error that ends the conversion, which the caller prints. */
  if (g_strcmp0 (event->kind, "failed") == 0)
    return g_strdup_printf ("%s failed", stage[0] != '\0' ? stage : "The job");
  if (g_strcmp0 (event->kind, "started") == 0 && stage[0] != '\0')
    return g_strdup_printf ("%s%s%s", stage, has_message ? ": " : "", message);
  if (g_strcmp0 (event->kind, "finished") == 0 && stage[0] != '\0')
    {
      gint64 seconds = (now - progress->activity_since) / G_USEC_PER_SEC;
      g_autofree char *duration = p2v_duration_format (seconds);
      gboolean timed = g_strcmp0 (progress->activity, stage) == 0;
      return g_strdup_printf ("%s: done%s%s%s%s", stage, timed ? " in " : "", timed ? duration : "",
                              has_message ? ". " : "", message);
    }
  if (g_strcmp0 (event->kind, "progress") == 0 || !has_message)
    return NULL;
  return g_steal_pointer (&message);
}

char *
p2v_progress_message (const P2vProgress *progress, const P2vUpdate *update, gint64 now)
{
  g_autofree char *text = p2v_text_printable (update->text);
  switch (update->kind)
    {
    case P2V_UPDATE_CONNECTED:
      return g_strdup_printf ("Connected%s%s", text[0] != '\0' ? ": " : "", text);
    case P2V_UPDATE_MAPPING:
      return g_strdup (MAPPING);
    case P2V_UPDATE_MAP:
      return g_steal_pointer (&text);
    case P2V_UPDATE_CREATED:
      return g_strdup_printf ("The server calls this job %s", text);
    case P2V_UPDATE_LANDED:
      return g_strdup_printf ("Everything has reached the server. %s",
                              text[0] != '\0' ? text : "This machine is no longer needed.");
    case P2V_UPDATE_WARNING:
      return g_strdup_printf ("Warning: %s", text);
    case P2V_UPDATE_LOST:
    case P2V_UPDATE_RESTORED:
    case P2V_UPDATE_PAUSED:
      return g_steal_pointer (&text);
    case P2V_UPDATE_DONE:
      return g_strdup_printf ("Done%s%s", text[0] != '\0' ? ": " : "", text);
    case P2V_UPDATE_EVENT:
      return event_message (progress, update->event, now);
    case P2V_UPDATE_PROGRESS:
    case P2V_UPDATE_BAD:
      return NULL;
    }
  return NULL;
}

static P2vDiskState *
find_disk (P2vProgress *progress, const char *name)
{
  for (guint i = 0; i < progress->disks->len; i++)
    {
      P2vDiskState *disk = progress->disks->pdata[i];
      if (strcmp (disk->name, name) == 0)
        return disk;
    }
  P2vDiskState *disk = g_new0 (P2vDiskState, 1);
  disk->name = p2v_text_printable (name);
  g_ptr_array_add (progress->disks, disk);
  return disk;
}

static void
take_sample (P2vDiskState *disk, gint64 now)
{
  guint last = disk->n_samples;
  if (last == 0 || now - disk->samples[last - 1].time >= G_USEC_PER_SEC)
    {
      if (last == P2V_RATE_SAMPLES)
        {
          memmove (disk->samples, disk->samples + 1, sizeof disk->samples - sizeof *disk->samples);
          last--;
        }
      disk->samples[last].time = now;
      disk->samples[last].done = disk->done;
      disk->n_samples = last + 1;
    }
  gint64 elapsed = now - disk->samples[0].time;
  if (elapsed > 0)
    disk->rate = (double)(disk->done - disk->samples[0].done) * G_USEC_PER_SEC / (double)elapsed;
}

static void
note_disks (P2vProgress *progress, const P2vUpdate *update, gint64 now)
{
  for (gsize i = 0; i < update->n_disks; i++)
    {
      const P2vDiskProgress *from = &update->disks[i];
      P2vDiskState *disk = find_disk (progress, from->name);
      if (from->done != disk->done || !progress->transferring)
        progress->moved = now;
      disk->size = from->size;
      disk->skipped = from->skipped;
      disk->zero = from->zero;
      disk->sent = from->sent;
      disk->done = from->done;
      disk->bad = from->bad;
      take_sample (disk, now);
    }
  progress->rate = update->rate;
  progress->wire = update->wire;
  progress->time_left = update->time_left;
  progress->transferring = TRUE;
}

static void
note_event (P2vProgress *progress, const P2vEvent *event, gint64 now)
{
  /* While disks are sent, their own figures say more than the server's stage. */
  if (progress->transferring)
    return;
  /* Two stages may run side by side: the one that began last is shown. */
  gboolean beside = event->stage != NULL && g_strcmp0 (event->kind, "started") != 0
                    && g_strcmp0 (progress->activity, stage_activity (event->stage)) != 0;
  if (beside)
    return;
  if (g_strcmp0 (event->kind, "progress") == 0)
    progress->percent = event->percent;
  else if (g_strcmp0 (event->kind, "started") == 0 && event->stage != NULL)
    set_activity (progress, stage_activity (event->stage), now);
  else if (g_strcmp0 (event->kind, "finished") == 0)
    set_activity (progress, WAITING, now);
}

static void
note_update (P2vProgress *progress, const P2vUpdate *update, gint64 now)
{
  switch (update->kind)
    {
    case P2V_UPDATE_CONNECTED:
      set_activity (progress, "Describing this machine to the server", now);
      break;
    case P2V_UPDATE_MAPPING:
      set_activity (progress, MAPPING, now);
      break;
    case P2V_UPDATE_CREATED:
      set_activity (progress, "Opening the disks", now);
      break;
    case P2V_UPDATE_PROGRESS:
      note_disks (progress, update, now);
      break;
    case P2V_UPDATE_LANDED:
      progress->transferring = FALSE;
      progress->pause = NULL;
      set_activity (progress, WAITING, now);
      break;
    case P2V_UPDATE_EVENT:
      note_event (progress, update->event, now);
      break;
    case P2V_UPDATE_DONE:
      progress->transferring = FALSE;
      set_activity (progress, NULL, now);
      break;
    case P2V_UPDATE_LOST:
      progress->pause = RECONNECTING;
      break;
    case P2V_UPDATE_PAUSED:
      progress->pause = NO_SPACE;
      break;
    case P2V_UPDATE_RESTORED:
      progress->pause = NULL;
      break;
    case P2V_UPDATE_MAP:
    case P2V_UPDATE_WARNING:
    case P2V_UPDATE_BAD:
      break;
    }
}

void
p2v_progress_update (P2vProgress *progress, const P2vUpdate *update, gint64 now)
{
  g_mutex_lock (&progress->lock);
  /* The view first sees the state that the update ends. */
  g_autofree char *message = p2v_progress_message (progress, update, now);
  P2vUpdate shown = *update;
  shown.text = message;
  note_update (progress, update, now);
  progress->view->update (progress, progress->view == &p2v_progress_view_json ? update : &shown,
                          now);
  g_mutex_unlock (&progress->lock);
}

void
p2v_progress_tick (P2vProgress *progress, gint64 now)
{
  g_mutex_lock (&progress->lock);
  progress->ticks++;
  progress->view->tick (progress, now);
  g_mutex_unlock (&progress->lock);
}

void
p2v_progress_end (P2vProgress *progress, const GError *error)
{
  g_mutex_lock (&progress->lock);
  progress->transferring = FALSE;
  g_clear_pointer (&progress->activity, g_free);
  progress->view->end (progress, error);
  g_mutex_unlock (&progress->lock);
}

void
p2v_progress_totals (const P2vProgress *progress, gint64 *done, gint64 *size)
{
  *done = *size = 0;
  for (guint i = 0; i < progress->disks->len; i++)
    {
      const P2vDiskState *disk = progress->disks->pdata[i];
      *done += disk->done;
      *size += disk->size;
    }
}

int
p2v_progress_percent (gint64 done, gint64 size)
{
  if (done >= size)
    return 100;
  return (int)CLAMP (100.0 * (double)done / (double)size, 0, 99);
}

/* Bytes that could not be read of a disk, or of all when disk is NULL. */
static gint64
count_bad (const P2vProgress *progress, const P2vDiskState *disk)
{
  gint64 bad = 0;
  for (guint i = 0; i < progress->disks->len; i++)
    if (disk == NULL || disk == progress->disks->pdata[i])
      bad += ((const P2vDiskState *)progress->disks->pdata[i])->bad;
  return bad;
}

char *
p2v_progress_figures (const P2vProgress *progress, const P2vDiskState *disk, const char *separator,
                      gint64 now)
{
  gint64 done;
  gint64 size;
  p2v_progress_totals (progress, &done, &size);
  double rate = progress->rate;
  gint64 time_left = progress->time_left;
  gint64 bad = count_bad (progress, disk);
  if (disk != NULL && progress->disks->len > 1)
    {
      done = disk->done;
      size = disk->size;
      rate = disk->rate;
      time_left = rate >= 1 ? (gint64)((double)(size - done) / rate) : -1;
    }
  g_autofree char *done_text = p2v_size_format (done);
  g_autofree char *size_text = p2v_size_format (size);
  GString *figures = g_string_new (NULL);
  g_string_append_printf (figures, "%s of %s", done_text, size_text);
  if (done >= size)
    g_string_append_printf (figures, "%sdone", separator);
  else if (now - progress->moved >= STALLED_AFTER)
    {
      g_autofree char *pause = p2v_duration_format ((now - progress->moved) / G_USEC_PER_SEC);
      g_string_append_printf (figures, "%sno data for %s", separator, pause);
    }
  else if (rate >= 1)
    {
      g_autofree char *rate_text = p2v_rate_format (rate);
      g_autofree char *left = p2v_duration_format (MAX (time_left, 1));
      g_string_append_printf (figures, "%s%s", separator, rate_text);
      if (time_left >= 0)
        g_string_append_printf (figures, "%s%s left", separator, left);
    }
  if (bad > 0)
    {
      g_autofree char *bad_text = p2v_size_format (bad);
      g_string_append_printf (figures, "%s%s unreadable", separator, bad_text);
    }
  return g_string_free (figures, FALSE);
}

char *
p2v_progress_summary (const P2vDiskState *disk)
{
  g_autofree char *size = p2v_size_format (disk->size);
  g_autofree char *sent = p2v_size_format (disk->sent);
  g_autofree char *zero = p2v_size_format (disk->zero);
  g_autofree char *skipped = p2v_size_format (disk->skipped);
  g_autofree char *bad = p2v_size_format (disk->bad);
  return g_strdup_printf ("%s: %s: %s sent, %s of zeroes, %s not in use%s%s%s", disk->name, size,
                          sent, zero, skipped, disk->bad > 0 ? ", " : "", disk->bad > 0 ? bad : "",
                          disk->bad > 0 ? " could not be read" : "");
}
