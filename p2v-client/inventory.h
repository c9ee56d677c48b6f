/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_INVENTORY_H
#define P2V_INVENTORY_H

#include "common/machine.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Describes the machine this runs on. Everything is read from below root: "/" for the machine
 * itself; another directory holds a recorded machine's /sys, /proc, /run and /etc (tests, support),
 * whose disks are then files below root/dev, or merely described. Strictly read-only: no device is
 * opened for writing, nothing is mounted. What cannot be read is left out, with a g_debug().
 * Fails with P2V_ERROR_FAILED only when root is no such directory. */
P2vMachine *p2v_inventory_collect (const char *root, GCancellable *cancellable, GError **error);

/* Describes a file (or device) given by absolute path as a disk, contents included. Fails with
 * P2V_ERROR_SOURCE. */
P2vDisk *p2v_inventory_describe_file (const char *path, GError **error);

G_END_DECLS

#endif
