/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RAID_H
#define P2V_RAID_H

#include "p2v-client/inventory-parts.h"

G_BEGIN_DECLS

/* A member of an array of Linux (md). */
typedef struct
{
  char *id;       /* the array's, 32 hexadecimal digits; NULL when no superblock makes sense */
  guint devices;  /* how many members the array has, spares apart; at most 65535 */
  guint64 events; /* counts the changes of state: members that agree have the same */
  P2vArea data;   /* the part of the disk that is the array's contents, when obstacle is NULL */
  char *obstacle; /* why the data is not simply a copy of the array's contents, a clause: "it is a
                     member of an array of level 5"; NULL when it is */
} P2vRaidMember;

/* Reads the superblock, version 1.0, 1.1, 1.2 or 0.90, of the member that fills an area
 * (include/uapi/linux/raid/md_p.h of Linux). Never NULL. */
P2vRaidMember *p2v_raid_member_read (const P2vLook *look, P2vArea area);

void p2v_raid_member_free (P2vRaidMember *member);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vRaidMember, p2v_raid_member_free)

G_END_DECLS

#endif
