/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONVERT_H
#define P2V_CONVERT_H

#include "p2v-server/job.h"
#include "p2v-server/report.h"
#include "p2v-server/verify.h"

G_BEGIN_DECLS

/* The stage "convert". For methods libvirt and local: virt-v2v-in-place on a qcow2 overlay over
 * each received image; afterwards the overlays are committed into the images and removed. The
 * received image is untouched until virt-v2v has succeeded, and a commit that was cut short can be
 * repeated: the job's state says "committing" from before the first commit until after the last.
 * For method virt-v2v: virt-v2v reads the received images and writes to its own output, with
 * -o/-oc/-os/-of/-oa/-oo of the plan; nothing is committed and *report is set to NULL.
 *
 * verify: the verification that runs beside, NULL for none. Nothing is committed, and no output of
 * virt-v2v's own begun, before it has passed; once it has failed, so does this, soon.
 *
 * Sets the job's state as it goes ("converting", "committing", "converted") and saves it. Called in
 * state "committing" it only finishes the commits. *report is job->report, owned by the job.
 *
 * Adds events (progress with virt-v2v's own stages, warnings) to the job, and writes all of
 * virt-v2v's output to the job's "convert.log". Never waits for input; bounded by the
 * configuration's convert_timeout.
 * A UEFI guest that would start through the machine's boot entry only gets its loader in \EFI\BOOT.
 *
 * On failure the overlays are gone and the images are as they were received, or the state is
 * "committing" and calling it again completes what is left.
 * Fails with P2V_ERROR_CONVERT, P2V_ERROR_REFUSED for a value that virt-v2v must not be given, or
 * P2V_ERROR_CANCELLED (the overlays are then for who cancels the job to remove); the message ends
 * with the path of the log. */
gboolean p2v_convert_run (const P2vServerConfig *config, P2vJob *job, P2vVerify *verify,
                          P2vReport **report, GError **error);

G_END_DECLS

#endif
