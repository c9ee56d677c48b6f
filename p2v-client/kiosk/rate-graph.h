/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RATE_GRAPH_H
#define P2V_RATE_GRAPH_H

#include "p2v-client/kiosk/state.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The rate of the last P2V_KIOSK_RATE_SECONDS as a curve, its greatest value as the scale. */

#define P2V_TYPE_RATE_GRAPH (p2v_rate_graph_get_type ())
G_DECLARE_FINAL_TYPE (P2vRateGraph, p2v_rate_graph, P2V, RATE_GRAPH, GtkDrawingArea)

/* rates: of P2vKioskRate, in the order of time; copied. now: monotonic time. */
void p2v_rate_graph_show (P2vRateGraph *graph, const GArray *rates, gint64 now);

G_END_DECLS

#endif
