/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DOMAIN_PARTS_H
#define P2V_DOMAIN_PARTS_H

/* Shared by the files that write the domain: domain.c, domain-cpu.c, domain-disks.c,
 * domain-devices.c. Not for others; see domain.h. */

#include "p2v-server/domain.h"
#include "p2v-server/firmware.h"
#include "p2v-server/xml.h"

G_BEGIN_DECLS

/* What the parts are made from, and the decisions that several of them need. */
typedef struct
{
  const P2vRequest *request;
  const P2vMachine *machine;
  const P2vGuest *guest;
  const P2vPlan *plan;
  const P2vReport *report;
  const P2vHypervisor *hypervisor;
  const char *uuid;
  const char *nvram_dir;
  GPtrArray *warnings;

  gboolean q35; /* else i440fx ("pc") */
  gboolean windows;
  gint64 vcpus;             /* after phys_topo and limits */
  P2vFirmwareImage *uefi;   /* NULL for BIOS */
  const char *virtio_model; /* "virtio" or "virtio-transitional" */
} P2vDomainContext;

/* Sets an attribute; nothing when value is NULL. */
void p2v_domain_set (xmlNode *node, const char *name, const char *value);
void p2v_domain_set_int (xmlNode *node, const char *name, gint64 value);

void p2v_domain_warn (const P2vDomainContext *context, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Decides context->vcpus; adds <vcpu> now, <cpu> later. */
void p2v_domain_add_vcpu (P2vDomainContext *context, xmlNode *domain);
void p2v_domain_add_cpu (const P2vDomainContext *context, xmlNode *domain);
void p2v_domain_add_features (const P2vDomainContext *context, xmlNode *domain);
void p2v_domain_add_clock (const P2vDomainContext *context, xmlNode *domain);

/* Disks and removable drives with their controllers. */
void p2v_domain_add_disks (const P2vDomainContext *context, xmlNode *devices);

/* All other devices. */
void p2v_domain_add_devices (const P2vDomainContext *context, xmlNode *devices);

G_END_DECLS

#endif
