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
  P2V_EXTENT_FREE, /* free by its filesystem's word: never read, zeroes in the guest */
} P2vExtentKind;

typedef struct
{
  gint64 offset; /* bytes */
  gint64 length; /* bytes, never 0 */
  P2vExtentKind kind;
} P2vExtent;

/* A part of the disk that people know by a name, and what became of it. Areas lie in order, do not
 * overlap, and cover the disk once it has been mapped. */
typedef struct
{
  gint64 offset; /* bytes */
  gint64 length; /* bytes */
  gint64 free;   /* bytes of it that are free by its filesystem's word: not read */
  gint64 read;   /* bytes of it that are read; the rest are holes of a sparse file */
  char *what;    /* "ext4 on /dev/sda1", "partition table", "gap"; never NULL */
  char *reason;  /* why it is read in full, a clause: "it was not unmounted cleanly"; NULL when its
                    free space is known */
  gboolean partition; /* a partition, a volume or the whole disk; FALSE for what lies between */
} P2vMapArea;

typedef struct
{
  GArray *extents;  /* of P2vExtent */
  gint64 size;      /* bytes */
  GPtrArray *areas; /* of P2vMapArea, empty until somebody has looked */
} P2vBlockMap;

/* Maps an open file or device of size bytes by lseek(2)'s SEEK_DATA and SEEK_HOLE; where the kernel
 * does not answer (block devices) all of it is data. The descriptor's position moves. */
P2vBlockMap *p2v_block_map_new (int fd, gint64 size);

void p2v_block_map_free (P2vBlockMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vBlockMap, p2v_block_map_free)

/* Says that length bytes from offset on are free: what was data there becomes free, holes stay
 * holes. What lies beyond the disk is ignored. Free stretches are added fastest in ascending order.
 */
void p2v_block_map_set_free (P2vBlockMap *map, gint64 offset, gint64 length);

/* Adds an area at the end of the list. what and reason (NULL: its free space is known) are copied.
 * Returned for its numbers to be filled in; owned by the map. */
P2vMapArea *p2v_block_map_add_area (P2vBlockMap *map, gint64 offset, gint64 length,
                                    const char *what, const char *reason);

/* The bytes of all extents of one kind. */
gint64 p2v_block_map_bytes (const P2vBlockMap *map, P2vExtentKind kind);

/* The part of the map from offset on: the extent that holds offset, cut to begin there. offset must
 * be below the size. *hint: where to begin the search, kept by a caller that goes forward; starts
 * at 0. Any value is right, and a good one fast. */
P2vExtent p2v_block_map_at (const P2vBlockMap *map, gint64 offset, guint *hint);

G_END_DECLS

#endif
