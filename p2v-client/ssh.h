/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SSH_H
#define P2V_SSH_H

#include "p2v-client/bandwidth.h"
#include "p2v-client/hostkey.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* One SSH connection to the conversion server on which one command of the server runs. Its input
 * and output are one end of a local socket pair: whoever uses it sees a plain descriptor, and a
 * thread of the connection carries the bytes. */
typedef struct _P2vSsh P2vSsh;

/* Connects, checks the host key, logs in, starts the command.
 *
 * identity: the private key's text, or NULL for a password.
 * command: one of P2V_COMMAND_*; the sudo prefix is added here when the configuration says so.
 * bandwidth: limits what is sent; must outlive the connection. May be NULL.
 * hostkey: initialised; receives the key that the server has shown, whether that was trusted or
 * not. May be NULL.
 * Fails with P2V_ERROR_CONNECTION (unreachable, not trusted) or P2V_ERROR_AUTH. */
P2vSsh *p2v_ssh_open (const P2vConfig *config, const char *identity, const char *command,
                      P2vBandwidth *bandwidth, GCancellable *cancellable, P2vHostKey *hostkey,
                      GError **error);

/* The descriptor to talk to the command with; owned by the connection. Reading gives its standard
 * output, then end of file. */
int p2v_ssh_get_fd (P2vSsh *ssh);

/* From now on what is sent is one zstd stream, which the command expects.
 * level: 1 to 19, or P2V_COMPRESS_AUTO for what suits link and processor as it runs. */
void p2v_ssh_compress (P2vSsh *ssh, gint64 level);

/* Bytes sent to the command so far, as they are on the wire without SSH's own. Any thread. */
gint64 p2v_ssh_get_sent (P2vSsh *ssh);

/* Why the command or the connection ended, for messages: its exit status, its last words on
 * standard error, the network's error. Ends the connection, after a few seconds' wait for a command
 * that has not ended yet. (transfer full) */
char *p2v_ssh_explain_end (P2vSsh *ssh);

/* Ends the traffic without waiting for the server; the descriptor is at its end then. */
void p2v_ssh_stop (P2vSsh *ssh);

/* Disconnects and frees. */
void p2v_ssh_free (P2vSsh *ssh);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vSsh, p2v_ssh_free)

G_END_DECLS

#endif
