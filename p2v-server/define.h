/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DEFINE_H
#define P2V_DEFINE_H

#include "p2v-server/job.h"
#include "p2v-server/report.h"

G_BEGIN_DECLS

/* The stage "define". Method libvirt: defines the domain in the plan's libvirt, never replacing one
 * that exists; method local: writes NAME.xml beside the images. Sets the job's guest_uuid and
 * guest_place. May be repeated: a domain that this very job defined is accepted as done.
 * Fails with P2V_ERROR_CONVERT. */
gboolean p2v_define_run (const P2vServerConfig *config, P2vJob *job, const P2vReport *report,
                         GError **error);

G_END_DECLS

#endif
