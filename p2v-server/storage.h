/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_STORAGE_H
#define P2V_STORAGE_H

#include "p2v-server/plan.h"

G_BEGIN_DECLS

/* Creates every image of the plan, sparse or preallocated, reading as zeroes; fills in
 * P2vImage.path where only libvirt knows it. All or nothing: on failure what was made is removed
 * again, and nothing that existed before is touched. There must be space: a preallocated image, and
 * a filesystem with less free space than `needed` bytes, are refused before anything is written.
 * needed: bytes that the transfer will write at most, 0 when not known.
 * Fails with P2V_ERROR_REFUSED. */
gboolean p2v_storage_create (const P2vServerConfig *config, P2vPlan *plan, gint64 needed,
                             GError **error);

/* Removes every image of the plan (pool volumes through libvirt). Missing ones are no error. */
gboolean p2v_storage_remove (const P2vServerConfig *config, const P2vPlan *plan, GError **error);

G_END_DECLS

#endif
