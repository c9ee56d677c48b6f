/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_STORAGE_H
#define P2V_STORAGE_H

#include "p2v-server/plan.h"

G_BEGIN_DECLS

/* Creates every image of the plan, sparse or preallocated, reading as zeroes; fills in
 * P2vImage.path where only libvirt knows it. All or nothing: on failure what was made is removed
 * again, nothing that existed before is touched, and plan->images is left empty, so that nobody
 * takes somebody else's image of that name for one of this plan's. There must be space:
 * preallocated images, and a place with less free space than `needed` bytes, are refused before
 * anything is written. needed: bytes that the transfer will write at most, 0 when not known. Fails
 * with P2V_ERROR_REFUSED. */
gboolean p2v_storage_create (const P2vServerConfig *config, P2vPlan *plan, gint64 needed,
                             GError **error);

/* Removes every image of the plan (pool volumes through libvirt), and takes out of plan->images
 * what is gone: save the plan afterwards, for the names are free for others now. Missing images are
 * no error. */
gboolean p2v_storage_remove (const P2vServerConfig *config, P2vPlan *plan, GError **error);

G_END_DECLS

#endif
