/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_JOB_MARKS_H
#define P2V_JOB_MARKS_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* What processes that do not hold a job's lock tell the one that does: small files in the job's
 * directory. */

/* Asks whoever works on the job to give it up. Stays until the job is removed or taken up again.
 * Fails when the file cannot be made. */
gboolean p2v_job_request_cancel (const P2vJob *job, GError **error);

/* TRUE when somebody has asked so. Cheap: one system call. */
gboolean p2v_job_cancel_requested (const P2vJob *job);

/* The same for P2vTool.cancelled: job is a P2vJob. */
gboolean p2v_job_is_cancelled (gpointer job);

/* Fails with P2V_ERROR_CANCELLED when somebody has asked so: for the moments between two steps. */
gboolean p2v_job_check_cancelled (const P2vJob *job, GError **error);

/* Forgets the request: the job is taken up again. */
void p2v_job_withdraw_cancel (const P2vJob *job);

/* Marks the job as followed by the client of this process, which still has the machine's disks:
 * what is damaged can be asked for again. Returns a descriptor whose closing, also by the death of
 * this process, ends the mark; -1 on failure. */
int p2v_job_mark_followed (const P2vJob *job);

/* TRUE while a process marks it so. */
gboolean p2v_job_is_followed (const P2vJob *job);

G_END_DECLS

#endif
