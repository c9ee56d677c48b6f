/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BAR_ROW_H
#define P2V_BAR_ROW_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* How far one disk is: its name, a bar, and the figures. */

#define P2V_TYPE_BAR_ROW (p2v_bar_row_get_type ())
G_DECLARE_FINAL_TYPE (P2vBarRow, p2v_bar_row, P2V, BAR_ROW, GtkBox)

GtkWidget *p2v_bar_row_new (const char *name);

/* done, size: bytes. */
void p2v_bar_row_show (P2vBarRow *row, gint64 done, gint64 size);

G_END_DECLS

#endif
