/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DISK_PICTURE_H
#define P2V_DISK_PICTURE_H

#include "common/machine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A picture of a disk: its partitions side by side and to scale, each with a strip below its name
 * that is filled as far as it is in use, and hatched where that is not known. Drawn in the style's
 * text colour alone. For screen readers it says the same in words. */

#define P2V_TYPE_DISK_PICTURE (p2v_disk_picture_get_type ())
G_DECLARE_FINAL_TYPE (P2vDiskPicture, p2v_disk_picture, P2V, DISK_PICTURE, GtkDrawingArea)

/* Shows a disk; nothing of it is kept. */
void p2v_disk_picture_show_disk (P2vDiskPicture *picture, const P2vDisk *disk);

/* What stands below the picture: the partitions in words, since how much is in use is a number only
 * there, and the gaps that have no room for their name in it. "" for nothing. (transfer full) */
char *p2v_disk_picture_get_legend (P2vDiskPicture *picture);

/* All of it in words. (transfer full) */
char *p2v_disk_picture_describe (P2vDiskPicture *picture);

G_END_DECLS

#endif
