/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/map-report.h"

#include "common/error.h"
#include "p2v-client/inventory.h"
#include "p2v-client/machine-map.h"
#include "p2v-client/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* As many extents fit on a page or two; those of a disk that has been in use for long do not. */
#define MAX_EXTENTS 40

/* The disks that were named, and what was opened for them. */
typedef struct
{
  P2vMachine *machine;
  GArray *disks; /* of P2vMapDisk, in the order of the machine's */
} Report;

static void
clear_disk (gpointer data)
{
  P2vMapDisk *disk = data;
  p2v_block_map_free (disk->map);
  close (disk->fd);
}

static void
report_clear (Report *self)
{
  g_clear_pointer (&self->disks, g_array_unref);
  g_clear_pointer (&self->machine, p2v_machine_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

static gboolean
add_disk (Report *self, const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  P2vDisk *description = p2v_inventory_describe_file (absolute, error);
  if (description == NULL)
    return FALSE;
  g_ptr_array_add (self->machine->disks, description);
  int fd = open (absolute, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "cannot open disk %s: %s. Check that it is there and readable.", absolute,
                   g_strerror (errno));
      return FALSE;
    }
  P2vMapDisk disk = {
    .name = description->name,
    .path = description->path,
    .fd = fd,
    .sector_size = (unsigned)description->logical_sector_size,
    .map = p2v_block_map_new (fd, description->size),
    .content = description->content,
  };
  g_array_append_val (self->disks, disk);
  return TRUE;
}

static const char *
kind_name (P2vExtentKind kind)
{
  static const char *const names[] = {
    [P2V_EXTENT_DATA] = "data",
    [P2V_EXTENT_HOLE] = "hole",
    [P2V_EXTENT_FREE] = "free",
  };
  return names[kind];
}

/* The extents' kinds for people: what becomes of them. */
static const char *
kind_meaning (P2vExtentKind kind)
{
  static const char *const meanings[] = {
    [P2V_EXTENT_DATA] = "read",
    [P2V_EXTENT_HOLE] = "hole: not read",
    [P2V_EXTENT_FREE] = "free: not read",
  };
  return meanings[kind];
}

static int
percent (gint64 part, gint64 whole)
{
  return whole > 0 ? (int)((double)part * 100 / (double)whole) : 0;
}

static void
add_areas (GString *text, const P2vBlockMap *map)
{
  g_string_append_printf (text, "\n%16s  %10s  %10s  %s\n", "OFFSET", "SIZE", "READ", "AREA");
  for (guint i = 0; i < map->areas->len; i++)
    {
      const P2vMapArea *area = map->areas->pdata[i];
      g_autofree char *what = p2v_text_printable (area->what);
      g_autofree char *reason = p2v_text_printable (area->reason);
      g_autofree char *size = p2v_size_format (area->length);
      g_autofree char *read_size
          = area->reason != NULL ? g_strdup ("all") : p2v_size_format (area->read);
      g_string_append_printf (text, "%16" G_GINT64_FORMAT "  %10s  %10s  %s%s%s\n", area->offset,
                              size, read_size, what, area->reason != NULL ? ": " : "", reason);
    }
}

typedef struct
{
  const char *reason;
  gint64 bytes;
} Sum;

static int
compare_sums (gconstpointer a, gconstpointer b)
{
  const Sum *left = a, *right = b;
  return left->bytes > right->bytes ? -1 : left->bytes < right->bytes;
}

/* The bytes that are read, by why they are, the most first. */
static GArray *
sum_reasons (const P2vBlockMap *map)
{
  GArray *sums = g_array_new (FALSE, FALSE, sizeof (Sum));
  for (guint i = 0; i < map->areas->len; i++)
    {
      const P2vMapArea *area = map->areas->pdata[i];
      Sum sum = { area->reason != NULL ? area->reason : "its filesystem says that it is in use",
                  area->read };
      guint k = 0;
      while (k < sums->len && strcmp (g_array_index (sums, Sum, k).reason, sum.reason) != 0)
        k++;
      if (k < sums->len)
        g_array_index (sums, Sum, k).bytes += sum.bytes;
      else
        g_array_append_val (sums, sum);
    }
  g_array_sort (sums, compare_sums);
  return sums;
}

static void
add_line (GString *text, gint64 bytes, const char *words)
{
  g_autofree char *size = p2v_size_format (bytes);
  g_string_append_printf (text, "%16" G_GINT64_FORMAT "  %10s  %s\n", bytes, size, words);
}

static void
add_sums (GString *text, const P2vBlockMap *map)
{
  g_autoptr (GArray) sums = sum_reasons (map);
  g_string_append_printf (text, "\n%16s  %10s  %s\n", "BYTES READ", "", "BECAUSE");
  for (guint i = 0; i < sums->len; i++)
    {
      const Sum *sum = &g_array_index (sums, Sum, i);
      g_autofree char *reason = p2v_text_printable (sum->reason);
      if (sum->bytes > 0)
        add_line (text, sum->bytes, reason);
    }
  g_string_append_printf (text, "\n%16s  %10s  %s\n", "BYTES NOT READ", "", "BECAUSE");
  add_line (text, p2v_block_map_bytes (map, P2V_EXTENT_FREE), "its filesystem says it is free");
  if (p2v_block_map_bytes (map, P2V_EXTENT_HOLE) > 0)
    add_line (text, p2v_block_map_bytes (map, P2V_EXTENT_HOLE), "it is a hole of a sparse file");
}

static void
add_extents (GString *text, const P2vBlockMap *map, gboolean all)
{
  guint shown = all ? map->extents->len : MIN (map->extents->len, MAX_EXTENTS);
  g_string_append_printf (text, "\n%16s  %16s  %s\n", "EXTENT", "BYTES", "");
  for (guint i = 0; i < shown; i++)
    {
      const P2vExtent *extent = &g_array_index (map->extents, P2vExtent, i);
      g_string_append_printf (text, "%16" G_GINT64_FORMAT "  %16" G_GINT64_FORMAT "  %s\n",
                              extent->offset, extent->length, kind_meaning (extent->kind));
    }
  if (shown < map->extents->len)
    g_string_append_printf (text, "%16s  and %u more extents; --verbose lists them all\n", "",
                            map->extents->len - shown);
}

static char *
format_text (const Report *self, gboolean all_extents)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < self->disks->len; i++)
    {
      const P2vMapDisk *disk = &g_array_index (self->disks, P2vMapDisk, i);
      gint64 data = p2v_block_map_bytes (disk->map, P2V_EXTENT_DATA);
      gint64 saved = disk->map->size - data;
      g_autofree char *path = p2v_text_printable (disk->path);
      g_autofree char *size = p2v_size_format (disk->map->size);
      g_autofree char *read_size = p2v_size_format (data);
      g_autofree char *saved_size = p2v_size_format (saved);
      g_string_append_printf (text, "%s%s: %s, of which %s are read; %s (%d %%) need not be\n",
                              i > 0 ? "\n\n" : "", path, size, read_size, saved_size,
                              percent (saved, disk->map->size));
      add_areas (text, disk->map);
      add_sums (text, disk->map);
      add_extents (text, disk->map, all_extents);
    }
  return g_strdup (text->str);
}

static JsonObject *
area_to_json (const P2vMapArea *area)
{
  JsonObject *object = json_object_new ();
  json_object_set_int_member (object, "offset", area->offset);
  json_object_set_int_member (object, "size", area->length);
  json_object_set_int_member (object, "read", area->read);
  json_object_set_int_member (object, "free", area->free);
  json_object_set_string_member (object, "what", area->what);
  if (area->reason != NULL)
    json_object_set_string_member (object, "read_in_full", area->reason);
  return object;
}

static JsonObject *
disk_to_json (const P2vMapDisk *disk)
{
  const P2vBlockMap *map = disk->map;
  JsonObject *object = json_object_new ();
  JsonArray *areas = json_array_new ();
  JsonArray *extents = json_array_new ();
  for (guint i = 0; i < map->areas->len; i++)
    json_array_add_object_element (areas, area_to_json (map->areas->pdata[i]));
  for (guint i = 0; i < map->extents->len; i++)
    {
      const P2vExtent *extent = &g_array_index (map->extents, P2vExtent, i);
      JsonObject *item = json_object_new ();
      json_object_set_int_member (item, "offset", extent->offset);
      json_object_set_int_member (item, "size", extent->length);
      json_object_set_string_member (item, "kind", kind_name (extent->kind));
      json_array_add_object_element (extents, item);
    }
  json_object_set_string_member (object, "name", disk->name);
  json_object_set_string_member (object, "path", disk->path);
  json_object_set_int_member (object, "size", map->size);
  json_object_set_int_member (object, "read", p2v_block_map_bytes (map, P2V_EXTENT_DATA));
  json_object_set_int_member (object, "free", p2v_block_map_bytes (map, P2V_EXTENT_FREE));
  json_object_set_int_member (object, "hole", p2v_block_map_bytes (map, P2V_EXTENT_HOLE));
  json_object_set_array_member (object, "areas", areas);
  json_object_set_array_member (object, "extents", extents);
  return object;
}

static char *
format_json (const Report *self)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *disks = json_array_new ();
  for (guint i = 0; i < self->disks->len; i++)
    json_array_add_object_element (disks,
                                   disk_to_json (&g_array_index (self->disks, P2vMapDisk, i)));
  json_object_set_array_member (object, "disks", disks);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  return g_strconcat (text, "\n", NULL);
}

char *
p2v_map_report (const char *const *paths, gboolean json, gboolean all_extents, GError **error)
{
  g_auto (Report) self = {
    .machine = p2v_machine_new (),
    .disks = g_array_new (FALSE, TRUE, sizeof (P2vMapDisk)),
  };
  g_array_set_clear_func (self.disks, clear_disk);
  for (; *paths != NULL; paths++)
    if (!add_disk (&self, *paths, error))
      return NULL;
  if (!p2v_machine_map ((const P2vMapDisk *)self.disks->data, self.disks->len, self.machine, NULL,
                        error))
    return NULL;
  return json ? format_json (&self) : format_text (&self, all_extents);
}
