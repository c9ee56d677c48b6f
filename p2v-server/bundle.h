/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BUNDLE_H
#define P2V_BUNDLE_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* Writes all that is needed to find out why a job failed into one file, a gzip'ed tar archive that
 * only its owner may read: job.json with how much of each disk has landed, events.jsonl, the logs
 * of virt-v2v, the worker and qemu-nbd, the XML files of the conversion, versions.txt (of p2v, the
 * programs it runs, the kernel, the distribution) and check.txt (as `p2v-server check`). Secrets
 * are left out, see secrets.h; names, addresses and serial numbers of the machine are not.
 * A file of that name is replaced. Fails with P2V_ERROR_FAILED. */
gboolean p2v_bundle_write (const P2vServerConfig *config, const P2vJob *job, const char *path,
                           GError **error);

G_END_DECLS

#endif
