/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RUN_H
#define P2V_RUN_H

#include "p2v-client/progress.h"

G_BEGIN_DECLS

/* One unattended conversion from p2v.pre to p2v.post or p2v.fail, with its progress on standard
 * output and its errors on standard error. SIGINT, SIGTERM and SIGHUP stop it in good order, a
 * second one ends the process at once.
 * root: as for p2v_inventory_collect().
 * from_kernel: the configuration came from /proc/cmdline.
 * Returns the exit status: 0, or the P2vErrorCode of what failed. */
int p2v_run (const P2vConfig *config, const char *root, gboolean from_kernel,
             P2vProgressStyle style);

/* Prints "p2v-client: MESSAGE" on standard error, fit for a terminal, and returns the exit status
 * for the error. */
int p2v_run_report (const GError *error);

G_END_DECLS

#endif
