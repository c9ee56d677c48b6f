/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CANCEL_H
#define P2V_CANCEL_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* Giving a job up, whoever works on it and whatever it is doing. */

/* TRUE when cancelling the job keeps its images: they are a guest's already, or ready to be one. */
gboolean p2v_cancel_keeps_images (const P2vJob *job);

/* Gives up the job that this process holds: ends what is left of its processes; removes its
 * sockets, overlays, temporary files and, unless p2v_cancel_keeps_images(), its images; says in an
 * event what was removed and what was kept; sets the state to "cancelled". What cannot be removed
 * is kept, with a warning. May be repeated after a crash. Needs the lock; exports and programs of
 * this process are better ended before.
 * Fails when the state cannot be written. */
gboolean p2v_cancel_carry_out (const P2vServerConfig *config, P2vJob *job, GError **error);

/* Asks whoever holds the job to give it up and waits for that, so many seconds at most; carries it
 * out in this process when nobody holds it. Returns the job as it is afterwards, in state
 * "cancelled" (transfer full).
 * Fails with P2V_ERROR_REFUSED for a job that is done or a mere record, and with P2V_ERROR_FAILED
 * when time is up; the request stays then, and is granted as soon as the holder looks. */
P2vJob *p2v_cancel_job (const P2vServerConfig *config, const char *id, gint64 patience,
                        GError **error);

G_END_DECLS

#endif
