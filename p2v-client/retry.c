/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/retry.h"

#include "common/error.h"

/* Seconds. The longest is short enough that a server's restart costs no more than it takes. */
#define FIRST_PAUSE 2
#define LONGEST_PAUSE 60

static gboolean
may_pass (const GError *failure)
{
  return g_error_matches (failure, P2V_ERROR, P2V_ERROR_CONNECTION)
         || g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER)
         || g_error_matches (failure, P2V_ERROR, P2V_ERROR_AUTH_PASSING);
}

gint64
p2v_retry_left (const P2vRetry *retry, gint64 now)
{
  if (retry->started == 0)
    return retry->seconds;
  gint64 left = retry->started + retry->seconds * G_USEC_PER_SEC - now;
  return left > 0 ? (left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC : 0;
}

gint64
p2v_retry_after (P2vRetry *retry, const GError *failure, gint64 now)
{
  if (retry->started == 0)
    retry->started = now;
  retry->tries++;
  gint64 left = p2v_retry_left (retry, now);
  if (left == 0 || !may_pass (failure))
    return 0;
  retry->pause = retry->pause == 0 ? FIRST_PAUSE : MIN (2 * retry->pause, LONGEST_PAUSE);
  return MIN (retry->pause, left);
}

gboolean
p2v_pause (gint64 milliseconds, GCancellable *cancellable, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + milliseconds * 1000;
  GPollFD fd;
  gboolean has_fd = g_cancellable_make_pollfd (cancellable, &fd);
  gint64 left;
  while (!g_cancellable_is_cancelled (cancellable)
         && (left = deadline - g_get_monotonic_time ()) > 0)
    /* Rounded up, or the last millisecond would be spent spinning. */
    g_poll (&fd, has_fd ? 1 : 0, (gint)MIN (left / 1000 + 1, G_MAXINT));
  if (has_fd)
    g_cancellable_release_fd (cancellable);
  if (!g_cancellable_is_cancelled (cancellable))
    return TRUE;
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
  return FALSE;
}
