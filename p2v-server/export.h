/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_EXPORT_H
#define P2V_EXPORT_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* A running qemu-nbd that exports one image of a job, writable, on the job's private socket. */
typedef struct _P2vExport P2vExport;

/* Starts it and waits until it listens. It dies with this process.
 * Fails with P2V_ERROR_REFUSED (qemu-nbd missing: package named) or P2V_ERROR_FAILED. */
P2vExport *p2v_export_start (const P2vJob *job, const P2vImage *image, GError **error);

/* TRUE while qemu-nbd runs. */
gboolean p2v_export_is_running (P2vExport *export);

/* Ends qemu-nbd, waits for it to have written everything, removes the socket. */
gboolean p2v_export_stop (P2vExport *export, GError **error);

void p2v_export_free (P2vExport *export); /* stops it if needed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vExport, p2v_export_free)

G_END_DECLS

#endif
