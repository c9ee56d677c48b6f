/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KEYBOARD_PANEL_H
#define P2V_KEYBOARD_PANEL_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The keyboard layouts there are, to choose one, and a field to try its keys in. */

#define P2V_TYPE_KEYBOARD_PANEL (p2v_keyboard_panel_get_type ())
G_DECLARE_FINAL_TYPE (P2vKeyboardPanel, p2v_keyboard_panel, P2V, KEYBOARD_PANEL, GtkBox)

GtkWidget *p2v_keyboard_panel_new (void);

G_END_DECLS

#endif
