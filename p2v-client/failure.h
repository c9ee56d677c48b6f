/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FAILURE_H
#define P2V_FAILURE_H

#include "p2v-client/config.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Tells the server of a conversion that failed before there was a job (no disk was found, a disk
 * cannot be opened, p2v.pre failed), so that it is listed there as a failed job: nobody may be
 * looking at this machine. Connects for it, as a conversion would.
 * machine: NULL when it could not be looked at.
 * Returns the job's id (transfer full), or NULL: P2V_ERROR_REFUSED by a server that cannot list it,
 * else as p2v_ssh_open(). */
char *p2v_failure_tell (const P2vConfig *config, const P2vMachine *machine, const GError *failure,
                        GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
