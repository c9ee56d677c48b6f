/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/conversion-parts.h"
#include "p2v-client/machine-map.h"

/* Says what becomes of each part of the disks. */
static void
tell_areas (P2vConversion *self)
{
  for (guint i = 0; i < self->sources->len; i++)
    {
      const P2vSource *source = self->sources->pdata[i];
      for (guint k = 0; k < source->map->areas->len; k++)
        {
          const P2vMapArea *area = source->map->areas->pdata[k];
          if (!p2v_map_area_is_notable (area))
            continue;
          g_autofree char *line = p2v_map_area_describe (source->name, area);
          p2v_conversion_tell (self, P2V_UPDATE_MAP, line);
        }
    }
}

gboolean
p2v_conversion_map_sources (P2vConversion *self, GError **error)
{
  /* What is found goes to the server with the machine; the caller's request stays as it is. */
  self->mapped = p2v_schema_copy (&p2v_request_schema, self->request);
  self->request = self->mapped;
  p2v_conversion_tell (self, P2V_UPDATE_MAPPING, NULL);
  g_autofree P2vMapDisk *disks = g_new0 (P2vMapDisk, self->sources->len);
  for (guint i = 0; i < self->sources->len; i++)
    {
      const P2vSource *source = self->sources->pdata[i];
      P2vDisk *disk = p2v_machine_find_disk (self->mapped->machine, source->name);
      disks[i] = (P2vMapDisk){
        .name = source->name,
        .path = source->path,
        .fd = source->fd,
        .sector_size = (unsigned)disk->logical_sector_size,
        .map = source->map,
        .content = disk->content,
      };
    }
  if (!p2v_machine_map (disks, self->sources->len, self->mapped->machine, self->cancellable, error))
    return FALSE;
  tell_areas (self);
  return TRUE;
}
