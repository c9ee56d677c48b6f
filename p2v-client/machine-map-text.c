/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/machine-map.h"

#include "p2v-client/text.h"

/* Smaller gaps and tables cost nothing worth a line, bytes. */
#define NOTABLE_GAP (64 * 1024 * 1024)

char *
p2v_map_area_describe (const char *disk, const P2vMapArea *area)
{
  g_autofree char *size = p2v_size_format (area->length);
  g_autofree char *read_size = p2v_size_format (area->read);
  if (area->reason != NULL)
    return g_strdup_printf ("%s: %s, %s, is read in full: %s", disk, area->what, size,
                            area->reason);
  return g_strdup_printf ("%s: %s, %s: only %s are in use and read", disk, area->what, size,
                          read_size);
}

gboolean
p2v_map_area_is_notable (const P2vMapArea *area)
{
  return area->partition || area->length >= NOTABLE_GAP;
}
