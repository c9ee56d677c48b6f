/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/run-parts.h"

#include "common/error.h"
#include "p2v-client/failure.h"
#include "p2v-client/inventory.h"
#include "p2v-client/network-wait.h"
#include "p2v-client/retry.h"
#include "p2v-client/text.h"

#include <unistd.h>

/* How long a server that cannot be reached may keep p2v.fail waiting, seconds. */
#define TELL_FOR 120

static void
begin_job (P2vRun *run, const char *id)
{
  g_autofree char *job = p2v_text_printable (id);
  run->accepted = TRUE;
  /* What another job could not read, this one may. */
  if (g_strcmp0 (job, run->job) != 0)
    g_ptr_array_set_size (run->bad, 0);
  g_free (run->job);
  run->job = g_steal_pointer (&job);
}

static void
on_update (const P2vUpdate *update, gpointer user_data)
{
  P2vRun *run = user_data;
  if (update->kind == P2V_UPDATE_CREATED)
    begin_job (run, update->text);
  if (update->kind == P2V_UPDATE_BAD)
    p2v_bad_ranges_set (run->bad, update->bad);
  p2v_progress_update (run->progress, update, g_get_monotonic_time ());
}

static gboolean
wait_for_network (P2vRun *run, GError **error)
{
  const P2vConfig *config = run->config;
  if (!run->online && run->options->consoles != NULL)
    run->online = p2v_network_wait (config->server, config->wait_for, p2v_run_note, run,
                                    run->cancellable, error);
  return run->online || run->options->consoles == NULL;
}

static void
say_again (P2vRun *run, const P2vRetry *retry, const GError *failure, gint64 pause)
{
  g_autofree char *message = p2v_text_printable (failure->message);
  g_autofree char *failed = g_strdup_printf ("Attempt %u failed: %s", retry->tries, message);
  gint64 left = p2v_retry_left (retry, g_get_monotonic_time ());
  g_autofree char *left_text = p2v_duration_format (left);
  g_autofree char *how = g_strdup_printf (
      "This may pass, so there will be further attempts for %s. To stop: %s`kill %d` in %s shell.",
      left_text, isatty (STDIN_FILENO) ? "Ctrl-C, or " : "", (int)getpid (),
      run->options->consoles != NULL ? "the second screen's (Alt-F2)" : "another");
  g_autofree char *next = g_strdup_printf ("Waiting %" G_GINT64_FORMAT " s to try again", pause);
  p2v_run_note (failed, run);
  p2v_run_note (how, run);
  p2v_run_begin (run, next);
}

/* After a failure: waits for the next try if there is to be one. Else, or when cancelled while
 * waiting, returns FALSE with the error that counts. failure: (transfer full). */
static gboolean
wait_to_retry (P2vRun *run, P2vRetry *retry, GError *failure, GError **error)
{
  gint64 pause = 0;
  /* Once there is a job the conversion itself has tried for as long. */
  if (!g_cancellable_is_cancelled (run->cancellable) && !run->accepted)
    pause = p2v_retry_after (retry, failure, g_get_monotonic_time ());
  if (pause > 0)
    {
      say_again (run, retry, failure, pause);
      g_error_free (failure);
      return p2v_pause (pause * 1000, run->cancellable, error);
    }
  if (retry->tries > 1)
    {
      gint64 seconds = (g_get_monotonic_time () - retry->started) / G_USEC_PER_SEC;
      g_autofree char *time = p2v_duration_format (seconds);
      g_prefix_error (&failure, "given up after %u attempts in %s: ", retry->tries, time);
    }
  g_propagate_error (error, failure);
  return FALSE;
}

/* How long a server that cannot be reached at first is tried: where nobody is to be asked, as long
 * as one that is lost on the way. Seconds. */
static gint64
first_patience (const P2vRun *run)
{
  gint64 seconds = run->config->retry_for;
  if (seconds >= 0)
    return seconds;
  return run->options->consoles != NULL ? P2V_RETRY_FOR_DEFAULT : 0;
}

static gboolean
send (P2vRun *run, GError **error)
{
  P2vRetry retry = { .seconds = first_patience (run) };
  g_autofree char *activity = g_strdup_printf ("Connecting to %s", run->config->server);
  for (;;)
    {
      GError *failure = NULL;
      p2v_run_begin (run, activity);
      if (p2v_conversion_run (run->config, run->request, run->cancellable, on_update, NULL, run,
                              &failure))
        return TRUE;
      if (!wait_to_retry (run, &retry, failure, error))
        return FALSE;
    }
}

gboolean
p2v_run_convert (P2vRun *run, GError **error)
{
  /* Before the machine is looked at: the command may be what makes its disks appear. */
  if (!p2v_run_hook (run, "p2v.pre", run->config->pre, NULL, error)
      || !wait_for_network (run, error))
    return FALSE;
  p2v_run_begin (run, "Looking at this machine");
  run->machine = p2v_inventory_collect (run->options->root, run->cancellable, error);
  if (run->machine == NULL)
    return FALSE;
  run->request = p2v_config_to_request (run->config, run->machine, error);
  return run->request != NULL && send (run, error);
}

/* Without the server or a way to it there is nobody to tell; a job that was made has its own end;
 * and who stops a conversion knows that. */
static gboolean
is_to_be_told (const P2vRun *run, const GError *failure)
{
  switch (p2v_error_code_of (failure))
    {
    case P2V_ERROR_CONNECTION:
    case P2V_ERROR_AUTH:
    case P2V_ERROR_CANCELLED:
      return FALSE;
    default:
      return !run->accepted;
    }
}

static char *
tell (P2vRun *run, const GError *failure, GError **error)
{
  P2vRetry retry = { .seconds = MIN (first_patience (run), TELL_FOR) };
  if (!wait_for_network (run, error))
    return NULL;
  /* For the machine's name. */
  if (run->machine == NULL)
    run->machine = p2v_inventory_collect (run->options->root, run->cancellable, NULL);
  for (;;)
    {
      GError *reason = NULL;
      char *job = p2v_failure_tell (run->config, run->machine, failure, run->cancellable, &reason);
      if (job != NULL)
        return job;
      if (!wait_to_retry (run, &retry, reason, error))
        return NULL;
    }
}

void
p2v_run_tell_server (P2vRun *run, const GError *failure)
{
  if (!is_to_be_told (run, failure))
    return;
  g_autoptr (GError) error = NULL;
  g_autofree char *note = g_strdup_printf ("Telling %s about it", run->config->server);
  p2v_run_note (note, run);
  g_autofree char *job = tell (run, failure, &error);
  g_autofree char *shown = p2v_text_printable (job != NULL ? job : error->message);
  g_autofree char *outcome = job != NULL
                                 ? g_strdup_printf ("The server lists it as job %s", shown)
                                 : g_strdup_printf ("The server could not be told: %s", shown);
  p2v_run_note (outcome, run);
}
