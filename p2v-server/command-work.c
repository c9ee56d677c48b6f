/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "p2v-server/worker.h"

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, NULL, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  const char *id = invocation->arguments[0];
  g_autoptr (P2vJob) seen = p2v_job_load (invocation->config, id, &error);
  if (seen == NULL || !p2v_account_become_owner (seen->dir, &error))
    return p2v_command_fail (error);
  g_autoptr (P2vJob) job = p2v_job_open (invocation->config, id, &error);
  if (job == NULL || !p2v_worker_run (invocation->config, job, &error))
    return p2v_command_fail (error);
  return 0;
}

const P2vCommand p2v_command_work = {
  .name = "work",
  .argument = "ID",
  .summary = "convert and define a received job in this process",
  .details = "Started by the session that received the job, and by \"p2v-server retry\".",
  .internal = TRUE,
  .run = run,
};
