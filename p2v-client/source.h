/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SOURCE_H
#define P2V_SOURCE_H

#include "common/machine.h"
#include "p2v-client/block-map.h"

G_BEGIN_DECLS

/* A disk of the machine, open for reading. Nothing here can write to it. */
typedef struct
{
  char *name; /* P2vDisk.name */
  char *path;
  gint64 size; /* bytes */
  int fd;
  P2vBlockMap *map;
} P2vSource;

/* Opens a disk. A block device is set read-only in the kernel first (BLKROSET), so that nothing
 * else on this system writes to it either. Fails with P2V_ERROR_SOURCE, also when the size is no
 * longer the one of the inventory. */
P2vSource *p2v_source_open (const P2vDisk *disk, GError **error);

void p2v_source_free (P2vSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vSource, p2v_source_free)

/* Reads length bytes at offset into buffer, all of them. Fails with P2V_ERROR_SOURCE naming disk
 * and offset. */
gboolean p2v_source_read (P2vSource *source, void *buffer, gsize length, gint64 offset,
                          GError **error);

G_END_DECLS

#endif
