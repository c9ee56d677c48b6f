/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/raid.h"

#define SECTOR 512
#define MAGIC 0xa92b4efcu
#define MAX_SECTORS ((G_GINT64_CONSTANT (1) << 50) / SECTOR)

/* Version 1: struct mdp_superblock_1. */
#define V1_SIZE 4096
#define V1_HEADER 256
#define V1_MAX_DEVICES ((V1_SIZE - V1_HEADER) / 2)
/* The only feature that leaves the data where it is and whole: a write-intent bitmap beside it. Any
 * other one means recovery, reshaping, bad blocks, a journal or something newer. */
#define V1_BITMAP 1
#define V1_ROLE_MAX 0xff00

/* Version 0.90: struct mdp_superblock_s, words of the machine that made it; here: little-endian. */
#define V0_SIZE 4096
#define V0_RESERVED (64 * 1024)
#define V0_CLEAN 1
#define V0_ERRORS 2
#define V0_THIS_DISK 992
#define V0_DISK_ACTIVE 2
#define V0_DISK_SYNC 4

static guint64
le (const guint8 *bytes, guint width)
{
  guint64 number = 0;
  while (width-- > 0)
    number = number << 8 | bytes[width];
  return number;
}

static guint32
word (const guint8 *superblock, guint index)
{
  return (guint32)le (superblock + index * 4, 4);
}

/* The sum of all 32-bit words, and of 16 bits that may be left, without the checksum itself. */
static guint32
checksum (const guint8 *superblock, gsize length, gsize own)
{
  guint64 sum = 0;
  for (gsize at = 0; at < length; at += 4)
    if (at != own)
      sum += le (superblock + at, MIN (4, (guint)(length - at)));
  return (guint32)((sum & 0xffffffffu) + (sum >> 32));
}

static char *
level_obstacle (gint32 level)
{
  return g_strdup_printf ("it is a member of an array of level %d; only mirrors (level 1) are "
                          "looked into",
                          level);
}

static char *
v1_obstacle (const guint8 *superblock)
{
  gint32 level = (gint32)word (superblock, 18);
  guint64 features = le (superblock + 8, 4);
  guint number = word (superblock, 40);
  if (level != 1)
    return level_obstacle (level);
  if ((features & ~(guint64)V1_BITMAP) != 0)
    return g_strdup ("its array is being rebuilt or reshaped, has bad blocks or a journal");
  if (le (superblock + 208, 8) != G_MAXUINT64)
    return g_strdup ("its array was not stopped cleanly");
  if (number >= word (superblock, 55) || le (superblock + V1_HEADER + number * 2, 2) > V1_ROLE_MAX)
    return g_strdup ("it is a spare or a failed member of its array");
  return NULL;
}

/* Where version 1 keeps its superblock in an area, by minor version. */
static gint64
v1_place (P2vArea area, int minor)
{
  gint64 sectors = area.size / SECTOR;
  if (minor == 0)
    return ((sectors - 16) & ~(gint64)7) * SECTOR;
  return minor == 1 ? 0 : 8 * SECTOR;
}

/* TRUE when there is a superblock of version 1.minor. */
static gboolean
read_v1 (const P2vLook *look, P2vArea area, int minor, P2vRaidMember *member)
{
  guint8 superblock[V1_SIZE];
  gint64 place = v1_place (area, minor);
  if (place < 0 || place > area.size - V1_SIZE
      || !p2v_look_read (look, area.offset + place, superblock, sizeof superblock)
      || word (superblock, 0) != MAGIC || word (superblock, 1) != 1)
    return FALSE;
  guint64 devices = word (superblock, 55);
  guint64 offset = le (superblock + 128, 8), size = le (superblock + 80, 8);
  gint64 bitmap = (gint32)word (superblock, 24);
  gboolean sound = devices <= V1_MAX_DEVICES && le (superblock + 144, 8) * SECTOR == (guint64)place
                   && checksum (superblock, V1_HEADER + devices * 2, 216) == word (superblock, 54)
                   && offset <= (guint64)MAX_SECTORS && size <= (guint64)MAX_SECTORS && size > 0
                   && le (superblock + 136, 8) >= size
                   && (offset + size) * SECTOR <= (guint64)area.size;
  /* What the array keeps for itself lies beside the data. */
  gint64 start = (gint64)offset * SECTOR, end = start + (gint64)size * SECTOR;
  gint64 bitmap_at = place + bitmap * SECTOR;
  sound = sound && (place >= end || place + V1_SIZE <= start)
          && (bitmap == 0 || bitmap_at < start || bitmap_at >= end);
  g_autoptr (GString) id = g_string_new (NULL);
  for (guint i = 0; i < 16; i++)
    g_string_append_printf (id, "%02x", superblock[16 + i]);
  g_free (member->id);
  member->id = g_strdup (id->str);
  member->devices = MIN (word (superblock, 23), G_MAXUINT16);
  member->events = le (superblock + 200, 8);
  member->data = (P2vArea){ area.offset + start, end - start };
  g_free (member->obstacle);
  member->obstacle
      = sound ? v1_obstacle (superblock) : g_strdup ("the superblock of its array makes no sense");
  return TRUE;
}

static char *
v0_obstacle (const guint8 *superblock)
{
  gint32 level = (gint32)word (superblock, 7);
  guint32 disk = word (superblock, V0_THIS_DISK + 4);
  if (level != 1)
    return level_obstacle (level);
  if (word (superblock, 2) != 90)
    return g_strdup ("its array is being reshaped");
  if ((word (superblock, 33) & V0_CLEAN) == 0 || (word (superblock, 33) & V0_ERRORS) != 0)
    return g_strdup ("its array was not stopped cleanly");
  if ((disk & (V0_DISK_ACTIVE | V0_DISK_SYNC)) != (V0_DISK_ACTIVE | V0_DISK_SYNC)
      || (disk & ~(guint32)(V0_DISK_ACTIVE | V0_DISK_SYNC)) != 0)
    return g_strdup ("it is a spare or a failed member of its array");
  return NULL;
}

static gboolean
read_v0 (const P2vLook *look, P2vArea area, P2vRaidMember *member)
{
  guint8 superblock[V0_SIZE];
  gint64 place = (area.size & ~(gint64)(V0_RESERVED - 1)) - V0_RESERVED;
  if (place <= 0 || !p2v_look_read (look, area.offset + place, superblock, sizeof superblock)
      || word (superblock, 0) != MAGIC || word (superblock, 1) != 0)
    return FALSE;
  gint64 size = (gint64)word (superblock, 8) * 1024;
  gboolean sound = checksum (superblock, V0_SIZE, 38 * 4) == word (superblock, 38) && size > 0
                   && size <= place;
  g_free (member->id);
  member->id = g_strdup_printf ("%08x%08x%08x%08x", word (superblock, 5), word (superblock, 13),
                                word (superblock, 14), word (superblock, 15));
  member->devices = MIN (word (superblock, 10), G_MAXUINT16);
  member->events = le (superblock + 39 * 4, 8);
  member->data = (P2vArea){ area.offset, size };
  g_free (member->obstacle);
  member->obstacle
      = sound ? v0_obstacle (superblock) : g_strdup ("the superblock of its array makes no sense");
  return TRUE;
}

P2vRaidMember *
p2v_raid_member_read (const P2vLook *look, P2vArea area)
{
  P2vRaidMember *member = g_new0 (P2vRaidMember, 1);
  int found = read_v0 (look, area, member);
  for (int minor = 0; minor <= 2; minor++)
    found += read_v1 (look, area, minor, member);
  if (found == 1)
    return member;
  g_clear_pointer (&member->id, g_free);
  g_free (member->obstacle);
  member->obstacle = g_strdup (found == 0 ? "the superblock of its array makes no sense"
                                          : "it has superblocks of several arrays");
  return member;
}

void
p2v_raid_member_free (P2vRaidMember *member)
{
  if (member == NULL)
    return;
  g_free (member->id);
  g_free (member->obstacle);
  g_free (member);
}
