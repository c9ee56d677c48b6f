/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FACT_ROW_H
#define P2V_FACT_ROW_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A line of a list: what something is called, and what is to be said of it. */

#define P2V_TYPE_FACT_ROW (p2v_fact_row_get_type ())
G_DECLARE_FINAL_TYPE (P2vFactRow, p2v_fact_row, P2V, FACT_ROW, GtkBox)

/* style: a class for the text ("good", "dim", "mono"), or NULL. */
GtkWidget *p2v_fact_row_new (const char *name, const char *text, const char *style);

/* Removes all that a container has. */
void p2v_container_clear (GtkContainer *container);

G_END_DECLS

#endif
