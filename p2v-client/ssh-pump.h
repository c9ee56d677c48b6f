/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SSH_PUMP_H
#define P2V_SSH_PUMP_H

#include "p2v-client/bandwidth.h"

#include <libssh/libssh.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* What other threads tell a pump, and learn from it. */
typedef struct
{
  atomic_bool stop;    /* return within a second */
  atomic_int compress; /* P2V_PUMP_PLAIN, or how what is read from the local socket from now on is
                          compressed: a level (0: a stream of raw blocks), or P2V_PUMP_ADAPT */
  P2vBandwidth *bandwidth; /* limits what goes out; NULL: nothing does. Set before the start */
  atomic_llong sent;       /* bytes given to the channel */
} P2vPumpControl;

#define P2V_PUMP_PLAIN -2
#define P2V_PUMP_ADAPT -1

/* Carries bytes between an SSH channel and a local socket, both ways, until the channel has ended
 * or the connection is lost. The session must be in non-blocking mode and is used by nobody else
 * meanwhile (libssh sessions are not thread safe).
 *
 * local: a connected stream socket; end of file on it ends the channel's input, end of the
 * channel's output shuts its sending side down.
 * last_words: receives the end of what the command wrote to its standard error.
 * Returns NULL when the channel ended by itself, else why the connection failed (transfer full). */
char *p2v_ssh_pump (ssh_session session, ssh_channel channel, int local, P2vPumpControl *control,
                    GString *last_words);

G_END_DECLS

#endif
