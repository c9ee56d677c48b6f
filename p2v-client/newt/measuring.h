/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NEWT_MEASURING_H
#define P2V_NEWT_MEASURING_H

#include "p2v-client/estimate.h"

G_BEGIN_DECLS

/* A measurement of how long a conversion takes, made in a thread of its own. */
typedef struct _P2vMeasuring P2vMeasuring;

/* Begins; as for p2v_estimate_task_new(). */
P2vMeasuring *p2v_measuring_new (const P2vConfig *config, const P2vMachine *machine,
                                 char *const *disks);

/* What was measured, NULL while it is not known yet. Owned by the measuring. */
const P2vEstimate *p2v_measuring_get (P2vMeasuring *measuring);

/* Nobody wants to know any more. Does not wait: a disk that does not answer ends when it does. */
void p2v_measuring_free (P2vMeasuring *measuring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vMeasuring, p2v_measuring_free)

G_END_DECLS

#endif
