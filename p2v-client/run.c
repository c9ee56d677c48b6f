/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/run-parts.h"

#include "common/error.h"
#include "p2v-client/hooks.h"
#include "p2v-client/text.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TICK_MILLISECONDS 1000

/* How many places that could not be read are listed at the end; the server lists all. */
#define PLACES_LISTED 20

/* What a person who finds a failed machine can do. */
#define NEXT_STEPS                                                                                 \
  "The machine's disks are as they were. There is a shell on the second screen (Alt-F2); on a\n"   \
  "serial console it follows below. Once the cause is mended, start again with\n"                  \
  "  p2v-client --unattended\n"

int
p2v_run_report (const GError *error, P2vConsoles *consoles)
{
  /* A message may hold what a server or a program said, with lines of its own. */
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", -1);
  g_autoptr (GString) text = g_string_new (NULL);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *line = p2v_text_printable (lines[i]);
      if (i == 0 || line[0] != '\0')
        g_string_append_printf (text, "%s%s\n", i == 0 ? "p2v-client: " : "  ", line);
    }
  if (consoles != NULL)
    p2v_consoles_print_error (consoles, text->str, -1);
  else
    g_printerr ("%s", text->str);
  return (int)p2v_error_code_of (error);
}

static void
print_progress (const char *text, gpointer user_data)
{
  P2vRun *run = user_data;
  if (run->options->consoles != NULL)
    p2v_consoles_print (run->options->consoles, text, -1);
  /* Nobody reading any more is no reason to stop a conversion. */
  else if (fputs (text, stdout) < 0 || fflush (stdout) != 0)
    clearerr (stdout);
}

void
p2v_run_begin (P2vRun *run, const char *activity)
{
  p2v_progress_begin (run->progress, activity, g_get_monotonic_time ());
}

void
p2v_run_note (const char *line, gpointer run)
{
  p2v_progress_note (((P2vRun *)run)->progress, line, g_get_monotonic_time ());
}

static gboolean
on_tick (gpointer user_data)
{
  P2vRun *run = user_data;
  struct winsize size = { 0 };
  if (run->options->style == P2V_PROGRESS_TERMINAL && ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
    p2v_progress_set_size (run->progress, size.ws_col, size.ws_row);
  p2v_progress_tick (run->progress, g_get_monotonic_time ());
  if (run->options->consoles != NULL)
    p2v_consoles_flush (run->options->consoles);
  return G_SOURCE_CONTINUE;
}

static gboolean
stop (P2vRun *run, void (*how) (GCancellable *cancellable))
{
  /* Not exit(): the other thread is still using what that would tear down. */
  if (g_cancellable_is_cancelled (run->cancellable))
    _exit (P2V_ERROR_CANCELLED);
  how (run->cancellable);
  p2v_run_begin (run, "Stopping (once more to stop at once)");
  return G_SOURCE_CONTINUE;
}

/* A person gives the conversion up. */
static gboolean
on_interrupt (gpointer user_data)
{
  return stop (user_data, g_cancellable_cancel);
}

/* The terminal is gone. Nobody has said that what has landed is of no use. */
static gboolean
on_hangup (gpointer user_data)
{
  return stop (user_data, p2v_conversion_leave);
}

/* A command that switches the machine off is what makes the system end us, before that command has
 * ended: nothing has gone wrong then, and there is nothing left to stop. */
static gboolean
on_terminate (gpointer user_data)
{
  P2vRun *run = user_data;
  if (g_atomic_int_get (&run->closing)
      && g_atomic_int_compare_and_exchange (&run->terminated, 0, 1))
    return G_SOURCE_CONTINUE;
  return on_hangup (run);
}

/* What a command prints goes where everything goes. */
static gboolean
on_hook_output (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  P2vRun *run = user_data;
  char data[4096];
  ssize_t n;
  while ((n = read (fd, data, sizeof data)) > 0)
    p2v_consoles_print (run->options->consoles, data, n);
  return G_SOURCE_CONTINUE;
}

/* The exit status that a run has when it ends now. */
static int
status_of (const P2vRun *run, const GError *failure)
{
  if (failure != NULL)
    return (int)p2v_error_code_of (failure);
  return run->bad->len > 0 ? P2V_STATUS_UNREADABLE : 0;
}

/* And why it is not 0 (transfer full). */
static char *
describe_outcome (const P2vRun *run, const GError *failure)
{
  if (failure != NULL)
    return g_strdup (failure->message);
  return run->bad->len > 0 ? p2v_bad_ranges_text (run->bad) : g_strdup ("");
}

gboolean
p2v_run_hook (P2vRun *run, const char *name, const char *command, const GError *failure,
              GError **error)
{
  if (command == NULL || command[0] == '\0')
    return TRUE;
  g_autofree char *note = g_strdup_printf ("Running the command of %s", name);
  p2v_run_note (note, run);
  const char *guest_name = run->request != NULL ? run->request->guest->name : "";
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *server = g_strdup_printf ("P2V_SERVER=%s", run->config->server);
  g_autofree char *guest = g_strdup_printf ("P2V_GUEST=%s", guest_name);
  g_autofree char *outcome = describe_outcome (run, failure);
  g_autofree char *status = g_strdup_printf ("P2V_STATUS=%d", status_of (run, failure));
  g_autofree char *message = g_strdup_printf ("P2V_MESSAGE=%s", outcome);
  g_strv_builder_add_many (builder, server, guest, status, message, NULL);
  g_auto (GStrv) environment = g_strv_builder_end (builder);
  P2vHookOutput output = { run->hook_output, run->hook_output };
  /* Standard output is not for people then. */
  if (run->options->style == P2V_PROGRESS_JSON)
    output.out = STDERR_FILENO;
  return p2v_hook_run (name, command, (const char *const *)environment, &output, run->cancellable,
                       error);
}

/* Runs the command that is the last thing this program does, whatever the outcome was. */
static gboolean
run_closing_hook (P2vRun *run, const char *name, const char *command, const GError *failure,
                  GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_atomic_int_set (&run->closing, 1);
  if (p2v_run_hook (run, name, command, failure, &reason) || g_atomic_int_get (&run->terminated))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

/* The conversion has failed: said first, since the command may switch the machine off. */
static void
fail (P2vRun *run, const GError *failure)
{
  P2vConsoles *consoles = run->options->consoles;
  p2v_progress_end (run->progress, failure);
  run->status = p2v_run_report (failure, consoles);
  if (consoles != NULL)
    {
      p2v_run_tell_server (run, failure);
      p2v_consoles_print_error (consoles, NEXT_STEPS, -1);
      p2v_consoles_drain (consoles);
    }
  g_autoptr (GError) error = NULL;
  if (run->status != P2V_ERROR_CANCELLED
      && !run_closing_hook (run, "p2v.fail", run->config->fail, failure, &error))
    p2v_run_report (error, consoles);
}

/* That the conversion went well, but not all of the machine is in the guest. */
static void
report_bad (P2vRun *run)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint places = run->bad->len;
  g_string_append_printf (text,
                          "p2v-client: not all of this machine could be read: %" G_GINT64_FORMAT
                          " bytes of its disks, in %u %s, are zeroes in the guest:\n",
                          p2v_bad_ranges_bytes (run->bad), places,
                          places == 1 ? "place" : "places");
  for (guint i = 0; i < MIN (places, PLACES_LISTED); i++)
    {
      g_autofree char *place = p2v_bad_range_text (run->bad->pdata[i]);
      g_autofree char *line = p2v_text_printable (place);
      g_string_append_printf (text, "  %s\n", line);
    }
  if (places > PLACES_LISTED)
    g_string_append_printf (text, "  and %u more\n", places - PLACES_LISTED);
  g_string_append_printf (text,
                          "Check the guest's filesystems, and restore from a backup what lies "
                          "there. `p2v-server show %s` on %s has the list.\n",
                          run->job, run->config->server);
  if (run->options->consoles != NULL)
    p2v_consoles_print_error (run->options->consoles, text->str, -1);
  else
    g_printerr ("%s", text->str);
}

static void
succeed (P2vRun *run)
{
  if (run->bad->len > 0)
    report_bad (run);
  g_autoptr (GError) error = NULL;
  const char *post = p2v_hook_post (run->config, run->options->from_kernel, geteuid () == 0);
  /* A slow serial line is to have everything before the machine is switched off. */
  if (run->options->consoles != NULL)
    p2v_consoles_drain (run->options->consoles);
  gboolean done = run_closing_hook (run, "p2v.post", post, NULL, &error);
  if (!done)
    {
      g_prefix_error (&error, "the guest is there, but ");
      p2v_error_recode (&error, P2V_ERROR_FAILED);
    }
  p2v_progress_end (run->progress, error);
  run->status = done ? status_of (run, NULL) : p2v_run_report (error, run->options->consoles);
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
  P2vRun *run = user_data;
  g_autoptr (GError) error = NULL;
  gboolean converted = p2v_run_convert (run, &error);
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

/* Runs the worker, and the loop until it is done. */
static void
run_loop (P2vRun *run)
{
  static const struct
  {
    int number;
    GSourceFunc handle;
  } signals[] = { { SIGINT, on_interrupt }, { SIGTERM, on_terminate }, { SIGHUP, on_hangup } };
  guint sources[G_N_ELEMENTS (signals)];
  int hook_pipe[2] = { -1, -1 };
  guint reader = 0;
  if (run->options->consoles != NULL && g_unix_open_pipe (hook_pipe, FD_CLOEXEC, NULL)
      && g_unix_set_fd_nonblocking (hook_pipe[0], TRUE, NULL))
    reader = g_unix_fd_add (hook_pipe[0], G_IO_IN, on_hook_output, run);
  run->hook_output = reader != 0 ? hook_pipe[1] : -1;
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    sources[i] = g_unix_signal_add (signals[i].number, signals[i].handle, run);
  guint ticker = g_timeout_add (TICK_MILLISECONDS, on_tick, run);
  on_tick (run);
  GThread *worker = g_thread_new ("conversion", work, run);
  g_main_loop_run (run->loop);
  g_thread_join (worker);
  g_source_remove (ticker);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    g_source_remove (sources[i]);
  if (reader == 0)
    return;
  /* What a command printed at last; those that it left running may keep the other end open. */
  g_source_remove (reader);
  on_hook_output (hook_pipe[0], G_IO_IN, run);
  close (hook_pipe[1]);
  close (hook_pipe[0]);
}

int
p2v_run (const P2vRunOptions *options)
{
  P2vRun run = { .options = options, .config = options->config };
  g_autoptr (P2vProgress) progress = p2v_progress_new (options->style, print_progress, &run);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  run.progress = progress;
  run.cancellable = cancellable;
  run.loop = loop;
  run.bad = p2v_bad_ranges_new ();
  run_loop (&run);
  g_ptr_array_unref (run.bad);
  g_free (run.job);
  g_clear_pointer (&run.machine, p2v_machine_free);
  g_clear_pointer (&run.request, p2v_request_free);
  return run.status;
}
