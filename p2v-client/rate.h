/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RATE_H
#define P2V_RATE_H

#include <glib.h>

G_BEGIN_DECLS

/* The speed of a transfer over its last seconds, from a count of bytes that only grows. */
typedef struct _P2vRate P2vRate;

P2vRate *p2v_rate_new (void);
void p2v_rate_free (P2vRate *rate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vRate, p2v_rate_free)

/* Notes the count at a time. now: microseconds of a monotonic clock; bytes: since the start. */
void p2v_rate_add (P2vRate *rate, gint64 now, gint64 bytes);

/* Bytes a second over the window, 0 while there is nothing to tell. */
double p2v_rate_get (P2vRate *rate);

/* Seconds that `bytes` more will take, rounded up; -1 when not known, 0 when nothing remains. */
gint64 p2v_rate_time_left (P2vRate *rate, gint64 bytes);

G_END_DECLS

#endif
