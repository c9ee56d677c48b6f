/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#define MAX_CPUS 65536

/* "name : value" of /proc/cpuinfo's first processor. */
static GHashTable *
first_processor (const char *text, gint64 *processors)
{
  GHashTable *fields = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);
  *processors = 0;
  for (char **line = lines; *line != NULL; line++)
    {
      char *colon = strchr (*line, ':');
      if (colon == NULL)
        continue;
      *colon = '\0';
      char *name = g_strstrip (*line);
      if (g_str_equal (name, "processor"))
        (*processors)++;
      if (*processors <= 1 && !g_hash_table_contains (fields, name))
        {
          char *value = p2v_text_clean (colon + 1, -1);
          g_hash_table_insert (fields, g_strdup (name), value != NULL ? value : g_strdup (""));
        }
    }
  return fields;
}

static gint64
field_number (GHashTable *fields, const char *name)
{
  const char *text = g_hash_table_lookup (fields, name);
  gint64 number;
  return text != NULL && g_ascii_string_to_signed (text, 10, 0, G_MAXINT32, &number, NULL) ? number
                                                                                           : 0;
}

/* How many numbers a list such as "0-3,8" holds. */
static gint64
count_list (const char *text)
{
  g_auto (GStrv) ranges = g_strsplit (text == NULL ? "" : text, ",", -1);
  gint64 count = 0;
  for (char **range = ranges; *range != NULL; range++)
    {
      char *dash = strchr (*range, '-');
      gint64 first, last;
      if (dash != NULL)
        *dash = '\0';
      if (!g_ascii_string_to_signed (*range, 10, 0, MAX_CPUS, &first, NULL)
          || !g_ascii_string_to_signed (dash == NULL ? *range : dash + 1, 10, first, MAX_CPUS,
                                        &last, NULL))
        continue;
      count += last - first + 1;
    }
  return MIN (count, MAX_CPUS);
}

static gint64
add_one (GHashTable *counts, const char *key)
{
  gint64 count = GPOINTER_TO_INT (g_hash_table_lookup (counts, key)) + 1;
  g_hash_table_replace (counts, g_strdup (key), GINT_TO_POINTER (count));
  return count;
}

/* Counts sockets, the cores of the largest socket and the threads of the largest core. Processors
 * that are offline have no topology; those that run tell enough of it. */
static gboolean
count_topology (const P2vTree *tree, P2vCpu *cpu)
{
  g_autoptr (GHashTable) sockets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) cores = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/devices/system/cpu");
  for (char **name = names; *name != NULL; name++)
    {
      const char *folder = "/sys/devices/system/cpu";
      if (!g_str_has_prefix (*name, "cpu") || !g_ascii_isdigit ((*name)[3]))
        continue;
      g_autofree char *socket
          = p2v_tree_read (tree, "%s/%s/topology/physical_package_id", folder, *name);
      /* The list of its threads names a core; core_id repeats between dies. */
      g_autofree char *core
          = p2v_tree_read (tree, "%s/%s/topology/thread_siblings_list", folder, *name);
      if (socket == NULL || core == NULL)
        continue;
      gint64 threads = add_one (cores, core);
      if (threads == 1)
        {
          gint64 count = add_one (sockets, socket);
          cpu->cores = MAX (cpu->cores, count);
        }
      cpu->threads = MAX (cpu->threads, threads);
      cpu->online++;
    }
  cpu->sockets = g_hash_table_size (sockets);
  return cpu->online > 0;
}

/* Where cores differ (some have one thread, some two), no product of three numbers is right: then
 * every thread counts as a core, so that a guest gets as many processors as the machine has. */
static void
settle_topology (P2vCpu *cpu, gint64 present)
{
  if (cpu->sockets * cpu->cores * cpu->threads <= MAX (present, cpu->online))
    return;
  cpu->threads = 1;
  cpu->cores = (MAX (present, cpu->online) + cpu->sockets - 1) / cpu->sockets;
}

P2vCpu *
p2v_inventory_cpu (const P2vTree *tree)
{
  P2vCpu *cpu = p2v_cpu_new ();
  g_autofree char *text = p2v_tree_read (tree, "/proc/cpuinfo");
  gint64 processors;
  g_autoptr (GHashTable) fields = first_processor (text, &processors);
  const char *vendor = g_hash_table_lookup (fields, "vendor_id");
  if (g_strcmp0 (vendor, "GenuineIntel") == 0)
    vendor = "Intel";
  else if (g_strcmp0 (vendor, "AuthenticAMD") == 0)
    vendor = "AMD";
  else if (g_strcmp0 (vendor, "HygonGenuine") == 0)
    vendor = "Hygon";
  cpu->vendor = g_strdup (vendor);
  cpu->model = g_strdup (g_hash_table_lookup (fields, "model name"));
  cpu->family = field_number (fields, "cpu family");
  cpu->model_number = field_number (fields, "model");
  cpu->stepping = field_number (fields, "stepping");
  const char *flags = g_hash_table_lookup (fields, "flags");
  cpu->features = g_strsplit (flags == NULL ? "" : flags, " ", -1);
  cpu->apic = g_strv_contains ((const char *const *)cpu->features, "apic");
  cpu->pae = g_strv_contains ((const char *const *)cpu->features, "pae");
  cpu->acpi = p2v_tree_exists (tree, "/sys/firmware/acpi");

  if (!count_topology (tree, cpu))
    {
      gint64 cores = MAX (field_number (fields, "cpu cores"), 1);
      gint64 siblings = MAX (field_number (fields, "siblings"), cores);
      cpu->online = MAX (processors, 1);
      cpu->cores = cores;
      cpu->threads = siblings / cores;
      cpu->sockets = MAX (cpu->online / siblings, 1);
    }
  g_autofree char *present = p2v_tree_read (tree, "/sys/devices/system/cpu/present");
  settle_topology (cpu, count_list (present));
  return cpu;
}
