/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/firmware-text.h"

#include "p2v-client/i18n.h"
#include "p2v-client/offers-text.h"

const char *const p2v_firmwares[P2V_N_FIRMWARES]
    = { P2V_FIRMWARE_BIOS, P2V_FIRMWARE_UEFI, P2V_FIRMWARE_UEFI_SECURE };

const char *
p2v_firmware_text (const char *firmware)
{
  if (g_str_equal (firmware, P2V_FIRMWARE_UEFI_SECURE))
    return _ ("UEFI with Secure Boot");
  return g_str_equal (firmware, P2V_FIRMWARE_UEFI) ? "UEFI" : "BIOS";
}

char *
p2v_firmware_note (const char *firmware, const P2vMachine *machine, const P2vOffers *offers)
{
  const char *ours = p2v_machine_firmware (machine);
  GString *note = g_string_new (NULL);
  g_string_append_printf (note,
                          g_str_equal (firmware, ours)
                              ? _ ("This machine was started by %s.")
                              : _ ("This machine was started by %s: another is right only if the "
                                   "system on its disks starts by it."),
                          p2v_firmware_text (ours));
  if (!p2v_offers_has_firmware (offers, firmware))
    g_string_append_printf (note, " %s",
                            _ ("The server cannot do it yet: install the package ovmf there."));
  return g_string_free (note, FALSE);
}
