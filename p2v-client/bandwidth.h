/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BANDWIDTH_H
#define P2V_BANDWIDTH_H

#include <glib.h>

G_BEGIN_DECLS

/* What all lanes of a machine together may send: a limit of bytes a second (a token bucket), and
 * whether anything may be sent at the moment. Any thread. */
typedef struct _P2vBandwidth P2vBandwidth;

/* rate: bytes a second; 0: no limit. */
P2vBandwidth *p2v_bandwidth_new (gint64 rate);
void p2v_bandwidth_free (P2vBandwidth *bandwidth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vBandwidth, p2v_bandwidth_free)

/* Holds everything back until it is let go again, but for a few bytes at a time: what opens and
 * closes a connection is not data. */
void p2v_bandwidth_hold (P2vBandwidth *bandwidth, gboolean held);

/* How many of wanted bytes may be sent at time now (g_get_monotonic_time(), microseconds): they
 * count as sent, unless given back. 0: none yet. */
gsize p2v_bandwidth_take (P2vBandwidth *bandwidth, gsize wanted, gint64 now);

/* Gives back what was taken and not sent. */
void p2v_bandwidth_give_back (P2vBandwidth *bandwidth, gsize bytes);

/* Milliseconds after which it is worth asking again, at least 1. */
int p2v_bandwidth_pause (P2vBandwidth *bandwidth);

G_END_DECLS

#endif
