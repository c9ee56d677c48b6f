/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LOGS_PANEL_H
#define P2V_LOGS_PANEL_H

#include "p2v-client/kiosk/model.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What the conversion, the kernel and the rest of this system have to say. */

#define P2V_TYPE_LOGS_PANEL (p2v_logs_panel_get_type ())
G_DECLARE_FINAL_TYPE (P2vLogsPanel, p2v_logs_panel, P2V, LOGS_PANEL, GtkBox)

GtkWidget *p2v_logs_panel_new (P2vKioskModel *model);

G_END_DECLS

#endif
