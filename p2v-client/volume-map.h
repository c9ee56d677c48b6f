/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_VOLUME_MAP_H
#define P2V_VOLUME_MAP_H

#include <glib.h>

G_BEGIN_DECLS

/* Where the bytes of a volume lie on the machine's disks. A volume is a partition, a disk, the data
 * of an array's member or a logical volume: segments one after the other, each over one stripe or
 * several, each stripe in one place or (a mirror) in several with equal contents. */

/* A place on a disk. */
typedef struct
{
  guint disk;    /* index into the disks of the machine */
  gint64 offset; /* bytes */
} P2vPlace;

/* A stretch of a disk. */
typedef struct
{
  guint disk;
  gint64 offset, length; /* bytes */
} P2vStretch;

typedef struct
{
  gint64 start;       /* bytes from the start of the volume */
  gint64 length;      /* bytes */
  gint64 stripe_size; /* bytes; a whole number of stripes of them is in the length */
  guint n_stripes;
  guint n_copies;
  P2vPlace *places; /* n_stripes * n_copies of them: the copies of the first stripe first */
} P2vVolumeSegment;

typedef struct
{
  GArray *segments; /* of P2vVolumeSegment */
  gint64 size;      /* bytes */
} P2vVolumeMap;

P2vVolumeMap *p2v_volume_map_new (void);

void p2v_volume_map_free (P2vVolumeMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vVolumeMap, p2v_volume_map_free)

/* Adds a segment at the end.
 * length: bytes. stripe_size: bytes, with more than one stripe.
 * places: n_stripes * n_copies, copied. */
void p2v_volume_map_add (P2vVolumeMap *map, gint64 length, gint64 stripe_size, guint n_stripes,
                         guint n_copies, const P2vPlace *places);

/* Where length bytes of the volume from offset on lie: exactly these bytes in every copy, appended
 * to stretches (of P2vStretch). What is beyond the volume is left out. */
void p2v_volume_map_translate (const P2vVolumeMap *map, gint64 offset, gint64 length,
                               GArray *stretches);

/* Where the volume goes on at offset, which must be within it: the longest stretch from there that
 * is in one piece, of the first copy. */
P2vStretch p2v_volume_map_locate (const P2vVolumeMap *map, gint64 offset);

G_END_DECLS

#endif
