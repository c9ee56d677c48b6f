/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_QUESTION_H
#define P2V_QUESTION_H

#include "p2v-client/conversion.h"

G_BEGIN_DECLS

/* For a front end that has a person in front of it: whether to go on with an unfinished job. A
 * conversion's thread asks and waits; the thread that has the screen sees that there is a question,
 * and answers. All functions may be called from any thread. */

typedef struct _P2vQuestion P2vQuestion;

/* changed: called in the thread that asks when a question has come up, and when it is over, however
 * that came. May be NULL. */
P2vQuestion *p2v_question_new (void (*changed) (gpointer user_data), gpointer user_data);
void p2v_question_free (P2vQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vQuestion, p2v_question_free)

/* Asks, and returns the answer: TRUE to go on. When cancelled the question is withdrawn, and TRUE
 * returned: what has landed must not be given up by accident. */
gboolean p2v_question_ask (P2vQuestion *question, const P2vUnfinished *unfinished,
                           GCancellable *cancellable);

/* What is being asked about and not answered yet, NULL when nothing is. (transfer full) */
P2vUnfinished *p2v_question_get (P2vQuestion *question);

/* TRUE while p2v_question_get() would return something. */
gboolean p2v_question_is_open (P2vQuestion *question);

/* Answers what is being asked; without a question, or a second time, it does nothing. */
void p2v_question_answer (P2vQuestion *question, gboolean go_on);

P2vUnfinished *p2v_unfinished_copy (const P2vUnfinished *unfinished);
void p2v_unfinished_free (P2vUnfinished *unfinished);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vUnfinished, p2v_unfinished_free)

/* "The server has job 20261123-214500-web1, begun on 2026-11-23 at 21:45 UTC: 3.1 GiB of 20.0 GiB
 * have landed." (transfer full) */
char *p2v_unfinished_describe (const P2vUnfinished *unfinished);

G_END_DECLS

#endif
