/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "p2v-server/profile.h"
#include "p2v-server/table.h"

static gboolean as_json;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON instead of a table", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
set_string (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
}

static JsonObject *
profile_json (const P2vProfile *profile)
{
  JsonObject *object = json_object_new ();
  set_string (object, "name", profile->name);
  set_string (object, "method", profile->method);
  set_string (object, "connection", profile->connection);
  set_string (object, "storage", profile->storage);
  set_string (object, "format", profile->format);
  set_string (object, "allocation", profile->allocation);
  JsonArray *networks = json_array_new ();
  for (guint i = 0; i < profile->networks->len; i++)
    {
      const P2vNetworkRule *rule = profile->networks->pdata[i];
      JsonObject *network = json_object_new ();
      set_string (network, "from_type", rule->from_type);
      set_string (network, "from_name", rule->from_name);
      set_string (network, "to_type", rule->to_type);
      set_string (network, "to_name", rule->to_name);
      json_array_add_object_element (networks, network);
    }
  json_object_set_array_member (object, "networks", networks);
  return object;
}

/* "default → network lan, bridge br0 → bridge br7" */
static char *
networks_text (const P2vProfile *profile)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < profile->networks->len; i++)
    {
      const P2vNetworkRule *rule = profile->networks->pdata[i];
      g_string_append_printf (text, "%s%s%s%s → %s%s%s", i > 0 ? ", " : "", rule->from_type,
                              rule->from_name != NULL ? " " : "",
                              rule->from_name != NULL ? rule->from_name : "", rule->to_type,
                              rule->to_name != NULL ? " " : "",
                              rule->to_name != NULL ? rule->to_name : "");
    }
  return g_string_free (text, FALSE);
}

static void
print_json (GPtrArray *profiles)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *array = json_array_new ();
  for (guint i = 0; i < profiles->len; i++)
    json_array_add_object_element (array, profile_json (profiles->pdata[i]));
  json_object_set_array_member (object, "profiles", array);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  g_print ("%s\n", text);
}

static void
print_table (GPtrArray *profiles)
{
  static const char *const titles[]
      = { "NAME", "METHOD", "STORAGE", "FORMAT", "ALLOCATION", "NETWORKS", NULL };
  g_autoptr (P2vTable) table = p2v_table_new (titles);
  for (guint i = 0; i < profiles->len; i++)
    {
      const P2vProfile *profile = profiles->pdata[i];
      g_autofree char *networks = networks_text (profile);
      p2v_table_add (table, profile->name, profile->method, profile->storage, profile->format,
                     profile->allocation, networks);
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
  const char *file = invocation->config->profiles_file;
  g_autoptr (GPtrArray) profiles = p2v_profiles_load (file, &error);
  if (profiles == NULL)
    return p2v_command_fail (error);
  if (as_json)
    print_json (profiles);
  else if (profiles->len == 0)
    g_print ("There are no profiles: %s does not exist or has none. Without p2v.profile= a guest "
             "goes where p2v.o, p2v.os and the like say.\n",
             file);
  else
    print_table (profiles);
  return 0;
}

const P2vCommand p2v_command_profiles = {
  .name = "profiles",
  .summary = "list the named targets that p2v.profile= can choose",
  .run = run,
};
