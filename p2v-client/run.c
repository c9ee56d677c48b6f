/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/run.h"

#include "common/error.h"
#include "p2v-client/hooks.h"
#include "p2v-client/inventory.h"
#include "p2v-client/text.h"

#include <glib-unix.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TICK_MILLISECONDS 1000

/* What the two threads share: the main one has the loop (signals, ticks), the other one works. */
typedef struct
{
  const P2vConfig *config;
  const char *root;
  gboolean from_kernel;
  P2vProgressStyle style;

  P2vProgress *progress;     /* has its own lock */
  GCancellable *cancellable; /* safe from any thread */
  GMainLoop *loop;
  char *guest; /* the worker's: the guest's name once it is known */
  int status;  /* the worker's until it is joined */
} Run;

int
p2v_run_report (const GError *error)
{
  /* A message may hold what a server or a program said, with lines of its own. */
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *line = p2v_text_printable (lines[i]);
      if (i == 0 || line[0] != '\0')
        g_printerr ("%s%s\n", i == 0 ? "p2v-client: " : "  ", line);
    }
  return p2v_error_code_of (error);
}

static void
print_progress (const char *text, gpointer user_data)
{
  (void)user_data;
  /* Nobody reading any more is no reason to stop a conversion. */
  if (fputs (text, stdout) < 0 || fflush (stdout) != 0)
    clearerr (stdout);
}

static void
on_update (const P2vUpdate *update, gpointer user_data)
{
  p2v_progress_update (((Run *)user_data)->progress, update, g_get_monotonic_time ());
}

static gboolean
on_tick (gpointer user_data)
{
  Run *run = user_data;
  struct winsize size = { 0 };
  if (run->style == P2V_PROGRESS_TERMINAL && ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
    p2v_progress_set_size (run->progress, size.ws_col, size.ws_row);
  p2v_progress_tick (run->progress, g_get_monotonic_time ());
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (gpointer user_data)
{
  Run *run = user_data;
  /* Not exit(): the other thread is still using what that would tear down. */
  if (g_cancellable_is_cancelled (run->cancellable))
    _exit (P2V_ERROR_CANCELLED);
  g_cancellable_cancel (run->cancellable);
  p2v_progress_begin (run->progress, "Stopping (once more to stop at once)",
                      g_get_monotonic_time ());
  return G_SOURCE_CONTINUE;
}

static gboolean
run_hook (Run *run, const char *name, const char *command, const GError *failure, GError **error)
{
  if (command == NULL || command[0] == '\0')
    return TRUE;
  g_autofree char *note = g_strdup_printf ("Running the command of %s", name);
  p2v_progress_note (run->progress, note, g_get_monotonic_time ());
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *server = g_strdup_printf ("P2V_SERVER=%s", run->config->server);
  g_autofree char *guest = g_strdup_printf ("P2V_GUEST=%s", run->guest != NULL ? run->guest : "");
  g_autofree char *status
      = g_strdup_printf ("P2V_STATUS=%d", failure != NULL ? (int)p2v_error_code_of (failure) : 0);
  g_autofree char *message
      = g_strdup_printf ("P2V_MESSAGE=%s", failure != NULL ? failure->message : "");
  g_strv_builder_add_many (builder, server, guest, status, message, NULL);
  g_auto (GStrv) environment = g_strv_builder_end (builder);
  return p2v_hook_run (name, command, (const char *const *)environment,
                       run->style == P2V_PROGRESS_JSON, run->cancellable, error);
}

static gboolean
convert (Run *run, GError **error)
{
  const P2vConfig *config = run->config;
  /* Before the machine is looked at: the command may be what makes its disks appear. */
  if (!run_hook (run, "p2v.pre", config->pre, NULL, error))
    return FALSE;
  p2v_progress_begin (run->progress, "Looking at this machine", g_get_monotonic_time ());
  g_autoptr (P2vMachine) machine = p2v_inventory_collect (run->root, run->cancellable, error);
  if (machine == NULL)
    return FALSE;
  g_autoptr (P2vRequest) request = p2v_config_to_request (config, machine, error);
  if (request == NULL)
    return FALSE;
  run->guest = g_strdup (request->guest->name);
  g_autofree char *activity = g_strdup_printf ("Connecting to %s", config->server);
  p2v_progress_begin (run->progress, activity, g_get_monotonic_time ());
  return p2v_conversion_run (config, request, run->cancellable, on_update, run, error);
}

/* The conversion has failed: said first, since the command may switch the machine off. */
static void
fail (Run *run, const GError *failure)
{
  p2v_progress_end (run->progress, failure);
  run->status = p2v_run_report (failure);
  g_autoptr (GError) error = NULL;
  if (run->status != P2V_ERROR_CANCELLED
      && !run_hook (run, "p2v.fail", run->config->fail, failure, &error))
    p2v_run_report (error);
}

static void
succeed (Run *run)
{
  g_autoptr (GError) error = NULL;
  const char *post = p2v_hook_post (run->config, run->from_kernel, geteuid () == 0);
  gboolean done = run_hook (run, "p2v.post", post, NULL, &error);
  if (!done)
    {
      g_prefix_error (&error, "the guest is there, but ");
      p2v_error_recode (&error, P2V_ERROR_FAILED);
    }
  p2v_progress_end (run->progress, error);
  run->status = done ? 0 : p2v_run_report (error);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
work (gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GError) error = NULL;
  gboolean converted = convert (run, &error);
  /* Whatever came of being stopped is no failure of its own. */
  if (!converted && g_cancellable_is_cancelled (run->cancellable)
      && p2v_error_code_of (error) != P2V_ERROR_CANCELLED)
    {
      g_prefix_error (&error, "stopped on request: ");
      p2v_error_recode (&error, P2V_ERROR_CANCELLED);
    }
  if (converted)
    succeed (run);
  else
    fail (run, error);
  g_idle_add (quit, run->loop);
  return NULL;
}

int
p2v_run (const P2vConfig *config, const char *root, gboolean from_kernel, P2vProgressStyle style)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
  g_autoptr (P2vProgress) progress = p2v_progress_new (style, print_progress, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Run run = {
    .config = config,
    .root = root,
    .from_kernel = from_kernel,
    .style = style,
    .progress = progress,
    .cancellable = cancellable,
    .loop = loop,
  };
  guint sources[G_N_ELEMENTS (signals)];
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    sources[i] = g_unix_signal_add (signals[i], on_signal, &run);
  guint ticker = g_timeout_add (TICK_MILLISECONDS, on_tick, &run);
  on_tick (&run);
  GThread *worker = g_thread_new ("conversion", work, &run);
  g_main_loop_run (loop);
  g_thread_join (worker);
  g_source_remove (ticker);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    g_source_remove (sources[i]);
  g_free (run.guest);
  return run.status;
}
