/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"
#include "p2v-client/probe.h"

#include <stdio.h>
#include <stdlib.h>

/* Probes a server for a test and prints what was found, NAME=VALUE a line:
 *
 *   probe CMDLINE [MILLISECONDS]
 *
 * After MILLISECONDS it is cancelled. The exit status is 0, or the P2vErrorCode. */

typedef struct
{
  GCancellable *cancellable;
  gulong delay; /* microseconds */
} Canceller;

static gpointer
cancel_later (gpointer user_data)
{
  Canceller *canceller = user_data;
  g_usleep (canceller->delay);
  g_cancellable_cancel (canceller->cancellable);
  return NULL;
}

static void
print (const P2vProbe *probe, const GError *error, gint64 microseconds)
{
  static const char *const trust[] = { "unseen", "trusted", "any", "unknown", "mismatch" };
  const P2vHostKey *hostkey = &probe->hostkey;
  printf ("trust=%s\n", trust[hostkey->trust]);
  printf ("fingerprint=%s\n", hostkey->fingerprint != NULL ? hostkey->fingerprint : "");
  printf ("type=%s\n", hostkey->type != NULL ? hostkey->type : "");
  printf ("logged_in=%d\n", probe->logged_in);
  printf ("program=%s\n", probe->program != NULL ? probe->program : "");
  printf ("error=%s\n", error != NULL ? error->message : "");
  printf ("milliseconds=%" G_GINT64_FORMAT "\n", microseconds / 1000);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (P2vProbe) probe = p2v_probe_new ();
  if (argc < 2)
    return fprintf (stderr, "usage: probe CMDLINE [MILLISECONDS]\n"), P2V_ERROR_USAGE;
  g_autoptr (P2vConfig) config = p2v_cmdline_parse (argv[1], &error);
  if (config == NULL)
    return fprintf (stderr, "%s\n", error->message), P2V_ERROR_USAGE;
  Canceller canceller = { cancellable, argc > 2 ? strtoul (argv[2], NULL, 10) * 1000 : 0 };
  GThread *thread = argc > 2 ? g_thread_new ("canceller", cancel_later, &canceller) : NULL;
  gint64 started = g_get_monotonic_time ();
  gboolean ok = p2v_probe_run (config, probe, cancellable, &error);
  print (probe, error, g_get_monotonic_time () - started);
  if (thread != NULL)
    g_thread_join (thread);
  return ok ? 0 : (int)p2v_error_code_of (error);
}
