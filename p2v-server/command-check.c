/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "p2v-server/check.h"
#include "p2v-server/table.h"

static gboolean as_json;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON instead of a table", NULL },
  G_OPTION_ENTRY_NULL,
};

static guint
count (GPtrArray *items, P2vCheckStatus status)
{
  guint number = 0;
  for (guint i = 0; i < items->len; i++)
    number += ((const P2vCheckItem *)items->pdata[i])->status == status;
  return number;
}

static void
print_json (GPtrArray *items)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *array = json_array_new ();
  for (guint i = 0; i < items->len; i++)
    {
      const P2vCheckItem *item = items->pdata[i];
      g_autofree char *message = g_utf8_make_valid (item->message, -1);
      JsonObject *check = json_object_new ();
      json_object_set_string_member (check, "status", p2v_check_status_name (item->status));
      json_object_set_string_member (check, "subject", item->subject);
      json_object_set_string_member (check, "message", message);
      json_array_add_object_element (array, check);
    }
  json_object_set_boolean_member (object, "ok", count (items, P2V_CHECK_PROBLEM) == 0);
  json_object_set_array_member (object, "checks", array);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  g_print ("%s\n", text);
}

static void
print_table (GPtrArray *items)
{
  static const char *const titles[] = { "STATUS", "WHAT", "FOUND", NULL };
  g_autoptr (P2vTable) table = p2v_table_new (titles);
  for (guint i = 0; i < items->len; i++)
    {
      const P2vCheckItem *item = items->pdata[i];
      p2v_table_add (table, p2v_check_status_name (item->status), item->subject, item->message);
    }
  p2v_table_print (table);
  guint problems = count (items, P2V_CHECK_PROBLEM);
  guint warnings = count (items, P2V_CHECK_WARNING);
  g_print ("\n%s (%u problem%s, %u warning%s)\n",
           problems == 0 ? "This server can convert machines." : "This server cannot convert yet.",
           problems, problems == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  g_autoptr (GPtrArray) items = p2v_check_run (invocation->config);
  if (as_json)
    print_json (items);
  else
    print_table (items);
  return count (items, P2V_CHECK_PROBLEM) == 0 ? 0 : P2V_ERROR_FAILED;
}

const P2vCommand p2v_command_check = {
  .name = "check",
  .summary = "see what is installed, what is missing, and whether there is space",
  .details = "Run it as the account that receives machines, e.g. runuser -u p2v -- p2v-server "
             "check.\nThe exit status is 1 when something is missing that every conversion needs.",
  .run = run,
};
