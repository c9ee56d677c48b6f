/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_MANIFEST_H
#define P2V_MANIFEST_H

#include <glib.h>

G_BEGIN_DECLS

/* A disk is transferred in chunks of this many bytes; the last one may be shorter. Large enough
 * that a chunk's overhead vanishes, small enough that one lost chunk costs nothing. */
#define P2V_CHUNK_SIZE (4 * 1024 * 1024)

typedef enum
{
  P2V_CHUNK_UNKNOWN = 0, /* nothing landed yet */
  P2V_CHUNK_SKIPPED = 1, /* free on the source by its own filesystem's word: never read */
  P2V_CHUNK_ZERO = 2,    /* a hole, or read and found to be zero throughout */
  P2V_CHUNK_DATA = 3,    /* landed; the hash says what */
} P2vChunkState;

/* XXH3-128 of a chunk's contents in canonical (big endian) form, xxHash specification. A chunk
 * that is only partly free is hashed with its free ranges read as zeroes: what the image holds. */
typedef struct
{
  guint8 bytes[16];
} P2vChunkHash;

/* The state's name in messages and listings: "unknown", "skipped", "zero" or "data". */
const char *p2v_chunk_state_name (P2vChunkState state);

/* The state of that name; FALSE when there is none. */
gboolean p2v_chunk_state_from_name (const char *name, P2vChunkState *state);

/* The hash as 32 lower-case hexadecimal digits (transfer full), and back; FALSE when text is not
 * exactly that. */
char *p2v_chunk_hash_to_hex (const P2vChunkHash *hash);
gboolean p2v_chunk_hash_from_hex (const char *text, P2vChunkHash *hash);

/* A disk's manifest: for each chunk its state and hash, kept in a file of the job. Format: a header
 * of 64 bytes, then a record of 32 bytes a chunk, all little endian, each ending in the low 64 bits
 * of its own XXH3 so that a torn write is seen and costs only that record (see manifest.c). */
typedef struct _P2vManifest P2vManifest;

/* The number of chunks of a disk of size bytes. */
guint64 p2v_chunk_count (gint64 size);

/* The length in bytes of chunk index of a disk of size bytes. */
gsize p2v_chunk_length (gint64 size, guint64 index);

/* The hash of length bytes at data. */
void p2v_chunk_hash (const void *data, gsize length, P2vChunkHash *hash);

/* Creates path for a disk of size bytes with every chunk unknown; the file must not exist. */
P2vManifest *p2v_manifest_create (const char *path, gint64 size, GError **error);

/* Opens an existing manifest; records that fail their checksum read as unknown.
 * writable: FALSE for a look from outside while the job runs. */
P2vManifest *p2v_manifest_open (const char *path, gboolean writable, GError **error);

/* Opens the manifest of a disk of size bytes for a transfer that goes on, whatever has become of
 * the file: one that is missing is created, a damaged header is written anew. Every record vouches
 * for itself, so that only those that fail their checksum are unknown. */
P2vManifest *p2v_manifest_take_up (const char *path, gint64 size, GError **error);

/* Closes without waiting for the disk; p2v_manifest_sync() does that. */
void p2v_manifest_free (P2vManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vManifest, p2v_manifest_free)

gint64 p2v_manifest_size (P2vManifest *manifest);

/* Records count chunks from first on, which are alike. hash may be NULL unless state is
 * P2V_CHUNK_DATA. The caller has made the chunks themselves durable before. Fails with
 * P2V_ERROR_REFUSED, and records nothing, when one is out of range. */
gboolean p2v_manifest_record (P2vManifest *manifest, guint64 first, guint64 count,
                              P2vChunkState state, const P2vChunkHash *hash, GError **error);

/* Takes back what was recorded of a chunk: it is unknown again, because the image does not hold
 * it. Fails with P2V_ERROR_REFUSED for an index that is out of range. */
gboolean p2v_manifest_forget (P2vManifest *manifest, guint64 index, GError **error);

/* Makes all records so far durable, and all that was forgotten. */
gboolean p2v_manifest_sync (P2vManifest *manifest, GError **error);

/* The state of a chunk, and its hash when hash is not NULL (zeroed unless state is data). */
P2vChunkState p2v_manifest_get (P2vManifest *manifest, guint64 index, P2vChunkHash *hash);

/* Counts the chunks in a state. */
guint64 p2v_manifest_count (P2vManifest *manifest, P2vChunkState state);

G_END_DECLS

#endif
