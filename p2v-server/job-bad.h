/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_JOB_BAD_H
#define P2V_JOB_BAD_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* What of the machine's disks could not be read, and is zeroes in the images. */

/* Records the "ranges" of a client's message about one disk of the job (P2vJob.bad), durably, with
 * a warning in the events for what is new. size: of the disk, bytes. Needs the lock. Fails with
 * P2V_ERROR_REFUSED when the message makes no sense or the list becomes too long. */
gboolean p2v_job_record_bad (P2vJob *job, const char *disk, gint64 size, JsonObject *message,
                             GError **error);

/* Adds the job's list to a message, as "bad", unless it is empty. */
void p2v_job_add_bad (const P2vJob *job, JsonObject *message);

G_END_DECLS

#endif
