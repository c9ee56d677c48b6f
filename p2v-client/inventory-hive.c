/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

/* Windows registry hives ("regf"), as the documentation of Maxim Suhanov ("Windows registry file
 * format specification") describes them: a base block of 4096 bytes, then cells, each led by its
 * size as a negative number when in use. Offsets count from the end of the base block. */
#define BASE_BLOCK 4096
#define ROOT_CELL 36
#define NAME_IS_LATIN1 0x20
#define VALUE_NAME_IS_LATIN1 1
#define DATA_IS_INLINE 0x80000000u
#define MAX_VALUE 16344 /* longer ones are stored differently, none of ours is */
#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_DWORD 4

/* The contents of a cell. */
typedef struct
{
  const guint8 *data;
  gsize size; /* 0: no such cell */
} Cell;

static guint32
u32 (const guint8 *bytes)
{
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (guint32)bytes[3] << 24;
}

static guint16
u16 (const guint8 *bytes)
{
  return bytes[0] | bytes[1] << 8;
}

/* The cell at offset when it lies within the hive and begins with signature ("" for any). */
static Cell
cell_at (GBytes *hive, guint32 offset, const char *signature, gsize least)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (hive, &size);
  Cell none = { NULL, 0 };
  if (size < BASE_BLOCK + 8 || offset > size - BASE_BLOCK - 8)
    return none;
  const guint8 *cell = data + BASE_BLOCK + offset;
  gint64 length = -(gint64)(gint32)u32 (cell);
  if (length < 4 + (gint64)least || length > (gint64)(size - BASE_BLOCK - offset)
      || (*signature != '\0' && (length < 6 || memcmp (cell + 4, signature, 2) != 0)))
    return none;
  return (Cell){ cell + 4, length - 4 };
}

static char *
text_from_utf16 (const guint8 *bytes, gsize size)
{
  g_autofree gunichar2 *units = g_new0 (gunichar2, size / 2 + 1);
  for (gsize i = 0; i < size / 2; i++)
    units[i] = u16 (bytes + 2 * i);
  g_autofree char *text = g_utf16_to_utf8 (units, -1, NULL, NULL, NULL);
  return p2v_text_clean (text, -1);
}

static gboolean
name_matches (const guint8 *bytes, gsize size, gboolean latin1, const char *name)
{
  /* Every name looked for is ASCII, which both encodings share. */
  if (latin1)
    return size == strlen (name) && g_ascii_strncasecmp ((const char *)bytes, name, size) == 0;
  g_autofree char *text = text_from_utf16 (bytes, size);
  return text != NULL && g_ascii_strcasecmp (text, name) == 0;
}

static Cell
key_named (GBytes *hive, guint32 offset, const char *name)
{
  Cell key = cell_at (hive, offset, "nk", 76);
  if (key.size == 0)
    return key;
  gsize length = u16 (key.data + 72);
  if (length > key.size - 76
      || !name_matches (key.data + 76, length, u16 (key.data + 2) & NAME_IS_LATIN1, name))
    return (Cell){ NULL, 0 };
  return key;
}

/* Looks through a list of subkeys. depth: lists of lists ("ri") that may still follow. */
static Cell
find_in_list (GBytes *hive, guint32 offset, const char *name, int depth)
{
  Cell none = { NULL, 0 };
  Cell list = cell_at (hive, offset, "", 4);
  if (list.size == 0)
    return none;
  gboolean hashed = memcmp (list.data, "lf", 2) == 0 || memcmp (list.data, "lh", 2) == 0;
  gboolean nested = memcmp (list.data, "ri", 2) == 0;
  if (!hashed && !nested && memcmp (list.data, "li", 2) != 0)
    return none;
  gsize width = hashed ? 8 : 4;
  gsize count = MIN (u16 (list.data + 2), (list.size - 4) / width);
  for (gsize i = 0; i < count; i++)
    {
      guint32 entry = u32 (list.data + 4 + i * width);
      Cell key = none;
      if (!nested)
        key = key_named (hive, entry, name);
      else if (depth > 0)
        key = find_in_list (hive, entry, name, depth - 1);
      if (key.size > 0)
        return key;
    }
  return none;
}

static char *
value_text (GBytes *hive, Cell value)
{
  guint32 size = u32 (value.data + 4);
  guint32 type = u32 (value.data + 12);
  const guint8 *data = value.data + 8;
  if (size & DATA_IS_INLINE)
    size = MIN (size & ~DATA_IS_INLINE, 4);
  else
    {
      Cell cell = cell_at (hive, u32 (value.data + 8), "", 0);
      if (size > MAX_VALUE || size > cell.size)
        return NULL;
      data = cell.data;
    }
  if (type == REG_DWORD && size == 4)
    return g_strdup_printf ("%u", u32 (data));
  if (type == REG_SZ || type == REG_EXPAND_SZ)
    return text_from_utf16 (data, size);
  return NULL;
}

char *
p2v_hive_lookup (GBytes *hive, const char *path, const char *name)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (hive, &size);
  if (size < BASE_BLOCK || memcmp (data, "regf", 4) != 0)
    return NULL;
  Cell key = cell_at (hive, u32 (data + ROOT_CELL), "nk", 76);
  g_auto (GStrv) names = g_strsplit (path, "\\", -1);
  for (char **component = names; *component != NULL && key.size > 0; component++)
    key = find_in_list (hive, u32 (key.data + 28), *component, 1);
  if (key.size == 0)
    return NULL;
  Cell list = cell_at (hive, u32 (key.data + 40), "", 0);
  gsize count = MIN (u32 (key.data + 36), list.size / 4);
  for (gsize i = 0; i < count; i++)
    {
      Cell value = cell_at (hive, u32 (list.data + 4 * i), "vk", 20);
      gsize length = value.size == 0 ? 0 : u16 (value.data + 2);
      if (value.size > 0 && length <= value.size - 20
          && name_matches (value.data + 20, length, u16 (value.data + 16) & VALUE_NAME_IS_LATIN1,
                           name))
        return value_text (hive, value);
    }
  return NULL;
}
