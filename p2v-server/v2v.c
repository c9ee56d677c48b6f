/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/v2v.h"

#include <string.h>

#include "common/error.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/tool.h"

/* A progress event at least this often, seconds: it must never look hung. */
#define PROGRESS_INTERVAL 10

/* virt-v2v's warnings that are passed on at most; a guest can provoke any number of them. */
#define WARNINGS_MAX 20

char **
p2v_v2v_capabilities (const char *program, GError **error)
{
  const char *argv[] = { program, "--machine-readable", NULL };
  g_autofree char *answer = p2v_tool_ask (argv, P2V_V2V_PACKAGE, error);
  return answer == NULL ? NULL : g_strsplit_set (answer, "\r\n", -1);
}

static gboolean
check_value (const char *what, const char *value, GError **error)
{
  if (value == NULL || (*value != '-' && *value != '\0'))
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "%s: the value \"%s\" is refused, because virt-v2v would take it for an option or "
               "for nothing. Give another one.",
               what, value);
  return FALSE;
}

/* virt-v2v(1), --root. "ask" would wait for an answer that nobody can give. */
static gboolean
check_root (const char *root, GError **error)
{
  if (root == NULL || strcmp (root, "first") == 0 || strcmp (root, "single") == 0
      || g_str_has_prefix (root, "/dev/") || g_str_has_prefix (root, "btrfsvol:/dev/"))
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "root=%s is refused: say \"first\", \"single\", a device as virt-v2v names it "
               "(/dev/sda2, /dev/vg/root) or a Btrfs subvolume (btrfsvol:/dev/sda2/@).",
               root);
  return FALSE;
}

static void
append (GPtrArray *argv, const char *word, const char *value)
{
  g_ptr_array_add (argv, g_strdup (word));
  if (value != NULL)
    g_ptr_array_add (argv, g_strdup (value));
}

static char **
finish (GPtrArray *argv)
{
  g_ptr_array_add (argv, NULL);
  return (char **)g_ptr_array_free (argv, FALSE);
}

char **
p2v_v2v_in_place_arguments (const P2vPlan *plan, const char *const *capabilities,
                            const char *xml_path, const char *output, GError **error)
{
  if (!check_root (plan->root, error))
    return NULL;
  GPtrArray *argv = g_ptr_array_new ();
  append (argv, "virt-v2v-in-place", NULL);
  append (argv, "-v", NULL);
  append (argv, "-x", NULL);
  append (argv, "--root", plan->root == NULL ? "first" : plan->root);
  if (g_strv_contains (capabilities, "output-xml-option"))
    append (argv, "-O", output);
  append (argv, "-i", "libvirtxml");
  append (argv, xml_path, NULL);
  return finish (argv);
}

/* The name by which this virt-v2v knows an output mode (2.8 renamed two of them), NULL when it does
 * not. Points into capabilities. */
static const char *
find_mode (const char *mode, const char *const *capabilities)
{
  static const char *const aliases[][2] = {
    { "rhv-upload", "ovirt-upload" },
    { "ovirt-upload", "rhv-upload" },
    { "rhv", "ovirt" },
    { "ovirt", "rhv" },
  };
  const char *alias = NULL, *result = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (aliases); i++)
    if (strcmp (mode, aliases[i][0]) == 0)
      alias = aliases[i][1];
  for (gsize i = 0; capabilities[i] != NULL; i++)
    {
      const char *listed = capabilities[i] + strlen ("output:");
      if (!g_str_has_prefix (capabilities[i], "output:"))
        continue;
      if (strcmp (listed, mode) == 0)
        return listed;
      if (g_strcmp0 (listed, alias) == 0)
        result = listed;
    }
  return result;
}

static const char *
check_mode (const char *mode, const char *const *capabilities, GError **error)
{
  const char *found = mode == NULL ? NULL : find_mode (mode, capabilities);
  if (found != NULL)
    return found;
  g_autoptr (GString) list = g_string_new (NULL);
  for (gsize i = 0; capabilities[i] != NULL; i++)
    if (g_str_has_prefix (capabilities[i], "output:"))
      g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "",
                              capabilities[i] + strlen ("output:"));
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "output mode %s is not one of those that this server's virt-v2v has: %s.",
               mode == NULL ? "(none)" : mode, list->str);
  return NULL;
}

static gboolean
check_output_values (const P2vPlan *plan, const char *name, GError **error)
{
  if (!check_root (plan->root, error) || !check_value ("name", name, error)
      || !check_value ("-oc", plan->connection, error) || !check_value ("-os", plan->storage, error)
      || !check_value ("-of", plan->format, error) || !check_value ("-oa", plan->allocation, error))
    return FALSE;
  for (gsize i = 0; plan->options != NULL && plan->options[i] != NULL; i++)
    if (!check_value ("-oo", plan->options[i], error))
      return FALSE;
  return TRUE;
}

char **
p2v_v2v_output_arguments (const P2vPlan *plan, const char *name, const char *const *capabilities,
                          const char *xml_path, GError **error)
{
  const char *mode = check_mode (plan->mode, capabilities, error);
  if (mode == NULL || !check_output_values (plan, name, error))
    return NULL;
  GPtrArray *argv = g_ptr_array_new ();
  append (argv, "virt-v2v", NULL);
  append (argv, "-v", NULL);
  append (argv, "-x", NULL);
  append (argv, "--root", plan->root == NULL ? "first" : plan->root);
  append (argv, "-o", mode);
  if (plan->connection != NULL)
    append (argv, "-oc", plan->connection);
  if (plan->storage != NULL)
    append (argv, "-os", plan->storage);
  /* "null" writes nothing and fails when it is told in which format; the plan's is that of the
   * received images then. */
  if (plan->format != NULL && strcmp (mode, "null") != 0)
    append (argv, "-of", plan->format);
  /* "sparse" is virt-v2v's default, and some modes refuse the option whatever its value. */
  if (g_strcmp0 (plan->allocation, "preallocated") == 0)
    append (argv, "-oa", plan->allocation);
  for (gsize i = 0; plan->options != NULL && plan->options[i] != NULL; i++)
    append (argv, "-oo", plan->options[i]);
  append (argv, "-on", name);
  append (argv, "-i", "libvirtxml");
  append (argv, xml_path, NULL);
  return finish (argv);
}

char **
p2v_v2v_environment (gboolean kvm)
{
  char **environment = g_get_environ ();
  environment = g_environ_setenv (environment, "LIBGUESTFS_BACKEND", "direct", FALSE);
  if (!kvm)
    environment = g_environ_setenv (environment, "LIBGUESTFS_BACKEND_SETTINGS", "force_tcg", FALSE);
  /* Its messages are read by a program. */
  return g_environ_setenv (environment, "LC_ALL", "C.UTF-8", TRUE);
}

const char *
p2v_v2v_stage (const char *line)
{
  if (*line != '[')
    return NULL;
  const char *p = line + 1;
  while (*p == ' ')
    p++;
  const char *digits = p;
  while (g_ascii_isdigit (*p))
    p++;
  if (p == digits || p[0] != '.' || !g_ascii_isdigit (p[1]) || p[2] != ']' || p[3] != ' '
      || p[4] == '\0')
    return NULL;
  return p + 4;
}

/* Where virt-v2v stands when it begins a stage, in percent of its run, as measured on small and
 * large guests; a stage that is not in the table (versions differ) leaves it where it is. */
static const struct
{
  const char *begins;
  gint64 percent;
} stages[] = {
  { "Setting up the source", 0 },
  { "Opening the source", 1 },
  { "Checking filesystem integrity before", 14 },
  { "Inspecting the source", 15 },
  { "Detecting", 24 },
  { "Checking for sufficient free disk space", 25 },
  { "Converting ", 28 },
  { "Mapping filesystem data", 75 },
  { "Checking filesystem integrity after", 88 },
  { "Closing the overlay", 94 },
  { "Assigning disks to buses", 96 },
  { "Checking if the guest needs BIOS or UEFI", 97 },
  { "Setting up the destination", 97 },
  { "Copying disk", 97 },
  { "Creating output metadata", 99 },
  { "Finishing off", 99 },
};

typedef struct
{
  P2vJob *job;
  P2vVerify *verify;
  const char *program;
  gint64 scale; /* percent of the stage when virt-v2v is through */
  char *stage;  /* its own */
  gsize next;   /* index in stages of the one after the current */
  gint64 percent;
  gint64 elapsed;
  gint64 told; /* seconds since the start, of the last event */
  guint warnings;
  char *failure; /* its last error */
} Conversion;

static void
tell (Conversion *conversion)
{
  g_autofree char *message
      = conversion->elapsed < PROGRESS_INTERVAL
            ? g_strdup (conversion->stage)
            : g_strdup_printf ("%s (%" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT " so far)",
                               conversion->stage, conversion->elapsed / 60,
                               conversion->elapsed % 60);
  p2v_job_progress (conversion->job, P2V_STAGE_CONVERT,
                    conversion->percent * conversion->scale / 100, message);
  conversion->told = conversion->elapsed;
}

static void
enter_stage (Conversion *conversion, const char *name)
{
  g_free (conversion->stage);
  conversion->stage = p2v_tool_printable (name);
  for (gsize i = 0; i < G_N_ELEMENTS (stages); i++)
    /* Never backwards: the text may come from the guest. */
    if (g_str_has_prefix (name, stages[i].begins) && stages[i].percent >= conversion->percent)
      {
        conversion->percent = stages[i].percent;
        conversion->next = i + 1;
      }
  tell (conversion);
}

static void
on_warning (Conversion *conversion, const char *text)
{
  /* Newer versions of the in-place program say at each run that it is not for people. */
  if (strstr (text, "NOT SUPPORTED for command line use") != NULL
      || conversion->warnings >= WARNINGS_MAX)
    return;
  conversion->warnings++;
  g_autofree char *printable = p2v_tool_printable (text);
  p2v_job_event (conversion->job, "warning", P2V_STAGE_CONVERT, "virt-v2v: %s", printable);
}

static void
on_line (const char *line, gpointer user_data)
{
  Conversion *conversion = user_data;
  const char *stage = p2v_v2v_stage (line);
  if (stage != NULL)
    {
      enter_stage (conversion, stage);
      return;
    }
  if (!g_str_has_prefix (line, conversion->program))
    return;
  const char *rest = line + strlen (conversion->program);
  if (g_str_has_prefix (rest, ": warning: "))
    on_warning (conversion, rest + strlen (": warning: "));
  else if (g_str_has_prefix (rest, ": error: "))
    {
      g_free (conversion->failure);
      conversion->failure = p2v_tool_printable (line);
    }
}

static void
on_tick (gint64 elapsed, gpointer user_data)
{
  Conversion *conversion = user_data;
  conversion->elapsed = elapsed;
  if (elapsed - conversion->told < PROGRESS_INTERVAL)
    return;
  /* Within a stage nothing is known; creep towards the next without reaching it. */
  gint64 limit = conversion->next < G_N_ELEMENTS (stages) ? stages[conversion->next].percent : 100;
  if (limit - conversion->percent > 1)
    conversion->percent += MAX (1, (limit - conversion->percent) / 12);
  tell (conversion);
}

/* Besides a person, the verification can say that virt-v2v works for nothing: on an image that is
 * not what the machine read. Asking is what brings its result into the job while this lasts. */
static gboolean
is_unwanted (gpointer user_data)
{
  const Conversion *conversion = user_data;
  return !p2v_verify_check (conversion->verify, NULL) || p2v_job_cancel_requested (conversion->job);
}

/* What to do about an error that administrators are known to meet. */
static const char *
advice (const char *failure)
{
  static const char *const known[][2] = {
    { "inspection could not detect",
      " There is no operating system on the disks that virt-v2v can convert. Check that the disk "
      "with the system is among those converted (p2v.disks=) and that it is not encrypted." },
    { "is unable to convert this guest type", " virt-v2v does not convert this operating system; "
                                              "virt-v2v-support(1) lists those it does." },
    { "insufficient free space in the conversion server",
      " Free some space there, or set LIBGUESTFS_CACHEDIR to a larger directory." },
    { "not enough free space for conversion",
      " Free some space on the machine's own filesystem and convert it again." },
    { "multi-boot", " Say which one with p2v.root= or root= in [convert] of the configuration." },
    { "guestfs_launch failed",
      " libguestfs cannot start its appliance on this server; libguestfs-test-tool says why." },
  };
  for (gsize i = 0; failure != NULL && i < G_N_ELEMENTS (known); i++)
    if (strstr (failure, known[i][0]) != NULL)
      return known[i][1];
  return "";
}

gboolean
p2v_v2v_run (const P2vServerConfig *config, P2vJob *job, char *const *argv,
             char *const *environment, const char *log, gint64 last, P2vVerify *verify,
             GError **error)
{
  Conversion conversion = {
    .job = job,
    .verify = verify,
    .program = argv[0],
    .scale = last,
    .stage = g_strdup_printf ("Starting %s", argv[0]),
  };
  g_autofree char *key = g_strdup_printf (
      "timeout= in [convert] of %s", config->file == NULL ? P2V_SERVER_CONFIG_FILE : config->file);
  P2vTool tool = { .argv = (const char *const *)argv,
                   .package = P2V_V2V_PACKAGE,
                   .environment = environment,
                   .log = log,
                   .timeout = config->convert_timeout,
                   .timeout_key = key,
                   .line = on_line,
                   .tick = on_tick,
                   .user_data = &conversion,
                   .cancelled = is_unwanted,
                   .cancelled_data = &conversion };
  g_autoptr (GError) failure = NULL;
  tell (&conversion);
  gboolean ok = p2v_tool_run (&tool, &failure);
  if (!ok && conversion.failure != NULL && strstr (failure->message, " exit status ") != NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT, "%s%s", conversion.failure,
                 advice (conversion.failure));
  else if (!ok)
    g_propagate_error (error, g_steal_pointer (&failure));
  g_free (conversion.stage);
  g_free (conversion.failure);
  return ok;
}
