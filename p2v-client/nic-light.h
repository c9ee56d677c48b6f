/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NIC_LIGHT_H
#define P2V_NIC_LIGHT_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* Makes the light of a network card blink for ten seconds, so that a person finds it at the back of
 * the machine. Blocks so long, or until cancelled: to be run in a thread.
 * nic: P2vNic.name.
 * Fails with P2V_ERROR_FAILED and a sentence that says why it does not blink, or
 * P2V_ERROR_CANCELLED. */
gboolean p2v_nic_light_blink (const char *nic, GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
