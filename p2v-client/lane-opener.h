/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LANE_OPENER_H
#define P2V_LANE_OPENER_H

#include "p2v-client/config.h"
#include "p2v-client/ssh.h"

G_BEGIN_DECLS

/* Opens the SSH connections of a job's lanes one after another in a thread of its own: to log in
 * takes time, and what is open already is at work meanwhile. */
typedef struct _P2vLaneOpener P2vLaneOpener;

/* A lane is open, at the start of the NBD handshake (ssh, transfer full), or could not be opened
 * (error, transfer full). tag: as given with the request. Called in the opener's thread. */
typedef void (*P2vLaneOpenedFunc) (guint tag, P2vSsh *ssh, GError *error, gpointer user_data);

/* job, token: from the server's "created". bandwidth: what all lanes share, NULL for no limit.
 * config, identity and bandwidth must outlive the opener, bandwidth the lanes too. */
P2vLaneOpener *p2v_lane_opener_new (const P2vConfig *config, const char *identity, const char *job,
                                    const char *token, P2vBandwidth *bandwidth,
                                    P2vLaneOpenedFunc opened, gpointer user_data);

/* Asks for a lane to a disk; opened is called once for it. */
void p2v_lane_opener_request (P2vLaneOpener *opener, const char *disk, guint tag);

/* Gives up what is not open yet and frees; nothing is called any more then. */
void p2v_lane_opener_free (P2vLaneOpener *opener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vLaneOpener, p2v_lane_opener_free)

G_END_DECLS

#endif
