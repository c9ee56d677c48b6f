/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_MACHINE_MAP_H
#define P2V_MACHINE_MAP_H

#include "common/machine.h"
#include "p2v-client/block-map.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Finds out what of a machine's disks is in use. Each partition, logical volume, member of a mirror
 * or bare disk is told apart, and its filesystem asked which of its blocks are free. Only what a
 * cleanly unmounted filesystem itself says is believed, and only where nothing else may lie; all
 * the rest is data, with the reason. */

/* A disk to be mapped; all of it is the caller's. */
typedef struct
{
  const char *name; /* as people know it: "sda" */
  const char *path;
  int fd;               /* open for reading; is not used itself, but opened once more */
  unsigned sector_size; /* logical, bytes */
  P2vBlockMap *map;     /* of the whole disk; its free extents and areas are filled in */
  P2vContent *content;  /* NULL, or the inventory's: "used" and "read_in_full" are filled in */
} P2vMapDisk;

/* Maps the disks of a machine, which belong together: what spans several disks is only understood
 * when all of them are given. Nothing is written to a disk. Filesystems take a bounded time each to
 * answer, at most four are asked at once.
 * machine: all that is known of the machine, NULL for nothing: a disk of it that is not among disks
 * may hold the machine's hibernated memory.
 * Fails only when cancelled, with P2V_ERROR_CANCELLED: what cannot be looked at is read in full. */
gboolean p2v_machine_map (const P2vMapDisk *disks, guint n_disks, const P2vMachine *machine,
                          GCancellable *cancellable, GError **error);

/* The same for a machine as the inventory describes it, of whose disks those that may be converted
 * are opened for the purpose. For --inventory: nothing is kept but what is filled into the machine.
 */
gboolean p2v_machine_map_contents (P2vMachine *machine, GCancellable *cancellable, GError **error);

/* "sda: ext4 on /dev/sda1, 8.0 GiB: only 1.1 GiB are in use and read" or "sda: ntfs on
 * /dev/sda2, 8.0 GiB, is read in full: it was not unmounted cleanly". (transfer full) */
char *p2v_map_area_describe (const char *disk, const P2vMapArea *area);

/* TRUE for areas that are worth a line to people who wait for a conversion: not the gaps and tables
 * between others, unless large. */
gboolean p2v_map_area_is_notable (const P2vMapArea *area);

G_END_DECLS

#endif
