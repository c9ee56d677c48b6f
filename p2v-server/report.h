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

/* Reads the report from the output of virt-v2v-in-place -v: lines "i_…" (what inspection found) and
 * "gcaps_…" (what the converted guest can use), printed by every virt-v2v from 1.43 on; functions
 * string_of_inspect and string_of_guestcaps of its lib/types.ml. The guest's own console is in that
 * output, so the last of several such lines counts, and every value must be one that is known.
 * length: bytes, or -1 when NUL-terminated.
 * Fails with P2V_ERROR_CONVERT when the bus capabilities are not in it, or not whole. */
P2vReport *p2v_report_parse_log (const char *log, gssize length, GError **error);

/* Reads what inspection found from the file that virt-v2v-in-place -O (2.7 and later) writes: a
 * <v2v-inspection> document, see virt-v2v-inspector(1). It says nothing about buses: those fields
 * are at their defaults and block_bus, net_bus and machine NULL.
 * Fails with P2V_ERROR_CONVERT. */
P2vReport *p2v_report_parse_xml (const char *xml, gssize length, GError **error);

/* Replaces in a report from p2v_report_parse_log() what inspection found by what
 * p2v_report_parse_xml() has read: a file of its own cannot be mixed up with the guest's output. */
void p2v_report_adopt_inspection (P2vReport *report, const P2vReport *inspection);

G_END_DECLS

#endif
