/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SERVER_LANE_H
#define P2V_SERVER_LANE_H

#include "p2v-server/config.h"

G_BEGIN_DECLS

/* The program beside p2v-server that `p2v-server lane` becomes: there are several of it for each
 * machine that is being received, so that it is linked with little. Its argument is the
 * configuration file, if that is not the usual one. */
#define P2V_LANE_PROGRAM "p2v-server-lane"

/* One line of the protocol each way, then a bridge to the job's export. Returns the process's exit
 * status. */
int p2v_lane_run (const P2vServerConfig *config, int input, int output);

G_END_DECLS

#endif
