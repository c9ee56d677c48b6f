/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"

#include <locale.h>
#include <string.h>

static const P2vCommand *const commands[] = {
  &p2v_command_jobs,   &p2v_command_show,     &p2v_command_log,     &p2v_command_verify,
  &p2v_command_retry,  &p2v_command_cancel,   &p2v_command_remove,  &p2v_command_recover,
  &p2v_command_report, &p2v_command_profiles, &p2v_command_check,   &p2v_command_setup,
  &p2v_command_media,  &p2v_command_forced,   &p2v_command_session, &p2v_command_lane,
  &p2v_command_work,
};

static const P2vCommand *
find_command (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i]->name, name) == 0)
      return commands[i];
  return NULL;
}

static void
append_commands (GString *text, gboolean internal)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      const P2vCommand *command = commands[i];
      if (command->internal != internal)
        continue;
      g_autofree char *usage = g_strjoin (" ", command->name, command->argument, NULL);
      g_string_append_printf (text, "  %-17s %s\n", usage, command->summary);
    }
}

static GOptionContext *
new_context (const GOptionEntry *entries)
{
  GOptionContext *context = g_option_context_new ("COMMAND [ARGUMENT]");
  g_autoptr (GString) text = g_string_new ("Commands:\n");
  append_commands (text, FALSE);
  g_string_append (text, "\nRun by sshd and by p2v-server itself:\n");
  append_commands (text, TRUE);
  g_string_append (text, "\np2v-server COMMAND --help tells more; so does p2v-server(8).");
  g_option_context_set_summary (context,
                                "The conversion server's side of p2v: receives machines, converts "
                                "them and defines their guests.");
  g_option_context_set_description (context, text->str);
  g_option_context_add_main_entries (context, entries, NULL);
  /* Options after the command's name are the command's. */
  g_option_context_set_strict_posix (context, TRUE);
  return context;
}

static int
run_command (const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const P2vCommand *command = argc > 1 ? find_command (argv[1]) : NULL;
  if (command != NULL)
    return command->run (command, config_file, argc - 1, argv + 1);
  if (argc > 1)
    g_set_error (&error, P2V_ERROR, P2V_ERROR_USAGE,
                 "there is no command \"%s\". \"p2v-server --help\" lists those there are.",
                 argv[1]);
  else
    g_set_error_literal (&error, P2V_ERROR, P2V_ERROR_USAGE,
                         "which command? \"p2v-server --help\" lists those there are.");
  return p2v_command_fail (error);
}

/* As a login shell we are run with "-c COMMAND" by sshd, and with a "-" before our name by whoever
 * wants to log in. The account may have a forced command besides; sshd then passes that one. */
static int
run_as_shell (int argc, char **argv)
{
  const char *asked = argc == 3 ? argv[2] : NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *forced = g_strconcat (program != NULL ? program : "p2v-server", " forced", NULL);
  if (g_strcmp0 (asked, forced) == 0 || g_strcmp0 (asked, "p2v-server forced") == 0)
    asked = g_getenv ("SSH_ORIGINAL_COMMAND");
  return p2v_forced_run (asked, NULL);
}

int
p2v_server_main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  if (argc > 0 && (argv[0][0] == '-' || (argc > 1 && strcmp (argv[1], "-c") == 0)))
    return run_as_shell (argc, argv);

  g_autofree char *config_file = NULL;
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &config_file,
      "Configuration file (default: " P2V_SERVER_CONFIG_FILE ")", "FILE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = new_context (entries);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      p2v_error_recode (&error, P2V_ERROR_USAGE);
      return p2v_command_fail (error);
    }
  if (version)
    {
      g_print ("p2v-server %s\n", P2V_VERSION);
      return 0;
    }
  return run_command (config_file, argc, argv);
}
