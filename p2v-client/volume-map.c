/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/volume-map.h"

static void
clear_segment (gpointer data)
{
  P2vVolumeSegment *segment = data;
  g_free (segment->places);
}

P2vVolumeMap *
p2v_volume_map_new (void)
{
  P2vVolumeMap *map = g_new0 (P2vVolumeMap, 1);
  map->segments = g_array_new (FALSE, FALSE, sizeof (P2vVolumeSegment));
  g_array_set_clear_func (map->segments, clear_segment);
  return map;
}

void
p2v_volume_map_free (P2vVolumeMap *map)
{
  if (map == NULL)
    return;
  g_array_unref (map->segments);
  g_free (map);
}

void
p2v_volume_map_add (P2vVolumeMap *map, gint64 length, gint64 stripe_size, guint n_stripes,
                    guint n_copies, const P2vPlace *places)
{
  g_assert (length > 0 && n_stripes > 0 && n_copies > 0);
  /* One stripe is one long piece. */
  gint64 size = n_stripes == 1 ? length : stripe_size;
  g_assert (size > 0 && length % (size * n_stripes) == 0);
  P2vVolumeSegment segment = {
    .start = map->size,
    .length = length,
    .stripe_size = size,
    .n_stripes = n_stripes,
    .n_copies = n_copies,
    .places = g_memdup2 (places, sizeof *places * n_stripes * n_copies),
  };
  g_array_append_val (map->segments, segment);
  map->size += length;
}

/* The index of the segment that holds offset. */
static guint
find_segment (const P2vVolumeMap *map, gint64 offset)
{
  guint low = 0, high = map->segments->len - 1;
  while (low < high)
    {
      guint middle = low + (high - low + 1) / 2;
      if (g_array_index (map->segments, P2vVolumeSegment, middle).start <= offset)
        low = middle;
      else
        high = middle - 1;
    }
  return low;
}

/* How many of a segment's first at bytes are in one of its stripes. They are the first bytes of the
 * stripe: pieces that are neighbours in a stripe have the other stripes' pieces between them. */
static gint64
bytes_in_stripe (const P2vVolumeSegment *segment, guint stripe, gint64 at)
{
  gint64 row_size = segment->stripe_size * segment->n_stripes;
  gint64 rest = at % row_size - segment->stripe_size * stripe;
  return at / row_size * segment->stripe_size + CLAMP (rest, 0, segment->stripe_size);
}

void
p2v_volume_map_translate (const P2vVolumeMap *map, gint64 offset, gint64 length, GArray *stretches)
{
  if (offset < 0 || length <= 0 || offset >= map->size)
    return;
  gint64 end = length > map->size - offset ? map->size : offset + length;
  for (guint i = find_segment (map, offset); i < map->segments->len; i++)
    {
      const P2vVolumeSegment *segment = &g_array_index (map->segments, P2vVolumeSegment, i);
      if (segment->start >= end)
        break;
      gint64 first = MAX (offset - segment->start, 0);
      gint64 last = MIN (end - segment->start, segment->length);
      for (guint k = 0; k < segment->n_stripes; k++)
        {
          gint64 from = bytes_in_stripe (segment, k, first);
          gint64 to = bytes_in_stripe (segment, k, last);
          for (guint c = 0; c < segment->n_copies && from < to; c++)
            {
              const P2vPlace *place = &segment->places[k * segment->n_copies + c];
              P2vStretch stretch = { place->disk, place->offset + from, to - from };
              g_array_append_val (stretches, stretch);
            }
        }
    }
}

P2vStretch
p2v_volume_map_locate (const P2vVolumeMap *map, gint64 offset)
{
  g_assert (offset >= 0 && offset < map->size);
  const P2vVolumeSegment *segment
      = &g_array_index (map->segments, P2vVolumeSegment, find_segment (map, offset));
  gint64 at = offset - segment->start;
  gint64 piece = at / segment->stripe_size;
  guint stripe = (guint)(piece % segment->n_stripes);
  gint64 within = at % segment->stripe_size;
  const P2vPlace *place = &segment->places[stripe * segment->n_copies];
  P2vStretch stretch = {
    .disk = place->disk,
    .offset = place->offset + piece / segment->n_stripes * segment->stripe_size + within,
    .length = segment->stripe_size - within,
  };
  return stretch;
}
