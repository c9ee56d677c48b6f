/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/report.h"

static const P2vField report_fields[] = {
  P2V_FIELD (STRING, P2vReport, os),
  P2V_FIELD (STRING, P2vReport, os_type),
  P2V_FIELD (STRING, P2vReport, distro),
  P2V_FIELD (STRING, P2vReport, product_name),
  P2V_FIELD (STRING, P2vReport, arch),
  P2V_FIELD_RANGE (P2vReport, major, 0, G_MAXINT32),
  P2V_FIELD_RANGE (P2vReport, minor, 0, G_MAXINT32),
  P2V_FIELD (STRING, P2vReport, block_bus),
  P2V_FIELD (STRING, P2vReport, net_bus),
  P2V_FIELD (STRING, P2vReport, machine),
  P2V_FIELD (STRING, P2vReport, video),
  P2V_FIELD (BOOLEAN, P2vReport, virtio_rng),
  P2V_FIELD (BOOLEAN, P2vReport, virtio_balloon),
  P2V_FIELD (BOOLEAN, P2vReport, pvpanic),
  P2V_FIELD (BOOLEAN, P2vReport, virtio_socket),
  P2V_FIELD (BOOLEAN, P2vReport, virtio_1_0),
  P2V_FIELD (BOOLEAN, P2vReport, acpi),
  P2V_FIELD (BOOLEAN, P2vReport, rtc_utc),
  P2V_FIELD (STRING, P2vReport, root),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vReport, p2v_report, "report", report_fields)
