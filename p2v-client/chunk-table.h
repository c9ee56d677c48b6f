/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CHUNK_TABLE_H
#define P2V_CHUNK_TABLE_H

#include "common/chunk-run.h"

G_BEGIN_DECLS

/* What of a disk is known to have landed, chunk by chunk, in memory: the client's own view, or the
 * server's manifest as it was told. 17 bytes a chunk. Has no lock: who writes it is alone. */
typedef struct _P2vChunkTable P2vChunkTable;

/* A table for a disk of size bytes with every chunk unknown. */
P2vChunkTable *p2v_chunk_table_new (gint64 size);
void p2v_chunk_table_free (P2vChunkTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vChunkTable, p2v_chunk_table_free)

guint64 p2v_chunk_table_count (const P2vChunkTable *table);

/* Notes a run, which is within the disk. */
void p2v_chunk_table_set (P2vChunkTable *table, const P2vChunkRun *run);

/* Makes count chunks unknown again. */
void p2v_chunk_table_forget (P2vChunkTable *table, guint64 first, guint64 count);

/* The state of a chunk; hash may be NULL, and is zeroed where it is not known. */
P2vChunkState p2v_chunk_table_get (const P2vChunkTable *table, guint64 index, P2vChunkHash *hash);

/* Bytes of all chunks in a state. */
gint64 p2v_chunk_table_bytes (const P2vChunkTable *table, P2vChunkState state);

/* The runs that `table` knows and `other`, a table of the same disk, does not: data one by one with
 * its hash (GArray of P2vChunkRun, transfer full). */
GArray *p2v_chunk_table_missing (const P2vChunkTable *table, const P2vChunkTable *other);

G_END_DECLS

#endif
