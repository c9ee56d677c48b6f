/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NIC_ROW_H
#define P2V_NIC_ROW_H

#include "common/machine.h"
#include "common/offers.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* One network interface of the machine: whether the guest gets it, and to which network of the
 * server's it is connected there. Which card of the machine it is its light shows, on demand. */

#define P2V_TYPE_NIC_ROW (p2v_nic_row_get_type ())
G_DECLARE_FINAL_TYPE (P2vNicRow, p2v_nic_row, P2V, NIC_ROW, GtkBox)

/* network: the one it goes to; NULL: the guest does not get it, and fallback is in the field.
 * offers: the networks and bridges to choose from, NULL for none; another name can be typed. */
GtkWidget *p2v_nic_row_new (const P2vNic *nic, const char *network, const char *fallback,
                            const P2vOffers *offers);

const char *p2v_nic_row_get_name (P2vNicRow *row);

/* network: set to what was entered, NULL when the guest does not get it (transfer full). FALSE: it
 * cannot be right, which the row shows. */
gboolean p2v_nic_row_read (P2vNicRow *row, char **network);

/* Moves the focus to the field. */
void p2v_nic_row_focus (P2vNicRow *row);

G_END_DECLS

#endif
