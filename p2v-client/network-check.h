/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NETWORK_CHECK_H
#define P2V_NETWORK_CHECK_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether the network works, step by step from the cable to the server. */

typedef enum
{
  P2V_FINDING_GOOD,
  P2V_FINDING_BAD,  /* the text says what to do */
  P2V_FINDING_NOTE, /* neither */
} P2vFindingKind;

typedef struct
{
  P2vFindingKind kind;
  char *text; /* a sentence or two */
} P2vFinding;

/* Looks for a link, for an address, whether the gateways answer, whether the server's name is known
 * and whether something answers on its port. Blocks, for a thread: seconds, at most about a minute.
 * server: as p2v.server takes it; NULL when none is known yet.
 * Fails with P2V_ERROR_CANCELLED. (GPtrArray of P2vFinding, transfer full) */
GPtrArray *p2v_network_check (const char *server, guint16 port, GCancellable *cancellable,
                              GError **error);

/* TRUE when none of the findings is bad. */
gboolean p2v_network_check_is_good (GPtrArray *findings);

G_END_DECLS

#endif
