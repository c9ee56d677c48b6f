/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RECOVER_H
#define P2V_RECOVER_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* Taking up jobs whose process is gone: killed, or lost with the server's power. */

/* What was done about one of them. */
typedef struct
{
  char *id;
  char *from;    /* the state it was found in */
  char *to;      /* the state it is in now; the same when a new process goes on from there */
  char *message; /* for people: what happens with it now, or why nothing can */
} P2vRecovered;

void p2v_recovered_free (P2vRecovered *recovered);

/* Looks at every job that is not finished and that nobody holds:
 *
 *   preparing                       its images are removed, it is failed
 *   receiving                       it waits for its machine, with what has landed
 *   waiting                         nothing: it does so already
 *   received, converting, committing, converted, defining
 *                                   a new process begins its stage again
 *   any, and somebody asked for it  the cancellation is carried out
 *
 * and removes the sockets, overlays, temporary files and processes that were left. Jobs that
 * somebody holds are left alone, so it may run at any time and as often as one likes; with nothing
 * to do it reads each job's file and that is all. Returns what was done, oldest job first
 * (GPtrArray of P2vRecovered, transfer full); a job that cannot be taken up is in it with the
 * reason.
 * Fails when the jobs cannot be listed. */
GPtrArray *p2v_recover (const P2vServerConfig *config, GError **error);

G_END_DECLS

#endif
