/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"
#include "p2v-client/i18n.h"
#include "p2v-client/identity.h"
#include "p2v-client/keyboard.h"
#include "p2v-client/kiosk/appearance.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/window.h"

#include <curl/curl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct
{
  char *cmdline;
  char *root;
  gboolean verbose;
  gboolean version;
} options;

static const GOptionEntry entries[] = {
  { "cmdline", 0, 0, G_OPTION_ARG_FILENAME, &options.cmdline,
    "Start with the arguments in TEXT in the place of " P2V_KERNEL_CMDLINE, "TEXT" },
  { "root", 0, 0, G_OPTION_ARG_FILENAME, &options.root, "Describe the machine recorded below DIR",
    "DIR" },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options.verbose,
    "Print messages for finding faults on standard error", NULL },
  { "version", 'V', 0, G_OPTION_ARG_NONE, &options.version, "Print the version and exit", NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static gboolean
parse_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (context, "Asks a person what is needed to turn the machine it runs "
                                         "on into a KVM guest, and does it.");
  g_option_context_set_description (context, "More in p2v-kiosk(1).");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    {
      g_prefix_error (error, "cannot read the options: ");
      p2v_error_recode (error, P2V_ERROR_USAGE);
      return FALSE;
    }
  if (*argc > 1)
    {
      /* Not quoted: it may be the end of a password that was not put in quotes. */
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                           "there is a word that belongs to no option. Put the text of --cmdline "
                           "in quotes; see p2v-kiosk --help.");
      return FALSE;
    }
  return TRUE;
}

/* The text may hold a password, and everybody can read a process's arguments.
 * words: the arguments as main() was given them; parsing shortens its own list only. */
static void
wipe_arguments (char **words)
{
  const char *name = "--cmdline=";
  for (gsize i = 1; words[i] != NULL; i++)
    if (g_str_has_prefix (words[i], name))
      memset (words[i] + strlen (name), '*', strlen (words[i]) - strlen (name));
    else if (strcmp (words[i], "--cmdline") == 0 && words[i + 1] != NULL)
      {
        i++;
        memset (words[i], '*', strlen (words[i]));
      }
}

/* What the fields start with. A mistake in it is no reason not to start: a person is there.
 * complaint: set to what is wrong, or to NULL (transfer full). */
static P2vConfig *
load_config (char **complaint)
{
  g_autoptr (GError) error = NULL;
  P2vConfig *config = options.cmdline != NULL ? p2v_cmdline_parse (options.cmdline, &error)
                                              : p2v_cmdline_load_kernel (&error);
  g_clear_pointer (&options.cmdline, p2v_secret_free);
  *complaint = error != NULL ? g_strdup (error->message) : NULL;
  /* The mistake is more likely on the command line than in the defaults. */
  if (config == NULL)
    config = p2v_cmdline_load (P2V_DEFAULTS_FILE, "", NULL);
  return config != NULL ? config : p2v_config_new ();
}

static void
on_keyboard_set (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  gboolean switches;
  if (!p2v_keyboard_set_finish (result, &switches, &error))
    g_warning ("p2v.keyboard: %s", error->message);
}

typedef struct
{
  P2vKioskModel *model;
  P2vKioskEngine *engine;
  P2vKioskWindow *window;
  GMainLoop *loop;
  gboolean ending;
} Program;

/* The program ends when nothing runs any more that it must see through. */
static void
end_when_idle (Program *program)
{
  if (program->ending && !p2v_kiosk_model_is_converting (program->model))
    g_main_loop_quit (program->loop);
}

static void
end (Program *program)
{
  program->ending = TRUE;
  /* Not a person's word: the machine is switched off, say. What has landed stays good. */
  p2v_kiosk_engine_leave_conversion (program->engine);
  p2v_kiosk_engine_close (program->engine);
  end_when_idle (program);
}

static gboolean
on_signal (gpointer program)
{
  end (program);
  return G_SOURCE_CONTINUE;
}

/* The window is up before the machine is looked at. */
static gboolean
on_idle (gpointer user_data)
{
  Program *program = user_data;
  p2v_kiosk_engine_watch_network (program->engine);
  p2v_kiosk_engine_look (program->engine);
  return G_SOURCE_REMOVE;
}

static void
show_window (Program *program)
{
  program->window = p2v_kiosk_window_new (program->model, program->engine);
  g_signal_connect_swapped (program->window, "destroy", G_CALLBACK (end), program);
  gtk_window_fullscreen (GTK_WINDOW (program->window));
  gtk_window_present (GTK_WINDOW (program->window));
}

static gboolean
replace_window (gpointer user_data)
{
  Program *program = user_data;
  P2vKioskWindow *old = program->window;
  show_window (program);
  g_signal_handlers_disconnect_by_data (old, program);
  gtk_widget_destroy (GTK_WIDGET (old));
  return G_SOURCE_REMOVE;
}

/* Not at once: it is the old window that has been told so. */
static void
on_language_changed (Program *program)
{
  g_idle_add (replace_window, program);
}

static void
run (void)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
  g_autofree char *complaint = NULL;
  P2vConfig *config = load_config (&complaint);
  if (config->language != NULL)
    p2v_i18n_set_language (config->language);
  if (config->keyboard != NULL)
    p2v_keyboard_set (config->keyboard, on_keyboard_set, NULL);
  g_autoptr (P2vKioskModel) model = p2v_kiosk_model_new (config, complaint);
  g_autoptr (P2vKioskEngine) engine
      = p2v_kiosk_engine_new (model, options.root != NULL ? options.root : "/");
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Program program = { model, engine, NULL, loop, FALSE };
  p2v_kiosk_load_style ();
  show_window (&program);
  g_signal_connect_swapped (model, "language-changed", G_CALLBACK (on_language_changed), &program);
  g_signal_connect_swapped (model, "conversion-changed", G_CALLBACK (end_when_idle), &program);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    g_unix_signal_add (signals[i], on_signal, &program);
  g_idle_add_full (G_PRIORITY_LOW, on_idle, &program, NULL);
  g_main_loop_run (loop);
  g_signal_handlers_disconnect_by_data (model, &program);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char **words = g_memdup2 (argv, sizeof (char *) * ((gsize)argc + 1));
  p2v_i18n_init ();
  signal (SIGPIPE, SIG_IGN);
  g_log_writer_default_set_use_stderr (TRUE);
  /* Before there are threads, as libcurl asks for. */
  curl_global_init (CURL_GLOBAL_DEFAULT);
  gboolean parsed = parse_options (&argc, &argv, &error);
  wipe_arguments (words);
  g_log_set_debug_enabled (options.verbose);
  if (parsed && options.version)
    return puts ("p2v-kiosk " P2V_VERSION) < 0 ? P2V_ERROR_FAILED : 0;
  if (parsed && !gtk_init_check (&argc, &argv))
    g_set_error (&error, P2V_ERROR, P2V_ERROR_FAILED,
                 "cannot open the display %s. Start it within X, or use p2v-text on a text "
                 "console.",
                 g_getenv ("DISPLAY") != NULL ? g_getenv ("DISPLAY") : "(DISPLAY is not set)");
  if (error == NULL)
    {
      p2v_kiosk_register_resource ();
      run ();
    }
  p2v_secret_free (options.cmdline);
  g_free (options.root);
  if (error == NULL)
    return 0;
  g_printerr ("p2v-kiosk: %s\n", error->message);
  return p2v_error_code_of (error);
}
