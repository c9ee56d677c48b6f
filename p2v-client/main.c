/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"
#include "p2v-client/identity.h"
#include "p2v-client/inventory.h"
#include "p2v-client/machine-map.h"
#include "p2v-client/map-report.h"
#include "p2v-client/run.h"

#include <curl/curl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Columns for an argument in --help, before what it means. */
#define ARGUMENT_WIDTH 32

/* Seconds. A switch takes up to a minute to open a port (spanning tree), a DHCP server somewhat; a
 * conversion server that is restarted, updated or busy with others is back within hours. */
#define DEFAULT_WAIT_FOR (5 * 60)

static struct
{
  char *cmdline;
  char *root;
  char **map;
  gboolean inventory;
  gboolean json;
  gboolean json_progress;
  gboolean unattended;
  gboolean verbose;
  gboolean version;
} options;

static const GOptionEntry entries[] = {
  { "cmdline", 0, 0, G_OPTION_ARG_FILENAME, &options.cmdline,
    "Use TEXT in the place of " P2V_KERNEL_CMDLINE, "TEXT" },
  { "inventory", 0, 0, G_OPTION_ARG_NONE, &options.inventory, "Print the machine as JSON and exit",
    NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &options.json, "With --map: print JSON", NULL },
  { "json-progress", 0, 0, G_OPTION_ARG_NONE, &options.json_progress,
    "Report progress as JSON, one object a line", NULL },
  { "map", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.map,
    "Print what of a disk or disk image would be read, and why (repeat for several)", "DISK" },
  { "root", 0, 0, G_OPTION_ARG_FILENAME, &options.root, "Describe the machine recorded below DIR",
    "DIR" },
  { "unattended", 0, 0, G_OPTION_ARG_NONE, &options.unattended,
    "Wait for the network, try again, and report on every console", NULL },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options.verbose,
    "Print messages for finding faults on standard error", NULL },
  { "version", 'V', 0, G_OPTION_ARG_NONE, &options.version, "Print the version and exit", NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* The part of --help that lists the arguments, from their table. */
static char *
describe_arguments (void)
{
  GString *text = g_string_new ("Arguments, on the kernel command line or in TEXT:\n");
  const P2vArgument *argument;
  for (guint i = 0; (argument = p2v_cmdline_argument (i)) != NULL; i++)
    {
      const char *name = argument->alias != NULL ? argument->alias : argument->name;
      g_autofree char *form = g_strdup_printf ("%s%s%s", name, argument->value != NULL ? "=" : "",
                                               argument->value != NULL ? argument->value : "");
      if (strlen (form) > ARGUMENT_WIDTH)
        g_string_append_printf (text, "  %s\n  %-*s %s\n", form, ARGUMENT_WIDTH, "",
                                argument->help);
      else
        g_string_append_printf (text, "  %-*s %s\n", ARGUMENT_WIDTH, form, argument->help);
      if (argument->alias != NULL)
        g_string_append_printf (text, "  %-*s (the same)\n", ARGUMENT_WIDTH, argument->name);
    }
  g_string_append (text, "\nMore in p2v-client(1).");
  return g_string_free (text, FALSE);
}

static gboolean
parse_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *description = describe_arguments ();
  g_option_context_set_summary (context, "Turns the machine it runs on into a KVM guest.");
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    {
      g_prefix_error (error, "cannot read the options: ");
      p2v_error_recode (error, P2V_ERROR_USAGE);
      return FALSE;
    }
  if (options.unattended && options.json_progress)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                           "--unattended prints lines for people on every console. Leave out "
                           "--json-progress.");
      return FALSE;
    }
  if (options.json && options.map == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                           "--json belongs to --map. For the progress of a conversion there is "
                           "--json-progress; --inventory is JSON in any case.");
      return FALSE;
    }
  if (*argc > 1)
    {
      /* Not quoted: it may be the end of a password that was not put in quotes. */
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                           "there is a word that belongs to no option. Put the text of --cmdline "
                           "in quotes; see p2v-client --help.");
      return FALSE;
    }
  return TRUE;
}

/* The text may hold a password, and everybody can read a process's arguments. */
static void
wipe_argument (char *argument)
{
  memset (argument, '*', strlen (argument));
}

/* words: the arguments as main() was given them; parsing shortens its own list only. */
static void
wipe_arguments (char **words)
{
  for (gsize i = 1; words[i] != NULL; i++)
    if (g_str_has_prefix (words[i], "--cmdline="))
      wipe_argument (words[i] + strlen ("--cmdline="));
    else if (strcmp (words[i], "--cmdline") == 0 && words[i + 1] != NULL)
      wipe_argument (words[++i]);
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

static const char *
get_root (void)
{
  return options.root != NULL ? options.root : "/";
}

/* consoles: NULL for standard output. */
static gboolean
print (const char *text, P2vConsoles *consoles, GError **error)
{
  if (consoles != NULL)
    {
      p2v_consoles_print (consoles, text, -1);
      return TRUE;
    }
  if (fputs (text, stdout) >= 0 && fflush (stdout) == 0)
    return TRUE;
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED,
                       "cannot write to standard output. Is the disk that it goes to full?");
  return FALSE;
}

static gboolean
print_inventory (GError **error)
{
  g_autoptr (P2vMachine) machine = p2v_inventory_collect (get_root (), NULL, error);
  if (machine == NULL || !p2v_machine_map_contents (machine, NULL, error))
    return FALSE;
  g_autoptr (JsonObject) object = p2v_machine_to_json (machine);
  g_autofree char *json = p2v_json_to_text (object, TRUE);
  g_autofree char *text = g_strconcat (json, "\n", NULL);
  return print (text, NULL, error);
}

static gboolean
print_map (GError **error)
{
  g_autofree char *text
      = p2v_map_report ((const char *const *)options.map, options.json, options.verbose, error);
  return text != NULL && print (text, NULL, error);
}

static gboolean
print_config (const P2vConfig *config, P2vConsoles *consoles, GError **error)
{
  g_autoptr (P2vMachine) machine = p2v_inventory_collect (get_root (), NULL, error);
  if (machine == NULL)
    return FALSE;
  g_autoptr (P2vRequest) request = p2v_config_to_request (config, machine, error);
  if (request == NULL)
    return FALSE;
  g_autofree char *dump = p2v_config_dump (config, request);
  return print (dump, consoles, error);
}

static P2vProgressStyle
choose_style (void)
{
  const char *term = g_getenv ("TERM");
  if (options.unattended)
    return P2V_PROGRESS_LINES;
  if (options.json_progress)
    return P2V_PROGRESS_JSON;
  if (isatty (STDOUT_FILENO) && term != NULL && strcmp (term, "dumb") != 0)
    return P2V_PROGRESS_TERMINAL;
  return P2V_PROGRESS_LINES;
}

/* A machine whose image has a server among its defaults may have been booted by mistake: only who
 * names the server on the command line has said that nobody is to be asked. */
static gboolean
refuse_without_server (const P2vConfig *config, gboolean from_kernel, GError **error)
{
  if (config->server != NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "there is no p2v.server in the kernel command line, and the one in "
                 "%s is only a default for a person to confirm. To convert without being asked, "
                 "boot with p2v.server=%s, or run p2v-client --cmdline='p2v.server=%s ...', which "
                 "uses no defaults.",
                 P2V_DEFAULTS_FILE, config->server, config->server);
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "there is no p2v.server in %s, so it is not known where to send this machine. "
                 "Add p2v.server=HOST to it%s; p2v-client(1) has all arguments.",
                 from_kernel ? "the kernel command line" : "--cmdline",
                 from_kernel ? ", or give the arguments with --cmdline='p2v.server=HOST ...'" : "");
  return FALSE;
}

/* The defaults that depend on whether somebody is there. */
static void
set_patience (P2vConfig *config)
{
  if (config->wait_for < 0)
    config->wait_for = DEFAULT_WAIT_FOR;
  /* The server finishes alone, and nobody waits to see how. */
  if (config->wait == NULL && options.unattended)
    config->wait = g_strdup (P2V_WAIT_LANDED);
}

/* consoles: NULL unless unattended. status: the exit status, when TRUE is returned. */
static gboolean
run (P2vConsoles *consoles, int *status, GError **error)
{
  *status = 0;
  if (options.version)
    return print ("p2v-client " P2V_VERSION "\n", NULL, error);
  if (options.inventory)
    return print_inventory (error);
  if (options.map != NULL)
    return print_map (error);
  gboolean from_kernel = options.cmdline == NULL;
  g_autoptr (P2vConfig) config = read_config (error);
  if (config == NULL)
    return FALSE;
  set_patience (config);
  if (config->dump_and_exit)
    return print_config (config, consoles, error);
  if (!config->unattended)
    return refuse_without_server (config, from_kernel, error);
  P2vRunOptions run_options = {
    .config = config,
    .root = get_root (),
    .from_kernel = from_kernel,
    .style = choose_style (),
    .consoles = consoles,
  };
  *status = p2v_run (&run_options);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char **words = g_memdup2 (argv, sizeof (char *) * ((gsize)argc + 1));
  int status;
  setlocale (LC_ALL, "");
  /* Whoever reads our output may go away; a conversion goes on. */
  signal (SIGPIPE, SIG_IGN);
  g_log_writer_default_set_use_stderr (TRUE);
  /* Before there are threads, as libcurl asks for. */
  curl_global_init (CURL_GLOBAL_DEFAULT);
  gboolean parsed = parse_options (&argc, &argv, &error);
  wipe_arguments (words);
  g_log_set_debug_enabled (options.verbose);
  /* Also what is wrong with the arguments has to be seen somewhere. */
  P2vConsoles *consoles = options.unattended ? p2v_consoles_open ("/") : NULL;
  if (!parsed || !run (consoles, &status, &error))
    status = p2v_run_report (error, consoles);
  p2v_consoles_free (consoles);
  p2v_secret_free (options.cmdline);
  g_free (options.root);
  g_strfreev (options.map);
  return status;
}
