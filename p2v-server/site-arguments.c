/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/site.h"

#include "common/error.h"

#include <string.h>

/* The arguments that the image's programs know (p2v-client(1)), as far as a wrong one can be told
 * here. A mistake is better found by an administrator at his desk than in front of the machine. */

#define PREFIX "p2v."

#define SWITCH "(|yes|no|true|false|on|off|0|1)"
#define TEXT ".+"
#define NUMBER "[0-9]{1,9}"
#define DURATION "[0-9]{1,9}[smh]?"
#define RATE "[0-9]{1,9}([KkMmGg]|[KkMmGg]bit)"

typedef struct
{
  const char *name;
  const char *alias;   /* NULL when there is only one spelling */
  const char *pattern; /* what the whole value has to match, NULL: not to be given this way */
  const char *hint;    /* what is expected, or what to do instead */
} Argument;

static const Argument arguments[] = {
  /* These have an option, or a place, of their own. */
  { "p2v.remote.server", "p2v.server", NULL, "Give it with --server HOST" },
  { "p2v.remote.port", "p2v.port", NULL, "Give it with --port PORT" },
  { "p2v.auth.username", "p2v.username", NULL, "Give it with --user USER" },
  { "p2v.auth.identity.url", "p2v.identity", NULL, "Give the private key with --identity FILE" },
  { "p2v.hostkey", NULL, NULL, "Give it with --hostkey SHA256:..." },
  { "p2v.auth.password", "p2v.password", NULL,
    "A password does not belong on a medium that others may find. Machines log in with the key "
    "that \"p2v-server setup\" made" },
  { "p2v.text", NULL, NULL, "It has an entry of its own in the medium's boot menu" },
  { "p2v.verify_medium", NULL, NULL, "It has an entry of its own in the medium's boot menu" },

  { "p2v.auth.sudo", "p2v.sudo", SWITCH, "yes or no" },
  { "p2v.skip_test_connection", NULL, SWITCH, "yes or no" },
  { "p2v.guestname", "p2v.name", "[A-Za-z0-9_.+-]{1,64}",
    "at most 64 letters, digits and \"-_.+\"" },
  { "p2v.vcpu.phys_topo", NULL, SWITCH, "yes or no" },
  { "p2v.vcpu.cores", NULL, NUMBER, "a number" },
  { "p2v.memory", NULL, "[0-9]{1,9}[KMGTkmgt](iB)?", "a size with its unit, such as 4G" },
  { "p2v.firmware", NULL, "bios|uefi|uefi-secure", "bios, uefi or uefi-secure" },
  { "p2v.cpu.vendor", NULL, "[A-Za-z0-9_.+-]+", "one word" },
  { "p2v.cpu.model", NULL, "[A-Za-z0-9_.+-]+", "one word" },
  { "p2v.cpu.acpi", NULL, SWITCH, "yes or no" },
  { "p2v.cpu.apic", NULL, SWITCH, "yes or no" },
  { "p2v.cpu.pae", NULL, SWITCH, "yes or no" },
  { "p2v.rtc.basis", NULL, "unknown|utc|localtime", "unknown, utc or localtime" },
  { "p2v.rtc.offset", NULL, "[+-]?[0-9]{1,2}(:[0-9]{2})?", "hours, such as +1 or -3:30" },
  { "p2v.disks", NULL, TEXT, "names of disks" },
  { "p2v.removable", NULL, ".*", "names of drives" },
  { "p2v.interfaces", NULL, ".*", "names of interfaces" },
  { "p2v.network_map", "p2v.network", TEXT, "INTERFACE:TARGET,...,TARGET" },
  { "p2v.root", NULL, "first|single|(btrfsvol:)?/dev/.+", "first, single or /dev/NAME" },
  { "p2v.profile", NULL, TEXT, "the name of a profile (p2v-server profiles)" },
  { "p2v.output.type", "p2v.o", "[A-Za-z0-9_.+-]+", "an output mode of virt-v2v" },
  { "p2v.output.allocation", "p2v.oa", "none|sparse|preallocated", "none, sparse or preallocated" },
  { "p2v.output.connection", "p2v.oc", TEXT, "a URI" },
  { "p2v.output.format", "p2v.of", "raw|qcow2", "raw or qcow2" },
  { "p2v.output.storage", "p2v.os", TEXT, "a storage pool or directory" },
  { "p2v.output.misc", "p2v.oo", TEXT, "OPTION=VALUE,..." },
  { "p2v.lanes", NULL, "auto|" NUMBER, "auto or a number" },
  { "p2v.compress", NULL, "auto|off|" NUMBER, "auto, off or a level" },
  { "p2v.bwlimit", NULL, "off|" RATE, "a rate, such as 20M or 200mbit" },
  { "p2v.verify", NULL, "full|off", "full or off" },
  { "p2v.read_errors", NULL, "zero|stop", "zero or stop" },
  { "p2v.wait", NULL, "landed|verified|defined", "landed, verified or defined" },
  { "p2v.resume", NULL, SWITCH, "yes or no" },
  { "p2v.pre", NULL, ".*", "a command" },
  { "p2v.post", NULL, ".*", "a command" },
  { "p2v.fail", NULL, ".*", "a command" },
  { "p2v.retry_for", NULL, DURATION, "a duration, such as 90s, 5m or 2h" },
  { "p2v.wait_for", NULL, DURATION, "a duration, such as 90s, 5m or 2h" },
  { "p2v.language", NULL, "en|de|zh_CN", "en, de or zh_CN" },
  { "p2v.keyboard", NULL, "[a-z][a-z0-9_]{0,31}", "a layout without a variant, such as de" },
  { "p2v.dump_config_and_exit", NULL, SWITCH, "yes or no" },
};

static gboolean
refuse (GError **error, const char *argument, const char *why)
{
  g_autofree char *shown = g_strescape (argument, NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "--argument %s: %s.", shown, why);
  return FALSE;
}

gboolean
p2v_site_word_is_plain (const char *word)
{
  for (const char *p = word; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("._-+:,=/@%[]~*!", *p) == NULL)
      return FALSE;
  return word[0] != '\0';
}

static const Argument *
find_argument (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (arguments); i++)
    if (strcmp (arguments[i].name, name) == 0 || g_strcmp0 (arguments[i].alias, name) == 0)
      return &arguments[i];
  return NULL;
}

/* The value without the double quotes that may be around it (transfer full). */
static char *
unquote (const char *value)
{
  gsize length = strlen (value);
  if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
    return g_strndup (value + 1, length - 2);
  return g_strdup (value);
}

static gboolean
has_blank (const char *value)
{
  return strpbrk (value, " \t") != NULL;
}

static gboolean
check_value (const Argument *argument, const char *given, const char *value, GError **error)
{
  for (const char *p = value; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) && *p != '\t')
      return refuse (error, given, "control characters cannot be part of it");
  if (strchr (value, '"') != NULL)
    return refuse (error, given,
                   "a double quote cannot be part of a kernel argument's value. Use single quotes "
                   "within it");
  if (!g_utf8_validate (value, -1, NULL))
    return refuse (error, given, "the value is not UTF-8 text");
  g_autofree char *pattern = g_strconcat ("^(", argument->pattern, ")$", NULL);
  if (g_regex_match_simple (pattern, value, G_REGEX_DOLLAR_ENDONLY, 0))
    return TRUE;
  g_autofree char *expected = g_strdup_printf ("expected %s", argument->hint);
  return refuse (error, given, expected);
}

/* The same argument twice would be refused in front of the machine. */
static gboolean
check_repeated (const P2vSite *site, const Argument *argument, const char *given, GError **error)
{
  for (guint i = 0; i < site->defaults->len; i++)
    {
      const char *word = site->defaults->pdata[i];
      g_autofree char *name = g_strndup (word, strcspn (word, "="));
      if (find_argument (name) == argument && strcmp (argument->name, "p2v.output.misc") != 0)
        return refuse (error, given, "it is given twice");
    }
  return TRUE;
}

static gboolean
add_default (P2vSite *site, const char *given, GError **error)
{
  const char *equals = strchr (given, '=');
  g_autofree char *name = equals != NULL ? g_strndup (given, equals - given) : g_strdup (given);
  const Argument *argument = find_argument (name);
  if (argument == NULL)
    return refuse (error, given, "there is no such argument. p2v-client(1) lists those there are");
  if (argument->pattern == NULL)
    return refuse (error, name, argument->hint);
  g_autofree char *value = unquote (equals != NULL ? equals + 1 : "");
  if (!check_value (argument, given, value, error)
      || !check_repeated (site, argument, given, error))
    return FALSE;
  char *word = equals == NULL      ? g_strdup (name)
               : has_blank (value) ? g_strdup_printf ("%s=\"%s\"", name, value)
                                   : g_strdup_printf ("%s=%s", name, value);
  g_ptr_array_add (site->defaults, word);
  return TRUE;
}

gboolean
p2v_site_add_argument (P2vSite *site, const char *argument, GError **error)
{
  if (g_str_has_prefix (argument, PREFIX))
    return add_default (site, argument, error);
  if (has_blank (argument))
    return refuse (error, argument,
                   "a kernel argument has no blanks. Give --argument once for each of several");
  if (!p2v_site_word_is_plain (argument))
    return refuse (error, argument,
                   "only letters, digits and ._-+:,=/@%[]~*! can be handed on by every boot "
                   "loader. Edit the entry in the boot menu for anything else");
  if (g_str_has_prefix (argument, "initrd="))
    return refuse (error, argument, "the boot menu names the initramfs itself");
  g_ptr_array_add (site->kernel, g_strdup (argument));
  return TRUE;
}
