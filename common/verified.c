/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/verified.h"

static const P2vField verified_fields[] = {
  P2V_FIELD (STRING, P2vVerified, state),
  P2V_FIELD_RANGE (P2vVerified, data, 0, G_MAXINT64 / 2),
  P2V_FIELD_RANGE (P2vVerified, zero, 0, G_MAXINT64 / 2),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vVerified, p2v_verified, "verified", verified_fields)
