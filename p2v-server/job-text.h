/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_JOB_TEXT_H
#define P2V_JOB_TEXT_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* What the administrator's commands say about a job. */

/* TRUE when nobody will change the job's state by himself any more: done, failed, cancelled. */
gboolean p2v_job_is_final (const P2vJob *job);

/* The state, with ", stopped" when it is not final and yet nobody works on the job, and with the
 * stage for a failed one (transfer full). */
char *p2v_job_state_text (const P2vJob *job);

/* What to do next, for people; one or two sentences (transfer full). */
char *p2v_job_next_step (const P2vJob *job);

/* Bytes of all disks that the job converts. */
gint64 p2v_job_total_size (const P2vJob *job);

/* An entry of `jobs --json` (transfer full). */
JsonObject *p2v_job_summary_json (const P2vJob *job);

/* All of the job but its secret, for `show --json` (transfer full). */
JsonObject *p2v_job_details_json (const P2vJob *job);

/* How much of a disk has landed. */
typedef struct
{
  guint64 total, unknown, skipped, zero, data; /* chunks */
} P2vChunkCounts;

/* Counts the chunks of a disk's manifest; FALSE when there is none yet. */
gboolean p2v_job_count_chunks (const P2vJob *job, const char *disk, P2vChunkCounts *counts);

/* TRUE when every chunk of every disk has landed, by the word of the manifests. */
gboolean p2v_job_has_landed (const P2vJob *job);

/* One line for a person about an event, without its time (transfer full). */
char *p2v_event_text (const P2vEvent *event);

G_END_DECLS

#endif
