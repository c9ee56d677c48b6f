/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FIRMWARE_TEXT_H
#define P2V_FIRMWARE_TEXT_H

#include "common/offers.h"
#include "common/request.h"

G_BEGIN_DECLS

#define P2V_N_FIRMWARES 3

/* What a guest can be started by, P2V_FIRMWARE_*, in the order in which people are asked. */
extern const char *const p2v_firmwares[P2V_N_FIRMWARES];

/* For people: "UEFI with Secure Boot". firmware: P2V_FIRMWARE_*. A constant. */
const char *p2v_firmware_text (const char *firmware);

/* Why it is that firmware, or what to heed about another, in sentences (transfer full).
 * firmware: that is chosen for the guest. offers: may be NULL. */
char *p2v_firmware_note (const char *firmware, const P2vMachine *machine, const P2vOffers *offers);

G_END_DECLS

#endif
