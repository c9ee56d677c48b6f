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
#define MAX_NAME 16

/* What is beside a bar: a space, " 42 %", two spaces, and the last column, which stays free. */
#define AROUND_BAR 9

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

/* One line about a disk, or about all. */
typedef struct
{
  const char *name;
  char *figures;
  gint64 done, size;
} Row;

static void
row_free (Row *row)
{
  g_free (row->figures);
  g_free (row);
}

/* disk: NULL for the sum of all. */
static Row *
row_new (const P2vProgress *progress, const P2vDiskState *disk, gint64 now)
{
  Row *row = g_new0 (Row, 1);
  row->name = disk != NULL ? disk->name : "all";
  row->figures = p2v_progress_figures (progress, disk, "  ", now);
  p2v_progress_totals (progress, &row->done, &row->size);
  if (disk != NULL)
    {
      row->done = disk->done;
      row->size = disk->size;
    }
  return row;
}

/* The disks, or those of many that are being sent, and their sum. */
static GPtrArray *
choose_rows (const P2vProgress *progress, gint64 now)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify)row_free);
  guint room = MAX (progress->rows, OTHER_ROWS + 3) - OTHER_ROWS;
  gboolean all_fit = progress->disks->len <= room;
  for (guint i = 0; i < progress->disks->len; i++)
    {
      const P2vDiskState *disk = progress->disks->pdata[i];
      gboolean active = disk->done > 0 && disk->done < disk->size;
      if (all_fit || (active && rows->len < room))
        g_ptr_array_add (rows, row_new (progress, disk, now));
    }
  if (progress->disks->len > 1)
    g_ptr_array_add (rows, row_new (progress, NULL, now));
  return rows;
}

static void
draw_disks (P2vProgress *progress, GString *out, gint64 now)
{
  g_autoptr (GPtrArray) rows = choose_rows (progress, now);
  gint name_width = 3;
  gint figures_width = 0;
  /* Bars that are all as long as the longest figures let them be can be compared. */
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = rows->pdata[i];
      name_width = MAX (name_width, (gint)strlen (row->name));
      figures_width = MAX (figures_width, (gint)strlen (row->figures));
    }
  name_width = MIN (name_width, MAX_NAME);
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = rows->pdata[i];
      g_autoptr (GString) line = g_string_new (NULL);
      g_string_append_printf (line, "%-*.*s ", name_width, name_width, row->name);
      add_bar (line, row->done, row->size,
               (gint)progress->columns - name_width - 1 - figures_width - AROUND_BAR);
      g_string_append_printf (line, "%3d %%  %s", p2v_progress_percent (row->done, row->size),
                              row->figures);
      add_live (progress, out, line->str);
    }
  if (rows->len < progress->disks->len)
    {
      g_autofree char *line = g_strdup_printf (
          "(%u disks in all, those waiting and those done are not listed)", progress->disks->len);
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
               (gint)progress->columns - (gint)line->len - (gint)strlen (duration) - AROUND_BAR);
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
terminal_note (P2vProgress *progress, const char *text, gint64 now)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  redraw (progress, line, now);
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
  .note = terminal_note,
  .update = terminal_update,
  .tick = terminal_tick,
  .end = terminal_end,
};
