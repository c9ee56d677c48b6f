/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_OUTPUT_BOX_H
#define P2V_KIOSK_OUTPUT_BOX_H

#include "common/offers.h"
#include "common/request.h"
#include "p2v-client/kiosk/notice.h"

G_BEGIN_DECLS

/* Where the guest goes: one of the server's profiles, and on demand the options of virt-v2v that
 * say more. */

#define P2V_TYPE_KIOSK_OUTPUT_BOX (p2v_kiosk_output_box_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskOutputBox, p2v_kiosk_output_box, P2V, KIOSK_OUTPUT_BOX, GtkBox)

/* Fills the fields in. offers: what there is to choose from, for that output; NULL when it is not
 * known. */
void p2v_kiosk_output_box_show (P2vKioskOutputBox *box, const P2vOutput *output,
                                const P2vOffers *offers);

/* What was entered (transfer full). NULL: it cannot be right; the field shows why, and has the
 * focus. */
P2vOutput *p2v_kiosk_output_box_read (P2vKioskOutputBox *box);

/* What the server thinks of it. heading: NULL for nothing. */
void p2v_kiosk_output_box_say (P2vKioskOutputBox *box, P2vKioskNoticeKind kind, const char *heading,
                               const char *text);

/* Moves the focus to where something is to be changed. */
void p2v_kiosk_output_box_focus (P2vKioskOutputBox *box);

G_END_DECLS

#endif
