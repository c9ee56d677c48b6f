/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_OVERLAY_H
#define P2V_OVERLAY_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* The qcow2 overlays that a conversion works on, one over each received image, in the job's
 * directory: DISK.overlay.qcow2. All of virt-v2v's writes go there, so that a failed conversion
 * costs nothing. */

/* Absolute path of the overlay of an image (transfer full). */
char *p2v_overlay_path (const P2vJob *job, const P2vImage *image);

/* Makes an empty overlay over every image of the job's plan, replacing those that an earlier
 * attempt left. All or nothing.
 * Fails with P2V_ERROR_CONVERT. */
gboolean p2v_overlays_create (const P2vJob *job, const char *log, GError **error);

/* Removes every overlay. Missing ones are no error. */
void p2v_overlays_remove (const P2vJob *job);

/* Makes durable what the overlays hold. */
gboolean p2v_overlays_sync (const P2vJob *job, GError **error);

/* Writes what every overlay holds into its image, durably, and removes the overlay. An overlay that
 * is gone was committed before: after a crash or a failure (a full disk) this can be repeated.
 * first, last: percent of the stage at which this begins and ends, for the job's progress.
 * Fails with P2V_ERROR_CONVERT; the overlays that remain are whole. */
gboolean p2v_overlays_commit (P2vJob *job, const char *log, gint64 first, gint64 last,
                              GError **error);

G_END_DECLS

#endif
