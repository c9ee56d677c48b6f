/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_OFFERS_TEXT_H
#define P2V_OFFERS_TEXT_H

#include "common/offers.h"

G_BEGIN_DECLS

/* What a server offers, in sentences for people, but for its problem; "" when it has not said
 * (transfer full). offers: may be NULL. */
char *p2v_offers_text (const P2vOffers *offers);

/* Bytes that the server has for this machine's disks, -1 when it has not said. offers: may be NULL.
 */
gint64 p2v_offers_free_space (const P2vOffers *offers);

G_END_DECLS

#endif
