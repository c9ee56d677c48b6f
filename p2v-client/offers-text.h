/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_OFFERS_TEXT_H
#define P2V_OFFERS_TEXT_H

#include "common/offers.h"

G_BEGIN_DECLS

/* What a server offers, in sentences for people, but for its problem; "" when it has not said
 * (transfer full). offers: may be NULL. */
char *p2v_offers_text (const P2vOffers *offers);

/* Where the disks go, and how much is free there, in a sentence; NULL when that is not known, or
 * there is a problem (transfer full). offers: may be NULL. */
char *p2v_offers_place_text (const P2vOffers *offers);

/* A profile's name, and where it leads: "lan (libvirt, default)". index: of offers->profiles.
 * (transfer full) */
char *p2v_offers_profile_text (const P2vOffers *offers, guint index);

/* FALSE when the server has said that it cannot start a guest by that. firmware: P2V_FIRMWARE_*.
 * offers: may be NULL. */
gboolean p2v_offers_has_firmware (const P2vOffers *offers, const char *firmware);

/* Bytes that the server has for this machine's disks, -1 when it has not said. offers: may be NULL.
 */
gint64 p2v_offers_free_space (const P2vOffers *offers);

G_END_DECLS

#endif
