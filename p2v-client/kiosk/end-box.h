/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_END_BOX_H
#define P2V_KIOSK_END_BOX_H

#include "p2v-client/kiosk/model.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What can be done after a conversion. On the live image: power off, reboot, convert again;
 * elsewhere the window can be closed. */

#define P2V_TYPE_KIOSK_END_BOX (p2v_kiosk_end_box_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskEndBox, p2v_kiosk_end_box, P2V, KIOSK_END_BOX, GtkBox)

void p2v_kiosk_end_box_bind (P2vKioskEndBox *box, P2vKioskModel *model);

G_END_DECLS

#endif
