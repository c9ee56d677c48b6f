/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HFS+: Apple's technical note TN1150. */
#include "p2v-client/free-space-parts.h"

#define HEADER 1024
#define SIGNATURE_PLUS 0x482B
#define SIGNATURE_X 0x4858
#define UNMOUNTED 0x100U
#define BAD_BLOCKS 0x200U
#define INCONSISTENT 0x800U
#define JOURNALED 0x2000U

#define JOURNAL_INSIDE 1U
#define JOURNAL_ELSEWHERE 2U
#define JOURNAL_NEW 4U
#define JOURNAL_MAGIC 0x4A4E4C78U
#define JOURNAL_ORDER 0x12345678U

static gboolean
read_header (const P2vFreeLook *look, guint8 *header, GError **error)
{
  if (!p2v_free_look_read (look, HEADER, header, 512, error))
    return FALSE;
  guint16 signature = p2v_be16 (header), version = p2v_be16 (header + 2);
  guint32 block = p2v_be32 (header + 40);
  if ((signature != SIGNATURE_PLUS || version != 4) && (signature != SIGNATURE_X || version != 5))
    return p2v_free_refuse (error, "its volume header makes no sense");
  if (block < 512 || (block & (block - 1)) != 0 || block > 1024 * 1024)
    return p2v_free_refuse (error, "its volume header makes no sense");
  return TRUE;
}

/* The journal's header is in the byte order of the machine that made it. */
static gboolean
check_journal (const P2vFreeLook *look, const guint8 *header, GError **error)
{
  guint8 information[52], journal[32];
  gint64 at = (gint64)p2v_be32 (header + 12) * p2v_be32 (header + 40);
  if (!p2v_free_look_read (look, at, information, sizeof information, error))
    return FALSE;
  guint32 flags = p2v_be32 (information);
  if (flags & JOURNAL_ELSEWHERE || (flags & JOURNAL_INSIDE) == 0)
    return p2v_free_refuse (error, "its journal is on another device");
  if (flags & JOURNAL_NEW)
    return p2v_free_refuse (error, "its journal was never used");
  guint64 offset = p2v_be64 (information + 36);
  if (offset > G_MAXINT64)
    return p2v_free_refuse (error, "its journal makes no sense");
  if (!p2v_free_look_read (look, offset, journal, sizeof journal, error))
    return FALSE;
  gboolean little = p2v_le32 (journal) == JOURNAL_MAGIC && p2v_le32 (journal + 4) == JOURNAL_ORDER;
  gboolean big = p2v_be32 (journal) == JOURNAL_MAGIC && p2v_be32 (journal + 4) == JOURNAL_ORDER;
  if (!little && !big)
    return p2v_free_refuse (error, "its journal makes no sense");
  /* Where it begins and ends: the same bytes in either order. */
  if (p2v_le64 (journal + 8) != p2v_le64 (journal + 16))
    return p2v_free_refuse (error, "it was not unmounted cleanly: its journal is not empty");
  return TRUE;
}

gboolean
p2v_free_hfsplus_clean (P2vFreeLook *look, GError **error)
{
  guint8 header[512];
  if (!read_header (look, header, error))
    return FALSE;
  guint32 attributes = p2v_be32 (header + 4);
  if ((attributes & UNMOUNTED) == 0)
    return p2v_free_refuse (error, "it was not unmounted cleanly");
  if (attributes & (INCONSISTENT | BAD_BLOCKS))
    return p2v_free_refuse (error, "it has errors, or bad blocks: it needs a check");
  return p2v_free_look_measure (look, p2v_be32 (header + 44), p2v_be32 (header + 48),
                                p2v_be32 (header + 40), error)
         && (attributes & JOURNALED ? check_journal (look, header, error) : TRUE);
}

/* Adds what a piece of the bitmap calls free; its first bit is the highest of its first byte. */
static gboolean
map_piece (const P2vFreeLook *look, gint64 at, guint64 length, guint32 block, guint64 *next,
           guint64 blocks, GArray *free, GError **error)
{
  guint8 bits[4096];
  for (guint64 done = 0; done < length && *next < blocks; done += sizeof bits)
    {
      gsize part = MIN (length - done, sizeof bits);
      if (!p2v_free_look_read (look, at + done, bits, part, error))
        return FALSE;
      guint64 count = MIN (blocks - *next, part * 8);
      p2v_ranges_add_bits (free, bits, count, *next * block, block, TRUE);
      *next += count;
    }
  return TRUE;
}

GArray *
p2v_free_hfsplus_map (P2vFreeLook *look, GError **error)
{
  guint8 header[512];
  if (!read_header (look, header, error))
    return NULL;
  guint32 block = p2v_be32 (header + 40);
  guint64 blocks = p2v_be32 (header + 44), next = 0;
  g_autoptr (GArray) free = p2v_ranges_new ();
  for (guint i = 0; i < 8; i++)
    {
      const guint8 *extent = header + 112 + 16 + 8 * i;
      if (!map_piece (look, (gint64)p2v_be32 (extent) * block,
                      (guint64)p2v_be32 (extent + 4) * block, block, &next, blocks, free, error))
        return NULL;
    }
  if (next < blocks)
    {
      p2v_free_refuse (error, "its map is in too many pieces");
      return NULL;
    }
  return g_steal_pointer (&free);
}
