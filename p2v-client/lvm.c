/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/lvm.h"

/* LVM2's format on disk, from the source of LVM2: lib/format_text/layout.h (label, pv_header,
 * mda_header) and the text of lib/format_text/export.c. All numbers are little-endian. */
#define SECTOR 512
#define LABEL_SECTORS 4
#define MDA_HEADER 512
#define MAX_TEXT (4 * 1024 * 1024)
#define ID_LENGTH 32
/* A copy of the text that is not kept up to date, raw_locn.flags. */
#define TEXT_IGNORED 1
/* What the checksums start with (lib/misc/crc.h). */
#define INITIAL_CRC 0xf597a6cfu

/* The cyclic redundancy check of IEEE 802.3, without the inversions at its ends. */
static guint32
checksum (const void *data, gsize length)
{
  guint32 crc = INITIAL_CRC;
  const guint8 *bytes = data;
  for (gsize i = 0; i < length; i++)
    {
      crc ^= bytes[i];
      for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
  return crc;
}

static guint64
le (const guint8 *bytes, guint width)
{
  guint64 number = 0;
  while (width-- > 0)
    number = number << 8 | bytes[width];
  return number;
}

/* The text that the metadata area at offset (relative to the physical volume) holds. */
static char *
read_text (const P2vLook *look, P2vArea area, guint64 offset)
{
  guint8 header[MDA_HEADER];
  if (offset > (guint64)area.size
      || !p2v_look_read (look, area.offset + offset, header, sizeof header)
      || memcmp (header + 4, " LVM2 x[5A%r0N*>", 16) != 0
      || le (header, 4) != checksum (header + 4, sizeof header - 4))
    return NULL;
  guint64 size = le (header + 32, 8);
  guint64 text_offset = le (header + 40, 8);
  guint64 text_size = le (header + 48, 8);
  if ((le (header + 60, 4) & TEXT_IGNORED) != 0 || text_size == 0 || text_size > MAX_TEXT
      || size > (guint64)area.size - offset || text_offset < MDA_HEADER || text_offset >= size
      || text_size > size - MDA_HEADER)
    return NULL;
  /* The area behind its header is a ring: a text may go on at its beginning. */
  guint64 head = MIN (text_size, size - text_offset);
  g_autofree char *text = g_malloc0 (text_size + 1);
  if (!p2v_look_read (look, area.offset + offset + text_offset, text, head)
      || !p2v_look_read (look, area.offset + offset + MDA_HEADER, text + head, text_size - head))
    return NULL;
  if (le (header + 56, 4) != checksum (text, text_size))
    return NULL;
  return g_steal_pointer (&text);
}

void
p2v_physical_volume_free (P2vPhysicalVolume *physical)
{
  if (physical == NULL)
    return;
  g_free (physical->id);
  g_ptr_array_unref (physical->groups);
  g_free (physical);
}

/* The label: in one of the first four sectors. */
static const guint8 *
find_label (const guint8 *sectors)
{
  for (guint i = 0; i < LABEL_SECTORS; i++)
    {
      const guint8 *label = sectors + i * SECTOR;
      if (memcmp (label, "LABELONE", 8) == 0 && le (label + 8, 8) == i
          && le (label + 16, 4) == checksum (label + 20, SECTOR - 20))
        return label;
    }
  return NULL;
}

P2vPhysicalVolume *
p2v_physical_volume_read (const P2vLook *look, P2vArea area)
{
  guint8 sectors[LABEL_SECTORS * SECTOR];
  if (area.size < (gint64)sizeof sectors
      || !p2v_look_read (look, area.offset, sectors, sizeof sectors))
    return NULL;
  const guint8 *label = find_label (sectors);
  guint64 header = label == NULL ? SECTOR : le (label + 20, 4);
  if (header > SECTOR - ID_LENGTH - 8)
    return NULL;
  P2vPhysicalVolume *physical = g_new0 (P2vPhysicalVolume, 1);
  physical->id = g_strndup ((const char *)label + header, ID_LENGTH);
  physical->groups = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_volume_group_free);
  /* Two lists of offset and size follow, each ended by zeroes: data areas, metadata areas. */
  int list = 0;
  for (gsize at = header + ID_LENGTH + 8; at + 16 <= SECTOR && list < 2; at += 16)
    {
      guint64 offset = le (label + at, 8);
      if (offset == 0)
        list++;
      else if (list == 1)
        {
          g_autofree char *text = read_text (look, area, offset);
          P2vVolumeGroup *group = text == NULL ? NULL : p2v_volume_group_parse (text);
          if (group == NULL)
            continue;
          group->checksum = checksum (text, strlen (text));
          g_ptr_array_add (physical->groups, group);
        }
    }
  return physical;
}
