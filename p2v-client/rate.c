/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/rate.h"

#include <math.h>

/* Long enough that a flush or a slow stretch of disk does not make the figure jump, microseconds.
 */
#define WINDOW (10 * G_USEC_PER_SEC)

typedef struct
{
  gint64 time;
  gint64 bytes;
} Sample;

struct _P2vRate
{
  GQueue samples; /* of Sample, oldest first; the first may be just older than the window */
};

P2vRate *
p2v_rate_new (void)
{
  P2vRate *rate = g_new0 (P2vRate, 1);
  g_queue_init (&rate->samples);
  return rate;
}

void
p2v_rate_free (P2vRate *rate)
{
  if (rate == NULL)
    return;
  g_queue_clear_full (&rate->samples, g_free);
  g_free (rate);
}

void
p2v_rate_add (P2vRate *rate, gint64 now, gint64 bytes)
{
  Sample *sample = g_new (Sample, 1);
  sample->time = now;
  sample->bytes = bytes;
  g_queue_push_tail (&rate->samples, sample);
  while (rate->samples.length > 2
         && ((Sample *)g_queue_peek_nth (&rate->samples, 1))->time <= now - WINDOW)
    g_free (g_queue_pop_head (&rate->samples));
}

double
p2v_rate_get (P2vRate *rate)
{
  const Sample *first = g_queue_peek_head (&rate->samples);
  const Sample *last = g_queue_peek_tail (&rate->samples);
  if (first == NULL || last->time <= first->time || last->bytes <= first->bytes)
    return 0;
  return (double)(last->bytes - first->bytes) * G_USEC_PER_SEC / (double)(last->time - first->time);
}

gint64
p2v_rate_time_left (P2vRate *rate, gint64 bytes)
{
  double speed = p2v_rate_get (rate);
  if (bytes <= 0)
    return 0;
  return speed > 0 ? (gint64)ceil ((double)bytes / speed) : -1;
}
