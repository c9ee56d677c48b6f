/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on a disk is not aligned, and may be of either byte order. */
#include "p2v-client/free-space-parts.h"

#include <string.h>

guint16
p2v_le16 (const guint8 *bytes)
{
  guint16 value;
  memcpy (&value, bytes, sizeof value);
  return GUINT16_FROM_LE (value);
}

guint32
p2v_le32 (const guint8 *bytes)
{
  guint32 value;
  memcpy (&value, bytes, sizeof value);
  return GUINT32_FROM_LE (value);
}

guint64
p2v_le64 (const guint8 *bytes)
{
  guint64 value;
  memcpy (&value, bytes, sizeof value);
  return GUINT64_FROM_LE (value);
}

guint16
p2v_be16 (const guint8 *bytes)
{
  return GUINT16_SWAP_LE_BE (p2v_le16 (bytes));
}

guint32
p2v_be32 (const guint8 *bytes)
{
  return GUINT32_SWAP_LE_BE (p2v_le32 (bytes));
}

guint64
p2v_be64 (const guint8 *bytes)
{
  return GUINT64_SWAP_LE_BE (p2v_le64 (bytes));
}

static gpointer
make_table (gpointer data)
{
  (void)data;
  guint32 *table = g_new (guint32, 256);
  for (guint32 i = 0; i < 256; i++)
    {
      guint32 value = i;
      for (int bit = 0; bit < 8; bit++)
        value = (value >> 1) ^ (value & 1 ? 0x82F63B78U : 0);
      table[i] = value;
    }
  return table;
}

guint32
p2v_crc32c (guint32 seed, const guint8 *bytes, gsize length)
{
  static GOnce once = G_ONCE_INIT;
  const guint32 *table = g_once (&once, make_table, NULL);
  for (gsize i = 0; i < length; i++)
    seed = (seed >> 8) ^ table[(seed ^ bytes[i]) & 0xFF];
  return seed;
}
