/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SESSION_H
#define P2V_SESSION_H

#include "p2v-server/config.h"

G_BEGIN_DECLS

/* `p2v-server session`: speaks the control protocol on two descriptors until the client is done or
 * gone. Returns the process's exit status. */
int p2v_session_run (const P2vServerConfig *config, int input, int output);

G_END_DECLS

#endif
