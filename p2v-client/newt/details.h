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

/* The machine with all that has been found by now; NULL before there is anything. Owned by details,
 * and stays as it is: what is found later is in another one. details: may be NULL. */
const P2vMachine *p2v_details_get (P2vDetails *details);

/* Whether nothing more is to come. */
gboolean p2v_details_is_complete (P2vDetails *details);

/* Nobody wants to know any more. Does not wait: a disk that does not answer ends when it does. */
void p2v_details_free (P2vDetails *details);

G_END_DECLS

#endif
