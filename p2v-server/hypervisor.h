/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_HYPERVISOR_H
#define P2V_HYPERVISOR_H

#include <glib.h>

G_BEGIN_DECLS

/* What this host can run guests with. */
typedef struct
{
  gboolean kvm;      /* KVM was tried and truly works */
  char *kvm_problem; /* when it does not: why, for people */
  char *emulator;    /* absolute path of qemu-system-x86_64, NULL when not installed */
} P2vHypervisor;

/* Looks, and tries KVM by running QEMU with it for a moment (a /dev/kvm that opens says nothing).
 * Never fails: what is missing is in the result. */
P2vHypervisor *p2v_hypervisor_probe (void);

void p2v_hypervisor_free (P2vHypervisor *hypervisor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vHypervisor, p2v_hypervisor_free)

G_END_DECLS

#endif
