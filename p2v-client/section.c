/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/section.h"

#include "common/manifest.h"

guint
p2v_sections_make (const P2vSource *source, P2vSection *sections, guint count)
{
  gint64 part = p2v_block_map_bytes (source->map, P2V_EXTENT_DATA) / count;
  gint64 seen = 0;
  guint hint = 0;
  guint cuts = 0;
  for (gint64 at = 0; at < source->size;)
    {
      P2vExtent extent = p2v_block_map_at (source->map, at, &hint);
      gint64 data = extent.kind == P2V_EXTENT_DATA ? extent.length : 0;
      while (data > 0 && cuts + 1 < count && seen + data >= part * (cuts + 1))
        {
          gint64 cut = at + part * (cuts + 1) - seen;
          sections[cuts++].end = (guint64)cut / P2V_CHUNK_SIZE;
        }
      seen += data;
      at += extent.length;
    }
  sections[cuts].end = p2v_chunk_count (source->size);
  for (guint i = 1; i <= cuts; i++)
    sections[i].next = sections[i - 1].end;
  return cuts + 1;
}
