/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "p2v-server/job-text.h"
#include "p2v-server/table.h"

static gboolean as_json;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON instead of a table", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
print_json (GPtrArray *jobs)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *array = json_array_new ();
  for (guint i = 0; i < jobs->len; i++)
    json_array_add_object_element (array, p2v_job_summary_json (jobs->pdata[i]));
  json_object_set_array_member (object, "jobs", array);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  g_print ("%s\n", text);
}

static void
print_table (GPtrArray *jobs)
{
  static const char *const titles[]
      = { "ID", "STATE", "GUEST", "SIZE", "CREATED", "CHANGED", NULL };
  g_autoptr (P2vTable) table = p2v_table_new (titles);
  for (guint i = 0; i < jobs->len; i++)
    {
      const P2vJob *job = jobs->pdata[i];
      g_autofree char *state = p2v_job_state_text (job);
      g_autofree char *size = p2v_text_size (p2v_job_total_size (job));
      g_autofree char *created = p2v_text_time (job->created);
      g_autofree char *changed = p2v_text_time (job->changed);
      p2v_table_add (table, job->id, state, job->request->guest->name, size, created, changed);
    }
  p2v_table_print (table);
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (invocation->config, &error);
  if (jobs == NULL)
    return p2v_command_fail (error);
  if (as_json)
    print_json (jobs);
  else if (jobs->len == 0)
    g_print ("There are no jobs in %s.\n", invocation->config->state_dir);
  else
    print_table (jobs);
  return 0;
}

const P2vCommand p2v_command_jobs = {
  .name = "jobs",
  .summary = "list all jobs, oldest first",
  .details = "A state followed by \"stopped\" means that nobody works on the job any more although "
             "it is not\nfinished (the server was restarted, or the process was ended); "
             "\"p2v-server show ID\" says how\nto go on.",
  .run = run,
};
