/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "p2v-server/change.h"
#include "p2v-server/follow.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-text.h"
#include "p2v-server/worker.h"

#include <string.h>
#include <sys/stat.h>

static gboolean wait_for_end;
static P2vChange change;

static const GOptionEntry entries[] = {
  { "wait", 'w', 0, G_OPTION_ARG_NONE, &wait_for_end,
    "Print what happens until the job ends; the exit status tells how", NULL },
  { "root", 0, 0, G_OPTION_ARG_STRING, &change.root,
    "Which operating system to convert, as virt-v2v's --root", "ROOT" },
  { "network", 0, 0, G_OPTION_ARG_STRING_ARRAY, &change.networks,
    "Where a network interface, or all of them, goes (repeatable)", "[NIC:]TARGET" },
  { "profile", 0, 0, G_OPTION_ARG_STRING, &change.profile, "Another profile", "NAME" },
  { "output", 0, 0, G_OPTION_ARG_STRING, &change.mode, "Another output mode, as virt-v2v's -o",
    "MODE" },
  { "connection", 0, 0, G_OPTION_ARG_STRING, &change.connection, "As virt-v2v's -oc", "URI" },
  { "storage", 0, 0, G_OPTION_ARG_STRING, &change.storage, "As virt-v2v's -os", "PLACE" },
  { "format", 0, 0, G_OPTION_ARG_STRING, &change.format, "As virt-v2v's -of", "FORMAT" },
  { "option", 0, 0, G_OPTION_ARG_STRING_ARRAY, &change.options,
    "As virt-v2v's -oo; replaces all that there were (repeatable)", "KEY=VALUE" },
  G_OPTION_ENTRY_NULL,
};

/* Where the events end now: what comes later belongs to this attempt. */
static gboolean
find_end_of_events (const P2vJob *job, goffset *offset, GError **error)
{
  g_autoptr (GPtrArray) events = p2v_job_read_events (job, offset, error);
  return events != NULL;
}

/* Takes the job's lock for a moment to see that it can go on. changed: when it last changed. */
static gboolean
check (const P2vServerConfig *config, const char *id, gint64 *changed, goffset *offset,
       GError **error)
{
  g_autoptr (P2vJob) seen = p2v_job_load (config, id, error);
  /* Before anything is written: what root would make, the account could not change later. */
  if (seen == NULL || !p2v_account_become_owner (seen->dir, error))
    return FALSE;
  g_autoptr (P2vJob) job = p2v_job_open (config, id, error);
  if (job == NULL)
    return FALSE;
  if (p2v_worker_next_stage (job, error) == NULL || !p2v_change_apply (config, job, &change, error)
      || !find_end_of_events (job, offset, error))
    return FALSE;
  /* An old request to give it up is not meant for this attempt. */
  p2v_job_withdraw_cancel (job);
  *changed = job->changed;
  return TRUE;
}

static gboolean
wait_for (const P2vServerConfig *config, const char *id, gint64 changed, goffset offset,
          GError **error)
{
  g_autoptr (P2vJob) job = p2v_job_load (config, id, error);
  /* Until the worker has written to the job, the outcome that it shows is the previous one. */
  for (int look = 0; job != NULL && job->changed == changed && look < 50; look++)
    {
      g_usleep (100 * 1000);
      g_clear_pointer (&job, p2v_job_free);
      job = p2v_job_load (config, id, error);
    }
  if (job == NULL || !p2v_follow_run (config, &job, &offset, FALSE, error))
    return FALSE;
  if (g_strcmp0 (job->state, P2V_JOB_DONE) == 0)
    return TRUE;
  g_autofree char *log = p2v_job_path (job, P2V_WORKER_LOG);
  if (g_strcmp0 (job->state, P2V_JOB_FAILED) == 0 && job->changed != changed)
    g_set_error (error, P2V_ERROR, (gint)p2v_error_code_from_name (job->error_code), "job %s: %s",
                 id, job->error_message);
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                 "job %s: its process ended without finishing. %s may say why.", id, log);
  return FALSE;
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  const char *id = invocation->arguments[0];
  gint64 changed = 0;
  goffset offset = 0;
  if (!check (invocation->config, id, &changed, &offset, &error)
      || !p2v_worker_spawn (invocation->config, id, &error))
    return p2v_command_fail (error);
  if (!wait_for_end)
    {
      g_print ("Job %s goes on in the background. \"p2v-server log %s --follow\" shows how.\n", id,
               id);
      return 0;
    }
  return wait_for (invocation->config, id, changed, offset, &error) ? 0 : p2v_command_fail (error);
}

const P2vCommand p2v_command_retry = {
  .name = "retry",
  .argument = "ID",
  .summary = "convert or define again what was received in full",
  .details = "Begins at the stage that failed. The machine is not needed: the received images were "
             "kept.\nThey stay where they are: output options can be changed where virt-v2v writes "
             "the guest elsewhere.",
  .run = run,
};
