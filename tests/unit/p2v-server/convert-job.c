/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "convert-fixture.h"

#include "p2v-server/convert.h"

#include <stdio.h>

/* Runs the stage "convert" alone, for tests that need a real virt-v2v:
 *
 *   convert-job STATE_DIR LOADER IMAGE...
 *
 * LOADER is that of the machine's boot entry, or "bios". The raw images are converted in place. The
 * last line of standard output is the job's directory; the report is in its job.json. Exit status 1
 * and a message when the conversion failed. */
int
main (int argc, char **argv)
{
  if (argc < 4)
    {
      fprintf (stderr, "usage: convert-job STATE_DIR LOADER|bios IMAGE...\n");
      return 2;
    }
  const char *loader = strcmp (argv[2], "bios") == 0 ? NULL : argv[2];
  g_autoptr (P2vServerConfig) config = fixture_config (argv[1]);
  g_autoptr (P2vJob) job = fixture_job (config, "guest", loader, argv + 3, "raw");
  g_autoptr (GError) error = NULL;
  P2vReport *report = NULL;
  gboolean ok = p2v_convert_run (config, job, &report, &error);
  printf ("%s\n", job->dir);
  if (!ok)
    fprintf (stderr, "%s\n", error->message);
  return ok ? 0 : 1;
}
