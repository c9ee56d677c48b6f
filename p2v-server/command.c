/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static GOptionContext *
new_context (const P2vCommand *command, const GOptionEntry *entries)
{
  /* GLib puts "p2v-server [OPTION…]" before it. */
  g_autofree char *usage = g_strjoin (" ", command->name, command->argument, NULL);
  GOptionContext *context = g_option_context_new (usage);
  g_autofree char *summary = g_strdup (command->summary);
  summary[0] = g_ascii_toupper (summary[0]);
  g_autofree char *sentence = g_strconcat (summary, ".", NULL);
  g_option_context_set_summary (context, sentence);
  g_option_context_set_description (context, command->details);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

static gboolean
check_count (const P2vCommand *command, int argc, GError **error)
{
  int expected = command->argument != NULL ? 2 : 1;
  if (argc == expected || (command->optional && argc == expected - 1))
    return TRUE;
  g_autofree char *problem
      = expected == 1 ? g_strdup_printf ("%s takes no argument", command->name)
        : argc < expected
            ? g_strdup_printf ("%s: %s is missing", command->name, command->argument)
            : g_strdup_printf ("%s takes one %s and no more", command->name, command->argument);
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s. See p2v-server %s --help.", problem,
               command->name);
  return FALSE;
}

P2vInvocation *
p2v_invocation_new (const P2vCommand *command, const GOptionEntry *entries, const char *config_file,
                    int argc, char **argv, GError **error)
{
  g_autofree char *config = NULL;
  const GOptionEntry common[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &config,
      "Configuration file (default: " P2V_SERVER_CONFIG_FILE ")", "FILE" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = new_context (command, entries);
  g_option_context_add_main_entries (context, common, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    {
      p2v_error_recode (error, P2V_ERROR_USAGE);
      g_prefix_error (error, "%s: ", command->name);
      return NULL;
    }
  if (argc > 1 && strcmp (argv[1], "--") == 0)
    {
      argv++;
      argc--;
    }
  if (!check_count (command, argc, error))
    return NULL;
  g_autoptr (P2vInvocation) invocation = g_new0 (P2vInvocation, 1);
  invocation->command = command;
  invocation->arguments = g_strdupv (argv + 1);
  invocation->config = p2v_server_config_load (config != NULL ? config : config_file, error);
  return invocation->config == NULL ? NULL : g_steal_pointer (&invocation);
}

void
p2v_invocation_free (P2vInvocation *invocation)
{
  if (invocation == NULL)
    return;
  p2v_server_config_free (invocation->config);
  g_strfreev (invocation->arguments);
  g_free (invocation);
}

int
p2v_command_fail (const GError *error)
{
  g_printerr ("p2v-server: %s\n", error->message);
  return (int)p2v_error_code_of (error);
}

gboolean
p2v_account_become_owner (const char *path, GError **error)
{
  struct stat status;
  if (geteuid () != 0 || stat (path, &status) < 0 || status.st_uid == 0)
    return TRUE;
  const struct passwd *user = getpwuid (status.st_uid);
  /* The order matters: groups can no longer be set once the user is not root. */
  if (user == NULL || initgroups (user->pw_name, user->pw_gid) < 0
      || setresgid (user->pw_gid, user->pw_gid, user->pw_gid) < 0
      || setresuid (user->pw_uid, user->pw_uid, user->pw_uid) < 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                   "cannot become the owner of %s (user id %u)%s. Run this as that user.", path,
                   (unsigned)status.st_uid, user == NULL ? ", who is not in /etc/passwd" : "");
      return FALSE;
    }
  g_setenv ("HOME", user->pw_dir, TRUE);
  g_setenv ("USER", user->pw_name, TRUE);
  g_setenv ("LOGNAME", user->pw_name, TRUE);
  g_unsetenv ("XDG_RUNTIME_DIR");
  return TRUE;
}
