/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DOMAIN_H
#define P2V_DOMAIN_H

#include "common/request.h"
#include "p2v-server/hypervisor.h"
#include "p2v-server/plan.h"
#include "p2v-server/report.h"

G_BEGIN_DECLS

/* The libvirt domain XML of the guest (https://libvirt.org/formatdomain.html), valid by libvirt's
 * schema. nvram_dir: directory for the UEFI variable store when the domain does not leave it to
 * libvirt (method local), else NULL.
 * warnings: receives messages for people (char *, e.g. no working KVM), never NULL.
 * Fails with P2V_ERROR_CONVERT when e.g. OVMF is needed and not installed (package named). */
char *p2v_domain_build (const P2vRequest *request, const P2vPlan *plan, const P2vReport *report,
                        const P2vHypervisor *hypervisor, const char *nvram_dir, GPtrArray *warnings,
                        GError **error);

G_END_DECLS

#endif
