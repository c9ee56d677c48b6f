/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SOURCE_H
#define P2V_SOURCE_H

#include "common/machine.h"
#include "p2v-client/block-map.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* What a disk has cost so far of which a part cannot be read. */
typedef struct
{
  GMutex lock;
  gint64 time;   /* microseconds that reads took which failed */
  gint64 bytes;  /* given up */
  guint places;  /* in so many stretches */
  gint64 good;   /* where a sector could be read at last, bytes; -1: nowhere yet */
  gboolean dead; /* of the last stretch that failed nothing could be read */
} P2vSourceHealth;

/* A disk of the machine, open for reading. Nothing here can write to it. */
typedef struct
{
  char *name; /* P2vDisk.name */
  char *path;
  gint64 size; /* bytes */
  gboolean rotational;
  gsize sector_size;          /* logical, bytes: what can be read or not */
  gsize physical_sector_size; /* bytes: what the disk itself reads at once */
  int fd;
  int direct;  /* opened with O_DIRECT, -1 where that is not possible or of no use */
  int precise; /* to read single sectors by, which the page cache does not know: opened with
                  O_DIRECT, -1 where that is not possible */
  P2vBlockMap *map;

  gboolean stop_on_error; /* what cannot be read ends the reading, see source-errors.h */
  P2vSourceHealth health;
  ssize_t (*read) (int fd, void *buffer, size_t length, off_t offset); /* pread(2), but in tests */
} P2vSource;

/* Requests whose offset, length and memory are multiples of this go past the page cache, bytes: no
 * disk has larger logical sectors. */
#define P2V_SOURCE_ALIGNMENT 4096

/* No disk has smaller ones, bytes. */
#define P2V_SOURCE_SECTOR 512

/* Opens a disk. A block device is set read-only in the kernel first (BLKROSET), so that nothing
 * else on this system writes to it either. Fails with P2V_ERROR_SOURCE, also when the size is no
 * longer the one of the inventory. */
P2vSource *p2v_source_open (const P2vDisk *disk, GError **error);

void p2v_source_free (P2vSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vSource, p2v_source_free)

/* How a read ended; or the number of the error, errno(3). */
#define P2V_SOURCE_OK 0
#define P2V_SOURCE_END (-1) /* the disk has become shorter */

/* Reads length bytes at offset into buffer, all of them. Any thread.
 * precise: just these sectors, past the page cache if that is possible. */
int p2v_source_try (P2vSource *source, gboolean precise, void *buffer, gsize length, gint64 offset);

/* Sets P2V_ERROR_SOURCE for a read that p2v_source_try() says has failed, naming disk and offset.
 * Always FALSE. */
gboolean p2v_source_fail (const P2vSource *source, gint64 offset, int result, GError **error);

G_END_DECLS

#endif
