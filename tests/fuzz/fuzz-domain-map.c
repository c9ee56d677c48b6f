/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a partclone writes of a filesystem that anybody has made. */
#include "p2v-client/free-space-parts.h"
#include "tests/fuzz/fuzz.h"

static void
check_size (const guint8 *data, gsize length, gint64 size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) free = p2v_domain_map_parse ((const char *)data, length, size, &error);
  g_assert ((free == NULL) == (error != NULL));
  if (free == NULL)
    return;
  gint64 end = -1;
  for (guint i = 0; i < free->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (free, P2vFreeRange, i);
      g_assert (range->offset > end && range->length > 0 && range->offset < size
                && range->length <= size - range->offset);
      end = range->offset + range->length;
    }
  g_autoptr (GArray) used = p2v_ranges_complement (free, 0, size);
  g_autoptr (GArray) both = p2v_ranges_intersect (free, used);
  g_assert (p2v_ranges_bytes (free) + p2v_ranges_bytes (used) == size && both->len == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  check_size (data, size, 0x1000);
  check_size (data, size, 0x10000);
  check_size (data, size, G_MAXINT64);
  return 0;
}
