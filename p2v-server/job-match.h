/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_JOB_MATCH_H
#define P2V_JOB_MATCH_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* The jobs of a machine that is started again. */

/* TRUE when the job's disks can still arrive: it is being received, waits for its machine, or has
 * failed on that way (stages receive and verify). */
gboolean p2v_job_is_resumable (const P2vJob *job);

/* TRUE when all of the job's disks have landed, and the server is about to make a guest of them. */
gboolean p2v_job_goes_on (const P2vJob *job);

/* TRUE when a request is for the same guest of the same machine as the job, and for the same disks.
 * Machines are told apart by the UUID that the firmware gives (SMBIOS specification, 7.2.1), or by
 * the addresses of their network cards where it gives none; disks by size and by WWN or serial
 * number, or by their names where they have neither. disks: receives the job's names for the
 * request's disks, in the request's order (transfer full); may be NULL. */
gboolean p2v_job_is_for (const P2vJob *job, const P2vRequest *request, char ***disks);

/* The newest job for the request that is resumable or goes on, NULL for none; without its lock. */
P2vJob *p2v_job_find (const P2vServerConfig *config, const P2vRequest *request);

G_END_DECLS

#endif
