/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/offers.h"

static const P2vField offers_fields[] = {
  P2V_FIELD (STRING, P2vOffers, place),
  P2V_FIELD_RANGE (P2vOffers, free, -1, G_MAXINT64),
  P2V_FIELD (STRING, P2vOffers, format),
  P2V_FIELD (STRING, P2vOffers, problem),
  P2V_FIELD (STRING, P2vOffers, libvirt_problem),
  P2V_FIELD (STRV, P2vOffers, profiles),
  P2V_FIELD (STRV, P2vOffers, targets),
  P2V_FIELD (STRV, P2vOffers, modes),
  P2V_FIELD (STRV, P2vOffers, firmwares),
  P2V_FIELD (STRV, P2vOffers, pools),
  P2V_FIELD (STRV, P2vOffers, networks),
  P2V_FIELD (STRV, P2vOffers, bridges),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vOffers, p2v_offers, "offers", offers_fields)
