/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BLOCK_MAP_H
#define P2V_BLOCK_MAP_H

#include <glib.h>

G_BEGIN_DECLS

/* What must be read of a disk: extents that cover it from its first byte to its last, in order and
 * without gaps. Whatever nobody vouches for is data. */

typedef enum
{
  P2V_EXTENT_DATA, /* has to be read */
  P2V_EXTENT_HOLE, /* known to read as zeroes: a hole of a sparse file */
} P2vExtentKind;

typedef struct
{
  gint64 offset; /* bytes */
  gint64 length; /* bytes, never 0 */
  P2vExtentKind kind;
} P2vExtent;

typedef struct
{
  GArray *extents; /* of P2vExtent */
  gint64 size;     /* bytes */
} P2vBlockMap;

/* Maps an open file or device of size bytes by lseek(2)'s SEEK_DATA and SEEK_HOLE; where the kernel
 * does not answer (block devices) all of it is data. The descriptor's position moves. */
P2vBlockMap *p2v_block_map_new (int fd, gint64 size);

void p2v_block_map_free (P2vBlockMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vBlockMap, p2v_block_map_free)

/* The bytes of all extents of one kind. */
gint64 p2v_block_map_bytes (const P2vBlockMap *map, P2vExtentKind kind);

/* The part of the map from offset on: the extent that holds offset, cut to begin there. offset must
 * be below the size. *hint: where to begin the search, kept by a caller that goes forward; starts
 * at 0. */
P2vExtent p2v_block_map_at (const P2vBlockMap *map, gint64 offset, guint *hint);

G_END_DECLS

#endif
