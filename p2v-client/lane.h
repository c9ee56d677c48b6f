/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LANE_H
#define P2V_LANE_H

#include "p2v-client/reader.h"

G_BEGIN_DECLS

/* The client's end of a lane: an NBD connection that writes chunks of one disk, several requests in
 * flight. Used by one thread. */
typedef struct _P2vLane P2vLane;

/* Does the NBD handshake on fd (not owned). zeroed: the export reads as zeroes already. Fails with
 * P2V_ERROR_TRANSFER, also when the export is smaller than the disk. */
P2vLane *p2v_lane_new (int fd, const P2vSource *source, P2vReader *reader, gboolean zeroed,
                       GError **error);

/* Starts to write a chunk; takes it over and gives it back to the reader when written. */
gboolean p2v_lane_write (P2vLane *lane, P2vChunk *chunk, GError **error);

/* Lets requests in flight make progress; returns at once when nothing is in flight. */
gboolean p2v_lane_work (P2vLane *lane, GError **error);

/* TRUE while requests are in flight. */
gboolean p2v_lane_is_busy (P2vLane *lane);

/* Bytes written since the last flush. */
gint64 p2v_lane_unflushed (P2vLane *lane);

/* Waits for all requests, flushes, and returns what has become durable: an array of P2vChunkRun
 * (transfer.h) in no special order, empty when nothing new (transfer full). */
GArray *p2v_lane_flush (P2vLane *lane, GError **error);

/* Ends the NBD connection in an orderly way. */
gboolean p2v_lane_close (P2vLane *lane, GError **error);

void p2v_lane_free (P2vLane *lane);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vLane, p2v_lane_free)

G_END_DECLS

#endif
