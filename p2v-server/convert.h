/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONVERT_H
#define P2V_CONVERT_H

#include "p2v-server/job.h"
#include "p2v-server/report.h"

G_BEGIN_DECLS

/* The stage "convert". For methods libvirt and local: virt-v2v-in-place on a qcow2 overlay over
 * each received image; afterwards the overlays are committed into the images and removed. The
 * received image is untouched until virt-v2v has succeeded, and a commit that was cut short can be
 * repeated: the job's state says "committing" from before the first commit until after the last.
 * For method virt-v2v: virt-v2v reads the received images and writes to its own output, with
 * -o/-oc/-os/-of/-oa/-oo of the plan; nothing is committed and *report is set to NULL.
 *
 * Adds events (progress with virt-v2v's own stages, warnings) to the job, and writes all of
 * virt-v2v's output to the job's "convert.log". Never waits for input; bounded by the
 * configuration's convert_timeout.
 * On failure the overlays are gone, the images are as they were received.
 * Fails with P2V_ERROR_CONVERT; the message ends with the path of the log. */
gboolean p2v_convert_run (const P2vServerConfig *config, P2vJob *job, P2vReport **report,
                          GError **error);

G_END_DECLS

#endif
