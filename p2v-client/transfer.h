/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_TRANSFER_H
#define P2V_TRANSFER_H

#include "common/manifest.h"
#include "p2v-client/source.h"

G_BEGIN_DECLS

/* Carries one disk to its NBD export. A reader thread walks the block map, reads, looks for zeroes
 * and hashes; a lane thread writes over NBD, flushes from time to time and then reports what has
 * become durable. Buffers between them are bounded. */
typedef struct _P2vTransfer P2vTransfer;

/* Chunks that are durable on the server now: a run with one state. */
typedef struct
{
  guint64 first;
  guint64 count;
  P2vChunkState state;
  P2vChunkHash *hashes; /* count of them for P2V_CHUNK_DATA, else NULL */
} P2vChunkRun;

/* What a transfer tells its owner. */
typedef struct
{
  P2vTransfer *transfer;
  GArray *runs;   /* of P2vChunkRun, when chunks have landed; else NULL */
  gboolean ended; /* the last one of this transfer */
  GError *error;  /* with ended: why it failed, NULL for success */
} P2vTransferReport;

void p2v_transfer_report_free (P2vTransferReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vTransferReport, p2v_transfer_report_free)

/* Called in a thread of the transfer; takes the report over. */
typedef void (*P2vTransferFunc) (P2vTransferReport *report, gpointer user_data);

/* Bytes so far. */
typedef struct
{
  gint64 skipped; /* holes, never read */
  gint64 zero;    /* read and found to be zero */
  gint64 sent;    /* of chunks that landed durably with data; zero blocks within them included */
} P2vTransferCounts;

/* Starts. source must outlive the transfer.
 *
 * fd: the lane, at the start of the NBD handshake; owned by the caller, used by the transfer only.
 * zeroed: the export already reads as zeroes throughout, so zeroes need not be written.
 * func: is told of every flush and, last, of the end. */
P2vTransfer *p2v_transfer_start (P2vSource *source, int fd, gboolean zeroed, P2vTransferFunc func,
                                 gpointer user_data);

/* May be called from any thread at any time. */
void p2v_transfer_get_counts (P2vTransfer *transfer, P2vTransferCounts *counts);

/* Asks both threads to end soon; the final report still comes. */
void p2v_transfer_stop (P2vTransfer *transfer);

/* Stops, waits for the threads, frees. */
void p2v_transfer_free (P2vTransfer *transfer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vTransfer, p2v_transfer_free)

G_END_DECLS

#endif
