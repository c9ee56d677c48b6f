/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RUN_H
#define P2V_RUN_H

#include "p2v-client/consoles.h"
#include "p2v-client/progress.h"

G_BEGIN_DECLS

/* How a conversion is run; all of it is the caller's and outlives the run. */
typedef struct
{
  const P2vConfig *config; /* retry_for and wait_for said */
  const char *root;        /* as for p2v_inventory_collect() */
  gboolean from_kernel;    /* the configuration came from the kernel command line */
  P2vProgressStyle style;

  /* Not NULL: it runs by itself on a live image. The network is waited for, everything is said on
   * all of the consoles, and the server learns also of a failure that no job is part of. */
  P2vConsoles *consoles;
} P2vRunOptions;

/* One conversion from p2v.pre to p2v.post or p2v.fail, with its progress on standard output and its
 * errors on standard error, or both on consoles. SIGINT, SIGTERM and SIGHUP stop it in good order,
 * a second one ends the process at once.
 * Returns the exit status: 0, or the P2vErrorCode of what failed. */
int p2v_run (const P2vRunOptions *options);

/* Prints "p2v-client: MESSAGE" on standard error, or on the consoles unless they are NULL, fit for
 * a terminal, and returns the exit status for the error. */
int p2v_run_report (const GError *error, P2vConsoles *consoles);

G_END_DECLS

#endif
