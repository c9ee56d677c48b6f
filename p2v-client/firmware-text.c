/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/firmware-text.h"

#include "p2v-client/i18n.h"

const char *const p2v_firmwares[P2V_N_FIRMWARES]
    = { P2V_FIRMWARE_BIOS, P2V_FIRMWARE_UEFI, P2V_FIRMWARE_UEFI_SECURE };

const char *
p2v_firmware_text (const char *firmware)
{
  if (g_str_equal (firmware, P2V_FIRMWARE_UEFI_SECURE))
    return _ ("UEFI with Secure Boot");
  return g_str_equal (firmware, P2V_FIRMWARE_UEFI) ? "UEFI" : "BIOS";
}
