/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/hooks.h"

#include "common/error.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What a shell gives a meaning to outside quotes, and what it still does within double ones. */
#define SHELL_SPECIAL ";|&<>$`*()"
#define SHELL_SPECIAL_QUOTED "$`"

#define DEFAULT_POST "poweroff"

/* The first character with a meaning to a shell, 0 when there is none. */
static char
find_shell_language (const char *command)
{
  char quote = '\0';
  for (const char *p = command; *p != '\0'; p++)
    {
      if (*p == '\\' && quote != '\'' && p[1] != '\0')
        p++;
      else if (quote == '\0' && (*p == '\'' || *p == '"'))
        quote = *p;
      else if (*p == quote)
        quote = '\0';
      else if (quote != '\'' && strchr (quote == '"' ? SHELL_SPECIAL_QUOTED : SHELL_SPECIAL, *p))
        return *p;
    }
  return '\0';
}

/* argv: NULL after success for an empty command. */
static gboolean
split (const char *name, const char *command, char ***argv, GError **error)
{
  g_autoptr (GError) reason = NULL;
  *argv = NULL;
  if (command == NULL || command[0] == '\0')
    return TRUE;
  if (g_shell_parse_argv (command, NULL, argv, &reason))
    return TRUE;
  /* A command of spaces only is as good as none. */
  if (g_error_matches (reason, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING))
    return TRUE;
  /* GLib's message repeats the command. */
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
               "%s: the command's quotes are not balanced. Write %s=\"COMMAND ARG ...\" and use "
               "single quotes within it.",
               name, name);
  return FALSE;
}

gboolean
p2v_hook_check (const char *name, const char *command, GError **error)
{
  g_auto (GStrv) argv = NULL;
  char special = command != NULL ? find_shell_language (command) : '\0';
  if (special != '\0')
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "%s: the command is run without a shell, so \"%c\" has no meaning. Write "
                   "%s=\"sh -c '...'\" to have a shell run it, or quote it if it is plain text.",
                   name, special, name);
      return FALSE;
    }
  return split (name, command, &argv, error);
}

static void
kill_hook (GCancellable *cancellable, gpointer process)
{
  (void)cancellable;
  g_subprocess_force_exit (process);
}

static gboolean
wait_for_hook (const char *name, const char *program, GSubprocess *process,
               GCancellable *cancellable, GError **error)
{
  gulong handler = cancellable != NULL
                       ? g_cancellable_connect (cancellable, G_CALLBACK (kill_hook), process, NULL)
                       : 0;
  gboolean waited = g_subprocess_wait (process, NULL, error);
  g_cancellable_disconnect (cancellable, handler);
  if (!waited)
    {
      g_prefix_error (error, "%s: %s: ", name, program);
      p2v_error_recode (error, P2V_ERROR_FAILED);
      return FALSE;
    }
  if (g_subprocess_get_successful (process))
    return TRUE;
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error (error, P2V_ERROR, P2V_ERROR_CANCELLED, "%s: %s was stopped", name, program);
  else if (g_subprocess_get_if_signaled (process))
    g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                 "%s: %s was ended by signal %d (%s). What it printed above says more.", name,
                 program, g_subprocess_get_term_sig (process),
                 g_strsignal (g_subprocess_get_term_sig (process)));
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                 "%s: %s failed with exit status %d. What it printed above says more.", name,
                 program, g_subprocess_get_exit_status (process));
  return FALSE;
}

static GSubprocess *
start_hook (const char *name, char **argv, const char *const *environment,
            const P2vHookOutput *output, GError **error)
{
  /* Standard input stays empty: nobody is there to type. */
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  int out = output != NULL && output->out >= 0 ? fcntl (output->out, F_DUPFD_CLOEXEC, 3) : -1;
  int err = output != NULL && output->err >= 0 ? fcntl (output->err, F_DUPFD_CLOEXEC, 3) : -1;
  if (out >= 0)
    g_subprocess_launcher_take_stdout_fd (launcher, out);
  if (err >= 0)
    g_subprocess_launcher_take_stderr_fd (launcher, err);
  for (gsize i = 0; environment != NULL && environment[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (environment[i], "=", 2);
      g_subprocess_launcher_setenv (launcher, pair[0], pair[1] != NULL ? pair[1] : "", TRUE);
    }
  g_autoptr (GError) reason = NULL;
  GSubprocess *process
      = g_subprocess_launcher_spawnv (launcher, (const char *const *)argv, &reason);
  if (process == NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "%s: cannot run %s: %s. Check that the program is on this system and executable.",
                 name, argv[0], reason->message);
  return process;
}

gboolean
p2v_hook_run (const char *name, const char *command, const char *const *environment,
              const P2vHookOutput *output, GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) argv = NULL;
  if (!p2v_hook_check (name, command, error) || !split (name, command, &argv, error))
    return FALSE;
  if (argv == NULL)
    return TRUE;
  if (g_cancellable_is_cancelled (cancellable))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_CANCELLED, "%s: not run: stopped before", name);
      return FALSE;
    }
  g_autoptr (GSubprocess) process = start_hook (name, argv, environment, output, error);
  return process != NULL && wait_for_hook (name, argv[0], process, cancellable, error);
}

const char *
p2v_hook_post (const P2vConfig *config, gboolean from_kernel, gboolean is_root)
{
  if (config->post != NULL)
    return config->post;
  return from_kernel && is_root ? DEFAULT_POST : NULL;
}
