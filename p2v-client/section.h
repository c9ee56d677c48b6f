/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SECTION_H
#define P2V_SECTION_H

#include "p2v-client/source.h"

G_BEGIN_DECLS

/* A part of a disk that is read in order. */
typedef struct
{
  guint64 next; /* the first chunk that nobody has taken to read */
  guint64 end;  /* the first chunk of what follows */
  guint hint;   /* into the block map, for next */
} P2vSection;

/* Cuts a disk into sections with about the same amount of data to be read, count of them or fewer;
 * returns how many. sections: zeroed, count of them. */
guint p2v_sections_make (const P2vSource *source, P2vSection *sections, guint count);

G_END_DECLS

#endif
