/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/block-map.h"

#include <errno.h>
#include <unistd.h>

static void
area_free (gpointer data)
{
  P2vMapArea *area = data;
  g_free (area->what);
  g_free (area->reason);
  g_free (area);
}

static void
append (P2vBlockMap *map, gint64 offset, gint64 end, P2vExtentKind kind)
{
  P2vExtent extent = { offset, end - offset, kind };
  if (extent.length > 0)
    g_array_append_val (map->extents, extent);
}

P2vBlockMap *
p2v_block_map_new (int fd, gint64 size)
{
  P2vBlockMap *map = g_new0 (P2vBlockMap, 1);
  map->extents = g_array_new (FALSE, FALSE, sizeof (P2vExtent));
  map->areas = g_ptr_array_new_with_free_func (area_free);
  map->size = size;

  for (gint64 offset = 0; offset < size;)
    {
      /* Past the last data SEEK_DATA says ENXIO, which is also what an empty file says; any other
       * refusal means that the kernel cannot tell, and then everything is data. */
      off_t hole = lseek (fd, offset, SEEK_HOLE);
      gint64 data_end = hole < offset || hole > size ? size : hole;
      append (map, offset, data_end, P2V_EXTENT_DATA);
      if (data_end == size)
        break;
      off_t data = lseek (fd, data_end, SEEK_DATA);
      gboolean all_hole = data < 0 ? errno == ENXIO : data > size;
      if (!all_hole && data < data_end)
        {
          append (map, data_end, size, P2V_EXTENT_DATA);
          break;
        }
      gint64 hole_end = all_hole ? size : data;
      append (map, data_end, hole_end, P2V_EXTENT_HOLE);
      offset = hole_end;
    }
  return map;
}

void
p2v_block_map_free (P2vBlockMap *map)
{
  if (map == NULL)
    return;
  g_array_unref (map->extents);
  g_ptr_array_unref (map->areas);
  g_free (map);
}

static P2vExtent *
extent_at (const P2vBlockMap *map, guint index)
{
  return &g_array_index (map->extents, P2vExtent, index);
}

/* The index of the extent that holds offset. */
static guint
find (const P2vBlockMap *map, gint64 offset)
{
  guint low = 0, high = map->extents->len - 1;
  while (low < high)
    {
      guint middle = low + (high - low + 1) / 2;
      if (extent_at (map, middle)->offset <= offset)
        low = middle;
      else
        high = middle - 1;
    }
  return low;
}

/* Makes the part [start, end) of a data extent free; the rest stays data. Returns the index of the
 * extent that then begins at end, or would. */
static guint
free_part (P2vBlockMap *map, guint index, gint64 start, gint64 end)
{
  P2vExtent old = *extent_at (map, index);
  gint64 old_end = old.offset + old.length;
  gboolean joins_last
      = index > 0 && start == old.offset && extent_at (map, index - 1)->kind == P2V_EXTENT_FREE;
  P2vExtent parts[3];
  guint count = 0;
  if (start > old.offset)
    parts[count++] = (P2vExtent){ old.offset, start - old.offset, P2V_EXTENT_DATA };
  if (joins_last)
    extent_at (map, index - 1)->length += end - start;
  else
    parts[count++] = (P2vExtent){ start, end - start, P2V_EXTENT_FREE };
  guint next = index + count;
  if (end < old_end)
    parts[count++] = (P2vExtent){ end, old_end - end, P2V_EXTENT_DATA };
  if (count == 0)
    g_array_remove_index (map->extents, index);
  else
    {
      *extent_at (map, index) = parts[0];
      g_array_insert_vals (map->extents, index + 1, parts + 1, count - 1);
    }
  /* A free neighbour behind it becomes one with it. */
  if (end == old_end && next < map->extents->len && extent_at (map, next)->kind == P2V_EXTENT_FREE)
    {
      extent_at (map, next - 1)->length += extent_at (map, next)->length;
      g_array_remove_index (map->extents, next);
    }
  return next;
}

void
p2v_block_map_set_free (P2vBlockMap *map, gint64 offset, gint64 length)
{
  if (offset < 0 || length <= 0 || offset >= map->size)
    return;
  gint64 end = length > map->size - offset ? map->size : offset + length;
  for (guint i = find (map, offset); i < map->extents->len;)
    {
      const P2vExtent *extent = extent_at (map, i);
      if (extent->offset >= end)
        break;
      if (extent->kind == P2V_EXTENT_DATA)
        i = free_part (map, i, MAX (offset, extent->offset),
                       MIN (end, extent->offset + extent->length));
      else
        i++;
    }
}

P2vMapArea *
p2v_block_map_add_area (P2vBlockMap *map, gint64 offset, gint64 length, const char *what,
                        const char *reason)
{
  P2vMapArea *area = g_new0 (P2vMapArea, 1);
  area->offset = offset;
  area->length = length;
  area->what = g_strdup (what);
  area->reason = g_strdup (reason);
  g_ptr_array_add (map->areas, area);
  return area;
}

gint64
p2v_block_map_bytes (const P2vBlockMap *map, P2vExtentKind kind)
{
  gint64 bytes = 0;
  for (guint i = 0; i < map->extents->len; i++)
    {
      const P2vExtent *extent = &g_array_index (map->extents, P2vExtent, i);
      if (extent->kind == kind)
        bytes += extent->length;
    }
  return bytes;
}

P2vExtent
p2v_block_map_at (const P2vBlockMap *map, gint64 offset, guint *hint)
{
  g_assert (offset >= 0 && offset < map->size);
  if (*hint >= map->extents->len || offset < extent_at (map, *hint)->offset)
    *hint = find (map, offset);
  const P2vExtent *extent = extent_at (map, *hint);
  while (offset >= extent->offset + extent->length)
    extent = extent_at (map, ++*hint);
  P2vExtent rest = { offset, extent->offset + extent->length - offset, extent->kind };
  return rest;
}
