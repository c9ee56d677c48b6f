/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/rate.h"

static void
test_rate_is_that_of_the_last_seconds (void)
{
  g_autoptr (P2vRate) rate = p2v_rate_new ();
  for (gint64 second = 0; second <= 60; second++)
    p2v_rate_add (rate, second * G_USEC_PER_SEC,
                  second <= 30 ? second * 1000 : 30000 + (second - 30) * 50);
  g_assert_cmpfloat (p2v_rate_get (rate), ==, 50.0);
  g_assert_cmpint (p2v_rate_time_left (rate, 501), ==, 11);
}

static void
test_nothing_known_is_said_so (void)
{
  g_autoptr (P2vRate) rate = p2v_rate_new ();
  g_assert_cmpfloat (p2v_rate_get (rate), ==, 0.0);
  g_assert_cmpint (p2v_rate_time_left (rate, 1), ==, -1);
  p2v_rate_add (rate, 0, 0);
  p2v_rate_add (rate, G_USEC_PER_SEC, 0);
  g_assert_cmpint (p2v_rate_time_left (rate, 1), ==, -1);
  g_assert_cmpint (p2v_rate_time_left (rate, 0), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate/is-that-of-the-last-seconds", test_rate_is_that_of_the_last_seconds);
  g_test_add_func ("/rate/nothing-known-is-said-so", test_nothing_known_is_said_so);
  return g_test_run ();
}
