/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_GUEST_USE_H
#define P2V_GUEST_USE_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* Checks that no guest uses the images of a job any more, so that they may be removed.
 * Fails with P2V_ERROR_REFUSED when one does (telling how to remove that guest first), or when this
 * cannot be told because libvirt does not answer. */
gboolean p2v_guest_use_check (const P2vServerConfig *config, const P2vJob *job, GError **error);

G_END_DECLS

#endif
