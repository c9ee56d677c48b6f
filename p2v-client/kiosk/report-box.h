/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_REPORT_BOX_H
#define P2V_KIOSK_REPORT_BOX_H

#include "p2v-client/kiosk/engine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Saves a report of the conversion that has ended to a USB stick, and says what came of it. Where
 * there are several sticks one of them is chosen. */

#define P2V_TYPE_KIOSK_REPORT_BOX (p2v_kiosk_report_box_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskReportBox, p2v_kiosk_report_box, P2V, KIOSK_REPORT_BOX, GtkBox)

void p2v_kiosk_report_box_bind (P2vKioskReportBox *box, P2vKioskModel *model,
                                P2vKioskEngine *engine);

G_END_DECLS

#endif
