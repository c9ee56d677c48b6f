/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/slot.h"

#include "p2v-server/job-marks.h"
#include "p2v-server/job-store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* How often a waiting job looks for a free slot, microseconds. A conversion takes minutes. */
#define SLOT_PAUSE (500 * 1000)

/* A slot that nobody holds, -1 when all are taken (or with *error). */
static int
try_slots (const P2vServerConfig *config, GError **error)
{
  g_autofree char *run = p2v_store_run_dir (config);
  for (gint64 n = 1; n <= config->max_conversions; n++)
    {
      g_autofree char *path = g_strdup_printf ("%s/slot-%" G_GINT64_FORMAT, run, n);
      int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (fd < 0)
        {
          p2v_store_set_errno (error, "open", path);
          return -1;
        }
      if (flock (fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
      close (fd);
    }
  return -1;
}

int
p2v_slot_take (const P2vServerConfig *config, P2vJob *job, P2vVerify *verify, GError **error)
{
  if (!p2v_store_prepare (config, error))
    return -1;
  gboolean said = FALSE;
  for (;;)
    {
      g_autoptr (GError) problem = NULL;
      int slot = try_slots (config, &problem);
      if (slot >= 0)
        return slot;
      if (problem != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return -1;
        }
      if (!p2v_job_check_cancelled (job, error) || !p2v_verify_check (verify, error))
        return -1;
      if (!said)
        p2v_job_event (job, "info", P2V_STAGE_CONVERT,
                       "waiting: %" G_GINT64_FORMAT " jobs convert at the same time already",
                       config->max_conversions);
      said = TRUE;
      g_usleep (SLOT_PAUSE);
    }
}
