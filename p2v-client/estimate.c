/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/estimate.h"

#include "p2v-client/disk-layout.h"
#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <math.h>

/* Up to so many minutes they are said as such. */
#define MINUTES_MAX 100

void
p2v_estimate_free (P2vEstimate *estimate)
{
  if (estimate == NULL)
    return;
  g_free (estimate->problem);
  g_free (estimate);
}

gint64
p2v_estimate_disk_bytes (const P2vDisk *disk, gboolean *known)
{
  g_autoptr (GPtrArray) layout = p2v_disk_layout_new (disk);
  gint64 bytes = disk->size;
  gboolean all = layout->len > 0;
  for (guint i = 0; i < layout->len; i++)
    {
      const P2vDiskStretch *stretch = layout->pdata[i];
      if (stretch->used >= 0)
        bytes -= stretch->size - MIN (stretch->used, stretch->size);
      else
        all = all && stretch->gap;
    }
  if (known != NULL)
    *known = all;
  return MAX (bytes, 0);
}

/* Bytes of disk a second that get through compression, network and the limits that there are. Where
 * a processor is slower than the network, lanes compress nothing. */
static double
find_throughput (const P2vEstimate *estimate)
{
  double network = estimate->network;
  if (network <= 0 || estimate->compress <= 0 || estimate->ratio <= 0)
    return network;
  return MAX (network, MIN (network / estimate->ratio, estimate->compress));
}

gint64
p2v_estimate_seconds (const P2vEstimate *estimate)
{
  double throughput = find_throughput (estimate);
  double speed = throughput > 0 && estimate->read > 0 ? MIN (throughput, estimate->read)
                                                      : MAX (throughput, estimate->read);
  if (speed <= 0)
    return -1;
  return (gint64)MIN (ceil ((double)estimate->bytes / speed), (double)G_MAXINT32);
}

static char *
describe_time (gint64 seconds)
{
  gint64 minutes = (seconds + 59) / 60;
  if (minutes <= 1)
    return g_strdup (_ ("Less than a minute"));
  if (minutes <= MINUTES_MAX)
    return g_strdup_printf (ngettext ("About %d minute", "About %d minutes", (gulong)minutes),
                            (int)minutes);
  g_autofree char *duration = p2v_duration_format (seconds);
  return g_strdup_printf (_ ("About %s"), duration);
}

/* part: transfer full. */
static void
add (GString *text, char *part)
{
  g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", part);
  g_free (part);
}

static char *
describe_speeds (const P2vEstimate *estimate)
{
  GString *text = g_string_new (NULL);
  g_autofree char *read = p2v_rate_format (estimate->read);
  g_autofree char *network = p2v_rate_format (estimate->network);
  if (estimate->read > 0)
    add (text, g_strdup_printf (_ ("the disks read at %s"), read));
  if (estimate->network > 0)
    add (text, g_strdup_printf (_ ("the network takes %s"), network));
  if (estimate->network > 0 && find_throughput (estimate) > estimate->network)
    add (text, g_strdup_printf (_ ("compression leaves %d %%"),
                                (int)CLAMP (lround (estimate->ratio * 100), 1, 100)));
  return g_string_free (text, FALSE);
}

char *
p2v_estimate_text (const P2vEstimate *estimate)
{
  gint64 seconds = p2v_estimate_seconds (estimate);
  g_autofree char *problem
      = estimate->problem != NULL ? p2v_text_printable (estimate->problem) : NULL;
  if (seconds < 0)
    return g_strdup_printf (_ ("Not known: %s. You can convert all the same."),
                            problem != NULL ? problem : _ ("nothing could be measured"));
  g_autofree char *time = describe_time (seconds);
  g_autofree char *size = p2v_size_format (estimate->bytes);
  g_autofree char *speeds = describe_speeds (estimate);
  if (problem == NULL)
    return g_strdup_printf (_ ("%s to send %s: %s."), time, size, speeds);
  return g_strdup_printf (_ ("%s to send %s, or longer: %s; %s."), time, size, speeds, problem);
}
