/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_REPORT_H
#define P2V_REPORT_H

#include "common/schema.h"

G_BEGIN_DECLS

/* What virt-v2v found in the guest and what the converted guest supports. */
typedef struct
{
  char *os;      /* libosinfo short id as virt-v2v's inspection has it: "debian12", or NULL */
  char *os_type; /* "linux", "windows", … */
  char *distro;
  char *product_name;
  char *arch; /* "x86_64" */
  gint64 major, minor;
  char *block_bus; /* "virtio-blk", "virtio-scsi", "ide" or "sata" */
  char *net_bus;   /* "virtio-net", "e1000" or "rtl8139" */
  char *machine;   /* "i440fx", "q35" or "virt" */
  char *video;     /* "qxl", "cirrus", "vga", … or NULL */
  gboolean virtio_rng, virtio_balloon, pvpanic, virtio_socket, virtio_1_0;
  gboolean acpi, rtc_utc;
  char *root; /* the root device that was converted */
} P2vReport;

P2V_SCHEMA_DECLARE (P2vReport, p2v_report)

/* Reads the report from the output of virt-v2v-in-place -v (2.0 to 2.6: lines "gcaps_…"). Fails
 * with P2V_ERROR_CONVERT when the bus capabilities are not in it. */
P2vReport *p2v_report_parse_log (const char *log, gssize length, GError **error);

/* Reads it from the libvirt XML that virt-v2v-in-place -O (2.7 and later) writes. */
P2vReport *p2v_report_parse_xml (const char *xml, gssize length, GError **error);

G_END_DECLS

#endif
