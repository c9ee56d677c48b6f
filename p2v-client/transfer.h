/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_TRANSFER_H
#define P2V_TRANSFER_H

#include "p2v-client/reader.h"

G_BEGIN_DECLS

/* Carries one disk to its NBD export. A reader walks the block map, reads, looks for zeroes and
 * hashes; any number of lanes, each a thread and an NBD connection, take chunk after chunk from it
 * and write them. From time to time one lane flushes for all, and what was written by then is
 * reported as durable. What a lane had in flight when it fails is read and sent again. */
typedef struct _P2vTransfer P2vTransfer;

/* What a transfer tells its owner: one of these. */
typedef struct
{
  P2vTransfer *transfer;
  GArray *runs; /* of P2vChunkRun in the order of the disk: chunks that are durable now */
  GArray *bad;  /* of P2vBadPart: what of these could not be read; NULL for nothing */

  int lane;          /* the descriptor of a lane that has failed, else -1 */
  gboolean full;     /* because the server's storage is full */
  gboolean replaced; /* because of p2v_transfer_distrust() */

  gboolean ended; /* the last one of this transfer */
  GError *error;  /* why the lane, or with ended the transfer, failed; NULL for success */
} P2vTransferReport;

void p2v_transfer_report_free (P2vTransferReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vTransferReport, p2v_transfer_report_free)

/* Called in a thread of the transfer; takes the report over. */
typedef void (*P2vTransferFunc) (P2vTransferReport *report, gpointer user_data);

/* Bytes so far. */
typedef struct
{
  gint64 skipped; /* holes and free space, never read */
  gint64 zero;    /* read and found to be zero */
} P2vTransferCounts;

/* Starts to read. source and pool must outlive the transfer.
 *
 * task: what to read, as p2v_reader_new(); NULL for the whole disk.
 * zeroed: the export reads as zeroes where nothing has been written yet, so zeroes need not be.
 * func: is told of every flush, of lanes that fail and, last, of the end; of nothing as long as
 * there was no lane. */
P2vTransfer *p2v_transfer_start (P2vSource *source, P2vBufferPool *pool, const P2vReaderTask *task,
                                 gboolean zeroed, P2vTransferFunc func, gpointer user_data);

/* Adds a lane. fd: a stream socket at the start of the NBD handshake; owned by the caller, used by
 * the transfer until p2v_transfer_remove_lane() or until it is freed. FALSE when the transfer needs
 * no lane any more. */
gboolean p2v_transfer_add_lane (P2vTransfer *transfer, int fd);

/* Forgets a lane that was reported to have failed. */
void p2v_transfer_remove_lane (P2vTransfer *transfer, int fd);

/* Has chunks read and sent again. Not after the end. */
void p2v_transfer_again (P2vTransfer *transfer, guint64 first, guint64 count);

/* The exports were started anew, or their storage has failed: what has been written and not
 * reported yet may be lost, and is sent again. The lanes there are end with an error. To be called
 * while there is no lane to the new exports. */
void p2v_transfer_distrust (P2vTransfer *transfer);

/* May be called from any thread at any time. */
void p2v_transfer_get_counts (P2vTransfer *transfer, P2vTransferCounts *counts);

/* Takes nothing more to be sent as long as it is held. What lanes have taken already is not
 * stopped. Any thread. */
void p2v_transfer_hold (P2vTransfer *transfer, gboolean held);

/* Asks all threads to end soon; the final report still comes. */
void p2v_transfer_stop (P2vTransfer *transfer);

/* Stops, waits for the threads, frees. */
void p2v_transfer_free (P2vTransfer *transfer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vTransfer, p2v_transfer_free)

G_END_DECLS

#endif
