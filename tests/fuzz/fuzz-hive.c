/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Windows registry hive without its base block: first where the root key is, then the cells. */
#include "p2v-client/inventory-parts.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define BASE_BLOCK 4096
#define ROOT_CELL 36

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 4)
    return 0;
  gsize length = BASE_BLOCK + size - 4;
  guint8 *bytes = g_malloc0 (length);
  memcpy (bytes, "regf", 4);
  memcpy (bytes + ROOT_CELL, data, 4);
  memcpy (bytes + BASE_BLOCK, data + 4, size - 4);
  g_autoptr (GBytes) hive = g_bytes_new_take (bytes, length);
  const char *const names[] = { "ProductName", "Major" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *value = p2v_hive_lookup (hive, "Windows NT\\CurrentVersion", names[i]);
      g_assert (value == NULL || g_utf8_validate (value, -1, NULL));
    }
  return 0;
}
