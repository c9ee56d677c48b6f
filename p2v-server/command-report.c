/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "p2v-server/bundle.h"

static char *output;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
    "Write it there (default: p2v-report-ID.tar.gz in the current directory)", "FILE" },
  G_OPTION_ENTRY_NULL,
};

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  g_autoptr (P2vJob) job = p2v_job_load (invocation->config, invocation->arguments[0], &error);
  if (job == NULL)
    return p2v_command_fail (error);
  g_autofree char *path
      = output != NULL ? g_strdup (output) : g_strdup_printf ("p2v-report-%s.tar.gz", job->id);
  if (!p2v_bundle_write (invocation->config, job, path, &error))
    return p2v_command_fail (error);
  g_print ("%s\n", path);
  g_printerr ("Passwords and keys are left out. The machine's names, addresses and serial numbers, "
              "and what its system printed while it was converted, are in it.\n");
  return 0;
}

const P2vCommand p2v_command_report = {
  .name = "report",
  .argument = "ID",
  .summary = "write all that tells why a job failed into one file",
  .details = "For a bug report: the job, its events, all logs, the versions of everything and what "
             "\"p2v-server\ncheck\" says, without passwords and other secrets. Only its owner may "
             "read the file.",
  .run = run,
};
