/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LINK_ROW_H
#define P2V_LINK_ROW_H

#include "p2v-client/kiosk/network.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A line of the Welcome page: one network interface and how it is connected. */

#define P2V_TYPE_LINK_ROW (p2v_link_row_get_type ())
G_DECLARE_FINAL_TYPE (P2vLinkRow, p2v_link_row, P2V, LINK_ROW, GtkBox)

GtkWidget *p2v_link_row_new (const P2vKioskLink *link);

G_END_DECLS

#endif
