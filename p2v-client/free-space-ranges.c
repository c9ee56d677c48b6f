/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/free-space-parts.h"

GArray *
p2v_ranges_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (P2vFreeRange));
}

void
p2v_ranges_add (GArray *ranges, gint64 offset, gint64 length)
{
  if (length <= 0)
    return;
  if (ranges->len > 0)
    {
      P2vFreeRange *last = &g_array_index (ranges, P2vFreeRange, ranges->len - 1);
      if (last->offset + last->length == offset)
        {
          last->length += length;
          return;
        }
    }
  const P2vFreeRange range = { offset, length };
  g_array_append_val (ranges, range);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const P2vFreeRange *first = a, *second = b;
  return (first->offset > second->offset) - (first->offset < second->offset);
}

void
p2v_ranges_add_bits (GArray *ranges, const guint8 *bits, guint64 count, gint64 offset, gint64 unit,
                     gboolean highest_first)
{
  for (guint64 i = 0; i < count;)
    {
      guint8 byte = bits[i / 8];
      guint64 whole = i % 8 == 0 && count - i >= 8 ? 8 : 1;
      if (whole == 8 && (byte == 0 || byte == 0xFF))
        {
          if (byte == 0)
            p2v_ranges_add (ranges, offset + (gint64)i * unit, 8 * unit);
          i += 8;
          continue;
        }
      if ((byte >> (highest_first ? 7 - i % 8 : i % 8) & 1) == 0)
        p2v_ranges_add (ranges, offset + (gint64)i * unit, unit);
      i++;
    }
}

void
p2v_ranges_normalize (GArray *ranges)
{
  g_array_sort (ranges, compare);
  guint kept = 0;
  for (guint i = 0; i < ranges->len; i++)
    {
      P2vFreeRange range = g_array_index (ranges, P2vFreeRange, i);
      P2vFreeRange *last = kept > 0 ? &g_array_index (ranges, P2vFreeRange, kept - 1) : NULL;
      if (last != NULL && range.offset <= last->offset + last->length)
        last->length = MAX (last->length, range.offset + range.length - last->offset);
      else
        g_array_index (ranges, P2vFreeRange, kept++) = range;
    }
  g_array_set_size (ranges, kept);
}

GArray *
p2v_ranges_intersect (const GArray *a, const GArray *b)
{
  GArray *both = p2v_ranges_new ();
  guint i = 0, j = 0;
  while (i < a->len && j < b->len)
    {
      const P2vFreeRange *x = &g_array_index (a, P2vFreeRange, i);
      const P2vFreeRange *y = &g_array_index (b, P2vFreeRange, j);
      gint64 x_end = x->offset + x->length, y_end = y->offset + y->length;
      gint64 begin = MAX (x->offset, y->offset);
      p2v_ranges_add (both, begin, MIN (x_end, y_end) - begin);
      if (x_end <= y_end)
        i++;
      if (y_end <= x_end)
        j++;
    }
  return both;
}

GArray *
p2v_ranges_complement (const GArray *ranges, gint64 begin, gint64 end)
{
  GArray *rest = p2v_ranges_new ();
  gint64 at = begin;
  for (guint i = 0; i < ranges->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
      p2v_ranges_add (rest, at, MIN (range->offset, end) - at);
      at = MAX (at, range->offset + range->length);
    }
  p2v_ranges_add (rest, at, end - at);
  return rest;
}

/* The first range that ends beyond offset. */
static guint
find_beyond (const GArray *ranges, gint64 offset)
{
  guint low = 0, high = ranges->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, middle);
      if (range->offset + range->length <= offset)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

GArray *
p2v_ranges_subtract (const GArray *ranges, const GArray *others)
{
  GArray *rest = p2v_ranges_new ();
  guint j
      = ranges->len > 0 ? find_beyond (others, g_array_index (ranges, P2vFreeRange, 0).offset) : 0;
  for (guint i = 0; i < ranges->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
      gint64 at = range->offset, end = at + range->length;
      for (; j < others->len; j++)
        {
          const P2vFreeRange *other = &g_array_index (others, P2vFreeRange, j);
          if (other->offset >= end)
            break;
          p2v_ranges_add (rest, at, other->offset - at);
          at = MAX (at, other->offset + other->length);
          /* It may reach into the next range too. */
          if (at >= end)
            break;
        }
      p2v_ranges_add (rest, at, end - at);
    }
  return rest;
}

gint64
p2v_ranges_bytes (const GArray *ranges)
{
  gint64 bytes = 0;
  for (guint i = 0; i < ranges->len; i++)
    bytes += g_array_index (ranges, P2vFreeRange, i).length;
  return bytes;
}
