/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_READER_H
#define P2V_READER_H

#include "p2v-client/buffer-pool.h"
#include "p2v-client/chunk-table.h"
#include "p2v-client/source-errors.h"

G_BEGIN_DECLS

/* A run of chunks on its way: many skipped or zero ones, or a single one with data. */
typedef struct
{
  guint64 first;
  guint64 count;       /* 1 for data */
  P2vChunkState state; /* P2V_CHUNK_SKIPPED, P2V_CHUNK_ZERO or P2V_CHUNK_DATA */
  P2vChunkHash hash;   /* of data */
  guint8 *data;        /* a buffer of the reader's; NULL unless data */
  gsize length;        /* bytes used of data */
  GArray *bad;         /* of P2vBadPart: zeroes in this chunk because they could not be read; NULL
                          for none */
  gboolean landed;     /* the server has exactly this already: it need not be written */
  gboolean again;      /* the image may hold anything there: zeroes are written too */
  guint writes;        /* NBD requests that still use data; this and failed are the lane's own */
  gboolean failed;     /* one of them did not succeed */
} P2vChunk;

/* Reads one disk ahead of the lanes that send it, in one place or, where that costs nothing, in
 * several, and queues its chunks: each exactly once, and once more each time that it is asked for
 * again. Functions may be called from any thread unless they say otherwise. */
typedef struct _P2vReader P2vReader;

/* What is to be read. */
typedef struct
{
  /* What the server has from an earlier run, hashes included, or NULL: what still is the same is
   * marked as landed. Must outlive the reader. */
  const P2vChunkTable *landed;
  gboolean only_again; /* nothing but what p2v_reader_again() asks for */
} P2vReaderTask;

/* Starts to read. source and pool must outlive the reader. task: NULL for the whole disk. */
P2vReader *p2v_reader_new (P2vSource *source, P2vBufferPool *pool, const P2vReaderTask *task);

/* Has count chunks from first on read (once more), before anything else. */
void p2v_reader_again (P2vReader *reader, guint64 first, guint64 count);

/* The next chunk (transfer full), to be given back with p2v_reader_release(); NULL when there is
 * none at the moment. Never waits.
 * ended: set to TRUE when there is nothing more to come, unless p2v_reader_again() is called. */
P2vChunk *p2v_reader_next (P2vReader *reader, gboolean *ended);

/* TRUE when p2v_reader_next() would say that it has ended. */
gboolean p2v_reader_is_ended (P2vReader *reader);

/* A descriptor that poll(2) finds readable while p2v_reader_next() has something to tell. Owned by
 * the reader. */
int p2v_reader_get_fd (P2vReader *reader);

/* Gives a chunk and its buffer back. */
void p2v_reader_release (P2vReader *reader, P2vChunk *chunk);

/* Ends the reading soon; what has been read stays in the queue. */
void p2v_reader_stop (P2vReader *reader);

/* FALSE with P2V_ERROR_SOURCE when the disk could not be read (unless that is the fault of a few
 * sectors, and P2vSource.stop_on_error is FALSE), P2V_ERROR_CANCELLED when reading was stopped
 * before the end. */
gboolean p2v_reader_check (P2vReader *reader, GError **error);

/* Bytes never read, and bytes read that were zero, so far; of chunks without any data, and not of
 * what was read again. */
void p2v_reader_get_counts (P2vReader *reader, gint64 *skipped, gint64 *zero);

/* Stops and frees. All chunks must have been released, or never been taken. */
void p2v_reader_free (P2vReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vReader, p2v_reader_free)

/* TRUE when all length bytes are zero. */
gboolean p2v_is_zero (const void *data, gsize length);

G_END_DECLS

#endif
