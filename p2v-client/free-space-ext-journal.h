/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FREE_SPACE_EXT_JOURNAL_H
#define P2V_FREE_SPACE_EXT_JOURNAL_H

/* The journal of an ext3 or ext4, known only to free-space-ext*.c. */

#include "p2v-client/free-space-parts.h"

G_BEGIN_DECLS

/* The inode that it usually is. */
#define P2V_EXT_JOURNAL_INODE 8

/* What is needed to find it. */
typedef struct
{
  const P2vFreeLook *look;
  guint32 block;       /* bytes */
  guint64 blocks;      /* of the filesystem */
  guint64 inode_table; /* block: the first group's */
  guint32 inode_size;  /* bytes */
  guint32 seed;        /* of checksums */
} P2vExtPlace;

/* Adds the blocks of the journal that nobody will read, as it holds nothing: all but its own
 * superblock, in the order in which the journal has them. Adds none unless that is certain, which
 * it only is in a filesystem whose metadata has checksums (metadata_csum) and whose journal is the
 * usual inode, which is for the caller to know. ranges: of P2vFreeRange. */
void p2v_ext_journal_add_empty (const P2vExtPlace *place, GArray *ranges);

G_END_DECLS

#endif
