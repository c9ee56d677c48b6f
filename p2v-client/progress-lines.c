/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/progress-view.h"

#include "p2v-client/text.h"

/* Plain lines, for logs and terminals that cannot move their cursor. */

/* Microseconds between lines about the disks, and about a stage whose percentage moves. */
#define INTERVAL (3 * G_USEC_PER_SEC)

/* Microseconds between lines that only say that it still goes on. */
#define QUIET_INTERVAL (10 * G_USEC_PER_SEC)

static void
print_disks (P2vProgress *progress, gint64 now)
{
  for (guint i = 0; i < progress->disks->len; i++)
    {
      const P2vDiskState *disk = progress->disks->pdata[i];
      gboolean only = progress->disks->len == 1;
      /* Those waiting and those done are in the sum. */
      if (!only && (disk->done == 0 || disk->done >= disk->size))
        continue;
      g_autofree char *figures = p2v_progress_figures (progress, disk, ", ", now);
      p2v_progress_print (progress, "%s: %d %%, %s\n", disk->name,
                          p2v_progress_percent (disk->done, disk->size), figures);
    }
  if (progress->disks->len > 1)
    {
      gint64 done;
      gint64 size;
      p2v_progress_totals (progress, &done, &size);
      g_autofree char *figures = p2v_progress_figures (progress, NULL, ", ", now);
      p2v_progress_print (progress, "all disks: %d %%, %s\n", p2v_progress_percent (done, size),
                          figures);
    }
  progress->shown = now;
}

static void
print_activity (P2vProgress *progress, gint64 now)
{
  gint64 seconds = (now - progress->activity_since) / G_USEC_PER_SEC;
  g_autofree char *duration = p2v_duration_format (seconds);
  if (progress->percent >= 0)
    p2v_progress_print (progress, "%s: %" G_GINT64_FORMAT " %%, %s so far\n", progress->activity,
                        progress->percent, duration);
  else
    p2v_progress_print (progress, "%s: %s so far\n", progress->activity, duration);
  progress->quiet_beats++;
  progress->shown = now;
}

static void
lines_begin (P2vProgress *progress, gint64 now)
{
  p2v_progress_print (progress, "%s\n", progress->activity);
  progress->shown = now;
}

static void
lines_note (P2vProgress *progress, const char *text, gint64 now)
{
  p2v_progress_print (progress, "%s\n", text);
  progress->shown = now;
}

static void
print_summaries (P2vProgress *progress)
{
  for (guint i = 0; i < progress->disks->len; i++)
    {
      g_autofree char *summary = p2v_progress_summary (progress->disks->pdata[i]);
      p2v_progress_print (progress, "%s\n", summary);
    }
}

static void
lines_tick (P2vProgress *progress, gint64 now)
{
  /* The first sign of life of an activity comes early, the following ones less often. */
  gint64 interval = progress->quiet_beats == 0 ? INTERVAL : QUIET_INTERVAL;
  if (progress->transferring && now - progress->shown >= INTERVAL)
    print_disks (progress, now);
  else if (!progress->transferring && progress->activity != NULL
           && now - progress->shown >= interval)
    print_activity (progress, now);
}

static void
lines_update (P2vProgress *progress, const P2vUpdate *update, gint64 now)
{
  gboolean is_event = update->kind == P2V_UPDATE_EVENT;
  if (update->kind == P2V_UPDATE_LANDED)
    print_summaries (progress);
  if (update->text != NULL)
    {
      p2v_progress_print (progress, "%s\n", update->text);
      progress->shown = now;
    }
  else if (is_event && progress->percent >= 0 && now - progress->shown >= INTERVAL)
    print_activity (progress, now);
  else
    lines_tick (progress, now);
}

static void
lines_end (P2vProgress *progress, const GError *error)
{
  (void)progress, (void)error;
}

const P2vProgressView p2v_progress_view_lines = {
  .begin = lines_begin,
  .note = lines_note,
  .update = lines_update,
  .tick = lines_tick,
  .end = lines_end,
};
