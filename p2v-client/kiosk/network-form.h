/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NETWORK_FORM_H
#define P2V_NETWORK_FORM_H

#include "p2v-client/kiosk/model.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* How this system is to be connected, for a page to show: fields, a button that tests the network,
 * and what has come of both. Its signal "changed" says that what the functions below return may be
 * another now. */

#define P2V_TYPE_NETWORK_FORM (p2v_network_form_get_type ())
G_DECLARE_FINAL_TYPE (P2vNetworkForm, p2v_network_form, P2V, NETWORK_FORM, GtkBox)

/* The form is shown now: looks which cards there are and whether they can be set up, and takes the
 * focus. model: whose server is tested; kept. */
void p2v_network_form_open (P2vNetworkForm *form, P2vKioskModel *model);

/* Sets the network up as entered and tests it, or shows what is wrong with what was entered. */
void p2v_network_form_apply (P2vNetworkForm *form);

/* Stops what runs. */
void p2v_network_form_stop (P2vNetworkForm *form);

/* TRUE while something is set up or tested. */
gboolean p2v_network_form_is_busy (P2vNetworkForm *form);

/* TRUE when p2v_network_form_apply() may be called. */
gboolean p2v_network_form_is_ready (P2vNetworkForm *form);

/* TRUE when what it shows is what was applied last: there is nothing more to do. */
gboolean p2v_network_form_is_done (P2vNetworkForm *form);

G_END_DECLS

#endif
