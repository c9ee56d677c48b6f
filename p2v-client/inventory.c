/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory.h"

#include "common/error.h"
#include "common/request.h"
#include "p2v-client/inventory-parts.h"

#include <errno.h>
#include <stdlib.h>

/* As p2v_name_is_plain() has it. */
#define MAX_NAME 64

/* The operating system that is nearest to the front in a disk's contents. */
static const P2vOs *
find_os (const P2vContent *content)
{
  if (content == NULL || content->os != NULL)
    return content == NULL ? NULL : content->os;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      const P2vPartition *partition = content->partitions->pdata[i];
      const P2vOs *os = find_os (partition->content);
      if (os != NULL)
        return os;
    }
  return NULL;
}

void
p2v_inventory_settle (P2vMachine *machine)
{
  const P2vOs *os = NULL;
  for (guint i = 0; i < machine->disks->len && os == NULL; i++)
    {
      const P2vDisk *disk = machine->disks->pdata[i];
      /* The live system's own name is not the machine's. */
      os = disk->live_medium ? NULL : find_os (disk->content);
    }
  if (os == NULL)
    return;
  g_free (machine->hostname);
  machine->hostname = g_strdup (os->hostname);
  if (os->clock == NULL)
    return;
  if (machine->clock == NULL)
    machine->clock = p2v_clock_new ();
  g_free (machine->clock->basis);
  machine->clock->basis = g_strdup (os->clock);
  if (g_str_equal (os->clock, "utc"))
    machine->clock->offset = 0;
}

P2vMachine *
p2v_inventory_collect (const char *root, GCancellable *cancellable, GError **error)
{
  g_autofree char *real = realpath (root, NULL);
  if (real == NULL || !g_file_test (real, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                   "cannot describe the machine below %s: %s. Give the folder of a recorded "
                   "machine, or / for this one.",
                   root, real == NULL ? g_strerror (errno) : "it is no folder");
      return NULL;
    }
  gboolean recorded = !g_str_equal (real, "/");
  P2vTree tree = { recorded ? real : (char *)"", recorded, cancellable };
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  machine->cpu = p2v_inventory_cpu (&tree);
  machine->memory = p2v_inventory_memory (&tree);
  machine->firmware = p2v_inventory_firmware (&tree);
  machine->clock = p2v_inventory_clock (&tree);
  machine->smbios = p2v_inventory_smbios (&tree);
  machine->hypervisor = p2v_inventory_hypervisor (&tree);
  p2v_inventory_add_nics (&tree, machine);
  p2v_inventory_add_removables (&tree, machine);
  p2v_inventory_add_disks (&tree, machine);
  p2v_inventory_settle (machine);
  if (g_cancellable_is_cancelled (cancellable))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED,
                           "describing the machine was stopped");
      return NULL;
    }
  return g_steal_pointer (&machine);
}

/* The path's last component with dashes for what is not plain. */
static char *
plain_name (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  const char *start = base;
  while (*start != '\0' && !g_ascii_isalnum (*start) && *start != '_')
    start++;
  g_autofree char *name = g_strndup (start, MAX_NAME);
  g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.+", '-');
  return p2v_name_is_plain (name) ? g_steal_pointer (&name) : g_strdup ("disk");
}

P2vDisk *
p2v_inventory_describe_file (const char *path, GError **error)
{
  if (!g_path_is_absolute (path) || !g_utf8_validate (path, -1, NULL))
    {
      g_autofree char *shown = g_utf8_make_valid (path, -1);
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "cannot use %s as a disk: its path must be absolute and valid UTF-8.", shown);
      return NULL;
    }
  g_autoptr (P2vDisk) disk = p2v_disk_new ();
  disk->name = plain_name (path);
  disk->path = g_strdup (path);
  disk->bus = g_strdup ("file");
  if (!p2v_content_describe (disk, path, NULL, NULL, error))
    return NULL;
  if (disk->size == 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "cannot use %s as a disk: it is empty. Check the path.", path);
      return NULL;
    }
  return g_steal_pointer (&disk);
}
