/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SHELL_WINDOW_H
#define P2V_SHELL_WINDOW_H

#include "p2v-client/kiosk/tool-window.h"

G_BEGIN_DECLS

/* A shell of this system, in a terminal. The window closes when the shell ends. */

#define P2V_TYPE_SHELL_WINDOW (p2v_shell_window_get_type ())
G_DECLARE_FINAL_TYPE (P2vShellWindow, p2v_shell_window, P2V, SHELL_WINDOW, P2vToolWindow)

P2vShellWindow *p2v_shell_window_open (GtkWindow *parent);

G_END_DECLS

#endif
