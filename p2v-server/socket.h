/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SOCKET_H
#define P2V_SOCKET_H

#include <glib.h>

G_BEGIN_DECLS

/* Unix stream sockets between the processes of one server. Descriptors are closed on exec. */

/* Connects; returns the descriptor, or -1 with P2V_ERROR_TRANSFER when nobody listens there,
 * P2V_ERROR_FAILED when the path is too long for a socket. */
int p2v_socket_connect (const char *path, GError **error);

/* Listens, in the place of whatever was there; returns the descriptor, or -1 with
 * P2V_ERROR_FAILED. */
int p2v_socket_listen (const char *path, GError **error);

G_END_DECLS

#endif
