/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/task.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"

#include <glib-unix.h>
#include <unistd.h>

typedef struct
{
  P2vTaskFunc func;
  gpointer data;
  GCancellable *cancellable;
  int ended; /* closed by the thread at its end, which wakes the window up */
  gboolean ok;
  GError *error;
} Task;

static gpointer
work (gpointer user_data)
{
  Task *task = user_data;
  task->ok = task->func (task->data, task->cancellable, &task->error);
  close (task->ended);
  return NULL;
}

/* Until the thread is through. */
static void
show (const char *title, const char *text, int ended, GCancellable *cancellable)
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
      g_cancellable_cancel (cancellable);
      if (pressed == P2V_WINDOW_ENDED)
        return;
      newtTextboxSetText (box, _ ("Stopping ..."));
    }
}

gboolean
p2v_task_run (const char *title, const char *text, P2vTaskFunc func, gpointer data, GError **error)
{
  int fds[2];
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  if (!g_unix_open_pipe (fds, FD_CLOEXEC, error))
    {
      p2v_error_recode (error, P2V_ERROR_FAILED);
      return FALSE;
    }
  Task task = { .func = func, .data = data, .cancellable = cancellable, .ended = fds[1] };
  g_autoptr (GThread) thread = g_thread_new ("task", work, &task);
  show (title, text, fds[0], cancellable);
  g_thread_join (g_steal_pointer (&thread));
  close (fds[0]);
  if (!task.ok)
    g_propagate_error (error, task.error);
  return task.ok;
}
