/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RETRY_H
#define P2V_RETRY_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* When to try again what a network or a server that is being restarted may have spoilt: after 2, 4,
 * 8 … 60 seconds, until a time after the first failure. Times are those of g_get_monotonic_time().
 */
typedef struct
{
  gint64 seconds; /* to go on for; 0: try once */
  gint64 started; /* the first failure; 0: none yet */
  guint tries;    /* that have failed */
  gint64 pause;   /* seconds, the last one */
} P2vRetry;

/* Takes note of a failure at the time now.
 * Returns how long to wait for the next try, in seconds; 0: give up, because the time is up or
 * trying again cannot mend it. */
gint64 p2v_retry_after (P2vRetry *retry, const GError *failure, gint64 now);

/* How long tries go on, in seconds, rounded up. */
gint64 p2v_retry_left (const P2vRetry *retry, gint64 now);

/* Waits for a time in milliseconds. Fails with P2V_ERROR_CANCELLED at once when cancelled. */
gboolean p2v_pause (gint64 milliseconds, GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
