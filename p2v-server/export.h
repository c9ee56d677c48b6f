/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_EXPORT_H
#define P2V_EXPORT_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* A running qemu-nbd that exports one image of a job on a private socket of the job. */
typedef struct _P2vExport P2vExport;

/* Starts it, writable at p2v_job_socket_path(), and waits until it listens. It dies with the thread
 * that started it.
 * Fails with P2V_ERROR_REFUSED (qemu-nbd missing: package named) or P2V_ERROR_FAILED. */
P2vExport *p2v_export_start (const P2vJob *job, const P2vImage *image, GError **error);

/* The same for reading alone, at a socket of its own: the image may be read by others meanwhile. */
P2vExport *p2v_export_start_reading (const P2vJob *job, const P2vImage *image, GError **error);

/* Where it listens. Owned by the export. */
const char *p2v_export_socket (const P2vExport *export);

/* TRUE while qemu-nbd runs. */
gboolean p2v_export_is_running (P2vExport *export);

/* Ends qemu-nbd, waits for it to have written everything, removes the socket. */
gboolean p2v_export_stop (P2vExport *export, GError **error);

void p2v_export_free (P2vExport *export); /* stops it if needed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vExport, p2v_export_free)

G_END_DECLS

#endif
