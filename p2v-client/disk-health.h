/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DISK_HEALTH_H
#define P2V_DISK_HEALTH_H

#include "common/machine.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Asks each disk that may be converted for its own opinion of its health, with smartctl (package
 * smartmontools), and fills in P2vDisk.health. Nothing is written, and no test is started. Disks
 * that do not say (in a virtual machine, behind some controllers), files, and a machine without
 * smartctl leave it unknown. Takes at most some seconds a disk: to be called in a thread. */
void p2v_disk_health_look (P2vMachine *machine, GCancellable *cancellable);

/* What smartctl --json --health has written: "good", "failing", or NULL when it does not say. A
 * constant. */
const char *p2v_disk_health_parse (const char *text, gssize length);

G_END_DECLS

#endif
