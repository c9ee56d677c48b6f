/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_UEFI_H
#define P2V_UEFI_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* A UEFI guest begins with an empty variable store: the machine's boot entries stay behind. The
 * firmware then starts \EFI\BOOT\BOOTX64.EFI (UEFI specification 2.10, section 3.5.1.1). Where the
 * machine relied on its entry alone, the entry's loader is put there. */

/* The EFI system partitions that virt-v2v has found: "i_firmware = UEFI [/dev/sda1, /dev/sdb1]" in
 * the output of -v; devices are as the appliance names them, in the order of the overlays. Empty
 * for a guest that is none of UEFI. (transfer full) */
char **p2v_uefi_find_partitions (const char *log, gsize length);

/* What to copy on one EFI system partition. */
typedef struct
{
  char *loader;      /* path on the partition, with a leading "/", NULL: nothing to do */
  char **companions; /* files that the loader needs beside itself, full paths, never NULL */
  gboolean
      has_loader; /* a loader that would start without a boot entry, or that we know, is there */
} P2vUefiFix;

void p2v_uefi_fix_free (P2vUefiFix *fix);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vUefiFix, p2v_uefi_fix_free)

/* Decides what an EFI system partition needs. files: every file on it, paths without leading "/"
 * (names are compared without regard to case, as FAT does). firmware: the machine's, with its boot
 * entries; told by the client, so nothing of it is used but to choose among files.
 * (transfer full) */
P2vUefiFix *p2v_uefi_decide (const P2vFirmware *firmware, char *const *files);

/* Gives the guest on the job's overlays a fallback loader when it has none. Not having succeeded is
 * a warning in the job, never a failure: the disks are converted and may boot all the same.
 * partitions: as from p2v_uefi_find_partitions(). environment: for libguestfs. */
void p2v_uefi_fix_fallback (P2vJob *job, char *const *partitions, char *const *environment,
                            const char *log);

G_END_DECLS

#endif
