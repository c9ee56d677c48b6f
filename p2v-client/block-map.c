/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/block-map.h"

#include <errno.h>
#include <unistd.h>

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
  g_free (map);
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
  const P2vExtent *extent = &g_array_index (map->extents, P2vExtent, *hint);
  while (offset >= extent->offset + extent->length)
    extent = &g_array_index (map->extents, P2vExtent, ++*hint);
  P2vExtent rest = { offset, extent->offset + extent->length - offset, extent->kind };
  return rest;
}
