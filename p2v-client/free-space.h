/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FREE_SPACE_H
#define P2V_FREE_SPACE_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* Which bytes of a filesystem are free by its own word. A block that a filesystem uses must never
 * be called free, so everything is in use unless the opposite is known: the filesystem was
 * unmounted cleanly, uses nothing that is not known here, and its maps agree with its counters. */

/* One filesystem as it lies in an open file or device. */
typedef struct
{
  int fd;               /* open read-only, without O_DIRECT; holds the filesystem at offset */
  gint64 offset;        /* bytes */
  gint64 size;          /* bytes of the area (partition, volume); the filesystem may be smaller */
  const char *type;     /* libblkid's name: "ext4", "xfs", "vfat", … */
  const char *device;   /* a block device that is exactly this area, NULL when the kernel has none:
                           then a read-only loop device is made where one is needed */
  unsigned sector_size; /* logical, bytes */
} P2vFilesystem;

typedef struct
{
  gint64 offset; /* bytes from the start of the area */
  gint64 length; /* bytes, never 0 */
} P2vFreeRange;

/* The ranges of an area that its filesystem says are free: of P2vFreeRange, in order, not touching.
 * Never anything beyond the filesystem's own end, never the first or last MiB of the area, and
 * nothing too small to be worth a gap in reading. Nothing is written. Blocks, for minutes on a very
 * large disk.
 *
 * NULL with an error. P2V_ERROR_SOURCE: it has to be read in full; the message is the reason, a
 * clause for people: "it was not unmounted cleanly", "partclone.xfs is not installed (package
 * partclone)". P2V_ERROR_CANCELLED: cancelled. */
GArray *p2v_free_space_find (const P2vFilesystem *filesystem, GCancellable *cancellable,
                             GError **error);

G_END_DECLS

#endif
