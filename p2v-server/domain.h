/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DOMAIN_H
#define P2V_DOMAIN_H

#include "common/request.h"
#include "p2v-server/hypervisor.h"
#include "p2v-server/plan.h"
#include "p2v-server/report.h"

G_BEGIN_DECLS

/* The libvirt domain XML of the guest (https://libvirt.org/formatdomain.html), valid by libvirt's
 * schema.
 * uuid: of the domain; p2v_domain_machine_uuid() where that is free.
 * nvram_dir: directory for the UEFI variable store when the domain does not leave firmware to
 * libvirt (method local), else NULL.
 * warnings: receives messages for people (char *, e.g. no working KVM), never NULL.
 * Fails with P2V_ERROR_CONVERT when e.g. OVMF is needed and not installed (package named). */
char *p2v_domain_build (const P2vRequest *request, const P2vPlan *plan, const P2vReport *report,
                        const P2vHypervisor *hypervisor, const char *uuid, const char *nvram_dir,
                        GPtrArray *warnings, GError **error);

/* The machine's own SMBIOS UUID in lower case (transfer full), NULL when it has none that could
 * tell machines apart. Software licences are often tied to it, so the guest keeps it if it can. */
char *p2v_domain_machine_uuid (const P2vMachine *machine);

/* Where the UEFI variable store of a guest is kept in nvram_dir (transfer full). */
char *p2v_domain_nvram_path (const char *nvram_dir, const char *guest);

G_END_DECLS

#endif
