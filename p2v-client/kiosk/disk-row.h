/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DISK_ROW_H
#define P2V_DISK_ROW_H

#include "p2v-client/disk-warnings.h"

#include "p2v-client/kiosk/model.h"
#include "p2v-client/kiosk/notice.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* One disk to choose or not: what it is, what is on it, and what to know before it is converted.
 * Signal: toggled. */

#define P2V_TYPE_DISK_ROW (p2v_disk_row_get_type ())
G_DECLARE_FINAL_TYPE (P2vDiskRow, p2v_disk_row, P2V, DISK_ROW, GtkBox)

/* disk: must outlive the row. */
GtkWidget *p2v_disk_row_new (const P2vDisk *disk);

/* Shows the disk again, with what has become known of it, and its warnings among those given (of
 * P2vDiskWarning, may be NULL). Neither is kept. */
void p2v_disk_row_show_details (P2vDiskRow *row, const P2vDisk *disk, const GPtrArray *warnings);

/* A warning as a line of text. subject: the disk, where it is not clear; may be NULL. (floating) */
GtkWidget *p2v_disk_warning_new_label (const P2vDiskWarning *warning, const char *subject);

/* Says when a disk that was chosen has gone; else hides the notice. Returns TRUE when all are
 * there. */
gboolean p2v_kiosk_notice_say_gone (P2vKioskNotice *notice, const P2vKioskModel *model);

const P2vDisk *p2v_disk_row_get_disk (P2vDiskRow *row);
gboolean p2v_disk_row_get_chosen (P2vDiskRow *row);
void p2v_disk_row_set_chosen (P2vDiskRow *row, gboolean chosen);

G_END_DECLS

#endif
