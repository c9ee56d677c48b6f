/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/report.h"

#include <string.h>

#include "common/error.h"
#include "p2v-server/xml.h"

/* Values that virt-v2v can print; string_of_block_type and its neighbours in lib/types.ml, of all
 * versions up to 2.10. */
static const char *const block_buses[] = { "virtio-blk", "virtio-scsi", "ide", "sata", NULL };
static const char *const net_buses[] = { "virtio-net", "e1000", "rtl8139", NULL };
static const char *const machines[] = { "i440fx", "q35", "virt", NULL };
static const char *const videos[] = { "qxl", "cirrus", "vga", NULL };
static const char *const booleans[] = { "false", "true", NULL };

/* Longer than any name there is; what inspection prints comes from files of the guest. */
#define VALUE_MAX 200

/* The lines "name = value" of a log, the last one of each name. */
static GHashTable *
collect_values (const char *log, gsize length)
{
  GHashTable *values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const char *end = log + length;
  for (const char *line = log; line < end;)
    {
      const char *newline = memchr (line, '\n', (gsize)(end - line));
      const char *stop = newline == NULL ? end : newline;
      gsize size = (gsize)(stop - line);
      const char *equals = g_strstr_len (line, (gssize)size, " = ");
      /* A last line without its end may have been cut off in the middle of its value. */
      if (newline != NULL && equals != NULL && size < 2 * VALUE_MAX
          && (g_str_has_prefix (line, "i_") || g_str_has_prefix (line, "gcaps_")))
        g_hash_table_replace (values, g_strndup (line, (gsize)(equals - line)),
                              g_strndup (equals + 3, (gsize)(stop - equals - 3)));
      line = stop + 1;
    }
  return values;
}

/* One of a list of words, NULL when the line is missing. */
static gboolean
take_word (GHashTable *values, const char *name, const char *const *words, const char **word,
           GError **error)
{
  *word = NULL;
  const char *value = g_hash_table_lookup (values, name);
  if (value == NULL)
    return TRUE;
  for (gsize i = 0; words[i] != NULL; i++)
    if (strcmp (value, words[i]) == 0)
      {
        *word = words[i];
        return TRUE;
      }
  g_autofree char *printable = g_strescape (value, NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
               "virt-v2v reported %s = %s, which this version of p2v-server does not know.", name,
               printable);
  return FALSE;
}

static gboolean
take_boolean (GHashTable *values, const char *name, gboolean missing, gboolean *result,
              GError **error)
{
  const char *word = NULL;
  if (!take_word (values, name, booleans, &word, error))
    return FALSE;
  *result = word == NULL ? missing : strcmp (word, "true") == 0;
  return TRUE;
}

/* Text of inspection, NULL when virt-v2v says that it does not know. */
static char *
clean_text (const char *value)
{
  if (value == NULL || *value == '\0' || strcmp (value, "unknown") == 0)
    return NULL;
  g_autofree char *valid = g_utf8_make_valid (value, -1);
  for (char *p = valid; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = ' ';
  return g_utf8_strlen (valid, -1) > VALUE_MAX ? g_utf8_substring (valid, 0, VALUE_MAX)
                                               : g_steal_pointer (&valid);
}

static gint64
clean_number (const char *value)
{
  gint64 number = 0;
  if (value == NULL || !g_ascii_string_to_signed (value, 10, 0, G_MAXINT32, &number, NULL))
    return 0;
  return number;
}

static gboolean
take_buses (GHashTable *values, P2vReport *report, GError **error)
{
  const char *block = NULL, *net = NULL, *machine = NULL, *video = NULL;
  if (!take_word (values, "gcaps_block_bus", block_buses, &block, error)
      || !take_word (values, "gcaps_net_bus", net_buses, &net, error)
      || !take_word (values, "gcaps_machine", machines, &machine, error)
      || !take_word (values, "gcaps_video", videos, &video, error))
    return FALSE;
  if (block == NULL || net == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CONVERT,
                           "virt-v2v's output does not say which buses the converted guest can use "
                           "(no gcaps_block_bus and gcaps_net_bus lines).");
      return FALSE;
    }
  report->block_bus = g_strdup (block);
  report->net_bus = g_strdup (net);
  report->machine = g_strdup (machine);
  report->video = g_strdup (video);
  return TRUE;
}

static gboolean
take_flags (GHashTable *values, P2vReport *report, GError **error)
{
  /* Versions differ in what they print: before 2.6 no clock, later no ACPI (every guest has it). */
  gboolean utc = g_strcmp0 (report->os_type, "windows") != 0;
  return take_boolean (values, "gcaps_virtio_rng", FALSE, &report->virtio_rng, error)
         && take_boolean (values, "gcaps_virtio_balloon", FALSE, &report->virtio_balloon, error)
         && take_boolean (values, "gcaps_isa_pvpanic", FALSE, &report->pvpanic, error)
         && take_boolean (values, "gcaps_virtio_socket", FALSE, &report->virtio_socket, error)
         && take_boolean (values, "gcaps_virtio_1_0", FALSE, &report->virtio_1_0, error)
         && take_boolean (values, "gcaps_acpi", TRUE, &report->acpi, error)
         && take_boolean (values, "gcaps_rtc_utc", utc, &report->rtc_utc, error);
}

P2vReport *
p2v_report_parse_log (const char *log, gssize length, GError **error)
{
  g_autoptr (GHashTable) values = collect_values (log, length < 0 ? strlen (log) : (gsize)length);
  g_autoptr (P2vReport) report = p2v_report_new ();
  report->os = clean_text (g_hash_table_lookup (values, "i_osinfo"));
  report->os_type = clean_text (g_hash_table_lookup (values, "i_type"));
  report->distro = clean_text (g_hash_table_lookup (values, "i_distro"));
  report->product_name = clean_text (g_hash_table_lookup (values, "i_product_name"));
  report->root = clean_text (g_hash_table_lookup (values, "i_root"));
  report->arch = clean_text (g_hash_table_lookup (values, "i_arch"));
  if (report->arch == NULL)
    report->arch = clean_text (g_hash_table_lookup (values, "gcaps_arch"));
  report->major = clean_number (g_hash_table_lookup (values, "i_major_version"));
  report->minor = clean_number (g_hash_table_lookup (values, "i_minor_version"));
  if (!take_buses (values, report, error) || !take_flags (values, report, error))
    return NULL;
  return g_steal_pointer (&report);
}

/* The text of a child element, NULL when there is none (transfer full). */
static char *
child_text (xmlNode *parent, const char *name)
{
  xmlNode *node = p2v_xml_find_child (parent, name);
  g_autofree char *text = node == NULL ? NULL : p2v_xml_get_text (node);
  return clean_text (text);
}

P2vReport *
p2v_report_parse_xml (const char *xml, gssize length, GError **error)
{
  g_autoptr (xmlDoc) document = p2v_xml_parse (xml, length < 0 ? strlen (xml) : (gsize)length,
                                               "virt-v2v's inspection", error);
  if (document == NULL)
    {
      p2v_error_recode (error, P2V_ERROR_CONVERT);
      return NULL;
    }
  xmlNode *root = xmlDocGetRootElement (document);
  xmlNode *os = p2v_xml_is_element (root, "v2v-inspection")
                    ? p2v_xml_find_child (root, "operatingsystem")
                    : NULL;
  if (os == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CONVERT,
                           "virt-v2v-in-place did not write what it found: its file is no "
                           "v2v-inspection document with an operating system.");
      return NULL;
    }
  P2vReport *report = p2v_report_new ();
  report->os = child_text (os, "osinfo");
  report->os_type = child_text (os, "name");
  report->distro = child_text (os, "distro");
  report->product_name = child_text (os, "product_name");
  report->arch = child_text (os, "arch");
  report->root = child_text (os, "root");
  g_autofree char *major = child_text (os, "major_version");
  g_autofree char *minor = child_text (os, "minor_version");
  report->major = clean_number (major);
  report->minor = clean_number (minor);
  return report;
}

static void
adopt (char **target, const char *source)
{
  if (source == NULL)
    return;
  g_free (*target);
  *target = g_strdup (source);
}

void
p2v_report_adopt_inspection (P2vReport *report, const P2vReport *inspection)
{
  adopt (&report->os, inspection->os);
  adopt (&report->os_type, inspection->os_type);
  adopt (&report->distro, inspection->distro);
  adopt (&report->product_name, inspection->product_name);
  adopt (&report->arch, inspection->arch);
  adopt (&report->root, inspection->root);
  report->major = inspection->major;
  report->minor = inspection->minor;
}
