/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PROBE_H
#define P2V_PROBE_H

#include "common/offers.h"
#include "p2v-client/hostkey.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A trial connection to the server, for a front end with a person in front of it. */

/* What was found, as far as it went. */
typedef struct
{
  P2vHostKey hostkey; /* hostkey.trust is P2V_HOSTKEY_UNSEEN when no SSH server answered */
  gboolean logged_in; /* the server has let us in and started its program */
  char *program;      /* the server's program and version: "p2v-server 0.1"; NULL before that */
  P2vOffers *offers;  /* for the configuration's output; NULL when the server does not say */
} P2vProbe;

P2vProbe *p2v_probe_new (void);
void p2v_probe_free (P2vProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vProbe, p2v_probe_free)

/* Connects to the configuration's server exactly as a conversion would, exchanges greetings, asks
 * what it offers, and disconnects; nothing is made or changed there. Blocks until done or
 * cancelled, at most about two minutes: to be run in a thread. Only what concerns the server and
 * the output is read from the configuration, and neither may change meanwhile.
 *
 * The password or the key's signature is given to a trusted server only. So with an unknown host
 * key (probe->hostkey.trust is P2V_HOSTKEY_UNKNOWN) it fails before the login; the front end shows
 * probe->hostkey.fingerprint, and when the person accepts it sets config->hostkey to a copy of it
 * and probes again. The same config->hostkey then binds the conversion. P2V_HOSTKEY_MISMATCH is not
 * to be asked about, it is to be refused.
 *
 * probe: new; filled in also when this fails.
 * Fails with
 *   P2V_ERROR_CONNECTION  unreachable, no SSH server, or its host key is not trusted
 *   P2V_ERROR_AUTH        the user, the password or the key is wrong, or no key could be fetched
 *   P2V_ERROR_REFUSED     logged in, but what the account runs is no p2v-server that fits
 *   P2V_ERROR_USAGE       the server's or user's name cannot be one
 *   P2V_ERROR_CANCELLED   cancelled
 */
gboolean p2v_probe_run (const P2vConfig *config, P2vProbe *probe, GCancellable *cancellable,
                        GError **error);

G_END_DECLS

#endif
