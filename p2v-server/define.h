/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DEFINE_H
#define P2V_DEFINE_H

#include "p2v-server/job.h"
#include "p2v-server/report.h"

G_BEGIN_DECLS

/* The domain as it was given to libvirt, in the job's directory. */
#define P2V_DEFINE_XML_FILE "domain.xml"

/* The stage "define". Method libvirt: defines the domain in the plan's libvirt, never replacing one
 * that exists; method local: writes NAME.xml (and for UEFI NAME_VARS.fd) beside the images. Sets
 * the job's guest_uuid and guest_place. The guest's UUID is saved in the job before the guest is
 * made, so that the stage may be repeated after a crash: a domain or file of this job's name with
 * this job's UUID is accepted as done. Bounded by the configuration's define_timeout.
 * Fails with P2V_ERROR_CONVERT, or with P2V_ERROR_CANCELLED. */
gboolean p2v_define_run (const P2vServerConfig *config, P2vJob *job, const P2vReport *report,
                         GError **error);

G_END_DECLS

#endif
