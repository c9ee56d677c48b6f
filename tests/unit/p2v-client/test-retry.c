/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/retry.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

static gint64
after (P2vRetry *retry, gint code, gint64 seconds)
{
  g_autoptr (GError) failure = g_error_new_literal (P2V_ERROR, code, "it failed");
  return p2v_retry_after (retry, failure, 1 + seconds * SECOND);
}

static void
test_pauses_grow_until_the_time_is_up (void)
{
  static const gint64 pauses[] = { 2, 4, 8, 16, 32, 60, 60, 60 };
  P2vRetry retry = { .seconds = 300 };
  gint64 now = 1000;
  for (gsize i = 0; i < G_N_ELEMENTS (pauses); i++)
    {
      gint64 left = 1000 + 300 - now;
      gint64 pause = after (&retry, P2V_ERROR_CONNECTION, now);
      g_assert_cmpint (pause, ==, MIN (pauses[i], left));
      now += pause;
    }
  /* The last try is when the time is up. */
  g_assert_cmpint (now, ==, 1242);
  g_assert_cmpint (after (&retry, P2V_ERROR_CONNECTION, now), ==, 58);
  g_assert_cmpint (after (&retry, P2V_ERROR_CONNECTION, 1300), ==, 0);
  g_assert_cmpuint (retry.tries, ==, 10);
}

static void
test_the_time_counts_from_the_first_failure (void)
{
  P2vRetry retry = { .seconds = 10 };
  g_assert_cmpint (p2v_retry_left (&retry, 99999 * SECOND), ==, 10);
  /* A transfer that broke after hours. */
  g_assert_cmpint (after (&retry, P2V_ERROR_TRANSFER, 20000), ==, 2);
  g_assert_cmpint (after (&retry, P2V_ERROR_TRANSFER, 20011), ==, 0);
}

static void
test_without_a_time_there_is_one_try (void)
{
  P2vRetry retry = { 0 };
  g_assert_cmpint (after (&retry, P2V_ERROR_CONNECTION, 5), ==, 0);
}

static void
test_what_lasts_is_not_tried_again (void)
{
  static const gint lasting[] = {
    P2V_ERROR_FAILED,  P2V_ERROR_USAGE,   P2V_ERROR_AUTH,      P2V_ERROR_SOURCE,
    P2V_ERROR_REFUSED, P2V_ERROR_CONVERT, P2V_ERROR_CANCELLED, P2V_ERROR_CONNECTION_FINAL,
  };
  static const gint passing[]
      = { P2V_ERROR_CONNECTION, P2V_ERROR_TRANSFER, P2V_ERROR_AUTH_PASSING };
  for (gsize i = 0; i < G_N_ELEMENTS (lasting); i++)
    {
      P2vRetry retry = { .seconds = 7200 };
      g_assert_cmpint (after (&retry, lasting[i], 5), ==, 0);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (passing); i++)
    {
      P2vRetry retry = { .seconds = 7200 };
      g_assert_cmpint (after (&retry, passing[i], 5), ==, 2);
    }
}

static void
test_codes_are_told_as_what_they_are (void)
{
  g_autoptr (GError) host = g_error_new_literal (P2V_ERROR, P2V_ERROR_CONNECTION_FINAL, "x");
  g_autoptr (GError) key = g_error_new_literal (P2V_ERROR, P2V_ERROR_AUTH_PASSING, "x");
  g_assert_cmpint (p2v_error_code_of (host), ==, P2V_ERROR_CONNECTION);
  g_assert_cmpint (p2v_error_code_of (key), ==, P2V_ERROR_AUTH);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (100 * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_a_pause_can_be_cut_short (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gint64 started = g_get_monotonic_time ();
  g_assert_true (p2v_pause (50, cancellable, &error));
  g_assert_true (p2v_pause (50, NULL, &error));
  g_assert_cmpint (g_get_monotonic_time () - started, >=, 100 * 1000);
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_false (p2v_pause (60 * 1000, cancellable, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 10 * SECOND);
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/retry/pauses-grow-until-the-time-is-up",
                   test_pauses_grow_until_the_time_is_up);
  g_test_add_func ("/retry/the-time-counts-from-the-first-failure",
                   test_the_time_counts_from_the_first_failure);
  g_test_add_func ("/retry/without-a-time-there-is-one-try", test_without_a_time_there_is_one_try);
  g_test_add_func ("/retry/what-lasts-is-not-tried-again", test_what_lasts_is_not_tried_again);
  g_test_add_func ("/retry/codes-are-told-as-what-they-are", test_codes_are_told_as_what_they_are);
  g_test_add_func ("/retry/a-pause-can-be-cut-short", test_a_pause_can_be_cut_short);
  return g_test_run ();
}
