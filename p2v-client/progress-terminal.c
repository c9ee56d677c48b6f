/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/progress-view.h"

#include "p2v-client/text.h"

#include <string.h>

/* A live area at the bottom that is redrawn in place; what is worth keeping scrolls up above it.
 * Only what every console has is used, those of the kernel and serial lines included: ASCII, "move
 * up" (CUU), "erase to the end of the screen" (ED), ECMA-48 sections 8.3.22 and 8.3.39. */

#define ERASE_BELOW "\033[J"

/* Microseconds between two redrawings: a serial line carries no more. */
#define REDRAW_INTERVAL (G_USEC_PER_SEC / 2)

#define MIN_BAR 8
#define MAX_BAR 40

/* Rows that must stay free for what scrolls. */
#define OTHER_ROWS 4

static void
erase_live (P2vProgress *progress, GString *out)
{
  if (progress->live_lines > 0)
    g_string_append_printf (out, "\033[%uA\r" ERASE_BELOW, progress->live_lines);
  progress->live_lines = 0;
}

/* A line longer than the terminal is wide would take two, and the next redrawing go wrong. */
static void
add_live (P2vProgress *progress, GString *out, const char *line)
{
  g_autofree char *cut = g_utf8_substring (
      line, 0, MIN (g_utf8_strlen (line, -1), (glong)MAX (progress->columns, 2) - 1));
  g_string_append_printf (out, "%s\n", cut);
  progress->live_lines++;
}

static void
add_bar (GString *line, gint64 done, gint64 size, gint width)
{
  if (width < MIN_BAR)
    return;
  gint inner = MIN (width, MAX_BAR) - 2;
  gint filled = size > 0 ? (gint)((double)inner * (double)MIN (done, size) / (double)size) : inner;
  g_string_append_c (line, '[');
  for (gint i = 0; i < inner; i++)
    g_string_append_c (line, i < filled ? '=' : i == filled ? '>' : ' ');
  g_string_append (line, "] ");
}

/* disk: NULL for the sum of all. */
static void
add_disk_line (P2vProgress *progress, GString *out, const P2vDiskState *disk, gint name_width,
               gint64 now)
{
  gint64 done;
  gint64 size;
  p2v_progress_totals (progress, &done, &size);
  if (disk != NULL)
    {
      done = disk->done;
      size = disk->size;
    }
  g_autofree char *figures = p2v_progress_figures (progress, disk, "  ", now);
  g_autoptr (GString) line = g_string_new (NULL);
  g_string_append_printf (line, "%-*s ", name_width, disk != NULL ? disk->name : "all");
  add_bar (line, done, size,
           (gint)progress->columns - (gint)line->len - (gint)strlen (figures) - 8);
  g_string_append_printf (line, "%3d %%  %s", p2v_progress_percent (done, size), figures);
  add_live (progress, out, line->str);
}

static void
draw_disks (P2vProgress *progress, GString *out, gint64 now)
{
  gint width = 3;
  guint hidden = 0;
  guint rows = MAX (progress->rows, OTHER_ROWS + 3) - OTHER_ROWS;
  gboolean all_fit = progress->disks->len <= rows;
  for (guint i = 0; i < progress->disks->len; i++)
    width = MAX (width, (gint)strlen (((P2vDiskState *)progress->disks->pdata[i])->name));
  for (guint i = 0; i < progress->disks->len; i++)
    {
      const P2vDiskState *disk = progress->disks->pdata[i];
      gboolean active = disk->done > 0 && disk->done < disk->size;
      if (all_fit || (active && progress->live_lines < rows))
        add_disk_line (progress, out, disk, MIN (width, 16), now);
      else
        hidden++;
    }
  if (progress->disks->len > 1)
    add_disk_line (progress, out, NULL, MIN (width, 16), now);
  if (hidden > 0)
    {
      g_autofree char *line = g_strdup_printf ("(%u more disks, in the sum)", hidden);
      add_live (progress, out, line);
    }
}

static void
draw_activity (P2vProgress *progress, GString *out, gint64 now)
{
  gint64 seconds = (now - progress->activity_since) / G_USEC_PER_SEC;
  g_autofree char *duration = p2v_duration_format (seconds);
  g_autoptr (GString) line = g_string_new (NULL);
  g_string_append_printf (line, "%c %s ", "|/-\\"[progress->ticks % 4], progress -> activity);
  if (progress->percent >= 0)
    {
      add_bar (line, progress->percent, 100,
               (gint)progress->columns - (gint)line->len - (gint)strlen (duration) - 8);
      g_string_append_printf (line, "%3" G_GINT64_FORMAT " %%  ", progress->percent);
    }
  g_string_append (line, duration);
  add_live (progress, out, line->str);
}

/* One write for everything, so that nothing flickers. kept: text that scrolls up, or NULL. */
static void
redraw (P2vProgress *progress, const char *kept, gint64 now)
{
  g_autoptr (GString) out = g_string_new (NULL);
  erase_live (progress, out);
  if (kept != NULL)
    g_string_append (out, kept);
  if (progress->transferring)
    draw_disks (progress, out, now);
  else if (progress->activity != NULL)
    draw_activity (progress, out, now);
  progress->shown = now;
  if (out->len > 0)
    progress->output (out->str, progress->user_data);
}

static void
terminal_begin (P2vProgress *progress, gint64 now)
{
  redraw (progress, NULL, now);
}

static void
terminal_update (P2vProgress *progress, const P2vUpdate *update, gint64 now)
{
  g_autoptr (GString) kept = g_string_new (NULL);
  for (guint i = 0; update->kind == P2V_UPDATE_LANDED && i < progress->disks->len; i++)
    {
      g_autofree char *summary = p2v_progress_summary (progress->disks->pdata[i]);
      g_string_append_printf (kept, "%s\n", summary);
    }
  /* That a stage has begun is what the live line says. */
  gboolean started
      = update->kind == P2V_UPDATE_EVENT && g_strcmp0 (update->event->kind, "started") == 0;
  if (update->text != NULL && !started)
    g_string_append_printf (kept, "%s\n", update->text);
  if (kept->len > 0 || started || now - progress->shown >= REDRAW_INTERVAL)
    redraw (progress, kept->str, now);
}

static void
terminal_tick (P2vProgress *progress, gint64 now)
{
  if (progress->transferring || progress->activity != NULL)
    redraw (progress, NULL, now);
}

static void
terminal_end (P2vProgress *progress, const GError *error)
{
  (void)error;
  redraw (progress, NULL, progress->shown);
}

const P2vProgressView p2v_progress_view_terminal = {
  .begin = terminal_begin,
  .update = terminal_update,
  .tick = terminal_tick,
  .end = terminal_end,
};
