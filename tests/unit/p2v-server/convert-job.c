/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "convert-fixture.h"

#include "p2v-server/convert.h"
#include "p2v-server/overlay.h"
#include "p2v-server/uefi.h"
#include "p2v-server/v2v.h"

#include <stdio.h>

/* Runs the stage "convert" alone, for tests that need a real appliance:
 *
 *   convert-job STATE_DIR LOADER|bios IMAGE...
 *   convert-job --boot-loader PARTITION STATE_DIR LOADER IMAGE...
 *
 * LOADER is that of the machine's boot entry. The raw images are converted in place; the second
 * form only gives them their fallback boot loader. Standard output is the job's directory; the
 * report is in its job.json. Exit status 1 and a message when the conversion failed. */

static gboolean
install_boot_loader (P2vJob *job, const char *partition, GError **error)
{
  char *partitions[] = { (char *)partition, NULL };
  g_autofree char *log = p2v_job_path (job, "convert.log");
  g_auto (GStrv) environment = p2v_v2v_environment (FALSE);
  if (!p2v_overlays_create (job, log, error))
    return FALSE;
  p2v_uefi_fix_fallback (job, partitions, environment, log);
  return p2v_overlays_commit (job, log, 0, 100, error);
}

int
main (int argc, char **argv)
{
  const char *partition = NULL;
  if (argc > 2 && strcmp (argv[1], "--boot-loader") == 0)
    {
      partition = argv[2];
      argv += 2;
      argc -= 2;
    }
  if (argc < 4)
    {
      fprintf (stderr, "usage: convert-job [--boot-loader PARTITION] STATE_DIR LOADER|bios "
                       "IMAGE...\n");
      return 2;
    }
  const char *loader = strcmp (argv[2], "bios") == 0 ? NULL : argv[2];
  g_autoptr (P2vServerConfig) config = fixture_config (argv[1]);
  g_autoptr (P2vJob) job = fixture_job (config, "guest", loader, argv + 3, "raw");
  g_autoptr (GError) error = NULL;
  P2vReport *report = NULL;
  gboolean ok = partition == NULL ? p2v_convert_run (config, job, &report, &error)
                                  : install_boot_loader (job, partition, &error);
  printf ("%s\n", job->dir);
  if (!ok)
    fprintf (stderr, "%s\n", error->message);
  return ok ? 0 : 1;
}
