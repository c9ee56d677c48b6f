/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_JOB_PROCESSES_H
#define P2V_JOB_PROCESSES_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* The processes of a job: every program that is started for it has the job's directory in its
 * environment, and so has what that program starts in turn (virt-v2v's nbdkit and QEMU). That is
 * how they are found again when the process of ours that started them is gone. */
#define P2V_JOB_VARIABLE "P2V_JOB_DIRECTORY"

/* From now on whatever this process starts is known to be the job's. Call it before there are
 * threads. */
void p2v_job_claim_processes (const P2vJob *job);

/* Ends what earlier holders of the job have left running: SIGTERM, seconds later SIGKILL. Returns
 * when all are gone, with their number; processes of other users are not seen. Needs the job's
 * lock, and nothing may have been started yet for it by this process. */
guint p2v_job_end_processes (const P2vJob *job);

G_END_DECLS

#endif
