/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/task.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"

#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

/* What is cancelled has so long to end in good order before it is left alone. */
#define GRACE_MILLISECONDS 1000

/* The thread has a reference of its own. */
typedef struct
{
  P2vTaskFunc func;
  gpointer data;
  GDestroyNotify release; /* NULL: data is the caller's, who waits for the thread */
  GCancellable *cancellable;
  int ended; /* closed by the thread at its end, which wakes the window up */
  gboolean ok;
  GError *error;
} Task;

static void
clear (gpointer data)
{
  Task *task = data;
  g_object_unref (task->cancellable);
  g_clear_error (&task->error);
}

static gpointer
work (gpointer user_data)
{
  Task *task = user_data;
  task->ok = task->func (task->data, task->cancellable, &task->error);
  if (task->release != NULL)
    task->release (task->data);
  close (task->ended);
  g_atomic_rc_box_release_full (task, clear);
  return NULL;
}

static gboolean
ends_soon (int ended)
{
  struct pollfd hangup = { .fd = ended, .events = POLLIN };
  return poll (&hangup, 1, GRACE_MILLISECONDS) > 0;
}

/* Until the thread is through, or may be left alone: FALSE then. */
static gboolean
show (const char *title, const char *text, int ended, const Task *task)
{
  static const char *const labels[] = { N_ ("Cancel"), NULL };
  guint lines;
  g_autofree char *wrapped = p2v_text_wrap (text, P2V_TEXT_WIDTH - 14, &lines);
  g_autoptr (P2vWindow) window = p2v_window_new (title, P2V_TEXT_WIDTH - 12, (int)lines + 1);
  newtComponent box = p2v_window_add_text (window, 1, 1, P2V_TEXT_WIDTH - 14, (int)lines, wrapped);
  p2v_window_add_buttons (window, labels);
  p2v_window_watch (window, ended);
  int pressed;
  while ((pressed = p2v_window_run (window)) != P2V_WINDOW_TICK)
    {
      g_cancellable_cancel (task->cancellable);
      newtTextboxSetText (box, _ ("Stopping ..."));
      newtRefresh ();
      if (task->release != NULL)
        return ends_soon (ended);
      if (pressed == P2V_WINDOW_ENDED)
        break; /* the caller waits */
    }
  return TRUE;
}

gboolean
p2v_task_run_apart (const char *title, const char *text, P2vTaskFunc func, gpointer data,
                    GDestroyNotify release, GError **error)
{
  int fds[2];
  if (!g_unix_open_pipe (fds, FD_CLOEXEC, error))
    {
      p2v_error_recode (error, P2V_ERROR_FAILED);
      if (release != NULL)
        release (data);
      return FALSE;
    }
  Task *task = g_atomic_rc_box_new0 (Task);
  task->func = func;
  task->data = data;
  task->release = release;
  task->cancellable = g_cancellable_new ();
  task->ended = fds[1];
  g_autoptr (GThread) thread = g_thread_new ("task", work, g_atomic_rc_box_acquire (task));
  gboolean ended = show (title, text, fds[0], task);
  close (fds[0]);
  if (ended)
    g_thread_join (g_steal_pointer (&thread));
  gboolean ok = ended && task->ok;
  if (!ended)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
  else if (!ok)
    g_propagate_error (error, g_steal_pointer (&task->error));
  g_atomic_rc_box_release_full (task, clear);
  return ok;
}

gboolean
p2v_task_run (const char *title, const char *text, P2vTaskFunc func, gpointer data, GError **error)
{
  return p2v_task_run_apart (title, text, func, data, NULL, error);
}
