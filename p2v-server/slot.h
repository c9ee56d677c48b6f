/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SLOT_H
#define P2V_SLOT_H

#include "p2v-server/verify.h"

G_BEGIN_DECLS

/* The right to convert: there are as many as [server] max-conversions says, each a file in
 * STATE_DIR/run that is held with flock(2), so that a process that dies gives its slot back. */

/* Takes a slot, waiting for it if need be (with an event in the job that says so). Returns a file
 * descriptor that holds the slot until it is closed, -1 on failure, among them that of verify,
 * which is looked at while waiting and may be NULL, and P2V_ERROR_CANCELLED when the job was
 * cancelled meanwhile. */
int p2v_slot_take (const P2vServerConfig *config, P2vJob *job, P2vVerify *verify, GError **error);

G_END_DECLS

#endif
