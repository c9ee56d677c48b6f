/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_ESTIMATE_H
#define P2V_ESTIMATE_H

#include "p2v-client/config.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* How long a conversion's sending will take, by a measurement of a few seconds. */

/* Bytes of a disk that are read, by what its filesystems have said; whatever has not been asked
 * counts in full. known: set to whether all of it was asked; may be NULL. */
gint64 p2v_estimate_disk_bytes (const P2vDisk *disk, gboolean *known);

/* What was measured, or is known before. */
typedef struct
{
  gint64 bytes;    /* of all disks that are read */
  double read;     /* bytes a second that the disks are read at; 0 when not known */
  double network;  /* bytes a second that get to the server; 0 when not known */
  double ratio;    /* what compression leaves of the data, 0 to 1; 1 without */
  double compress; /* bytes a second that all processors together compress; 0 without */
  char *problem;   /* why something of it is not known, a clause; NULL when all is */
} P2vEstimate;

void p2v_estimate_free (P2vEstimate *estimate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vEstimate, p2v_estimate_free)

/* Seconds for sending, -1 when nothing is known. */
gint64 p2v_estimate_seconds (const P2vEstimate *estimate);

/* All of it for people, a sentence or two. (transfer full) */
char *p2v_estimate_text (const P2vEstimate *estimate);

/* What a measurement needs, taken from where it may change meanwhile. */
typedef struct _P2vEstimateTask P2vEstimateTask;

/* machine: with what is known of its disks' contents. disks: the names of those chosen. */
P2vEstimateTask *p2v_estimate_task_new (const P2vConfig *config, const P2vMachine *machine,
                                        char *const *disks);
void p2v_estimate_task_free (P2vEstimateTask *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vEstimateTask, p2v_estimate_task_free)

/* Reads a little of the disks and sends as much to the server as it throws away in two seconds or
 * so; nothing is changed or kept here or there. Blocks for some seconds; for a thread. What cannot
 * be measured is left out, and said. */
P2vEstimate *p2v_estimate_measure (const P2vEstimateTask *task, GCancellable *cancellable);

G_END_DECLS

#endif
