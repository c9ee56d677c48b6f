/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LOG_VIEW_H
#define P2V_LOG_VIEW_H

#include "p2v-client/kiosk/state.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What has happened, line by line. It stays at its end until somebody scrolls up. */

#define P2V_TYPE_LOG_VIEW (p2v_log_view_get_type ())
G_DECLARE_FINAL_TYPE (P2vLogView, p2v_log_view, P2V, LOG_VIEW, GtkScrolledWindow)

/* The log of a conversion. */
void p2v_log_view_show (P2vLogView *view, const P2vKioskState *state);

/* Any other text, in place of what was shown, from its end. */
void p2v_log_view_show_text (P2vLogView *view, const char *text);

G_END_DECLS

#endif
