/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_THIS_HOST_H
#define P2V_THIS_HOST_H

#include <glib.h>

#include "p2v-server/ssh-key.h"

G_BEGIN_DECLS

/* What machines have to know about the host that this runs on. */

/* The name or address under which machines are likely to reach this host: its full name when it has
 * a domain, else the address from which it reaches others. Fails with P2V_ERROR_USAGE when there is
 * neither (transfer full). */
char *p2v_this_host_address (GError **error);

/* Whether a name or address is one of this host's. May ask the DNS. */
gboolean p2v_this_host_is (const char *name);

/* Whether this host has a bridge of that name. */
gboolean p2v_this_host_has_bridge (const char *name);

/* The host keys of sshd, /etc/ssh/ssh_host_*_key.pub (GPtrArray of P2vSshKey, transfer full), the
 * one that a client is going to be shown first: libssh and OpenSSH prefer Ed25519, then ECDSA. */
GPtrArray *p2v_this_host_keys (void);

G_END_DECLS

#endif
