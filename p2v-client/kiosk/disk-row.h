/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DISK_ROW_H
#define P2V_DISK_ROW_H

#include "common/machine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* One disk to choose or not: what it is, what is on it, and what to know before it is converted.
 * Signal: toggled. */

#define P2V_TYPE_DISK_ROW (p2v_disk_row_get_type ())
G_DECLARE_FINAL_TYPE (P2vDiskRow, p2v_disk_row, P2V, DISK_ROW, GtkBox)

/* disk: must outlive the row. */
GtkWidget *p2v_disk_row_new (const P2vDisk *disk);

const P2vDisk *p2v_disk_row_get_disk (P2vDiskRow *row);
gboolean p2v_disk_row_get_chosen (P2vDiskRow *row);
void p2v_disk_row_set_chosen (P2vDiskRow *row, gboolean chosen);

G_END_DECLS

#endif
