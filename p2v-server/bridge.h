/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BRIDGE_H
#define P2V_BRIDGE_H

#include <glib.h>

G_BEGIN_DECLS

/* Carries bytes from input to a socket and from the socket to output until the socket has said its
 * last; the end of the input is passed on.
 *
 * compressed: what comes in is a zstd stream (PROTOCOL.md), and the socket gets what is in it.
 * FALSE when it is none. */
gboolean p2v_bridge_run (int input, int output, int socket, gboolean compressed);

G_END_DECLS

#endif
