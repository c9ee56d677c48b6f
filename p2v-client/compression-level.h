/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_COMPRESSION_LEVEL_H
#define P2V_COMPRESSION_LEVEL_H

#include <glib.h>

G_BEGIN_DECLS

/* Chooses the level of a lane's compression while it runs, by what holds the lane up: the link,
 * then it pays to compress more; the processor, then less, down to nothing at all when even the
 * fastest compression is slower than the link; or the disk, then nothing changes. */
typedef struct
{
  int level;
  int resume;            /* the level to come back to after data that does not compress */
  gint64 incompressible; /* bytes to pass uncompressed before the next try */
  double goodput;        /* of level 1 when it was last left, bytes a second */
  gint64 hold;           /* samples for which level 1 is not left, or level 0 */
  gint64 next_hold;
  guint busy;           /* samples in a row in which the processor was the limit */
  guint trial;          /* samples that a trial without compression still takes */
  double trial_seconds; /* what it has taken, waited for the link and carried so far */
  double trial_blocked;
  gint64 trial_bytes;
} P2vCompressionLevel;

/* What a lane did in some stretch of time. */
typedef struct
{
  double seconds;
  double blocked; /* seconds of them in which data waited for the link (or a limit) */
  double starved; /* seconds in which there was nothing to send */
  gint64 in;      /* bytes before compression */
  gint64 out;     /* bytes after it */
} P2vLaneSample;

/* Where it begins. */
#define P2V_COMPRESSION_LEVEL_START 1

/* The highest level that is chosen: beyond it bytes hardly become fewer. */
#define P2V_COMPRESSION_LEVEL_TOP 12

/* A stretch that tells enough: as long as this, and with as much data; seconds, bytes. */
#define P2V_LANE_SAMPLE_SECONDS 0.4
#define P2V_LANE_SAMPLE_BYTES (1024 * 1024)

void p2v_compression_level_init (P2vCompressionLevel *self);

/* Takes a sample of the time since the last one and returns the level from now on, 0 for none. */
int p2v_compression_level_next (P2vCompressionLevel *self, const P2vLaneSample *sample);

G_END_DECLS

#endif
