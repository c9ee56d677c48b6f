/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_VERIFICATION_H
#define P2V_VERIFICATION_H

#include "common/verified.h"

G_BEGIN_DECLS

/* What came of comparing a job's images with its manifests, as job.json has it. verify.h does it.
 */

/* What can be wrong with a chunk. */
#define P2V_BAD_DIFFERENT "different"   /* its contents have another hash than what was read */
#define P2V_BAD_NOT_ZERO "not zero"     /* zero or skipped, and the image holds something */
#define P2V_BAD_UNREADABLE "unreadable" /* the image cannot be read there */
#define P2V_BAD_UNRECORDED "unrecorded" /* the manifest has no valid record of it */

/* So many bad chunks are listed; all are counted, and all are forgotten in the manifest. */
#define P2V_BAD_CHUNKS_MAX 100

typedef struct
{
  char *disk;
  gint64 chunk; /* index; its first byte is P2V_CHUNK_SIZE times that */
  char *problem;
} P2vBadChunk;

typedef struct
{
  char *state;              /* P2V_VERIFICATION_… */
  gint64 started, finished; /* milliseconds since the epoch, 0 for not yet */
  gint64 chunks;            /* of all disks */
  gint64 data;              /* whose contents were compared by hash */
  gint64 zero;              /* zero or skipped, found to read as zeroes */
  gint64 bad;               /* not what was read */
  gint64 left;              /* that have not landed yet: only when the job stands still */
  GPtrArray *bad_chunks;    /* of P2vBadChunk, the first P2V_BAD_CHUNKS_MAX */
  char *message;            /* when it failed: why, for people */
} P2vVerification;

P2V_SCHEMA_DECLARE (P2vBadChunk, p2v_bad_chunk)
P2V_SCHEMA_DECLARE (P2vVerification, p2v_verification)

/* Counts a bad chunk and lists it if there is room. problem: P2V_BAD_…. */
void p2v_verification_add_bad (P2vVerification *verification, const char *disk, guint64 chunk,
                               const char *problem);

/* The result for people, one or two sentences with the counts (transfer full). */
char *p2v_verification_text (const P2vVerification *verification);

/* The bad chunks for people: "disk sda: chunks 3 (different), 4 (not zero)", NULL when there are
 * none. At most max are named. (transfer full) */
char *p2v_verification_bad_text (const P2vVerification *verification, guint max);

G_END_DECLS

#endif
