/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SOURCE_ERRORS_H
#define P2V_SOURCE_ERRORS_H

#include "p2v-client/source.h"

#include <stdatomic.h>

G_BEGIN_DECLS

/* Reads what can be read of a disk that fails here and there. What fails is tried again, then cut
 * in halves down to the logical sectors that cannot be read; these read as zeroes and are listed.
 *
 * That is bounded, for a disk that fails everywhere takes seconds for each sector: once its failing
 * reads have taken P2V_ERRORS_NARROW_TIME together, no longer sectors are told apart but stretches
 * of P2V_ERRORS_COARSE bytes; and a disk that does not answer anywhere, that is gone, or fails more
 * than the limits below ends the reading. */

/* Microseconds. */
#define P2V_ERRORS_NARROW_TIME (G_GINT64_CONSTANT (1800) * G_USEC_PER_SEC)
#define P2V_ERRORS_STOP_TIME (G_GINT64_CONSTANT (7200) * G_USEC_PER_SEC)

/* Bytes. */
#define P2V_ERRORS_COARSE (64 * 1024)
#define P2V_ERRORS_MAX_BYTES (G_GINT64_CONSTANT (1) << 30)

/* Stretches; of all disks together there may be P2V_BAD_RANGES_MAX. */
#define P2V_ERRORS_MAX_PLACES 2048

/* A stretch of a disk that reads as zeroes because it cannot be read. */
typedef struct
{
  gint64 offset, length; /* bytes */
} P2vBadPart;

/* TRUE for a result of p2v_source_try() that may be the fault of a few sectors, not of the disk. */
gboolean p2v_source_is_local (int result);

/* Reads as much as possible of a stretch that has failed to be read as a whole.
 * buffer: has length bytes, a whole number of sectors unless the disk ends there.
 * stopped: ends it early, with P2V_ERROR_CANCELLED.
 * bad: an empty list, gets what could not be read (P2vBadPart), in order.
 * Fails with P2V_ERROR_SOURCE when the disk has to be given up. Any thread. */
gboolean p2v_source_rescue (P2vSource *source, const atomic_bool *stopped, guint8 *buffer,
                            gsize length, gint64 offset, GArray *bad, GError **error);

/* Bytes given up so far. */
gint64 p2v_source_bad_bytes (P2vSource *source);

G_END_DECLS

#endif
