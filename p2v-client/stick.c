/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/stick.h"

#include "common/request.h"
#include "p2v-client/inventory-parts.h"
#include "p2v-client/text.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What iso/build calls the part of its medium that starts UEFI machines: room for a boot loader,
 * and a medium that is to stay what its checksum says. */
#define OWN_BOOT_LABEL "P2VEFI"

#define MAX_SECTORS ((G_GINT64_CONSTANT (1) << 50) / 512)

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (blkid_probe, blkid_free_probe, NULL)

void
p2v_stick_free (P2vStick *stick)
{
  if (stick == NULL)
    return;
  g_free (stick->device);
  g_free (stick->type);
  g_free (stick->text);
  g_free (stick);
}

P2vStick *
p2v_stick_copy (const P2vStick *stick)
{
  P2vStick *copy = g_new0 (P2vStick, 1);
  copy->device = g_strdup (stick->device);
  copy->type = g_strdup (stick->type);
  copy->text = g_strdup (stick->text);
  return copy;
}

/* TRUE for a disk that a person plugs in. */
static gboolean
is_pluggable (const P2vTree *tree, const char *disk)
{
  g_autofree char *path = p2v_tree_resolve (tree, "/sys/class/block/%s", disk);
  return p2v_tree_read_number (tree, 1, 0, "/sys/class/block/%s/removable", disk) == 1
         || g_strcmp0 (p2v_bus_from_path (path), "usb") == 0;
}

static gboolean
is_mounted (const P2vTree *tree, const char *device)
{
  g_autofree char *number = p2v_tree_read (tree, "/sys/class/block/%s/dev", device);
  g_autofree char *text = p2v_tree_read (tree, "/proc/self/mountinfo");
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);
  for (char **line = lines; number != NULL && *line != NULL; line++)
    {
      /* proc(5): ID, parent, major:minor, … */
      g_auto (GStrv) fields = g_strsplit (*line, " ", 4);
      if (g_strv_length (fields) > 3 && g_str_equal (fields[2], number))
        return TRUE;
    }
  return FALSE;
}

/* TRUE when a disk or partition is writable, and nobody uses it. */
static gboolean
is_free (const P2vTree *tree, const char *device)
{
  g_auto (GStrv) holders = p2v_tree_list (tree, "/sys/class/block/%s/holders", device);
  return p2v_tree_read_number (tree, 1, 0, "/sys/class/block/%s/ro", device) == 0
         && p2v_tree_read_number (tree, MAX_SECTORS, 0, "/sys/class/block/%s/size", device) > 0
         && holders[0] == NULL && !is_mounted (tree, device);
}

/* The filesystem that is there, if it is one for such files (transfer full). */
static char *
find_type (const char *path)
{
  static const char *const types[] = { "vfat", "exfat", "ext2", "ext3", "ext4", NULL };
  const char *type = NULL;
  const char *label = NULL;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return NULL;
  g_auto (blkid_probe) probe = blkid_new_probe ();
  gboolean known = probe != NULL && blkid_probe_set_device (probe, fd, 0, 0) == 0
                   && blkid_do_safeprobe (probe) == 0
                   && blkid_probe_lookup_value (probe, "TYPE", &type, NULL) == 0
                   && g_strv_contains (types, type);
  if (known && blkid_probe_lookup_value (probe, "LABEL", &label, NULL) == 0)
    known = strcmp (label, OWN_BOOT_LABEL) != 0;
  char *found = known ? g_strdup (type) : NULL;
  close (fd);
  return found;
}

static char *
describe (const P2vTree *tree, const char *disk, const char *device)
{
  g_autofree char *vendor = p2v_tree_read (tree, "/sys/class/block/%s/device/vendor", disk);
  g_autofree char *model = p2v_tree_read (tree, "/sys/class/block/%s/device/model", disk);
  gint64 sectors = p2v_tree_read_number (tree, MAX_SECTORS, 0, "/sys/class/block/%s/size", device);
  g_autofree char *size = p2v_size_format (sectors * 512);
  g_autofree char *text = g_strdup_printf ("%s %s, %s, %s", vendor != NULL ? vendor : "",
                                           model != NULL ? model : "", device, size);
  /* Without a name of its own it begins with that of the device. */
  return p2v_text_printable (text + strspn (text, " ,"));
}

static void
add_device (const P2vTree *tree, const char *disk, const char *device, GPtrArray *sticks)
{
  g_autofree char *path = p2v_tree_path (tree, "/dev/%s", device);
  g_autofree char *type = is_free (tree, device) ? find_type (path) : NULL;
  if (type == NULL)
    return;
  P2vStick *stick = g_new0 (P2vStick, 1);
  stick->device = g_steal_pointer (&path);
  stick->type = g_steal_pointer (&type);
  stick->text = describe (tree, disk, device);
  g_ptr_array_add (sticks, stick);
}

/* Its partitions; a disk that has none may be one filesystem. */
static void
add_disk (const P2vTree *tree, const char *disk, GPtrArray *sticks)
{
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block/%s", disk);
  gboolean partitioned = FALSE;
  for (char **name = names; *name != NULL; name++)
    if (p2v_name_is_plain (*name)
        && p2v_tree_exists (tree, "/sys/class/block/%s/%s/partition", disk, *name))
      {
        partitioned = TRUE;
        add_device (tree, disk, *name, sticks);
      }
  if (!partitioned)
    add_device (tree, disk, disk, sticks);
}

GPtrArray *
p2v_stick_find (const char *root, char *const *chosen, GCancellable *cancellable)
{
  GPtrArray *sticks = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_stick_free);
  g_autofree char *real = realpath (root, NULL);
  if (real == NULL)
    return sticks;
  gboolean recorded = !g_str_equal (real, "/");
  P2vTree tree = { recorded ? real : (char *)"", recorded, cancellable };
  g_auto (GStrv) names = p2v_tree_list (&tree, "/sys/block");
  for (char **name = names; *name != NULL && !g_cancellable_is_cancelled (cancellable); name++)
    if (p2v_name_is_plain (*name) && !p2v_disk_is_excluded (&tree, *name)
        && is_pluggable (&tree, *name) && is_free (&tree, *name)
        && (chosen == NULL || !g_strv_contains ((const char *const *)chosen, *name)))
      add_disk (&tree, *name, sticks);
  return sticks;
}
