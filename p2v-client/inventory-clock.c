/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#include <stdlib.h>
#include <sys/timex.h>

/* Time zones differ from UTC by multiples of a quarter of an hour. */
#define QUARTER 900
/* How far a hardware clock may be off and still be recognised. */
#define TOLERANCE 240
#define MAX_OFFSET (14 * 3600)
#define MAX_TIME G_GINT64_CONSTANT (253402300799) /* the end of the year 9999 */

/* The system's time: when it was started and how long it has been running, which a recorded tree
 * tells just as well. */
static gint64
system_time (const P2vTree *tree)
{
  g_autofree char *statistics = p2v_tree_read (tree, "/proc/stat");
  g_autofree char *uptime = p2v_tree_read (tree, "/proc/uptime");
  const char *started = statistics == NULL ? NULL : strstr (statistics, "\nbtime ");
  if (started == NULL || uptime == NULL)
    return -1;
  gint64 start = g_ascii_strtoll (started + strlen ("\nbtime "), NULL, 10);
  gint64 running = g_ascii_strtoll (uptime, NULL, 10);
  if (start <= 0 || start > MAX_TIME || running < 0 || running > MAX_TIME)
    return -1;
  return start + running;
}

/* TRUE when the system's time comes from the network. Otherwise it was taken from the hardware
 * clock itself, and that both agree says nothing. */
static gboolean
time_is_synchronised (const P2vTree *tree)
{
  if (p2v_tree_exists (tree, "/run/systemd/timesync/synchronized"))
    return TRUE;
  struct timex state = { 0 };
  return !tree->recorded && adjtimex (&state) >= 0 && (state.status & STA_UNSYNC) == 0;
}

P2vClock *
p2v_inventory_clock (const P2vTree *tree)
{
  P2vClock *clock = p2v_clock_new ();
  clock->basis = g_strdup ("unknown");
  gint64 hardware = p2v_tree_read_number (tree, MAX_TIME, -1, "/sys/class/rtc/rtc0/since_epoch");
  gint64 system = system_time (tree);
  if (hardware < 0 || system < 0)
    return clock;
  gint64 difference = hardware - system;
  gint64 nearest = (difference + (difference < 0 ? -QUARTER / 2 : QUARTER / 2)) / QUARTER * QUARTER;
  if (ABS (difference - nearest) > TOLERANCE || ABS (nearest) > MAX_OFFSET)
    return clock;
  if (nearest == 0 && !time_is_synchronised (tree))
    return clock;
  g_free (clock->basis);
  clock->basis = g_strdup (nearest == 0 ? "utc" : "localtime");
  clock->offset = nearest;
  return clock;
}
