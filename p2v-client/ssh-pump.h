/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SSH_PUMP_H
#define P2V_SSH_PUMP_H

#include <glib.h>
#include <libssh/libssh.h>

G_BEGIN_DECLS

/* Carries bytes between an SSH channel and a local socket, both ways, until the channel has ended
 * or the connection is lost. The session must be in non-blocking mode and is used by nobody else
 * meanwhile (libssh sessions are not thread safe).
 *
 * local: a connected stream socket; end of file on it ends the channel's input, end of the
 * channel's output shuts its sending side down.
 * stop: set to nonzero (atomically) by another thread to make it return within a second.
 * last_words: receives the end of what the command wrote to its standard error.
 * Returns NULL when the channel ended by itself, else why the connection failed (transfer full). */
char *p2v_ssh_pump (ssh_session session, ssh_channel channel, int local, const gint *stop,
                    GString *last_words);

G_END_DECLS

#endif
