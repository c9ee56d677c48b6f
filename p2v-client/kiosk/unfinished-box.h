/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_UNFINISHED_BOX_H
#define P2V_KIOSK_UNFINISHED_BOX_H

#include "p2v-client/question.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Asks whether to go on with a job that an earlier run has left unfinished. Its signal
 *   answered (gboolean go_on)
 * says what the person wants. */

#define P2V_TYPE_KIOSK_UNFINISHED_BOX (p2v_kiosk_unfinished_box_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskUnfinishedBox, p2v_kiosk_unfinished_box, P2V, KIOSK_UNFINISHED_BOX,
                      GtkBox)

/* Shows the question, and gives the focus to going on when it was not shown before; NULL hides it.
 */
void p2v_kiosk_unfinished_box_show (P2vKioskUnfinishedBox *box, const P2vUnfinished *unfinished);

/* The button that should have the focus. */
GtkWidget *p2v_kiosk_unfinished_box_get_first (P2vKioskUnfinishedBox *box);

G_END_DECLS

#endif
