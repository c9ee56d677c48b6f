/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DISK_LAYOUT_H
#define P2V_DISK_LAYOUT_H

#include "common/machine.h"

G_BEGIN_DECLS

/* How a disk is divided up, to be drawn or told: its partitions and the gaps between them that are
 * worth showing, in order. */

typedef struct
{
  gint64 offset; /* bytes */
  gint64 size;   /* bytes */
  gint64 used;   /* bytes of it that are read; -1 when not known (yet) */
  gboolean gap;  /* belongs to no partition */
  char *name;    /* short: "1 ext4"; "" for a gap */
  char *text;    /* "1: ext4 \"root\", 20.0 GiB, 3.1 GiB used" */
} P2vDiskStretch;

/* Returns P2vDiskStretch; empty when nothing is known of the disk (transfer full).
 * disk: as the inventory describes it; with what the map has filled in, usage is known. */
GPtrArray *p2v_disk_layout_new (const P2vDisk *disk);

/* Shares out a width among the stretches in proportion to their sizes, each at least so wide that
 * it can be seen. widths: as many as there are stretches; they add up to width, or, where even the
 * least is too much, all are equal. Any unit. */
void p2v_disk_layout_share (const GPtrArray *layout, double width, double least, double *widths);

/* All stretches in words, "; " between them. (transfer full) */
char *p2v_disk_layout_describe (const GPtrArray *layout);

/* What is read of a content that fills size bytes: -1 when nobody has asked. */
gint64 p2v_content_usage (const P2vContent *content, gint64 size);

G_END_DECLS

#endif
