/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_ENDING_H
#define P2V_ENDING_H

#include "common/verified.h"
#include "p2v-client/config.h"

G_BEGIN_DECLS

/* What happens at the end of a conversion, for people: before it begins, and when it has. */

/* What happens once the disks have been sent, and when this machine is no longer needed; some
 * sentences. name: the guest's. (transfer full) */
char *p2v_ending_foretell (const P2vConfig *config, const char *name);

/* How a conversion that went well has ended. */
typedef struct
{
  const P2vConfig *config;
  const P2vRequest *request;
  const char *job;
  const char *place; /* as the server names it; NULL when that was not waited for (p2v.wait) */
  const P2vVerified *verified; /* NULL when the server did not say */
} P2vEnding;

/* One sentence: the guest has been made, or will be by the server alone. (transfer full) */
char *p2v_ending_headline (const P2vEnding *ending);

/* What was checked, with the numbers, and what was not. (transfer full) */
char *p2v_ending_checks (const P2vEnding *ending);

/* What the person is to do now, on this machine and on the server. (transfer full) */
char *p2v_ending_next_step (const P2vEnding *ending);

G_END_DECLS

#endif
