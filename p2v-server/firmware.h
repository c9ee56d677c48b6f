/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FIRMWARE_H
#define P2V_FIRMWARE_H

#include <glib.h>

G_BEGIN_DECLS

/* A UEFI build that is installed on this host: one of QEMU's firmware descriptors (QEMU's
 * docs/interop/firmware.json). libvirt chooses from the same files. */
typedef struct
{
  char *code;        /* absolute path of the executable part */
  char *code_format; /* "raw" or "qcow2" */
  char *vars;        /* absolute path of the template of the variable store */
  gboolean smm;      /* it runs only with system management mode */
  gboolean secure_boot;
} P2vFirmwareImage;

/* The first build for an x86_64 q35 machine that fits, in QEMU's order of priority.
 * secure_boot: TRUE for one that enforces Secure Boot with Microsoft's keys enrolled, FALSE for one
 * without Secure Boot.
 * Fails with P2V_ERROR_CONVERT naming the package to install. */
P2vFirmwareImage *p2v_firmware_image_find (gboolean secure_boot, GError **error);

void p2v_firmware_image_free (P2vFirmwareImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vFirmwareImage, p2v_firmware_image_free)

G_END_DECLS

#endif
