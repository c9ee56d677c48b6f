/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_OUTCOME_H
#define P2V_OUTCOME_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* What became of a job's things when a command gave them up, for people and for other programs. */
typedef struct
{
  GPtrArray *removed; /* of char *: paths, or sentences where there is no path */
  GPtrArray *kept;
} P2vOutcome;

P2vOutcome *p2v_outcome_new (void);
void p2v_outcome_free (P2vOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vOutcome, p2v_outcome_free)

/* Adds each of the images that a plan has (may be NULL) to one of the lists. */
void p2v_outcome_add_images (GPtrArray *list, const P2vPlan *plan);

/* Prints it on standard output. */
void p2v_outcome_print (const P2vOutcome *outcome, gboolean as_json);

G_END_DECLS

#endif
