/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_APPEARANCE_H
#define P2V_KIOSK_APPEARANCE_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* How the kiosk looks; each takes effect at once, for all of the program. */

/* The style that is always there. Before the first window. */
void p2v_kiosk_load_style (void);

/* All text a quarter larger, or as it was. */
void p2v_kiosk_set_large_text (gboolean large);
gboolean p2v_kiosk_get_large_text (void);

/* Black on white, with borders in the place of shades, or as it was. */
void p2v_kiosk_set_high_contrast (gboolean high);
gboolean p2v_kiosk_get_high_contrast (void);

G_END_DECLS

#endif
