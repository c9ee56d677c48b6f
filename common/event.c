/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/event.h"

static const P2vField event_fields[] = {
  P2V_FIELD_RANGE (P2vEvent, time, 0, G_MAXINT64),
  P2V_FIELD (STRING, P2vEvent, kind),
  P2V_FIELD (STRING, P2vEvent, stage),
  P2V_FIELD (STRING, P2vEvent, message),
  P2V_FIELD_RANGE (P2vEvent, percent, 0, 100),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vEvent, p2v_event, "event", event_fields)
