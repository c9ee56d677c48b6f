/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/question.h"

static const P2vUnfinished unfinished
    = { (char *)"20261123-214500-web1", 1795470300123, G_GINT64_CONSTANT (3328599654),
        G_GINT64_CONSTANT (21474836480) };

static void
count (gpointer user_data)
{
  g_atomic_int_inc ((gint *)user_data);
}

/* A conversion's thread that asks. */
typedef struct
{
  P2vQuestion *question;
  GCancellable *cancellable;
  gboolean go_on;
  gint changes;
  GThread *thread;
} Asking;

static gpointer
ask (gpointer user_data)
{
  Asking *asking = user_data;
  asking->go_on = p2v_question_ask (asking->question, &unfinished, asking->cancellable);
  return NULL;
}

static void
begin (Asking *asking)
{
  asking->changes = 0;
  if (asking->question == NULL)
    asking->question = p2v_question_new (count, &asking->changes);
  asking->cancellable = g_cancellable_new ();
  asking->thread = g_thread_new ("ask", ask, asking);
  while (!p2v_question_is_open (asking->question) || g_atomic_int_get (&asking->changes) == 0)
    g_thread_yield ();
}

static void
end (Asking *asking, gboolean expected)
{
  g_thread_join (asking->thread);
  g_assert_cmpint (asking->go_on, ==, expected);
  g_assert_cmpint (asking->changes, ==, 2);
  g_assert_false (p2v_question_is_open (asking->question));
  g_assert_null (p2v_question_get (asking->question));
  g_clear_object (&asking->cancellable);
}

static void
test_the_answer_reaches_who_asks (void)
{
  Asking asking = { 0 };
  for (int go_on = 0; go_on <= 1; go_on++)
    {
      begin (&asking);
      g_autoptr (P2vUnfinished) asked = p2v_question_get (asking.question);
      g_assert_cmpstr (asked->job, ==, unfinished.job);
      g_assert_cmpint (asked->created, ==, unfinished.created);
      g_assert_cmpint (asked->landed, ==, unfinished.landed);
      g_assert_cmpint (asked->total, ==, unfinished.total);
      p2v_question_answer (asking.question, go_on);
      /* Answered once; who looks again must not ask again. */
      g_assert_false (p2v_question_is_open (asking.question));
      p2v_question_answer (asking.question, !go_on);
      end (&asking, go_on);
    }
  p2v_question_free (asking.question);
}

static void
test_a_cancelled_question_gives_nothing_up (void)
{
  Asking asking = { 0 };
  begin (&asking);
  g_cancellable_cancel (asking.cancellable);
  end (&asking, TRUE);
  p2v_question_free (asking.question);
}

/* What was answered before the question must not count for it. */
static void
test_an_answer_without_a_question_is_forgotten (void)
{
  Asking asking = { .question = p2v_question_new (count, &asking.changes) };
  p2v_question_answer (asking.question, FALSE);
  begin (&asking);
  g_cancellable_cancel (asking.cancellable);
  end (&asking, TRUE);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_assert_true (p2v_question_ask (asking.question, &unfinished, cancelled));
  p2v_question_free (asking.question);
}

static void
assert_described (gint64 created, const char *expected)
{
  P2vUnfinished other = unfinished;
  other.created = created;
  g_autofree char *text = p2v_unfinished_describe (&other);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_description (void)
{
  assert_described (
      1795470300123,
      "The server has job 20261123-214500-web1, begun on 2026-11-23 at 21:45 UTC: 3.1 "
      "GiB of 20.0 GiB have landed.");
  assert_described (G_MAXINT64,
                    "The server has job 20261123-214500-web1: 3.1 GiB of 20.0 GiB have landed.");
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/question/the-answer-reaches-who-asks", test_the_answer_reaches_who_asks);
  g_test_add_func ("/question/a-cancelled-one-gives-nothing-up",
                   test_a_cancelled_question_gives_nothing_up);
  g_test_add_func ("/question/an-answer-without-one-is-forgotten",
                   test_an_answer_without_a_question_is_forgotten);
  g_test_add_func ("/question/description", test_description);
  return g_test_run ();
}
