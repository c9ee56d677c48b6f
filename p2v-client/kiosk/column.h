/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_COLUMN_H
#define P2V_KIOSK_COLUMN_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What a page shows, no wider than lines are easily read, at the left of a screen that is wider. */

#define P2V_TYPE_KIOSK_COLUMN (p2v_kiosk_column_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskColumn, p2v_kiosk_column, P2V, KIOSK_COLUMN, GtkBin)

GtkWidget *p2v_kiosk_column_new (GtkWidget *child);

G_END_DECLS

#endif
