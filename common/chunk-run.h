/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CHUNK_RUN_H
#define P2V_CHUNK_RUN_H

#include "common/manifest.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Chunks that follow one another and are in the same state: how the two sides tell each other what
 * has landed. */
typedef struct
{
  guint64 first;
  guint64 count; /* at least 1; 1 for data whose hash is known */
  P2vChunkState state;
  P2vChunkHash hash; /* of data; zeroed where it is not told */
} P2vChunkRun;

/* Puts runs (GArray of P2vChunkRun) in order and makes one of neighbours that differ in nothing but
 * their place. */
void p2v_chunk_runs_merge (GArray *runs);

/* The member "chunks" of a message (transfer full). hashes: whether data is told with its hash. */
JsonArray *p2v_chunk_runs_to_json (const GArray *runs, gboolean hashes);

/* What a peer sent, checked: every run within the total chunks of the disk, data with its hash if
 * hashes. message: has the member "chunks". Fails with P2V_ERROR_REFUSED. (GArray of P2vChunkRun,
 * transfer full) */
GArray *p2v_chunk_runs_from_message (JsonObject *message, guint64 total, gboolean hashes,
                                     GError **error);

G_END_DECLS

#endif
