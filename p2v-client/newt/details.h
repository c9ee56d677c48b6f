/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NEWT_DETAILS_H
#define P2V_NEWT_DETAILS_H

#include "common/machine.h"

G_BEGIN_DECLS

/* What takes longer to find out of a machine's disks, in a thread of its own: what of them is in
 * use, and their health. */
typedef struct _P2vDetails P2vDetails;

/* Begins to ask. machine: copied. */
P2vDetails *p2v_details_new (const P2vMachine *machine);

/* The machine with all that was found; NULL as long as it is being asked. Owned by details. */
const P2vMachine *p2v_details_get (P2vDetails *details);

/* Stops asking, and waits for that. */
void p2v_details_free (P2vDetails *details);

G_END_DECLS

#endif
