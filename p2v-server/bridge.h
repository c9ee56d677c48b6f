/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BRIDGE_H
#define P2V_BRIDGE_H

#include <glib.h>

G_BEGIN_DECLS

/* Carries bytes from input to a socket and from the socket to output until the socket has said its
 * last; the end of the input is passed on.
 *
 * compressed: what comes in is a zstd stream (PROTOCOL.md), and the socket gets what is in it.
 * patience: how long neither side may have anything to say, milliseconds; -1 without end.
 * Fails with P2V_ERROR_TRANSFER: the stream is none, or patience was at its end. */
gboolean p2v_bridge_run (int input, int output, int socket, gboolean compressed, int patience,
                         GError **error);

G_END_DECLS

#endif
