/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_WINDOW_H
#define P2V_KIOSK_WINDOW_H

#include "p2v-client/kiosk/engine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The kiosk's one window: the list of steps, the page that is shown, and the buttons. It alone has
 * the order of the pages, and shows the page that fits the model's phase. */

#define P2V_TYPE_KIOSK_WINDOW (p2v_kiosk_window_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskWindow, p2v_kiosk_window, P2V, KIOSK_WINDOW, GtkWindow)

/* A window with its pages bound to model and engine, not shown yet. */
P2vKioskWindow *p2v_kiosk_window_new (P2vKioskModel *model, P2vKioskEngine *engine);

G_END_DECLS

#endif
