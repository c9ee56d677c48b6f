/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/cmdline.h"

#include "common/error.h"
#include "p2v-client/identity.h"
#include "p2v-client/setting.h"
#include "p2v-client/text.h"

#include <string.h>

#define PREFIX "p2v."

/* A week: whoever waits longer has forgotten about it. Seconds. */
#define MAX_DURATION (7 * 24 * 3600)
/* Bytes a second: below it a chunk takes minutes and the server takes us for gone. */
#define MIN_BANDWIDTH (8 * 1024)
#define MAX_BANDWIDTH (G_GINT64_CONSTANT (1) << 40)

#define IN_CONFIG(member_) .offset = G_STRUCT_OFFSET (P2vConfig, member_)
#define IN_OUTPUT(member_) .offset = G_STRUCT_OFFSET (P2vOutput, member_), .in_output = TRUE
#define SETTER(name_) .set = p2v_setting_set_##name_

/* Every argument there is. The long names and their short forms are virt-p2v's. */
static const P2vSetting settings[] = {
  /* The server. */
  { { "p2v.remote.server", "p2v.server", "SERVER", "Name or address of the conversion server" },
    SETTER (server),
    IN_CONFIG (server) },
  { { "p2v.remote.port", "p2v.port", "PORT", "Its SSH port (22)" },
    SETTER (port),
    IN_CONFIG (port),
    .min = 1,
    .max = G_MAXUINT16 },
  { { "p2v.auth.username", "p2v.username", "USER", "User to log in as (root)" },
    SETTER (username),
    IN_CONFIG (username) },
  { { "p2v.auth.password", "p2v.password", "PASSWORD", "Password to log in with" },
    SETTER (secret),
    IN_CONFIG (password),
    .secret = TRUE },
  { { "p2v.auth.identity.url", "p2v.identity", "URL", "Where to get an SSH private key" },
    SETTER (text),
    IN_CONFIG (identity_url),
    .secret = TRUE },
  { { "p2v.auth.sudo", "p2v.sudo", NULL, "Use sudo on the server" },
    SETTER (switch),
    IN_CONFIG (sudo) },
  { { "p2v.hostkey", NULL, "SHA256:...|any", "The server's host key to trust" },
    SETTER (hostkey),
    IN_CONFIG (hostkey) },
  { { "p2v.skip_test_connection", NULL, NULL, "As virt-p2v; nothing to skip (see the manual)" },
    SETTER (switch),
    IN_CONFIG (skip_test_connection) },

  /* The guest. */
  { { "p2v.guestname", "p2v.name", "NAME", "Name of the guest (the machine's host name)" },
    SETTER (name),
    IN_CONFIG (name) },
  { { "p2v.vcpu.phys_topo", NULL, NULL, "Copy sockets, cores and threads of the machine" },
    SETTER (switch),
    IN_CONFIG (phys_topo) },
  { { "p2v.vcpu.cores", NULL, "N", "Number of virtual CPUs (as the machine)" },
    SETTER (number),
    IN_CONFIG (vcpus),
    .min = 1,
    .max = 65536 },
  { { "p2v.memory", NULL, "N(M|G)", "Memory of the guest (as the machine)" },
    SETTER (memory),
    IN_CONFIG (memory),
    .min = G_GINT64_CONSTANT (1) << 20,
    .max = G_GINT64_CONSTANT (1) << 50 },
  { { "p2v.firmware", NULL, "bios|uefi|uefi-secure", "What starts the guest (as the machine)" },
    SETTER (choice),
    IN_CONFIG (firmware),
    .choices = { P2V_FIRMWARE_BIOS, P2V_FIRMWARE_UEFI, P2V_FIRMWARE_UEFI_SECURE } },
  { { "p2v.cpu.vendor", NULL, "VENDOR", "CPU vendor, such as Intel or AMD" },
    SETTER (plain),
    IN_CONFIG (cpu_vendor) },
  { { "p2v.cpu.model", NULL, "MODEL", "CPU model, such as IvyBridge" },
    SETTER (plain),
    IN_CONFIG (cpu_model) },
  { { "p2v.cpu.acpi", NULL, "yes|no", "Whether the guest has ACPI (as the machine)" },
    SETTER (tristate),
    IN_CONFIG (acpi) },
  { { "p2v.cpu.apic", NULL, "yes|no", "Whether the guest has an APIC (as the machine)" },
    SETTER (tristate),
    IN_CONFIG (apic) },
  { { "p2v.cpu.pae", NULL, "yes|no", "Whether the guest has PAE (as the machine)" },
    SETTER (tristate),
    IN_CONFIG (pae) },
  { { "p2v.rtc.basis", NULL, "unknown|utc|localtime", "What the guest's clock shows" },
    SETTER (choice),
    IN_CONFIG (rtc_basis),
    .choices = { "unknown", "utc", "localtime" } },
  { { "p2v.rtc.offset", NULL, "[+|-]HOURS", "How far the guest's clock is ahead" },
    SETTER (rtc_offset),
    IN_CONFIG (rtc_offset),
    .min = -12,
    .max = 14 },
  { { "p2v.disks", NULL, "DISK,...", "Disks to convert (all)" },
    SETTER (list),
    IN_CONFIG (disks),
    .min = 1 },
  { { "p2v.removable", NULL, "DRIVE,...", "Removable drives the guest gets (all)" },
    SETTER (list),
    IN_CONFIG (removables) },
  { { "p2v.interfaces", NULL, "INTERFACE,...", "Network interfaces the guest gets (all)" },
    SETTER (list),
    IN_CONFIG (interfaces) },
  { { "p2v.network_map", "p2v.network", "INTERFACE:TARGET,...,TARGET", "Where interfaces go" },
    SETTER (networks),
    IN_CONFIG (networks) },
  { { "p2v.root", NULL, "first|single|/dev/NAME", "Which operating system to convert" },
    SETTER (root),
    IN_CONFIG (root) },

  /* The output. */
  { { "p2v.profile", NULL, "NAME", "A profile of the server" },
    SETTER (text),
    IN_OUTPUT (profile) },
  { { "p2v.output.type", "p2v.o", "MODE", "Output mode, virt-v2v -o" },
    SETTER (plain),
    IN_OUTPUT (mode) },
  { { "p2v.output.allocation", "p2v.oa", "none|sparse|preallocated", "virt-v2v -oa" },
    SETTER (allocation),
    IN_OUTPUT (allocation),
    .choices = { "none", "sparse", "preallocated" } },
  { { "p2v.output.connection", "p2v.oc", "URI", "Output connection, virt-v2v -oc" },
    SETTER (text),
    IN_OUTPUT (connection),
    .secret = TRUE },
  { { "p2v.output.format", "p2v.of", "raw|qcow2", "Format of the images, virt-v2v -of" },
    SETTER (plain),
    IN_OUTPUT (format) },
  { { "p2v.output.storage", "p2v.os", "STORAGE", "Pool or directory, virt-v2v -os" },
    SETTER (text),
    IN_OUTPUT (storage) },
  { { "p2v.output.misc", "p2v.oo", "OPTION=VALUE,...", "Options of the output mode, virt-v2v -oo" },
    SETTER (list),
    IN_OUTPUT (options),
    .min = 1,
    .secret = TRUE,
    .repeatable = TRUE },

  /* How. */
  { { "p2v.lanes", NULL, "auto|N", "Number of connections for data (by processors)" },
    SETTER (lanes),
    IN_CONFIG (lanes),
    .min = 1,
    .max = P2V_LANES_MAX },
  { { "p2v.compress", NULL, "auto|off|LEVEL", "Compression of the data sent (auto)" },
    SETTER (compress),
    IN_CONFIG (compress),
    .min = 1,
    .max = 19 },
  { { "p2v.bwlimit", NULL, "RATE", "Most of the network to use: 20M a second, 200mbit" },
    SETTER (bwlimit),
    IN_CONFIG (bwlimit),
    .min = MIN_BANDWIDTH,
    .max = MAX_BANDWIDTH },
  { { "p2v.verify", NULL, "full|off", "Compare what has landed with what was read (full)" },
    SETTER (choice),
    IN_OUTPUT (verify),
    .choices = { "full", "off" } },
  { { "p2v.read_errors", NULL, "zero|stop", "Sectors that cannot be read are zeroes, or stop" },
    SETTER (choice),
    IN_CONFIG (read_errors),
    .choices = { "zero", "stop" } },
  { { "p2v.pre", NULL, "COMMAND", "Command to run before the conversion" },
    SETTER (command),
    IN_CONFIG (pre),
    .secret = TRUE },
  { { "p2v.post", NULL, "COMMAND", "Command to run after it succeeded (see the manual)" },
    SETTER (command),
    IN_CONFIG (post),
    .secret = TRUE },
  { { "p2v.fail", NULL, "COMMAND", "Command to run after it failed" },
    SETTER (command),
    IN_CONFIG (fail),
    .secret = TRUE },
  { { "p2v.wait", NULL, "landed|verified|defined", "How long the machine stays (see the manual)" },
    SETTER (choice),
    IN_CONFIG (wait),
    .choices = { P2V_WAIT_LANDED, P2V_WAIT_VERIFIED, P2V_WAIT_DEFINED } },
  { { "p2v.resume", NULL, "yes|no", "Go on with an unfinished job of this machine (yes)" },
    SETTER (tristate),
    IN_CONFIG (resume) },
  { { "p2v.wait_for", NULL, "TIME", "How long --unattended waits for the network (5m)" },
    SETTER (duration),
    IN_CONFIG (wait_for),
    .max = MAX_DURATION },
  { { "p2v.retry_for", NULL, "TIME", "How long to try again what fails on the way (2h)" },
    SETTER (duration),
    IN_CONFIG (retry_for),
    .max = MAX_DURATION },
  { { "p2v.dump_config_and_exit", NULL, NULL, "Print what would be done, and stop" },
    SETTER (switch),
    IN_CONFIG (dump_and_exit) },

  /* The live image. */
  { { "p2v.text", NULL, NULL, "The live image shows its text interface" },
    SETTER (switch),
    IN_CONFIG (text_interface) },
  { { "p2v.language", NULL, "en|de|zh_CN", "Language of kiosk and text interface (en)" },
    SETTER (choice),
    IN_CONFIG (language),
    .choices = { "en", "de", "zh_CN" } },
  { { "p2v.keyboard", NULL, "LAYOUT", "Keyboard layout of the kiosk, such as de or us(dvorak)" },
    SETTER (keyboard),
    IN_CONFIG (keyboard) },
  { { "p2v.verify_medium", NULL, NULL, "The live image checks its medium, and stops" },
    SETTER (switch),
    IN_CONFIG (verify_medium) },
};

const P2vArgument *
p2v_cmdline_argument (guint index)
{
  return index < G_N_ELEMENTS (settings) ? &settings[index].argument : NULL;
}

static const P2vSetting *
find_setting (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    if (strcmp (settings[i].argument.name, name) == 0
        || g_strcmp0 (settings[i].argument.alias, name) == 0)
      return &settings[i];
  return NULL;
}

/* Levenshtein's distance: insertions, deletions and replacements from one word to the other. */
static gsize
distance (const char *a, const char *b)
{
  gsize length = strlen (b);
  g_autofree gsize *row = g_new (gsize, length + 1);
  for (gsize j = 0; j <= length; j++)
    row[j] = j;
  for (gsize i = 1; a[i - 1] != '\0'; i++)
    {
      gsize diagonal = row[0];
      row[0] = i;
      for (gsize j = 1; j <= length; j++)
        {
          gsize replaced = diagonal + (a[i - 1] != b[j - 1]);
          diagonal = row[j];
          row[j] = MIN (replaced, MIN (row[j], row[j - 1]) + 1);
        }
    }
  return row[length];
}

static void
consider (const char *candidate, const char *name, const char **best, gsize *best_distance)
{
  gsize candidate_distance = candidate != NULL ? distance (name, candidate) : G_MAXSIZE;
  if (candidate_distance < *best_distance)
    {
      *best = candidate;
      *best_distance = candidate_distance;
    }
}

static gboolean
refuse_unknown (const char *name, GError **error)
{
  const char *nearest = NULL;
  /* More than a third of the name wrong is no typing mistake. */
  gsize nearest_distance = MIN (strlen (name), 64) / 3 + 1;
  /* A name of any length would cost time squared; none of ours comes near. */
  for (gsize i = 0; i < G_N_ELEMENTS (settings) && strlen (name) <= 64; i++)
    {
      consider (settings[i].argument.name, name, &nearest, &nearest_distance);
      consider (settings[i].argument.alias, name, &nearest, &nearest_distance);
    }
  g_autofree char *start = g_strndup (name, 64);
  g_autofree char *shown = p2v_text_printable (start);
  if (nearest != NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "%s: there is no such argument. Did you mean %s?", shown, nearest);
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "%s: there is no such argument. p2v-client --help lists those there are.", shown);
  return FALSE;
}

/* Splits at white space outside double quotes; the quotes stay. The words may hold secrets. */
static GPtrArray *
split_words (const char *cmdline)
{
  GPtrArray *words = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_secret_free);
  const char *start = NULL;
  gboolean quoted = FALSE;
  for (const char *p = cmdline;; p++)
    {
      gboolean ends = *p == '\0' || (!quoted && g_ascii_isspace (*p));
      if (*p == '"')
        quoted = !quoted;
      if (ends && start != NULL)
        g_ptr_array_add (words, g_strndup (start, p - start));
      if (ends)
        start = NULL;
      else if (start == NULL)
        start = p;
      if (*p == '\0')
        return words;
    }
}

/* Removes a quote at the start and the one at the end that belongs to it, in place. */
static char *
unquote (char *text)
{
  gsize length = strlen (text);
  if (text[0] != '"')
    return text;
  if (length > 1 && text[length - 1] == '"')
    text[length - 1] = '\0';
  return text + 1;
}

static gboolean
has_open_quote (const char *word)
{
  gsize quotes = 0;
  for (; *word != '\0'; word++)
    quotes += *word == '"';
  return quotes % 2 != 0;
}

/* seen: from setting to the value it was given. */
static gboolean
check_repeated (const P2vSetting *setting, const char *value, GHashTable *seen, GError **error)
{
  gpointer earlier;
  if (!setting->repeatable && g_hash_table_lookup_extended (seen, setting, NULL, &earlier)
      && g_strcmp0 (earlier, value) != 0)
    {
      const P2vArgument *argument = &setting->argument;
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "%s%s%s: given twice with different values. Leave only one of them.",
                   argument->alias != NULL ? argument->alias : "",
                   argument->alias != NULL ? " or " : "", argument->name);
      return FALSE;
    }
  g_hash_table_insert (seen, (gpointer)setting, g_strdup (value));
  return TRUE;
}

/* A word of ours, taken apart. */
typedef struct
{
  const P2vSetting *setting; /* NULL: somebody else's word */
  const char *value;         /* within the word, NULL when it has no "=" */
} Argument;

/* Changes word. */
static gboolean
read_word (char *word, Argument *argument, GError **error)
{
  gboolean open_quote = has_open_quote (word);
  char *name = unquote (word);
  *argument = (Argument){ 0 };
  if (!g_str_has_prefix (name, PREFIX))
    return TRUE;
  char *value = strchr (name, '=');
  if (value != NULL)
    {
      *value = '\0';
      value = unquote (value + 1);
    }
  const P2vSetting *setting = find_setting (name);
  if (setting == NULL)
    return refuse_unknown (name, error);
  if (open_quote)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "%s: a double quote is not closed. Write %s=\"...\" with both.", name, name);
      return FALSE;
    }
  if (value != NULL && !g_utf8_validate (value, -1, NULL))
    return p2v_setting_refuse (setting, NULL, "the value is not UTF-8 text", error);
  *argument = (Argument){ .setting = setting, .value = value };
  return TRUE;
}

/* A new table from the settings that a text names to the values that it gives them. */
static GHashTable *
new_seen (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)p2v_secret_free);
}

static gboolean
apply (const Argument *argument, P2vConfig *config, GHashTable *seen, GError **error)
{
  const P2vSetting *setting = argument->setting;
  return setting == NULL
         || (check_repeated (setting, argument->value, seen, error)
             && setting->set (setting, config, argument->value, error));
}

static gboolean
parse_text (const char *cmdline, P2vConfig *config, GHashTable *seen, GError **error)
{
  g_autoptr (GPtrArray) words = split_words (cmdline);
  for (guint i = 0; i < words->len; i++)
    {
      Argument argument;
      if (!read_word (words->pdata[i], &argument, error) || !apply (&argument, config, seen, error))
        return FALSE;
    }
  return TRUE;
}

/* TRUE when a setting of the defaults gives way to what the command line says. */
static gboolean
is_overridden (const P2vSetting *setting, GHashTable *overriding)
{
  if (g_hash_table_contains (overriding, setting))
    return TRUE;
  /* A key is used before a password is, so one from the defaults would make the password that
   * somebody gives have no effect. An empty one is that of a template. */
  const char *password = g_hash_table_lookup (overriding, find_setting ("p2v.password"));
  return setting == find_setting ("p2v.identity") && password != NULL && password[0] != '\0';
}

/* The words of one line of the defaults; a word that starts with "#" is a comment to its end. */
static gboolean
parse_default_line (const char *line, P2vConfig *config, GHashTable *overriding, GHashTable *seen,
                    GError **error)
{
  g_autoptr (GPtrArray) words = split_words (line);
  for (guint i = 0; i < words->len; i++)
    {
      Argument argument;
      char *word = words->pdata[i];
      if (word[0] == '#')
        return TRUE;
      if (!read_word (word, &argument, error))
        return FALSE;
      if (argument.setting == NULL)
        {
          /* Not quoted: it may be the rest of a password. */
          g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                       "word %u does not begin with \"" PREFIX "\". A value with spaces needs "
                       "double quotes, a comment begins with \"#\".",
                       i + 1);
          return FALSE;
        }
      if (!is_overridden (argument.setting, overriding) && !apply (&argument, config, seen, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
parse_defaults (const char *file, const char *text, P2vConfig *config, GHashTable *overriding,
                GError **error)
{
  g_autoptr (GHashTable) seen = new_seen ();
  guint number = 1;
  for (const char *line = text; *line != '\0'; number++)
    {
      gsize length = strcspn (line, "\n");
      char *copy = g_strndup (line, length);
      gboolean good = parse_default_line (copy, config, overriding, seen, error);
      p2v_secret_free (copy);
      if (!good)
        {
          g_prefix_error (error, "%s, line %u: ", file, number);
          return FALSE;
        }
      line += length + (line[length] == '\n');
    }
  return TRUE;
}

/* A file that is not there holds nothing: text becomes NULL. */
static gboolean
read_defaults (const char *file, char **text, GError **error)
{
  g_autoptr (GError) reason = NULL;
  *text = NULL;
  if (g_file_get_contents (file, text, NULL, &reason)
      || g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
               "cannot read the defaults: %s. Only root may read them; remove the file to do "
               "without.",
               reason->message);
  return FALSE;
}

P2vConfig *
p2v_cmdline_load (const char *defaults, const char *cmdline, GError **error)
{
  g_autoptr (P2vConfig) config = p2v_config_new ();
  /* Read on its own first, for the names in it and so that its mistakes come first. */
  g_autoptr (P2vConfig) alone = p2v_config_new ();
  g_autoptr (GHashTable) overriding = new_seen ();
  if (!parse_text (cmdline, alone, overriding, error))
    return NULL;
  char *text = NULL;
  if (defaults != NULL && !read_defaults (defaults, &text, error))
    return NULL;
  gboolean good = text == NULL || parse_defaults (defaults, text, config, overriding, error);
  p2v_secret_free (text);
  g_hash_table_remove_all (overriding);
  if (!good || !parse_text (cmdline, config, overriding, error))
    return NULL;
  config->unattended = alone->server != NULL;
  return g_steal_pointer (&config);
}

P2vConfig *
p2v_cmdline_load_kernel (GError **error)
{
  char *cmdline = NULL;
  if (!g_file_get_contents (P2V_KERNEL_CMDLINE, &cmdline, NULL, error))
    {
      g_prefix_error (error, "cannot read the kernel command line: ");
      p2v_error_recode (error, P2V_ERROR_USAGE);
      return NULL;
    }
  P2vConfig *config = p2v_cmdline_load (P2V_DEFAULTS_FILE, cmdline, error);
  p2v_secret_free (cmdline);
  return config;
}

P2vConfig *
p2v_cmdline_parse (const char *cmdline, GError **error)
{
  return p2v_cmdline_load (NULL, cmdline, error);
}
