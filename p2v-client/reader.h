/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_READER_H
#define P2V_READER_H

#include "common/manifest.h"
#include "p2v-client/source.h"

G_BEGIN_DECLS

/* How many chunks of one disk may be in memory between the disk and the lane: enough to keep both
 * busy while one of them pauses, and 64 MiB in all. */
#define P2V_READER_BUFFERS 16

/* A run of chunks on its way: many zero ones, or a single one with data. */
typedef struct
{
  guint64 first;
  guint64 count;       /* 1 for data */
  P2vChunkState state; /* P2V_CHUNK_ZERO or P2V_CHUNK_DATA */
  P2vChunkHash hash;   /* of data */
  guint8 *data;        /* P2V_CHUNK_SIZE bytes from the reader's buffers; NULL unless data */
  gsize length;        /* bytes used of data */
  guint writes;        /* NBD requests that still use data; the lane's own */
} P2vChunk;

typedef struct _P2vReader P2vReader;

/* A reader of one disk. source must outlive it. */
P2vReader *p2v_reader_new (P2vSource *source);

/* Reads the disk from its beginning to its end, in the calling thread, until done or stopped.
 * Fails with P2V_ERROR_SOURCE, or P2V_ERROR_CANCELLED when stopped. In every case
 * p2v_reader_next() then comes to its end. */
gboolean p2v_reader_run (P2vReader *reader, GError **error);

/* The next chunk in the order of the disk (transfer full), to be given back with
 * p2v_reader_release(). Called from another thread than p2v_reader_run().
 * timeout: microseconds to wait at most.
 * ended: set to TRUE when there is nothing more to come. */
P2vChunk *p2v_reader_next (P2vReader *reader, guint64 timeout, gboolean *ended);

/* Gives a chunk and its buffer back. */
void p2v_reader_release (P2vReader *reader, P2vChunk *chunk);

/* Makes p2v_reader_run() return soon. */
void p2v_reader_stop (P2vReader *reader);

/* Bytes of holes skipped, and bytes read that were zero, so far. Any thread. */
void p2v_reader_get_counts (P2vReader *reader, gint64 *skipped, gint64 *zero);

/* All chunks must have been released, or never been taken. */
void p2v_reader_free (P2vReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vReader, p2v_reader_free)

/* TRUE when all length bytes are zero. */
gboolean p2v_is_zero (const void *data, gsize length);

G_END_DECLS

#endif
