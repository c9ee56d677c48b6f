/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LANE_H
#define P2V_LANE_H

#include "p2v-client/reader.h"

G_BEGIN_DECLS

/* The client's end of a lane: an NBD connection that writes chunks of one disk, several in flight.
 * Used by one thread. Nothing here waits but p2v_lane_new(), p2v_lane_poll() and p2v_lane_close().
 */
typedef struct _P2vLane P2vLane;

/* A chunk (transfer full) has been written but is not durable yet, or (not ok) the lane has failed
 * before it was. Called by every function here. */
typedef void (*P2vLaneWrittenFunc) (P2vChunk *chunk, gboolean ok, gpointer user_data);

/* What was written before a flush, on any lane of the disk, is durable (error is 0), or the server
 * could not flush it (its errno), or the connection has ended before the answer (ENOTCONN). Called
 * by every function here. */
typedef void (*P2vLaneFlushedFunc) (int error, gpointer user_data);

/* Does the NBD handshake on fd (not owned). zeroed: the export reads as zeroes where nothing has
 * been written yet. Fails with P2V_ERROR_TRANSFER, or P2V_ERROR_REFUSED when the export is smaller
 * than the disk. */
P2vLane *p2v_lane_new (int fd, const P2vSource *source, gboolean zeroed, P2vLaneWrittenFunc written,
                       gpointer user_data, GError **error);

/* TRUE when other lanes may write to the same export, and a flush on one of them is a flush of all
 * (NBD_FLAG_CAN_MULTI_CONN). */
gboolean p2v_lane_is_shareable (P2vLane *lane);

/* TRUE when another chunk may be given to p2v_lane_write(). */
gboolean p2v_lane_has_room (P2vLane *lane);

/* TRUE when the lane has failed because the server's storage is full. */
gboolean p2v_lane_is_full (P2vLane *lane);

/* TRUE while requests are in flight. */
gboolean p2v_lane_is_busy (P2vLane *lane);

/* Starts to write a chunk; takes it over until it is written or the lane is freed: in either case
 * `written` gets it. */
gboolean p2v_lane_write (P2vLane *lane, P2vChunk *chunk, GError **error);

/* Starts a flush. */
gboolean p2v_lane_flush (P2vLane *lane, P2vLaneFlushedFunc flushed, gpointer user_data,
                         GError **error);

/* Asks the server for a sector when nothing has been sent for so long (microseconds): the server
 * takes a lane that says nothing for one whose client is gone, and a router forgets it. */
gboolean p2v_lane_keep_alive (P2vLane *lane, gint64 silence, GError **error);

/* Waits at most timeout milliseconds until the server, or the descriptor `also` (-1: none), has
 * something to say, and lets the requests in flight make progress. */
gboolean p2v_lane_poll (P2vLane *lane, int also, int timeout, GError **error);

/* Ends the NBD connection in an orderly way. */
gboolean p2v_lane_close (P2vLane *lane, GError **error);

void p2v_lane_free (P2vLane *lane);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vLane, p2v_lane_free)

G_END_DECLS

#endif
