/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "p2v-server/recover.h"
#include "p2v-server/table.h"

static gboolean as_json;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
print_json (GPtrArray *list)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *array = json_array_new ();
  for (guint i = 0; i < list->len; i++)
    {
      const P2vRecovered *recovered = list->pdata[i];
      JsonObject *job = json_object_new ();
      json_object_set_string_member (job, "id", recovered->id);
      json_object_set_string_member (job, "from", recovered->from);
      json_object_set_string_member (job, "to", recovered->to);
      json_object_set_string_member (job, "message", recovered->message);
      json_array_add_object_element (array, job);
    }
  json_object_set_array_member (object, "jobs", array);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  g_print ("%s\n", text);
}

static void
print_text (GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++)
    {
      const P2vRecovered *recovered = list->pdata[i];
      g_autofree char *message = p2v_text_clean (recovered->message);
      g_print ("%s (%s): %s\n", recovered->id, recovered->from, message);
    }
  if (list->len == 0)
    g_print ("There was nothing to take up.\n");
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  const P2vServerConfig *config = invocation->config;
  /* What root would make, the account could not change later. */
  if (!p2v_account_become_owner (config->state_dir, &error))
    return p2v_command_fail (error);
  g_autoptr (GPtrArray) list = p2v_recover (config, &error);
  if (list == NULL)
    return p2v_command_fail (error);
  if (as_json)
    print_json (list);
  else
    print_text (list);
  return 0;
}

const P2vCommand p2v_command_recover = {
  .name = "recover",
  .summary = "take up the jobs whose process is gone",
  .details
  = "Run at boot by p2v-recover.service, and by each session. Transfers wait for their "
    "machine; conversion\nand definition begin their stage again. Jobs that somebody works "
    "on are left alone.",
  .run = run,
};
