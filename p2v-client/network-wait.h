/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NETWORK_WAIT_H
#define P2V_NETWORK_WAIT_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* Is told, one line at a time, what is waited for; called in the thread that waits. */
typedef void (*P2vNetworkSay) (const char *line, gpointer user_data);

/* Waits for a link on any network card, also one that the kernel finds only now, and then for an
 * address from which the server may be reached; says so at once, when something changes and every
 * ten seconds, and in the end which interface has which address. Returns at once when there is such
 * an address already, or the server is this machine itself.
 * server: as p2v.server takes it. seconds: for the link, and again for the address.
 * Fails with P2V_ERROR_CONNECTION_FINAL when the time is up, P2V_ERROR_CANCELLED. */
gboolean p2v_network_wait (const char *server, gint64 seconds, P2vNetworkSay say,
                           gpointer user_data, GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
