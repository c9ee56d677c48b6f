/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "p2v-server/cancel.h"
#include "p2v-server/outcome.h"

/* A holder looks several times a second, and the slowest of what it has to end takes 3 seconds to
 * be asked and not much longer to be made to. */
#define PATIENCE_SECONDS 20

static gboolean as_json;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL },
  G_OPTION_ENTRY_NULL,
};

/* before: the job as it was, with all its images. */
static void
tell (const P2vJob *before, const P2vJob *job)
{
  g_autoptr (P2vOutcome) outcome = p2v_outcome_new ();
  g_autoptr (P2vOutcome) had = p2v_outcome_new ();
  p2v_outcome_add_images (had->removed, before->plan);
  p2v_outcome_add_images (outcome->kept, job->plan);
  for (guint i = 0; i < had->removed->len; i++)
    if (!g_ptr_array_find_with_equal_func (outcome->kept, had->removed->pdata[i], g_str_equal,
                                           NULL))
      g_ptr_array_add (outcome->removed, g_strdup (had->removed->pdata[i]));
  g_ptr_array_add (outcome->kept, g_strdup (job->dir));
  p2v_outcome_print (outcome, as_json);
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
  g_autoptr (P2vJob) before = p2v_job_load (invocation->config, id, &error);
  /* Before anything is written: what root would make, the account could not change later. */
  if (before == NULL || !p2v_account_become_owner (before->dir, &error))
    return p2v_command_fail (error);
  g_autoptr (P2vJob) job = p2v_cancel_job (invocation->config, id, PATIENCE_SECONDS, &error);
  if (job == NULL)
    return p2v_command_fail (error);
  tell (before, job);
  return 0;
}

const P2vCommand p2v_command_cancel = {
  .name = "cancel",
  .argument = "ID",
  .summary = "give a job up, at whatever stage it is",
  .details = "Ends its processes within seconds and removes what it has made: sockets, overlays, "
             "images. Images\nthat are converted already are kept, and so is the job's record "
             "(\"p2v-server remove\").",
  .run = run,
};
