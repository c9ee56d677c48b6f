/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SERVER_OFFERS_H
#define P2V_SERVER_OFFERS_H

#include "common/offers.h"
#include "common/request.h"
#include "p2v-server/config.h"

G_BEGIN_DECLS

/* Finds out what this server offers, for the output that a machine asks about (transfer full).
 * Nothing is made. What cannot be found out is left out, or is a problem that the offers name. */
P2vOffers *p2v_offers_make (const P2vServerConfig *config, const P2vOutput *output);

G_END_DECLS

#endif
