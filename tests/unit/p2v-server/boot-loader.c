/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "convert-fixture.h"

#include "p2v-server/overlay.h"
#include "p2v-server/uefi.h"
#include "p2v-server/v2v.h"

#include <stdio.h>

/* Gives a disk its fallback boot loader as the stage "convert" does, for a test that needs a real
 * appliance:
 *
 *   boot-loader PARTITION STATE_DIR LOADER IMAGE
 *
 * LOADER is that of the machine's boot entry. Standard output is the job's directory. */

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
  if (argc != 5)
    {
      fprintf (stderr, "usage: boot-loader PARTITION STATE_DIR LOADER IMAGE\n");
      return 2;
    }
  g_autoptr (P2vServerConfig) config = fixture_config (argv[2]);
  g_autoptr (P2vJob) job = fixture_job (config, "guest", argv[3], argv + 4, "raw");
  g_autoptr (GError) error = NULL;
  gboolean ok = install_boot_loader (job, argv[1], &error);
  printf ("%s\n", job->dir);
  if (!ok)
    fprintf (stderr, "%s\n", error->message);
  return ok ? 0 : 1;
}
