/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_TOOL_WINDOW_H
#define P2V_TOOL_WINDOW_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A window over the kiosk's own, as large, with one of the tools. Close and Escape end it, by way
 * of GtkWidget::delete-event. */

#define P2V_TYPE_TOOL_WINDOW (p2v_tool_window_get_type ())
G_DECLARE_DERIVABLE_TYPE (P2vToolWindow, p2v_tool_window, P2V, TOOL_WINDOW, GtkWindow)

struct _P2vToolWindowClass
{
  GtkWindowClass parent_class;
};

/* For a tool, once: what is in it, and which keys there are. content: transfer floating. */
void p2v_tool_window_fill (P2vToolWindow *window, const char *title, const char *hint,
                           GtkWidget *content);

/* Shows it over its parent, with the focus in its content. */
void p2v_tool_window_open (P2vToolWindow *window, GtkWindow *parent);

G_END_DECLS

#endif
