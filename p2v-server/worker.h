/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_WORKER_H
#define P2V_WORKER_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* Where the output of a job's detached process goes, in the job's directory. */
#define P2V_WORKER_LOG "worker.log"

/* The stage at which a job's work goes on: P2V_STAGE_CONVERT, beside which what was received is
 * verified, or P2V_STAGE_DEFINE. NULL with
 * P2V_ERROR_REFUSED for a job that has nothing left to do, was cancelled, or whose disks were never
 * received in full. */
const char *p2v_worker_next_stage (const P2vJob *job, GError **error);

/* Takes a received job through verify, convert and define in this process: begins at the stage that
 * its state or failed_stage names. Waits for one of the max_conversions slots (flock), saying so in
 * an event. A failure is recorded in the job and returned; when the job is cancelled meanwhile,
 * that is carried out and P2V_ERROR_CANCELLED returned. Needs the job's lock, and a process of its
 * own. Images that are not what the machine read become no guest: the job is then "waiting" as long
 * as its client is there to send again what is wrong (p2v_job_is_followed()), else it has failed at
 * the stage "verify". */
gboolean p2v_worker_run (const P2vServerConfig *config, P2vJob *job, GError **error);

/* Starts `p2v-server work ID` as a detached process (own session, no terminal, output to the job's
 * "worker.log") and returns at once. The caller must not hold the job's lock any more. */
gboolean p2v_worker_spawn (const P2vServerConfig *config, const char *id, GError **error);

G_END_DECLS

#endif
