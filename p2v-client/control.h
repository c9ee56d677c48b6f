/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONTROL_H
#define P2V_CONTROL_H

#include "common/protocol.h"
#include "p2v-client/ssh.h"

G_BEGIN_DECLS

/* How long the server may take for an answer that costs it nothing (hello, a lane's ready),
 * seconds.
 */
#define P2V_ANSWER_SECONDS 60

/* The client's end of the control channel: messages to and from `p2v-server session`. */
typedef struct _P2vControl P2vControl;

/* Called in a thread of the control channel for each message, and once with NULL and an error when
 * the channel has ended. message: (transfer full); error: (transfer full). */
typedef void (*P2vControlFunc) (JsonObject *message, GError *error, gpointer user_data);

/* Exchanges greetings on a connection that runs `p2v-server session`, before anything else.
 * program: receives the server's program and version ("p2v-server 0.1"; transfer full).
 * Fails with P2V_ERROR_REFUSED when what answers is no p2v-server, or one too old or too new; with
 * the server's own error; or P2V_ERROR_CANCELLED. */
gboolean p2v_control_greet (P2vSsh *ssh, const P2vConfig *config, char **program,
                            GCancellable *cancellable, GError **error);

/* Sends a message (transfer full) on a connection that nobody listens to yet, and reads the one
 * that answers it (transfer full), leaving whatever comes after its line unread. Fails with the
 * server's own error, or P2V_ERROR_TRANSFER when the channel has ended or nothing comes for
 * P2V_ANSWER_SECONDS, or P2V_ERROR_CANCELLED. */
JsonObject *p2v_control_ask (P2vSsh *ssh, JsonObject *message, const char *expected,
                             GCancellable *cancellable, GError **error);

/* Starts to listen. ssh is owned by the caller and must outlive the control channel. */
P2vControl *p2v_control_new (P2vSsh *ssh, P2vControlFunc func, gpointer user_data);

/* Sends a message (transfer full), waiting until it is on its way. Fails with P2V_ERROR_TRANSFER
 * when the channel has ended, P2V_ERROR_CANCELLED when cancelled. */
gboolean p2v_control_send (P2vControl *control, JsonObject *message, GCancellable *cancellable,
                           GError **error);

/* Ends the channel and waits for its thread. */
void p2v_control_free (P2vControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vControl, p2v_control_free)

G_END_DECLS

#endif
