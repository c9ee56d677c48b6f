/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_HYPERVISOR_H
#define P2V_HYPERVISOR_H

#include <glib.h>

G_BEGIN_DECLS

/* What this host can run guests with. */
typedef struct
{
  gboolean kvm;      /* KVM was tried and truly works */
  char *kvm_problem; /* when it does not: why, for people; else NULL */
  char *emulator;    /* absolute path of qemu-system-x86_64, NULL when not installed */
  gboolean tpm;      /* swtpm and swtpm_setup are installed: guests can have a TPM */
} P2vHypervisor;

/* Looks, and tries KVM by running QEMU with it for a moment (a /dev/kvm that opens says nothing).
 * Takes a fraction of a second, ten at most. Never fails: what is missing is in the result. */
P2vHypervisor *p2v_hypervisor_probe (void);

/* Whether emulator (path of QEMU) with an accelerator ("kvm", "tcg") and the richest virtual CPU it
 * offers starts a machine and executes its instructions, as fast as a processor does or QEMU itself
 * can. On FALSE *problem is what QEMU said
 * (transfer full), one line. */
gboolean p2v_hypervisor_try (const char *emulator, const char *accelerator, char **problem);

void p2v_hypervisor_free (P2vHypervisor *hypervisor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vHypervisor, p2v_hypervisor_free)

G_END_DECLS

#endif
