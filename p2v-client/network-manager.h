/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NETWORK_MANAGER_H
#define P2V_NETWORK_MANAGER_H

#include "p2v-client/network-setup.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Has NetworkManager do what a person has entered. Both functions block, for a thread. */

/* Whether NetworkManager is there to be told. Fails with P2V_ERROR_REFUSED: it is not, and why. */
gboolean p2v_network_manager_check (GCancellable *cancellable, GError **error);

/* Connects the system as the setup says, in place of what an earlier call has made; connections
 * that others have made stay, but for those of the same cards. When this fails or is cancelled
 * nothing of it is left, and what was there before is brought up again.
 * setup: without mistakes, see p2v_network_setup_check().
 * Fails with P2V_ERROR_REFUSED (NetworkManager's reason), P2V_ERROR_CANCELLED. */
gboolean p2v_network_manager_apply (const P2vNetworkSetup *setup, GCancellable *cancellable,
                                    GError **error);

G_END_DECLS

#endif
