/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SIGNALS_H
#define P2V_SIGNALS_H

#include <glib.h>

G_BEGIN_DECLS

/* An administrator who ends the process of a session gives the transfer up: it is tidied up after,
 * as when the client goes. */

/* From now on SIGTERM, SIGINT and SIGHUP only interrupt poll() and the like. */
void p2v_signals_catch (void);

/* TRUE once one of them has come. */
gboolean p2v_signals_caught (void);

G_END_DECLS

#endif
