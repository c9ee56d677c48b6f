/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FREE_SPACE_BTRFS_H
#define P2V_FREE_SPACE_BTRFS_H

/* Trees of Btrfs, known only to free-space-btrfs*.c. Format: the kernel's <linux/btrfs_tree.h>. */

#include "p2v-client/free-space-parts.h"

G_BEGIN_DECLS

#define P2V_BTRFS_STRIPES 2

/* A stretch of the address space that trees speak of, and where it lies: once, or twice. */
typedef struct
{
  guint64 logical; /* bytes */
  guint64 length;  /* bytes */
  guint stripes;   /* copies on the device */
  gint64 at[P2V_BTRFS_STRIPES];
} P2vBtrfsChunk;

typedef struct
{
  P2vFreeLook *look;
  guint32 node_size; /* bytes */
  guint16 checksum;  /* the kind, as in the superblock */
  guint64 device;    /* the number of the only device */
  guint64 nodes;     /* how many more may be read: a hostile tree has no end */
  GArray *chunks;    /* of P2vBtrfsChunk, in order */
} P2vBtrfs;

typedef struct
{
  guint64 object;
  guint8 type;
  guint64 offset;
} P2vBtrfsKey;

/* Called for each item. FALSE with an error ends the walk. */
typedef gboolean (*P2vBtrfsVisit) (P2vBtrfs *btrfs, const P2vBtrfsKey *key, const guint8 *data,
                                   gsize length, gpointer user_data, GError **error);

P2vBtrfsKey p2v_btrfs_key (const guint8 *bytes);

/* Compares a checksummed block (its checksum lies in front) of length bytes. */
gboolean p2v_btrfs_checksum_matches (guint16 kind, const guint8 *block, gsize length);

/* Adds a chunk from its item. It must lie in one piece, or twice, on the only device. */
gboolean p2v_btrfs_chunk_add (P2vBtrfs *btrfs, const P2vBtrfsKey *key, const guint8 *data,
                              gsize length, GError **error);

/* The chunk that holds all of a stretch, or NULL. */
const P2vBtrfsChunk *p2v_btrfs_chunk_find (const P2vBtrfs *btrfs, guint64 logical, guint64 length);

/* Visits all items of a tree in order whose object is from first to last. The root's address,
 * level and generation are as what points to it says. */
gboolean p2v_btrfs_walk (P2vBtrfs *btrfs, guint64 root, guint8 level, guint64 generation,
                         guint64 first, guint64 last, P2vBtrfsVisit visit, gpointer user_data,
                         GError **error);

G_END_DECLS

#endif
