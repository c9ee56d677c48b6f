/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/progress-view.h"
#include "p2v-client/question.h"
#include "p2v-client/text.h"

#include <string.h>

#define REDRAW_MILLISECONDS 500

/* Disks that are shown at a time, and lines of what has happened. */
#define DISK_ROWS 5
#define LOG_ROWS 5

#define NAME_WIDTH 10
#define SCALE_WIDTH 16
#define FIGURES_COLUMN (NAME_WIDTH + SCALE_WIDTH + 2)
#define SCALE_FULL 100

/* What stopping would do. */
typedef enum
{
  STOP_DELETES,       /* the server throws away what it has */
  STOP_LEAVES,        /* it cannot be told, and keeps what it has */
  STOP_ONLY_WATCHING, /* it has everything, and goes on */
} Stop;

/* What the thread that converts and the one that shows it share. */
typedef struct
{
  P2vFrontEnd *front_end; /* the converting thread's, until it is joined */
  P2vProgress *progress;  /* has its own lock */
  P2vQuestion *question;  /* has its own lock */
  GCancellable *cancellable;
  GMutex lock; /* for the three below, and the front end's job */
  GString *log;
  gboolean landed;
  gboolean lost; /* the server cannot be reached at the moment */
  gint ended;
  gint64 started; /* microseconds */
} Run;

typedef struct
{
  newtComponent name, scale, figures;
} Row;

typedef struct
{
  P2vWindow *window;
  newtComponent activity;
  Row rows[DISK_ROWS + 1]; /* the last one is the sum */
  newtComponent log;
  guint n_rows;
} Page;

static void
ignore_text (P2vProgress *progress G_GNUC_UNUSED, const char *text G_GNUC_UNUSED,
             gint64 now G_GNUC_UNUSED)
{
}

static void
ignore_time (P2vProgress *progress G_GNUC_UNUSED, gint64 now G_GNUC_UNUSED)
{
}

static void
ignore_end (P2vProgress *progress G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED)
{
}

/* Lines for people go to the log; the figures are fetched when they are drawn. */
static void
view_update (P2vProgress *progress, const P2vUpdate *update, gint64 now G_GNUC_UNUSED)
{
  if (update->text != NULL)
    p2v_progress_print (progress, "%s\n", update->text);
}

static const P2vProgressView view = {
  .begin = ignore_time,
  .note = ignore_text,
  .update = view_update,
  .tick = ignore_time,
  .end = ignore_end,
};

static void
on_line (const char *text, gpointer user_data)
{
  Run *run = user_data;
  g_mutex_lock (&run->lock);
  g_string_append (run->log, text);
  g_mutex_unlock (&run->lock);
}

static void
on_update (const P2vUpdate *update, gpointer user_data)
{
  Run *run = user_data;
  P2vFrontEnd *self = run->front_end;
  if (update->kind == P2V_UPDATE_BAD)
    p2v_bad_ranges_set (self->bad, update->bad);
  if (update->kind == P2V_UPDATE_DONE)
    {
      self->place = p2v_text_printable (update->text);
      if (update->verified != NULL)
        self->verified = p2v_schema_copy (&p2v_verified_schema, update->verified);
    }
  g_mutex_lock (&run->lock);
  if (update->kind == P2V_UPDATE_CREATED)
    self->job = p2v_text_printable (update->text);
  /* Progress after the landing: the server asks again for what it has found damaged. */
  if (update->kind == P2V_UPDATE_LANDED || update->kind == P2V_UPDATE_PROGRESS)
    run->landed = update->kind == P2V_UPDATE_LANDED;
  if (update->kind == P2V_UPDATE_LOST || update->kind == P2V_UPDATE_RESTORED)
    run->lost = update->kind == P2V_UPDATE_LOST;
  g_mutex_unlock (&run->lock);
  p2v_progress_update (run->progress, update, g_get_monotonic_time ());
}

static gboolean
on_unfinished (const P2vUnfinished *unfinished, GCancellable *cancellable, gpointer user_data)
{
  Run *run = user_data;
  return p2v_question_ask (run->question, unfinished, cancellable);
}

static gpointer
work (gpointer user_data)
{
  Run *run = user_data;
  P2vFrontEnd *self = run->front_end;
  p2v_conversion_run (self->config, self->request, run->cancellable, on_update, on_unfinished, run,
                      &self->failure);
  g_atomic_int_set (&run->ended, 1);
  return NULL;
}

static gboolean
has_landed (Run *run)
{
  g_mutex_lock (&run->lock);
  gboolean landed = run->landed;
  g_mutex_unlock (&run->lock);
  return landed;
}

static Stop
foresee_stop (Run *run)
{
  g_mutex_lock (&run->lock);
  Stop stop = run->landed ? STOP_ONLY_WATCHING : run->lost ? STOP_LEAVES : STOP_DELETES;
  g_mutex_unlock (&run->lock);
  return stop;
}

static void
add_row (Page *page, Row *row, int at)
{
  row->name = p2v_window_add (page->window, newtTextbox (1, at, NAME_WIDTH, 1, 0));
  row->scale
      = p2v_window_add (page->window, newtScale (1 + NAME_WIDTH, at, SCALE_WIDTH, SCALE_FULL));
  row->figures = p2v_window_add (
      page->window, newtTextbox (1 + FIGURES_COLUMN, at, P2V_TEXT_WIDTH - FIGURES_COLUMN, 1, 0));
}

static void
build (Page *page, guint n_disks)
{
  static const char *const labels[] = { N_ ("Pause"), N_ ("Cancel"), NULL };
  guint shown = MIN (n_disks, DISK_ROWS);
  page->n_rows = shown;
  page->activity = p2v_window_add (page->window, newtTextbox (1, 0, P2V_TEXT_WIDTH, 1, 0));
  for (guint i = 0; i < shown; i++)
    add_row (page, &page->rows[i], 2 + (int)i);
  if (n_disks > 1)
    add_row (page, &page->rows[DISK_ROWS], 3 + (int)shown);
  page->log = p2v_window_add (page->window, newtTextbox (1, 10, P2V_TEXT_WIDTH, LOG_ROWS, 0));
  p2v_window_add_buttons (page->window, labels);
  p2v_window_set_timer (page->window, REDRAW_MILLISECONDS);
}

static void
draw_row (const Row *row, const char *name, const P2vProgress *progress, const P2vDiskState *disk,
          gint64 now)
{
  gint64 done;
  gint64 size;
  g_autofree char *short_name = p2v_text_cut (name, NAME_WIDTH - 1);
  p2v_progress_totals (progress, &done, &size);
  if (disk != NULL)
    {
      done = disk->done;
      size = disk->size;
    }
  gboolean waiting = disk != NULL && disk->done == 0 && progress->disks->len > 1;
  g_autofree char *figures
      = waiting ? p2v_size_format (size) : p2v_progress_figures (progress, disk, "\t", now);
  /* How much, how fast; the time left is for the line above, where there is room. */
  g_auto (GStrv) parts = g_strsplit (figures, "\t", -1);
  g_autofree char *shown = g_strdup_printf ("%s%s%s", parts[0], parts[1] != NULL ? ", " : "",
                                            parts[1] != NULL ? parts[1] : "");
  newtTextboxSetText (row->name, short_name);
  newtScaleSet (row->scale, (unsigned long long)p2v_progress_percent (done, size));
  newtTextboxSetText (row->figures, shown);
}

static char *
describe_activity (Run *run, const P2vProgress *progress, gint64 now)
{
  g_autofree char *elapsed = p2v_duration_format ((now - run->started) / G_USEC_PER_SEC);
  const char *activity = progress->pause != NULL      ? progress->pause
                         : progress->transferring     ? _ ("Sending the disks")
                         : progress->activity != NULL ? progress->activity
                                                      : _ ("Finishing");
  if (g_cancellable_is_cancelled (run->cancellable))
    activity = foresee_stop (run) == STOP_DELETES ? _ ("Stopping, and tidying up on the server")
                                                  : _ ("Stopping");
  else if (progress->pause == NULL && progress->transferring && progress->time_left >= 0)
    {
      g_autofree char *left = p2v_duration_format (progress->time_left);
      return g_strdup_printf (_ ("%s: %s left, %s since the start"), activity, left, elapsed);
    }
  else if (progress->pause == NULL && !progress->transferring && progress->percent >= 0)
    return g_strdup_printf (_ ("%s: %lld %%, %s since the start"), activity,
                            (long long)progress->percent, elapsed);
  return g_strdup_printf (_ ("%s ... %s since the start"), activity, elapsed);
}

/* Disks that are through make room for those that are not. */
static guint
first_shown (const P2vProgress *progress)
{
  guint first = 0;
  while (first + DISK_ROWS < progress->disks->len)
    {
      const P2vDiskState *disk = progress->disks->pdata[first];
      if (disk->done < disk->size)
        break;
      first++;
    }
  return first;
}

/* The end of the log, as much as there is room for. */
static void
draw_log (Page *page, Run *run)
{
  g_mutex_lock (&run->lock);
  g_autofree char *all = g_strchomp (g_strdup (run->log->str));
  g_mutex_unlock (&run->lock);
  g_autofree char *wrapped = p2v_text_wrap (all, P2V_TEXT_WIDTH - 1, NULL);
  const char *start = wrapped + strlen (wrapped);
  for (guint lines = 0; start > wrapped; start--)
    if (start[-1] == '\n' && ++lines == LOG_ROWS)
      break;
  newtTextboxSetText (page->log, start);
}

static void
draw (Page *page, Run *run)
{
  gint64 now = g_get_monotonic_time ();
  P2vProgress *progress = run->progress;
  g_mutex_lock (&progress->lock);
  g_autofree char *activity = describe_activity (run, progress, now);
  newtTextboxSetText (page->activity, activity);
  guint first = first_shown (progress);
  for (guint i = 0; i < page->n_rows && first + i < progress->disks->len; i++)
    {
      const P2vDiskState *disk = progress->disks->pdata[first + i];
      draw_row (&page->rows[i], disk->name, progress, disk, now);
    }
  if (progress->disks->len > 1)
    draw_row (&page->rows[DISK_ROWS], _ ("together"), progress, NULL, now);
  g_mutex_unlock (&progress->lock);
  draw_log (page, run);
}

/* The program is to end, as when the machine is being switched off: no person has given the job up.
 * One that somebody has just cancelled stays cancelled. */
static void
leave (Run *run)
{
  if (!g_cancellable_is_cancelled (run->cancellable))
    p2v_conversion_leave (run->cancellable);
}

/* (transfer full) */
static char *
describe_stop (Run *run, Stop stop)
{
  if (stop == STOP_ONLY_WATCHING)
    return g_strdup (
        _ ("Everything has reached the server, which finishes by itself. Stop watching it?"));
  if (stop == STOP_DELETES)
    return g_strdup (_ ("Stop the conversion? What has been sent is deleted on the server. This "
                        "machine stays as it is."));
  g_mutex_lock (&run->lock);
  g_autofree char *job = g_strdup (run->front_end->job);
  g_mutex_unlock (&run->lock);
  return g_strdup_printf (_ ("Stop the conversion? The server cannot be told now: it keeps what it "
                             "has, job %s. `p2v-server cancel %s` there removes it. This machine "
                             "stays as it is."),
                          job, job);
}

/* Until the answer is to what holds when it is given: the disks may land, or the connection be lost
 * or come back, while somebody thinks. */
static void
ask_to_cancel (Run *run)
{
  static const char *const labels[] = { N_ ("Go on"), N_ ("Stop"), NULL };
  for (gboolean answered = FALSE; !answered;)
    {
      Stop stop = foresee_stop (run);
      g_autofree char *text = describe_stop (run, stop);
      int pressed = p2v_window_ask (_ ("Stop?"), text, labels, 0);
      answered = pressed != 1 || stop == foresee_stop (run);
      if (pressed == P2V_WINDOW_ENDED)
        leave (run);
      else if (pressed == 1 && answered)
        g_cancellable_cancel (run->cancellable);
    }
}

/* The conversion waits for the answer; when it waits no longer, the window closes by itself. */
static void
ask_about_unfinished (Run *run, const P2vUnfinished *unfinished)
{
  static const char *const labels[] = { N_ ("Go on"), N_ ("Begin anew"), N_ ("Stop"), NULL };
  g_autofree char *what = p2v_unfinished_describe (unfinished);
  g_autofree char *text
      = g_strconcat (what,
                     _ ("\n\nGo on: only what is missing, or has changed since, is sent.\n"
                        "Begin anew: what has landed is thrown away, and everything is sent.\n"
                        "Stop: the server keeps what it has, for another time."),
                     NULL);
  g_autoptr (P2vWindow) window = p2v_window_new_question (
      _ ("Go on with an unfinished conversion of this machine?"), text, labels, 0);
  int pressed = P2V_WINDOW_TICK;
  p2v_window_set_timer (window, REDRAW_MILLISECONDS);
  while (pressed == P2V_WINDOW_TICK && p2v_question_is_open (run->question))
    pressed = p2v_window_run (window);
  if (pressed == 0 || pressed == 1)
    p2v_question_answer (run->question, pressed == 0);
  else if (pressed == P2V_WINDOW_ENDED)
    leave (run);
  else if (pressed != P2V_WINDOW_TICK)
    g_cancellable_cancel (run->cancellable);
}

/* Nothing is sent as long as the window is there, which closes by itself when all is over. */
static void
pause_sending (Run *run)
{
  static const char *const labels[] = { N_ ("Go on"), NULL };
  if (has_landed (run))
    {
      p2v_window_say (_ ("Pause"),
                      _ ("Everything has reached the server: nothing is sent any more."));
      return;
    }
  g_autoptr (P2vWindow) window
      = p2v_window_new_question (_ ("Paused"),
                                 _ ("Nothing is sent until you go on, however long that is. What "
                                    "has reached the server is kept, and so is the connection."),
                                 labels, 0);
  int pressed = P2V_WINDOW_TICK;
  p2v_window_set_timer (window, REDRAW_MILLISECONDS);
  p2v_conversion_hold (run->cancellable, TRUE);
  while (pressed == P2V_WINDOW_TICK && g_atomic_int_get (&run->ended) == 0
         && !p2v_question_is_open (run->question))
    pressed = p2v_window_run (window);
  p2v_conversion_hold (run->cancellable, FALSE);
  if (pressed == P2V_WINDOW_ENDED)
    leave (run);
}

/* Returns FALSE when the program is to end. */
static gboolean
show (Run *run, guint n_disks)
{
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Converting"), P2V_TEXT_WIDTH, 15);
  Page page = { .window = window };
  build (&page, n_disks);
  while (g_atomic_int_get (&run->ended) == 0)
    {
      draw (&page, run);
      int pressed = p2v_window_run (window);
      if (pressed == P2V_WINDOW_ENDED)
        {
          leave (run);
          return FALSE;
        }
      if (pressed == 0)
        pause_sending (run);
      if (pressed == 1 || pressed == P2V_WINDOW_ESCAPE)
        ask_to_cancel (run);
      g_autoptr (P2vUnfinished) unfinished = p2v_question_get (run->question);
      if (unfinished != NULL && !g_cancellable_is_cancelled (run->cancellable))
        ask_about_unfinished (run, unfinished);
    }
  return TRUE;
}

static void
forget_last (P2vFrontEnd *self)
{
  g_clear_error (&self->failure);
  g_clear_pointer (&self->job, g_free);
  g_clear_pointer (&self->place, g_free);
  g_clear_pointer (&self->verified, p2v_verified_free);
  g_string_truncate (self->log, 0);
  g_ptr_array_set_size (self->bad, 0);
  self->landed = self->lost = FALSE;
}

/* Whatever came of being stopped is no failure of its own. */
static void
settle_failure (P2vFrontEnd *self, GCancellable *cancellable)
{
  if (self->failure == NULL || !g_cancellable_is_cancelled (cancellable)
      || g_error_matches (self->failure, P2V_ERROR, P2V_ERROR_CANCELLED))
    return;
  g_prefix_error (&self->failure, "stopped on request: ");
  p2v_error_recode (&self->failure, P2V_ERROR_CANCELLED);
}

P2vPage
p2v_page_convert (P2vFrontEnd *self)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Run run = { .front_end = self,
              .cancellable = cancellable,
              .log = self->log,
              .started = g_get_monotonic_time () };
  forget_last (self);
  g_mutex_init (&run.lock);
  g_autoptr (P2vProgress) progress = p2v_progress_new_with_view (&view, on_line, &run);
  g_autoptr (P2vQuestion) question = p2v_question_new (NULL, NULL);
  run.progress = progress;
  run.question = question;
  g_autofree char *activity = g_strdup_printf (_ ("Connecting to %s"), self->config->server);
  p2v_progress_begin (progress, activity, run.started);
  g_autoptr (GThread) thread = g_thread_new ("conversion", work, &run);
  gboolean goes_on = show (&run, g_strv_length (self->request->guest->disks));
  g_thread_join (g_steal_pointer (&thread));
  settle_failure (self, cancellable);
  self->landed = run.landed;
  self->lost = run.lost;
  self->microseconds = g_get_monotonic_time () - run.started;
  g_mutex_clear (&run.lock);
  return goes_on ? P2V_PAGE_RESULT : P2V_PAGE_END;
}
