/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"
#include "p2v-client/hooks.h"
#include "p2v-client/i18n.h"
#include "p2v-client/identity.h"
#include "p2v-client/keyboard.h"
#include "p2v-client/newt/front-end.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Only the live image has this file. */
#define LIVE_FILE P2V_SYSCONFDIR "/p2v/live"

static struct
{
  char *cmdline;
  char *root;
  gboolean version;
} options;

static const GOptionEntry entries[] = {
  { "cmdline", 0, 0, G_OPTION_ARG_FILENAME, &options.cmdline,
    "Fill in what TEXT says, not " P2V_KERNEL_CMDLINE " and " P2V_DEFAULTS_FILE, "TEXT" },
  { "root", 0, 0, G_OPTION_ARG_FILENAME, &options.root, "Describe the machine recorded below DIR",
    "DIR" },
  { "version", 'V', 0, G_OPTION_ARG_NONE, &options.version, "Print the version and exit", NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static gboolean
parse_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (
      context, "Asks, on a text terminal, how to turn the machine it runs on into a KVM guest,\n"
               "and does it.");
  g_option_context_set_description (
      context, "TEXT is written as for p2v-client, whose --help lists the arguments.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    {
      g_prefix_error (error, "cannot read the options: ");
      p2v_error_recode (error, P2V_ERROR_USAGE);
      return FALSE;
    }
  if (*argc == 1)
    return TRUE;
  /* Not quoted: it may be the end of a password that was not put in quotes. */
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                       "there is a word that belongs to no option. Put the text of --cmdline in "
                       "quotes; see p2v-text --help.");
  return FALSE;
}

/* The text may hold a password, and everybody can read a process's arguments.
 * words: the arguments as main() was given them; parsing shortens its own list only. */
static void
wipe_arguments (char **words)
{
  const char *const option = "--cmdline";
  gsize length = strlen (option);
  for (gsize i = 1; words[i] != NULL; i++)
    if (strncmp (words[i], option, length) == 0 && words[i][length] == '=')
      memset (words[i] + length + 1, '*', strlen (words[i] + length + 1));
    else if (strcmp (words[i], option) == 0 && words[i + 1] != NULL)
      {
        i++;
        memset (words[i], '*', strlen (words[i]));
      }
}

static P2vConfig *
read_config (GError **error)
{
  if (options.cmdline == NULL)
    return p2v_cmdline_load_kernel (error);
  P2vConfig *config = p2v_cmdline_parse (options.cmdline, error);
  g_clear_pointer (&options.cmdline, p2v_secret_free);
  return config;
}

/* Nobody else is there on the live image to be told what is wrong with its arguments. */
static P2vConfig *
begin_without (const GError *refused)
{
  g_autofree char *reason = p2v_text_printable (refused->message);
  g_autofree char *text
      = g_strdup_printf (_ ("%s\n\nThe arguments that this machine was started with "
                            "are left aside: nothing is filled in."),
                         reason);
  p2v_window_say (_ ("The kernel command line has a mistake"), text);
  return p2v_config_new ();
}

/* config: NULL when it has a mistake. */
static void
choose_language (const P2vConfig *config)
{
  const char *language = config != NULL && config->language != NULL
                             ? config->language
                             : p2v_i18n_language (p2v_i18n_get_language ())->code;
  p2v_i18n_set_language (p2v_screen_shows (language) ? language : "en");
}

/* status: the exit status, when TRUE is returned. */
static gboolean
run (int *status, GError **error)
{
  *status = 0;
  if (options.version)
    return printf ("p2v-text " P2V_VERSION "\n") > 0 && fflush (stdout) == 0;
  gboolean live
      = options.cmdline == NULL && geteuid () == 0 && g_file_test (LIVE_FILE, G_FILE_TEST_EXISTS);
  g_autoptr (GError) refused = NULL;
  g_autoptr (P2vConfig) config = read_config (&refused);
  if (config == NULL && !live)
    {
      g_propagate_error (error, g_steal_pointer (&refused));
      return FALSE;
    }
  if (!isatty (STDIN_FILENO) || !isatty (STDOUT_FILENO))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                           "standard input and output must be a terminal. Without one, use "
                           "p2v-client.");
      return FALSE;
    }
  /* Before the machine is looked at: the command may be what makes its disks appear. */
  if (config != NULL && !p2v_hook_run ("p2v.pre", config->pre, NULL, FALSE, NULL, error))
    return FALSE;
  choose_language (config);
  p2v_screen_start ();
  if (config == NULL)
    config = begin_without (refused);
  if (config->keyboard != NULL && p2v_keyboard_is_console (STDIN_FILENO))
    p2v_keyboard_use (config->keyboard);
  *status = p2v_front_end_run (g_steal_pointer (&config), options.root, live);
  p2v_screen_stop ();
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char **words = g_memdup2 (argv, sizeof (char *) * ((gsize)argc + 1));
  int status;
  p2v_i18n_init ();
  signal (SIGPIPE, SIG_IGN);
  /* Before there are threads, as libcurl asks for. */
  curl_global_init (CURL_GLOBAL_DEFAULT);
  gboolean parsed = parse_options (&argc, &argv, &error);
  wipe_arguments (words);
  if (!parsed || !run (&status, &error))
    {
      g_autofree char *message = p2v_text_printable (error != NULL ? error->message : "");
      g_printerr ("p2v-text: %s\n", message);
      status = error != NULL ? (int)p2v_error_code_of (error) : P2V_ERROR_FAILED;
    }
  p2v_secret_free (options.cmdline);
  return status;
}
