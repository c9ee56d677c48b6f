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
 * Operating systems are recognised on ext2/3/4, XFS, Btrfs, F2FS, JFS, ReiserFS and NTFS, alone, on
 * LVM within one disk, or on a mirror of Linux, by what grub-fstest and debugfs read without
 * mounting; any other is left unknown. All of it takes a bounded time.
 * Fails with P2V_ERROR_FAILED when root is no such directory, P2V_ERROR_CANCELLED when cancelled.
 */
P2vMachine *p2v_inventory_collect (const char *root, GCancellable *cancellable, GError **error);

/* Describes a file (or device) given by absolute path as a disk, contents included. Its name is
 * the path's last component, with dashes for what p2v_name_is_plain() does not allow. Opened
 * read-only and never written. The thread's current GCancellable ends it early, with what is known
 * until then. Fails with P2V_ERROR_SOURCE. */
P2vDisk *p2v_inventory_describe_file (const char *path, GError **error);

/* Sets the machine's host name and the basis of its clock from the first operating system found on
 * its disks, the live medium left out. Part of p2v_inventory_collect(); to be called again by who
 * puts other disks in their place. Nothing changes when no disk has an operating system. */
void p2v_inventory_settle (P2vMachine *machine);

G_END_DECLS

#endif
