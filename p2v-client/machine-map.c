/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/free-space.h"
#include "p2v-client/machine-map-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* All extents of a disk together may not take more memory than that: of a disk with more stretches
 * of free space than this, the shortest are read. */
#define MAX_STRETCHES (512 * 1024)

/* Looking at one disk; asking comes after it. Seconds. */
#define LOOK_SECONDS 60

P2vMappedDisk *
p2v_mapping_get_disk (const P2vMapping *mapping, guint disk)
{
  return mapping->disks->pdata[disk];
}

static void
volume_free (gpointer data)
{
  P2vVolume *volume = data;
  if (volume->own_fd)
    close (volume->fd);
  p2v_volume_map_free (volume->map);
  g_clear_pointer (&volume->free, g_array_unref);
  g_free (volume->place);
  g_free (volume->type);
  g_free (volume->reason);
  g_free (volume->device);
  g_free (volume->group);
  g_free (volume->name);
  g_free (volume);
}

P2vVolume *
p2v_mapping_add_volume (P2vMapping *mapping, const char *place, gint64 size)
{
  P2vVolume *volume = g_new0 (P2vVolume, 1);
  volume->place = g_strdup (place);
  volume->size = size;
  volume->fd = -1;
  volume->map = p2v_volume_map_new ();
  g_ptr_array_add (mapping->volumes, volume);
  return volume;
}

static void
clear_part (gpointer data)
{
  P2vPart *part = data;
  g_free (part->what);
  g_free (part->reason);
}

/* Parts are cut off at the end of the disk; takes what part has over. */
static void
append_part (P2vMapping *mapping, guint index, P2vPart part)
{
  P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, index);
  part.length = MIN (part.length, disk->look.size - part.offset);
  if (part.length > 0)
    g_array_append_val (disk->parts, part);
  else
    clear_part (&part);
}

void
p2v_mapping_add_part (P2vMapping *mapping, guint disk, P2vArea area, const char *what,
                      const char *reason, gint64 number)
{
  P2vPart part = { .offset = area.offset, .length = area.size, .number = number };
  part.what = g_strdup (what);
  part.reason = g_strdup (reason);
  append_part (mapping, disk, part);
}

void
p2v_mapping_add_volume_part (P2vMapping *mapping, guint disk, P2vArea area, P2vVolume *volume)
{
  P2vPart part = { .offset = area.offset, .length = area.size, .volume = volume, .number = -1 };
  append_part (mapping, disk, part);
}

static void
place_free (gpointer data)
{
  P2vPhysicalPlace *place = data;
  p2v_physical_volume_free (place->physical);
  g_free (place->place);
  g_free (place->array);
  g_free (place);
}

static void
disk_free (gpointer data)
{
  P2vMappedDisk *disk = data;
  if (disk->look.fd >= 0)
    close (disk->look.fd);
  g_free (disk->device);
  g_array_unref (disk->parts);
  g_array_unref (disk->free);
  g_free (disk);
}

static void
add_disk (P2vMapping *mapping, const P2vMapDisk *source)
{
  P2vMappedDisk *disk = g_new0 (P2vMappedDisk, 1);
  /* The caller's descriptor may be one for direct input only, and has a position of its own. */
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", source->fd);
  disk->disk = source;
  disk->parts = g_array_new (FALSE, FALSE, sizeof (P2vPart));
  g_array_set_clear_func (disk->parts, clear_part);
  disk->free = g_array_new (FALSE, FALSE, sizeof (P2vStretch));
  disk->description.name = (char *)source->name;
  disk->description.path = (char *)source->path;
  disk->look = (P2vLook){
    .tree = &mapping->tree,
    .disk = &disk->description,
    .fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY),
    .size = source->map->size,
    .sector_size = source->sector_size,
    .deadline = g_get_monotonic_time () + LOOK_SECONDS * G_USEC_PER_SEC,
    .cancellable = mapping->cancellable,
  };
  disk->device = p2v_kernel_device_of (&mapping->tree, source->fd);
  disk->look.device = disk->device;
  g_ptr_array_add (mapping->disks, disk);
}

/* Whether a disk, converted or not, holds the memory of a hibernated system. */
static gboolean
holds_hibernated (const P2vContent *content)
{
  if (content == NULL)
    return FALSE;
  if (g_strcmp0 (content->type, "swsuspend") == 0)
    return TRUE;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      const P2vPartition *partition = content->partitions->pdata[i];
      if (holds_hibernated (partition->content))
        return TRUE;
    }
  return FALSE;
}

static int
compare_stretches (gconstpointer a, gconstpointer b)
{
  const P2vStretch *left = a, *right = b;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Leaves only as many stretches as may be, the longest. */
static void
limit_stretches (GArray *stretches)
{
  for (gint64 least = 8192; stretches->len > MAX_STRETCHES; least *= 2)
    {
      guint kept = 0;
      for (guint i = 0; i < stretches->len; i++)
        {
          P2vStretch stretch = g_array_index (stretches, P2vStretch, i);
          if (stretch.length >= least)
            g_array_index (stretches, P2vStretch, kept++) = stretch;
        }
      g_array_set_size (stretches, kept);
    }
}

/* Where the free space of a volume lies, disk by disk. */
static void
place_free_space (P2vMapping *mapping, const P2vVolume *volume)
{
  g_autoptr (GArray) stretches = g_array_new (FALSE, FALSE, sizeof (P2vStretch));
  for (guint i = 0; i < volume->free->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (volume->free, P2vFreeRange, i);
      p2v_volume_map_translate (volume->map, range->offset, range->length, stretches);
      for (guint k = 0; k < stretches->len; k++)
        {
          const P2vStretch *stretch = &g_array_index (stretches, P2vStretch, k);
          g_array_append_val (p2v_mapping_get_disk (mapping, stretch->disk)->free, *stretch);
        }
      g_array_set_size (stretches, 0);
    }
}

static int
compare_parts (gconstpointer a, gconstpointer b)
{
  const P2vPart *left = a, *right = b;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* What an area of a volume is called. */
static char *
name_volume (const P2vVolume *volume)
{
  if (volume->is_swap)
    return g_strdup_printf ("swap on %s", volume->place);
  return volume->type != NULL ? g_strdup_printf ("%s on %s", volume->type, volume->place)
                              : g_strdup (volume->place);
}

/* Counts what becomes of the bytes of areas, which are in order as the extents are. */
static void
count_bytes (P2vBlockMap *map)
{
  guint hint = 0;
  for (guint i = 0; i < map->areas->len; i++)
    {
      P2vMapArea *area = map->areas->pdata[i];
      for (gint64 at = area->offset, end = at + area->length; at < end;)
        {
          P2vExtent extent = p2v_block_map_at (map, at, &hint);
          gint64 part = MIN (extent.length, end - at);
          area->free += extent.kind == P2V_EXTENT_FREE ? part : 0;
          area->read += extent.kind == P2V_EXTENT_DATA ? part : 0;
          at += part;
        }
    }
}

static void
fill_map (P2vMappedDisk *disk)
{
  P2vBlockMap *map = disk->disk->map;
  limit_stretches (disk->free);
  g_array_sort (disk->free, compare_stretches);
  for (guint i = 0; i < disk->free->len; i++)
    {
      const P2vStretch *stretch = &g_array_index (disk->free, P2vStretch, i);
      p2v_block_map_set_free (map, stretch->offset, stretch->length);
    }
  g_ptr_array_set_size (map->areas, 0);
  g_array_sort (disk->parts, compare_parts);
  gint64 at = 0;
  for (guint i = 0; i < disk->parts->len; i++)
    {
      const P2vPart *part = &g_array_index (disk->parts, P2vPart, i);
      /* Of what overlaps, each area has what is left. */
      gint64 start = MAX (part->offset, at), end = part->offset + part->length;
      if (end <= start)
        continue;
      g_autofree char *name = part->volume == NULL ? NULL : name_volume (part->volume);
      P2vMapArea *area
          = p2v_block_map_add_area (map, start, end - start, name != NULL ? name : part->what,
                                    part->volume != NULL ? part->volume->reason : part->reason);
      area->partition = part->volume != NULL || part->number >= 0;
      at = end;
    }
  count_bytes (map);
}

static P2vContent *
find_partition (P2vContent *content, gint64 number)
{
  if (content == NULL || number == 0)
    return content;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      P2vPartition *partition = content->partitions->pdata[i];
      if (partition->number == number)
        return partition->content;
    }
  return NULL;
}

static void
note (P2vContent *content, gint64 used, const char *reason)
{
  if (content == NULL || g_strcmp0 (content->kind, "partition-table") == 0)
    return;
  g_free (content->read_in_full);
  content->read_in_full = g_strdup (reason);
  content->used = reason == NULL ? used : 0;
}

/* A logical volume is listed with every physical volume of its group. */
static void
note_volume (P2vContent *content, const P2vVolume *volume, gint64 used)
{
  if (content == NULL)
    return;
  gboolean group
      = g_strcmp0 (content->kind, "lvm-pv") == 0 && g_strcmp0 (content->group, volume->group) == 0;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      P2vPartition *partition = content->partitions->pdata[i];
      if (!group)
        note_volume (partition->content, volume, used);
      else if (g_strcmp0 (partition->label, volume->name) == 0)
        note (partition->content, used, volume->reason);
    }
}

/* What is read for a reason of its own: a partition, or all of a disk. */
static void
note_part (P2vContent *content, const P2vPart *part)
{
  gboolean table = content != NULL && g_strcmp0 (content->kind, "partition-table") == 0;
  if (part->number > 0 || !table)
    note (find_partition (content, part->number), 0, part->reason);
  for (guint i = 0; part->number == 0 && table && i < content->partitions->len; i++)
    {
      P2vPartition *partition = content->partitions->pdata[i];
      note (partition->content, 0, part->reason);
    }
}

/* Tells the inventory's description what was found. */
static void
annotate (P2vMapping *mapping)
{
  for (guint i = 0; i < mapping->volumes->len; i++)
    {
      const P2vVolume *volume = mapping->volumes->pdata[i];
      gint64 used = volume->size;
      for (guint k = 0; volume->free != NULL && k < volume->free->len; k++)
        used -= g_array_index (volume->free, P2vFreeRange, k).length;
      if (volume->group == NULL)
        note (find_partition (p2v_mapping_get_disk (mapping, volume->disk)->disk->content,
                              volume->number),
              used, volume->reason);
      for (guint k = 0; volume->group != NULL && k < mapping->disks->len; k++)
        note_volume (p2v_mapping_get_disk (mapping, k)->disk->content, volume, used);
    }
  for (guint i = 0; i < mapping->disks->len; i++)
    {
      const P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, i);
      for (guint k = 0; k < disk->parts->len; k++)
        {
          const P2vPart *part = &g_array_index (disk->parts, P2vPart, k);
          if (part->number >= 0)
            note_part (disk->disk->content, part);
        }
    }
}

static gboolean
check_cancelled (const P2vMapping *mapping, GError **error)
{
  if (!g_cancellable_is_cancelled (mapping->cancellable))
    return TRUE;
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
  return FALSE;
}

static gboolean
map_disks (P2vMapping *mapping, GError **error)
{
  for (guint i = 0; i < mapping->disks->len; i++)
    {
      const P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, i);
      if (!check_cancelled (mapping, error))
        return FALSE;
      if (disk->look.fd >= 0)
        p2v_mapping_divide_disk (mapping, i);
      else
        p2v_mapping_add_part (mapping, i, (P2vArea){ 0, disk->look.size }, disk->disk->path,
                              "it cannot be opened once more", 0);
    }
  p2v_mapping_divide_groups (mapping);
  p2v_mapping_ask (mapping);
  if (!check_cancelled (mapping, error))
    return FALSE;
  for (guint i = 0; i < mapping->volumes->len; i++)
    {
      const P2vVolume *volume = mapping->volumes->pdata[i];
      if (volume->reason == NULL && volume->free != NULL)
        place_free_space (mapping, volume);
    }
  for (guint i = 0; i < mapping->disks->len; i++)
    fill_map (p2v_mapping_get_disk (mapping, i));
  annotate (mapping);
  return TRUE;
}

gboolean
p2v_machine_map (const P2vMapDisk *disks, guint n_disks, const P2vMachine *machine,
                 GCancellable *cancellable, GError **error)
{
  P2vMapping mapping = {
    .tree = { (char *)"", FALSE, cancellable },
    .disks = g_ptr_array_new_with_free_func (disk_free),
    .volumes = g_ptr_array_new_with_free_func (volume_free),
    .places = g_ptr_array_new_with_free_func (place_free),
    .cancellable = cancellable,
  };
  mapping.used = p2v_kernel_used_devices (&mapping.tree);
  for (guint i = 0; machine != NULL && i < machine->disks->len; i++)
    {
      const P2vDisk *disk = machine->disks->pdata[i];
      mapping.hibernated |= !disk->live_medium && holds_hibernated (disk->content);
    }
  for (guint i = 0; i < n_disks; i++)
    add_disk (&mapping, &disks[i]);
  gboolean ok = map_disks (&mapping, error);
  g_ptr_array_unref (mapping.volumes);
  g_ptr_array_unref (mapping.places);
  g_ptr_array_unref (mapping.disks);
  g_hash_table_unref (mapping.used);
  return ok;
}

gboolean
p2v_machine_map_contents (P2vMachine *machine, GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) disks = g_array_new (FALSE, TRUE, sizeof (P2vMapDisk));
  for (guint i = 0; i < machine->disks->len; i++)
    {
      P2vDisk *source = machine->disks->pdata[i];
      int fd = p2v_disk_is_convertible (source) && source->content != NULL
                   ? open (source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
                   : -1;
      if (fd < 0)
        continue;
      P2vMapDisk disk = { source->name,
                          source->path,
                          fd,
                          (unsigned)source->logical_sector_size,
                          p2v_block_map_new (fd, source->size),
                          source->content };
      g_array_append_val (disks, disk);
    }
  gboolean ok
      = p2v_machine_map ((const P2vMapDisk *)disks->data, disks->len, machine, cancellable, error);
  for (guint i = 0; i < disks->len; i++)
    {
      P2vMapDisk *disk = &g_array_index (disks, P2vMapDisk, i);
      p2v_block_map_free (disk->map);
      close (disk->fd);
    }
  return ok;
}
