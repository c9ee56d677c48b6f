/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LEFTOVERS_H
#define P2V_LEFTOVERS_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* Files that a job needs only while a process works on it, and that stay when that is killed. */

/* Removes the job's overlays, its sockets, and temporary files in its directory.
 * Needs the lock. Not in the middle of a commit, which the overlays are needed for. */
void p2v_leftovers_remove (const P2vJob *job);

/* The same but for the overlays. */
void p2v_leftovers_remove_temporary (const P2vJob *job);

/* Removes what a virt-v2v that was ended has written to its place so far, and adds the paths to
 * removed. Only for a conversion by method "virt-v2v" to a directory that was begun and did not
 * end: the plan made sure that nothing of these names was there before. */
void p2v_leftovers_remove_output (const P2vJob *job, GPtrArray *removed);

/* Removes sockets in STATE_DIR/run that belong to no job of the list (of P2vJob). The list has to
 * be newer than names, what p2v_leftovers_list_run() has said: then every socket in use is one of a
 * job in it. */
GPtrArray *p2v_leftovers_list_run (const P2vServerConfig *config);
void p2v_leftovers_remove_orphans (const P2vServerConfig *config, GPtrArray *names,
                                   GPtrArray *jobs);

/* Removes directories of jobs that were made and in which no job was ever written, because the
 * server lost its power just then. */
void p2v_leftovers_remove_unwritten (const P2vServerConfig *config);

G_END_DECLS

#endif
