/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/bandwidth.h"

/* What may be sent in one go after a pause, as a part of a second's worth: short enough not to be
 * felt by others on the link. At least a few packets, bytes. */
#define BURST_PART 20
#define BURST_MIN (16 * 1024)

/* Less than this at a time would make many small packets, bytes. */
#define PORTION (32 * 1024)

/* No more than that is let through while all is held back, bytes. */
#define HELD_MAX 2048
/* How often to look whether it still is, milliseconds. */
#define HELD_PAUSE 200

struct _P2vBandwidth
{
  GMutex lock;
  gboolean held;
  gint64 rate;   /* bytes a second; 0: no limit */
  gint64 burst;  /* bytes */
  double tokens; /* bytes that may be sent now */
  gint64 since;  /* the time of tokens; 0: never asked */
};

P2vBandwidth *
p2v_bandwidth_new (gint64 rate)
{
  P2vBandwidth *bandwidth = g_new0 (P2vBandwidth, 1);
  g_assert (rate >= 0);
  g_mutex_init (&bandwidth->lock);
  bandwidth->rate = rate;
  bandwidth->burst = MAX (rate / BURST_PART, BURST_MIN);
  return bandwidth;
}

void
p2v_bandwidth_free (P2vBandwidth *bandwidth)
{
  if (bandwidth == NULL)
    return;
  g_mutex_clear (&bandwidth->lock);
  g_free (bandwidth);
}

void
p2v_bandwidth_hold (P2vBandwidth *bandwidth, gboolean held)
{
  g_mutex_lock (&bandwidth->lock);
  bandwidth->held = held;
  g_mutex_unlock (&bandwidth->lock);
}

/* With the lock held. */
static gsize
take_tokens (P2vBandwidth *bandwidth, gsize wanted, gint64 now)
{
  if (bandwidth->since == 0)
    bandwidth->since = now;
  /* Lanes may ask in another order than their clocks were read. */
  gint64 passed = MAX (now - bandwidth->since, 0);
  bandwidth->since += passed;
  bandwidth->tokens += (double)bandwidth->rate * (double)passed / G_USEC_PER_SEC;
  bandwidth->tokens = MIN (bandwidth->tokens, (double)bandwidth->burst);
  gsize least = MIN (MIN (wanted, PORTION), (gsize)bandwidth->burst / 2);
  gsize there = bandwidth->tokens > 0 ? (gsize)bandwidth->tokens : 0;
  gsize taken = there >= least ? MIN (wanted, there) : 0;
  bandwidth->tokens -= (double)taken;
  return taken;
}

gsize
p2v_bandwidth_take (P2vBandwidth *bandwidth, gsize wanted, gint64 now)
{
  gsize taken = wanted;
  g_mutex_lock (&bandwidth->lock);
  if (bandwidth->held && wanted > HELD_MAX)
    taken = 0;
  else if (bandwidth->rate > 0)
    taken = take_tokens (bandwidth, wanted, now);
  g_mutex_unlock (&bandwidth->lock);
  return taken;
}

void
p2v_bandwidth_give_back (P2vBandwidth *bandwidth, gsize bytes)
{
  g_mutex_lock (&bandwidth->lock);
  bandwidth->tokens += (double)bytes;
  g_mutex_unlock (&bandwidth->lock);
}

int
p2v_bandwidth_pause (P2vBandwidth *bandwidth)
{
  g_mutex_lock (&bandwidth->lock);
  gboolean held = bandwidth->held || bandwidth->rate == 0;
  g_mutex_unlock (&bandwidth->lock);
  if (held)
    return HELD_PAUSE;
  /* About the time for half a burst, so nothing of the rate is lost. Never twice the same: of lanes
   * in step the first would take everything each time. */
  gint64 burst_ms = bandwidth->burst * 1000 / bandwidth->rate;
  return (int)CLAMP (g_random_int_range (0, (gint32)MAX (burst_ms, 2)), 1, 1000);
}
