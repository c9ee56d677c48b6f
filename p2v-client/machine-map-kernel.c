/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/machine-map-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Devices are made of devices: an array of snapshots of partitions of a disk is four. */
#define MAX_LAYERS 12
#define MAX_SECTORS ((G_GINT64_CONSTANT (1) << 50) / 512)

char *
p2v_kernel_device_of (const P2vTree *tree, int fd)
{
  struct stat status;
  if (fstat (fd, &status) != 0 || !S_ISBLK (status.st_mode))
    return NULL;
  return p2v_tree_link_name (tree, "/sys/dev/block/%u:%u", major (status.st_rdev),
                             minor (status.st_rdev));
}

/* Where a partition's device lies on its disk. */
static P2vArea
partition_area (const P2vTree *tree, const char *device, const char *name)
{
  gint64 start
      = p2v_tree_read_number (tree, MAX_SECTORS, -1, "/sys/class/block/%s/%s/start", device, name);
  gint64 size
      = p2v_tree_read_number (tree, MAX_SECTORS, -1, "/sys/class/block/%s/%s/size", device, name);
  /* The kernel counts sectors of 512 bytes whatever the disk's own are. */
  return (P2vArea){ start * 512, size * 512 };
}

static gboolean
is_partition (const P2vTree *tree, const char *device, const char *name)
{
  return p2v_tree_exists (tree, "/sys/class/block/%s/%s/partition", device, name);
}

char *
p2v_kernel_partition (const P2vTree *tree, const char *device, P2vArea area)
{
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block/%s", device);
  for (char **name = names; *name != NULL; name++)
    {
      if (!is_partition (tree, device, *name))
        continue;
      P2vArea found = partition_area (tree, device, *name);
      if (found.offset == area.offset && found.size == area.size)
        return g_strdup (*name);
    }
  return NULL;
}

char *
p2v_kernel_mapped (const P2vTree *tree, const char *uuid)
{
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block");
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *text = p2v_tree_read (tree, "/sys/class/block/%s/dm/uuid", *name);
      if (g_strcmp0 (text, uuid) == 0)
        return g_strdup (*name);
    }
  return NULL;
}

/* The live image shows the kernel a snapshot of an array's member (iso/rootfs/usr/lib/p2v), below
 * which there is also memory for what is written, a loop device. */
static gboolean
is_memory_of_snapshot (const P2vTree *tree, const char *snapshot, const char *slave)
{
  g_autofree char *uuid = p2v_tree_read (tree, "/sys/class/block/%s/dm/uuid", snapshot);
  return uuid != NULL && g_str_has_prefix (uuid, "P2V-MEMBER-") && g_str_has_prefix (slave, "loop");
}

static gboolean
lies_upon (const P2vTree *tree, const char *device, const char *const *disks, int layer)
{
  if (g_strv_contains (disks, device))
    return TRUE;
  if (layer == MAX_LAYERS)
    return FALSE;
  if (p2v_tree_exists (tree, "/sys/class/block/%s/partition", device))
    {
      g_autofree char *disk = p2v_tree_link_name (tree, "/sys/class/block/%s/..", device);
      return disk != NULL && lies_upon (tree, disk, disks, layer + 1);
    }
  g_auto (GStrv) slaves = p2v_tree_list (tree, "/sys/class/block/%s/slaves", device);
  gboolean any = FALSE;
  for (char **slave = slaves; *slave != NULL; slave++)
    {
      if (is_memory_of_snapshot (tree, device, *slave))
        continue;
      if (!lies_upon (tree, *slave, disks, layer + 1))
        return FALSE;
      any = TRUE;
    }
  return any;
}

gboolean
p2v_kernel_lies_upon (const P2vTree *tree, const char *device, const char *const *disks)
{
  return lies_upon (tree, device, disks, 0);
}

/* Adds the device that a path below /dev names, or a number such as "8:1". */
static void
add_used (const P2vTree *tree, GHashTable *used, const char *path, const char *number)
{
  if (number != NULL)
    {
      char *name = p2v_tree_link_name (tree, "/sys/dev/block/%s", number);
      if (name != NULL)
        g_hash_table_add (used, name);
    }
  if (path == NULL || !g_str_has_prefix (path, "/dev/"))
    return;
  /* /dev/mapper/NAME and /dev/disk/by-uuid/… are links to the device itself. */
  char *name = p2v_tree_link_name (tree, "%s", path);
  g_hash_table_add (used, name != NULL ? name : g_path_get_basename (path));
}

GHashTable *
p2v_kernel_used_devices (const P2vTree *tree)
{
  GHashTable *used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *mounts = p2v_tree_read (tree, "/proc/self/mountinfo");
  g_auto (GStrv) lines = g_strsplit (mounts == NULL ? "" : mounts, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      /* proc(5): ID, parent, major:minor, root, mount point, options, tags, "-", type, source.
       * The number is anonymous on Btrfs, whose source then names a device. */
      g_auto (GStrv) fields = g_strsplit (*line, " ", -1);
      if (g_strv_length (fields) < 10)
        continue;
      add_used (tree, used, NULL, fields[2]);
      for (char **field = fields + 6; *field != NULL; field++)
        if (g_str_equal (*field, "-") && field[1] != NULL)
          add_used (tree, used, field[2], NULL);
    }
  g_autofree char *swaps = p2v_tree_read (tree, "/proc/swaps");
  g_auto (GStrv) areas = g_strsplit (swaps == NULL ? "" : swaps, "\n", -1);
  for (char **area = areas; *area != NULL; area++)
    {
      g_auto (GStrv) fields = g_strsplit_set (*area, " \t", 2);
      add_used (tree, used, fields[0], NULL);
    }
  return used;
}

/* A device can be opened exclusively unless it is mounted, here or in a container, or a part of
 * something. This opening is for reading. */
static gboolean
is_claimed (const P2vTree *tree, const char *device)
{
  if (tree->recorded)
    return FALSE;
  g_autofree char *path = p2v_tree_path (tree, "/dev/%s", device);
  int fd = open (path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return errno == EBUSY;
  close (fd);
  return FALSE;
}

static gboolean
is_used (const P2vTree *tree, GHashTable *used, const char *device, int layer)
{
  gboolean divided = FALSE;
  /* Deeper than anything real: somebody's, to be safe. */
  if (g_hash_table_contains (used, device) || layer == MAX_LAYERS)
    return TRUE;
  g_auto (GStrv) holders = p2v_tree_list (tree, "/sys/class/block/%s/holders", device);
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block/%s", device);
  for (char **holder = holders; *holder != NULL; holder++)
    if (is_used (tree, used, *holder, layer + 1))
      return TRUE;
  for (char **name = names; *name != NULL; name++)
    if (is_partition (tree, device, *name))
      {
        divided = TRUE;
        if (is_used (tree, used, *name, layer + 1))
          return TRUE;
      }
  return !divided && holders[0] == NULL && is_claimed (tree, device);
}

gboolean
p2v_kernel_is_used (const P2vTree *tree, GHashTable *used, const char *device)
{
  return is_used (tree, used, device, 0);
}

static gboolean
overlap (P2vArea a, P2vArea b)
{
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

/* Loop devices show files; one that is used makes the part of the file that it shows used. */
static gboolean
file_is_used (const P2vTree *tree, GHashTable *used, const char *path, P2vArea area)
{
  g_autofree char *real = p2v_tree_resolve (tree, "%s", path);
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block");
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *file = p2v_tree_read (tree, "/sys/class/block/%s/loop/backing_file", *name);
      if (file == NULL || g_strcmp0 (file, real) != 0)
        continue;
      P2vArea shown = {
        p2v_tree_read_number (tree, MAX_SECTORS * 512, 0, "/sys/class/block/%s/loop/offset", *name),
        p2v_tree_read_number (tree, MAX_SECTORS, MAX_SECTORS, "/sys/class/block/%s/size", *name)
            * 512,
      };
      if (overlap (shown, area) && p2v_kernel_is_used (tree, used, *name))
        return TRUE;
    }
  return FALSE;
}

gboolean
p2v_kernel_area_is_used (const P2vTree *tree, GHashTable *used, const char *device,
                         const char *path, P2vArea area)
{
  if (device == NULL)
    return file_is_used (tree, used, path, area);
  if (g_hash_table_contains (used, device))
    return TRUE;
  /* What was made of the whole disk may be any part of it. */
  g_auto (GStrv) holders = p2v_tree_list (tree, "/sys/class/block/%s/holders", device);
  for (char **holder = holders; *holder != NULL; holder++)
    if (p2v_kernel_is_used (tree, used, *holder))
      return TRUE;
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block/%s", device);
  gboolean divided = FALSE;
  for (char **name = names; *name != NULL; name++)
    if (is_partition (tree, device, *name))
      {
        divided = TRUE;
        if (overlap (partition_area (tree, device, *name), area)
            && p2v_kernel_is_used (tree, used, *name))
          return TRUE;
      }
  return !divided && holders[0] == NULL && is_claimed (tree, device);
}
