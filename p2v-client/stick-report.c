/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/stick-report.h"

#include "common/error.h"
#include "common/secrets.h"
#include "common/tarball.h"
#include "p2v-client/inventory-parts.h"

#include <sys/utsname.h>

/* Of what a program says, bytes; and its time, seconds. */
#define LONGEST (16 * 1024 * 1024)
#define TOOL_SECONDS 20

typedef struct
{
  const char *name;
  char *text;
} File;

struct _P2vStickReport
{
  char *name;
  GPtrArray *secrets;
  GArray *files; /* of File */
  GCancellable *cancellable;
};

static void
clear_file (gpointer data)
{
  g_free (((File *)data)->text);
}

/* text: transfer full. */
static void
add (P2vStickReport *report, const char *name, char *text)
{
  File file = { name, text };
  g_array_append_val (report->files, file);
}

static char *
describe_failure (const GError *failure)
{
  if (failure == NULL)
    return g_strdup ("none: the conversion went well\n");
  return g_strdup_printf ("%s: %s\n", p2v_error_code_name (p2v_error_code_of (failure)),
                          failure->message);
}

static char *
describe_machine (const P2vMachine *machine)
{
  g_autoptr (JsonObject) object = p2v_machine_to_json (machine);
  return p2v_json_to_text (object, TRUE);
}

static GPtrArray *
list_secrets (const P2vConfig *config)
{
  GPtrArray *secrets = p2v_secrets_new ();
  p2v_secrets_add (secrets, config->password);
  p2v_secrets_add_uri (secrets, config->identity_url);
  p2v_secrets_add_uri (secrets, config->output->connection);
  p2v_secrets_add_options (secrets, config->output->options);
  return secrets;
}

P2vStickReport *
p2v_stick_report_new (const P2vConfig *config, const P2vRequest *request, const GError *failure,
                      const char *log)
{
  P2vStickReport *report = g_new0 (P2vStickReport, 1);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y%m%d-%H%M%S");
  report->name = g_strdup_printf ("p2v-report-%s-%s", request->guest->name, date);
  report->secrets = list_secrets (config);
  report->files = g_array_new (FALSE, FALSE, sizeof (File));
  g_array_set_clear_func (report->files, clear_file);
  add (report, "failure.txt", describe_failure (failure));
  add (report, "log.txt", g_strdup (log));
  add (report, "machine.json", describe_machine (request->machine));
  add (report, "settings.txt", p2v_config_dump (config, request));
  char *name = g_strconcat (report->name, ".tar.gz", NULL);
  g_free (report->name);
  report->name = name;
  return report;
}

void
p2v_stick_report_free (P2vStickReport *report)
{
  if (report == NULL)
    return;
  g_free (report->name);
  /* The passwords among them are not left in memory. */
  for (guint i = 0; i < report->secrets->len; i++)
    {
      char *secret = report->secrets->pdata[i];
      explicit_bzero (secret, strlen (secret));
    }
  g_ptr_array_unref (report->secrets);
  g_array_unref (report->files);
  g_free (report);
}

const char *
p2v_stick_report_name (const P2vStickReport *report)
{
  return report->name;
}

/* What a program prints, or why it does not; NULs would end the text. */
static void
add_answer (P2vStickReport *report, GString *text, const char *const *argv)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *line = g_strjoinv (" ", (char **)argv);
  g_autoptr (GBytes) bytes
      = p2v_tool_answer (argv, LONGEST, TOOL_SECONDS, report->cancellable, &problem);
  gsize size = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  g_string_append_printf (text, "$ %s\n", line);
  if (bytes == NULL)
    g_string_append (text, problem->message);
  for (gsize i = 0; i < size; i++)
    g_string_append_c (text, data[i] != '\0' ? data[i] : ' ');
  g_string_append_c (text, '\n');
}

static void
add_versions (P2vStickReport *report)
{
  GString *text = g_string_new ("p2v-client " P2V_VERSION "\n");
  struct utsname kernel;
  g_autofree char *release = NULL;
  if (uname (&kernel) == 0)
    g_string_append_printf (text, "%s %s %s %s\n", kernel.sysname, kernel.release, kernel.version,
                            kernel.machine);
  if (g_file_get_contents ("/etc/os-release", &release, NULL, NULL))
    g_string_append_printf (text, "\n/etc/os-release:\n%s", release);
  add (report, "versions.txt", g_string_free (text, FALSE));
}

static void
add_system (P2vStickReport *report)
{
  static const char *const kernel[] = { "dmesg", NULL };
  static const char *const network[][4]
      = { { "ip", "addr", NULL }, { "ip", "route", NULL }, { "ip", "-6", "route", NULL } };
  GString *text = g_string_new (NULL);
  add_versions (report);
  add_answer (report, text, kernel);
  add (report, "dmesg.txt", g_string_free (text, FALSE));
  text = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (network); i++)
    add_answer (report, text, network[i]);
  add (report, "network.txt", g_string_free (text, FALSE));
}

static gboolean
write_report (int fd, gpointer user_data, GError **error)
{
  const P2vStickReport *report = user_data;
  g_autofree char *directory = g_strndup (report->name, strlen (report->name) - strlen (".tar.gz"));
  g_autoptr (P2vTarball) tarball = p2v_tarball_new (fd, directory, error);
  gboolean ok = tarball != NULL;
  for (guint i = 0; ok && i < report->files->len; i++)
    {
      const File *file = &g_array_index (report->files, File, i);
      g_autofree char *clean = p2v_secrets_mask (report->secrets, file->text);
      ok = p2v_tarball_add (tarball, file->name, clean, error);
    }
  return ok && p2v_tarball_finish (tarball, error);
}

gboolean
p2v_stick_report_save (P2vStickReport *report, const P2vStick *stick, GCancellable *cancellable,
                       GError **error)
{
  report->cancellable = cancellable;
  add_system (report);
  return p2v_stick_write (stick, report->name, write_report, report, error);
}
