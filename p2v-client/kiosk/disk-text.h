/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_DISK_TEXT_H
#define P2V_KIOSK_DISK_TEXT_H

#include "common/machine.h"

G_BEGIN_DECLS

/* What to tell people of a disk. All return text of their own (transfer full). */

/* "sda, 465.8 GiB, ATA Samsung SSD 850". */
char *p2v_disk_text_title (const P2vDisk *disk);

/* What is on it: the operating systems, then what else in short: "Debian GNU/Linux 12 (bookworm),
 * web1.example.com; 3 partitions: ext4, swap". Never NULL. */
char *p2v_disk_text_content (const P2vDisk *disk);

/* Why it cannot be converted; NULL when it can. */
char *p2v_disk_text_obstacle (const P2vDisk *disk);

G_END_DECLS

#endif
