/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FOLLOW_H
#define P2V_FOLLOW_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* Prints the events of a job to standard output from a byte offset on, a line each (the event's
 * JSON when json); *offset moves on. Of several bare progress events in a row only the last is
 * printed. */
gboolean p2v_follow_print (const P2vJob *job, goffset *offset, gboolean json, GError **error);

/* Prints events as they happen until the job is final, or nobody works on it any more for some
 * seconds. id: of the job; job is replaced by its last state. */
gboolean p2v_follow_run (const P2vServerConfig *config, P2vJob **job, goffset *offset,
                         gboolean json, GError **error);

G_END_DECLS

#endif
