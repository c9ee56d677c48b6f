/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LVM_H
#define P2V_LVM_H

#include "p2v-client/inventory-parts.h"

G_BEGIN_DECLS

/* LVM2 as it lies on disk. Identifiers are written without dashes: 32 characters. */

/* Where one stripe of a segment lies. */
typedef struct
{
  char *physical; /* the physical volume's identifier */
  gint64 offset;  /* bytes from the start of the physical volume */
} P2vLvmStripe;

/* A part of a logical volume, over one stripe (linear) or several. The parts of a volume lie in
 * order, without gaps. */
typedef struct
{
  gint64 length;      /* bytes, of all stripes together */
  gint64 stripe_size; /* bytes, with several stripes: a whole number of them is in the length */
  GPtrArray *stripes; /* of P2vLvmStripe */
} P2vLvmSegment;

typedef struct
{
  char *id;
  char *name;
  gint64 size;      /* bytes */
  gboolean visible; /* what a user sees; the others are parts of those */
  char *obstacle;   /* why it is more than its segments, a clause: "it is a snapshot"; NULL when it
                       is not */
  GPtrArray *segments; /* of P2vLvmSegment; with an obstacle only those that say where they lie */
} P2vLogicalVolume;

/* A physical volume as the group tells of it. */
typedef struct
{
  char *id;
  gint64 start;     /* bytes from its start to its first extent */
  gint64 size;      /* bytes of all extents */
  gboolean missing; /* has been away while the group went on without it */
} P2vLvmMember;

typedef struct
{
  char *id;
  char *name;
  gint64 seqno;       /* counts the changes */
  guint32 checksum;   /* of its text */
  gint64 extent_size; /* bytes */
  char *obstacle;     /* why nothing of the group is to be relied on, a clause; NULL for nothing */
  GPtrArray *members; /* of P2vLvmMember */
  GPtrArray *volumes; /* of P2vLogicalVolume */
} P2vVolumeGroup;

void p2v_volume_group_free (P2vVolumeGroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vVolumeGroup, p2v_volume_group_free)

/* Reads the text of a group. NULL when it makes no sense. */
P2vVolumeGroup *p2v_volume_group_parse (const char *text);

/* The member with an identifier, NULL for none. Owned by the group. */
const P2vLvmMember *p2v_volume_group_find_member (const P2vVolumeGroup *group, const char *id);

/* A physical volume on a disk. */
typedef struct
{
  char *id;
  GPtrArray *groups; /* of P2vVolumeGroup: one for each copy of the group's text it holds; none
                        where all copies are on other members */
} P2vPhysicalVolume;

void p2v_physical_volume_free (P2vPhysicalVolume *physical);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vPhysicalVolume, p2v_physical_volume_free)

/* Reads the physical volume that fills an area. NULL when there is none, a checksum is wrong or it
 * makes no sense. */
P2vPhysicalVolume *p2v_physical_volume_read (const P2vLook *look, P2vArea area);

G_END_DECLS

#endif
