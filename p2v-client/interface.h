/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_INTERFACE_H
#define P2V_INTERFACE_H

#include <glib.h>

G_BEGIN_DECLS

/* How this machine is connected at the moment. */

/* A network interface of the running system; bonds and VLANs are interfaces, too. */
typedef struct
{
  char *name;
  gboolean link;   /* there is a carrier */
  gint64 speed;    /* Mbit/s, 0 when not known */
  char *addresses; /* "192.0.2.5/24, 2001:db8::5/64"; NULL for none; link-local ones only when there
                      is no other */
} P2vInterface;

void p2v_interface_free (P2vInterface *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vInterface, p2v_interface_free)

/* Every interface but the loopback and the kernel's own that nobody uses, by name; of P2vInterface,
 * with a free function (transfer full). May take a moment, as the kernel makes whoever asks for a
 * speed wait while an interface is being set up. */
GPtrArray *p2v_interfaces_look (void);

/* TRUE when the two say the same. Either may be NULL. */
gboolean p2v_interfaces_equal (GPtrArray *a, GPtrArray *b);

/* What there is to say of a link in one line: "connected at 1 Gbit/s, 192.0.2.5/24".
 * (transfer full) */
char *p2v_interface_describe (const P2vInterface *link);

/* TRUE when a server could be reached through it: it has a link and an address that is more than
 * link-local. */
gboolean p2v_interface_is_usable (const P2vInterface *link);

G_END_DECLS

#endif
