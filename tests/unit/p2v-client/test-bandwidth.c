/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/bandwidth.h"

#define MIB (1024 * 1024)

/* Many small packets would cost more than the data, bytes. */
#define MIN_PORTION (8 * 1024)

/* Asks as a pump does, for a whole second of a clock of its own; returns what was let through. */
static gsize
ask_for_a_second (P2vBandwidth *bandwidth, gint64 *now, guint lanes)
{
  gsize bytes = 0;
  for (gint64 end = *now + G_USEC_PER_SEC; *now < end;
       *now += p2v_bandwidth_pause (bandwidth) * 1000)
    for (guint i = 0; i < lanes; i++)
      {
        gsize taken;
        while ((taken = p2v_bandwidth_take (bandwidth, 256 * 1024, *now)) > 0)
          {
            g_assert_cmpuint (taken, >=, MIN_PORTION);
            bytes += taken;
          }
      }
  return bytes;
}

static void
test_the_rate_is_kept_and_used (gconstpointer lanes)
{
  gint64 now = 1000;
  g_autoptr (P2vBandwidth) bandwidth = p2v_bandwidth_new (10 * MIB);
  gsize bytes = 0;
  for (int i = 0; i < 10; i++)
    bytes += ask_for_a_second (bandwidth, &now, GPOINTER_TO_UINT (lanes));
  gsize due = (gsize)(now - 1000) * 10 * MIB / G_USEC_PER_SEC;
  g_assert_cmpuint (bytes, <=, due);
  g_assert_cmpuint (bytes, >=, due - MIB);
}

static void
test_a_pause_is_not_made_up_for (void)
{
  gint64 now = 1000;
  g_autoptr (P2vBandwidth) bandwidth = p2v_bandwidth_new (10 * MIB);
  p2v_bandwidth_take (bandwidth, MIB, now);
  now += G_TIME_SPAN_HOUR;
  g_assert_cmpuint (p2v_bandwidth_take (bandwidth, 100 * MIB, now), <=, MIB);
}

static void
test_what_is_held_back_waits (gconstpointer rate)
{
  g_autoptr (P2vBandwidth) bandwidth = p2v_bandwidth_new (GPOINTER_TO_INT (rate));
  gint64 now = 1000;
  g_assert_cmpuint (p2v_bandwidth_take (bandwidth, MIB, now), ==, rate == NULL ? MIB : 0);
  now += G_USEC_PER_SEC;
  p2v_bandwidth_hold (bandwidth, TRUE);
  g_assert_cmpuint (p2v_bandwidth_take (bandwidth, MIB, now), ==, 0);
  g_assert_cmpint (p2v_bandwidth_pause (bandwidth), >=, 100);
  /* A handshake is not held back. */
  g_assert_cmpuint (p2v_bandwidth_take (bandwidth, 100, now), ==, 100);
  p2v_bandwidth_hold (bandwidth, FALSE);
  g_assert_cmpuint (p2v_bandwidth_take (bandwidth, MIB, now), >, 0);
}

static void
test_what_was_not_sent_does_not_count (void)
{
  gint64 now = 1000;
  g_autoptr (P2vBandwidth) bandwidth = p2v_bandwidth_new (MIB);
  p2v_bandwidth_take (bandwidth, 1, now);
  now += G_USEC_PER_SEC;
  gsize taken = p2v_bandwidth_take (bandwidth, MIB, now);
  g_assert_cmpuint (taken, >, 0);
  g_assert_cmpuint (p2v_bandwidth_take (bandwidth, MIB, now), ==, 0);
  p2v_bandwidth_give_back (bandwidth, taken);
  g_assert_cmpuint (p2v_bandwidth_take (bandwidth, MIB, now), ==, taken);
}

static void
test_the_slowest_rate_still_moves (void)
{
  gint64 now = 1000;
  g_autoptr (P2vBandwidth) bandwidth = p2v_bandwidth_new (8 * 1024);
  gsize bytes = 0;
  for (int i = 0; i < 60; i++)
    bytes += ask_for_a_second (bandwidth, &now, 2);
  gsize due = (gsize)(now - 1000) * 8 * 1024 / G_USEC_PER_SEC;
  g_assert_cmpuint (bytes, <=, due);
  g_assert_cmpuint (bytes, >=, due - 32 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/bandwidth/one-lane", GUINT_TO_POINTER (1),
                        test_the_rate_is_kept_and_used);
  g_test_add_data_func ("/bandwidth/eight-lanes", GUINT_TO_POINTER (8),
                        test_the_rate_is_kept_and_used);
  g_test_add_func ("/bandwidth/a-pause-is-not-made-up-for", test_a_pause_is_not_made_up_for);
  g_test_add_func ("/bandwidth/not-sent-does-not-count", test_what_was_not_sent_does_not_count);
  g_test_add_data_func ("/bandwidth/held", NULL, test_what_is_held_back_waits);
  g_test_add_data_func ("/bandwidth/held-with-a-limit", GINT_TO_POINTER (10 * MIB),
                        test_what_is_held_back_waits);
  g_test_add_func ("/bandwidth/the-slowest-rate-still-moves", test_the_slowest_rate_still_moves);
  return g_test_run ();
}
