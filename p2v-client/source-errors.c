/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/source-errors.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A stretch that fails is tried as a whole after these pauses, microseconds: a controller that is
 * being reset, or a cable that was touched, takes about that long. */
static const gint64 pauses[] = { 200 * 1000, G_USEC_PER_SEC };

/* A disk that took this long to fail has tried again itself, microseconds. */
#define SLOW G_USEC_PER_SEC

/* Stretches of one rescue that are tried once more at its end; more of them are no accident. */
#define LAST_TRIES 32

/* Whether the disk still answers at all is looked at after so many tries that failed. */
#define LOOK_AFTER 64

/* And then is tried this often, a second apart. */
#define SIGNS_OF_LIFE 3

/* How often a thread that waits looks whether it was stopped, microseconds. */
#define STOP_POLL (50 * 1000)

typedef struct
{
  P2vSource *source;
  const atomic_bool *stopped;
  guint8 *buffer; /* for the byte at start */
  gint64 start;
  GArray *bad;    /* of P2vBadPart */
  gint64 took;    /* the last try, microseconds */
  guint in_a_row; /* tries that have failed since one has not */
  gboolean any;   /* something could be read */
} Rescue;

/* How one try ended. */
typedef enum
{
  READ,
  UNREADABLE,
  GIVEN_UP, /* with an error */
} Outcome;

gboolean
p2v_source_is_local (int result)
{
  switch (result)
    {
    /* What the kernel's block layer makes of a disk's answers, block/blk-core.c (blk_errors):
     * medium, target, protection, time-out, transport, and all the rest. */
    case EIO:
    case ENODATA:
    case EREMOTEIO:
    case EILSEQ:
    case ETIMEDOUT:
    case ENOLINK:
    case EBADE:
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
check_stopped (const Rescue *self, GError **error)
{
  if (!atomic_load (self->stopped))
    return TRUE;
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
  return FALSE;
}

static gboolean
wait_a_moment (const Rescue *self, gint64 pause, GError **error)
{
  gint64 until = g_get_monotonic_time () + pause;
  while (g_get_monotonic_time () < until)
    {
      if (!check_stopped (self, error))
        return FALSE;
      g_usleep (STOP_POLL);
    }
  return TRUE;
}

/* Why a disk is given up, P2V_ERROR_SOURCE. */
static Outcome
give_up_disk (const Rescue *self, const char *why, GError **error)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
               "disk %s is given up at byte %" G_GINT64_FORMAT ": %s. Look at the kernel's "
               "messages (dmesg) and the disk's health (smartctl -a); copy what is left of it with "
               "GNU ddrescue to a healthy disk or a file, and convert that.",
               self->source->path, self->start, why);
  return GIVEN_UP;
}

/* Takes note of a try: what failed has a price, what could be read is a sign of life. */
static Outcome
account (Rescue *self, int result, gint64 offset, GError **error)
{
  P2vSourceHealth *health = &self->source->health;
  g_mutex_lock (&health->lock);
  if (result == P2V_SOURCE_OK)
    health->good = offset;
  else
    health->time += self->took;
  gboolean over = health->time > P2V_ERRORS_STOP_TIME;
  g_mutex_unlock (&health->lock);
  self->any |= result == P2V_SOURCE_OK;
  if (result == P2V_SOURCE_OK)
    return READ;
  if (!p2v_source_is_local (result))
    {
      p2v_source_fail (self->source, offset, result, error);
      return GIVEN_UP;
    }
  if (over)
    return give_up_disk (self, "its reads that fail take too long", error);
  return UNREADABLE;
}

/* Looks whether a disk can still be read anywhere. */
static gboolean
is_alive (Rescue *self, GError **error)
{
  P2vSource *source = self->source;
  gint64 sector = (gint64)source->sector_size;
  g_autofree guint8 *memory = g_malloc0 (2 * (gsize)P2V_SOURCE_ALIGNMENT);
  guint8 *buffer = memory + P2V_SOURCE_ALIGNMENT - (gsize)memory % P2V_SOURCE_ALIGNMENT;
  g_mutex_lock (&source->health.lock);
  gint64 good = source->health.good;
  g_mutex_unlock (&source->health.lock);
  gint64 places[]
      = { good, 0, source->size / 2 / sector * sector, (source->size - 1) / sector * sector };
  for (guint round = 0; round < SIGNS_OF_LIFE; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (places); i++)
        {
          gint64 length = MIN (sector, source->size - places[i]);
          if (places[i] < 0)
            continue;
          posix_fadvise (source->fd, places[i], length, POSIX_FADV_DONTNEED);
          if (p2v_source_try (source, TRUE, buffer, (gsize)length, places[i]) == P2V_SOURCE_OK)
            return TRUE;
        }
      if (!wait_a_moment (self, G_USEC_PER_SEC, error))
        return FALSE;
    }
  give_up_disk (self, "it does not answer any more, wherever it is read", error);
  return FALSE;
}

static Outcome
try (Rescue *self, gint64 offset, gint64 length, GError **error)
{
  if (!check_stopped (self, error))
    return GIVEN_UP;
  gint64 began = g_get_monotonic_time ();
  int result = p2v_source_try (self->source, TRUE, self->buffer + (offset - self->start),
                               (gsize)length, offset);
  self->took = g_get_monotonic_time () - began;
  Outcome outcome = account (self, result, offset, error);
  self->in_a_row = outcome == UNREADABLE ? self->in_a_row + 1 : 0;
  /* A disk that is dead would fail sector by sector for days. */
  if (self->in_a_row > 0 && self->in_a_row % LOOK_AFTER == 0 && !is_alive (self, error))
    return GIVEN_UP;
  return outcome;
}

static void
lose (Rescue *self, gint64 offset, gint64 length)
{
  P2vBadPart *last
      = self->bad->len > 0 ? &g_array_index (self->bad, P2vBadPart, self->bad->len - 1) : NULL;
  memset (self->buffer + (offset - self->start), 0, (gsize)length);
  if (last != NULL && last->offset + last->length == offset)
    last->length += length;
  else
    {
      P2vBadPart part = { offset, length };
      g_array_append_val (self->bad, part);
    }
}

/* The smallest stretch that is told apart, bytes. */
static gint64
leaf_size (P2vSource *source)
{
  g_mutex_lock (&source->health.lock);
  gboolean long_enough = source->health.time > P2V_ERRORS_NARROW_TIME;
  g_mutex_unlock (&source->health.lock);
  return long_enough ? P2V_ERRORS_COARSE : (gint64)source->sector_size;
}

/* Tells apart the logical sectors of a physical one that has failed. A disk reads it as a whole,
 * so it nearly always is lost as a whole: seen by its first and last sector. */
static gboolean
narrow_physical (Rescue *self, gint64 offset, gint64 length, GError **error)
{
  gint64 sector = (gint64)self->source->sector_size;
  gint64 last = offset + (length - 1) / sector * sector;
  Outcome at_start = try (self, offset, sector, error);
  Outcome at_end
      = at_start != GIVEN_UP ? try (self, last, offset + length - last, error) : GIVEN_UP;
  gboolean all = at_start == UNREADABLE && at_end == UNREADABLE;
  if (at_end == GIVEN_UP)
    return FALSE;
  if (at_start == UNREADABLE)
    lose (self, offset, sector);
  for (gint64 at = offset + sector; at < last; at += sector)
    {
      Outcome outcome = all ? UNREADABLE : try (self, at, sector, error);
      if (outcome == GIVEN_UP)
        return FALSE;
      if (outcome == UNREADABLE)
        lose (self, at, sector);
    }
  if (at_end == UNREADABLE)
    lose (self, last, offset + length - last);
  return TRUE;
}

/* Where to cut a stretch: near its middle, at the start of a physical sector if there is one. */
static gint64
find_cut (const P2vSource *source, gint64 offset, gint64 length)
{
  gint64 physical = (gint64)source->physical_sector_size;
  gint64 unit = length > physical ? physical : (gint64)source->sector_size;
  gint64 cut = (offset + length / 2) / unit * unit;
  return cut > offset ? cut : cut + unit;
}

/* Finds out what of a stretch, which has failed as a whole, cannot be read. Calls itself at most as
 * often within one another as the stretch can be halved. */
static gboolean
narrow (Rescue *self, gint64 offset, gint64 length, GError **error)
{
  const P2vSource *source = self->source;
  gint64 leaf = leaf_size (self->source);
  if (length <= leaf)
    {
      lose (self, offset, length);
      return TRUE;
    }
  if (length <= (gint64)source->physical_sector_size)
    return narrow_physical (self, offset, length, error);
  gint64 cut = find_cut (source, offset, length);
  const P2vBadPart halves[] = { { offset, cut - offset }, { cut, offset + length - cut } };
  for (guint i = 0; i < G_N_ELEMENTS (halves); i++)
    {
      Outcome outcome = try (self, halves[i].offset, halves[i].length, error);
      if (outcome == GIVEN_UP
          || (outcome == UNREADABLE && !narrow (self, halves[i].offset, halves[i].length, error)))
        return FALSE;
    }
  return TRUE;
}

/* Tries a stretch again as a whole. */
static Outcome
try_again (Rescue *self, gint64 length, GError **error)
{
  Outcome outcome = UNREADABLE;
  for (guint i = 0; i < G_N_ELEMENTS (pauses) && outcome == UNREADABLE && self->took < SLOW; i++)
    outcome = wait_a_moment (self, pauses[i], error) ? try (self, self->start, length, error)
                                                     : GIVEN_UP;
  return outcome;
}

/* What was found bad gets a last chance: an accident may have come between. */
static gboolean
try_bad_again (Rescue *self, GError **error)
{
  if (self->bad->len > LAST_TRIES || self->took >= SLOW)
    return TRUE;
  if (!wait_a_moment (self, pauses[0], error))
    return FALSE;
  for (guint i = 0; i < self->bad->len;)
    {
      const P2vBadPart *part = &g_array_index (self->bad, P2vBadPart, i);
      Outcome outcome = try (self, part->offset, part->length, error);
      if (outcome == GIVEN_UP)
        return FALSE;
      if (outcome == READ)
        g_array_remove_index (self->bad, i);
      else
        {
          /* Half a read may have left something. */
          memset (self->buffer + (part->offset - self->start), 0, (gsize)part->length);
          i++;
        }
    }
  return TRUE;
}

/* Adds what was lost to the disk's account. */
static gboolean
settle (Rescue *self, GError **error)
{
  P2vSourceHealth *health = &self->source->health;
  g_mutex_lock (&health->lock);
  for (guint i = 0; i < self->bad->len; i++)
    health->bytes += g_array_index (self->bad, P2vBadPart, i).length;
  /* A dead stretch goes on from one chunk to the next. */
  health->places += self->bad->len - (health->dead && !self->any ? 1 : 0);
  health->dead = !self->any;
  gboolean over = health->bytes > P2V_ERRORS_MAX_BYTES || health->places > P2V_ERRORS_MAX_PLACES;
  g_mutex_unlock (&health->lock);
  if (over)
    give_up_disk (self, "too much of it cannot be read", error);
  return !over;
}

gboolean
p2v_source_rescue (P2vSource *source, const atomic_bool *stopped, guint8 *buffer, gsize length,
                   gint64 offset, GArray *bad, GError **error)
{
  Rescue self
      = { .source = source, .stopped = stopped, .buffer = buffer, .start = offset, .bad = bad };
  g_mutex_lock (&source->health.lock);
  /* Where nothing could be read just now, waiting has been tried. */
  gboolean patient = !source->health.dead;
  g_mutex_unlock (&source->health.lock);
  Outcome outcome = patient ? try_again (&self, (gint64)length, error) : UNREADABLE;
  if (outcome == READ)
    return TRUE;
  return outcome == UNREADABLE && is_alive (&self, error)
         && narrow (&self, offset, (gint64)length, error)
         && (!patient || try_bad_again (&self, error)) && settle (&self, error);
}

gint64
p2v_source_bad_bytes (P2vSource *source)
{
  g_mutex_lock (&source->health.lock);
  gint64 bytes = source->health.bytes;
  g_mutex_unlock (&source->health.lock);
  return bytes;
}
