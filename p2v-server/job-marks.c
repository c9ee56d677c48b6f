/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-marks.h"

#include "common/error.h"
#include "p2v-server/job-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#define CANCEL_FILE "cancel"
#define FOLLOWED_FILE "followed"

static int
open_mark (const P2vJob *job, const char *name, int flags)
{
  g_autofree char *path = p2v_job_path (job, name);
  return open (path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

gboolean
p2v_job_request_cancel (const P2vJob *job, GError **error)
{
  int fd = open_mark (job, CANCEL_FILE, O_WRONLY | O_CREAT);
  if (fd < 0)
    {
      g_autofree char *path = p2v_job_path (job, CANCEL_FILE);
      return p2v_store_set_errno (error, "create", path);
    }
  close (fd);
  return TRUE;
}

gboolean
p2v_job_cancel_requested (const P2vJob *job)
{
  g_autofree char *path = p2v_job_path (job, CANCEL_FILE);
  return g_access (path, F_OK) == 0;
}

gboolean
p2v_job_is_cancelled (gpointer job)
{
  return p2v_job_cancel_requested (job);
}

gboolean
p2v_job_check_cancelled (const P2vJob *job, GError **error)
{
  if (!p2v_job_cancel_requested (job))
    return TRUE;
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED,
                       "the job was cancelled on the server");
  return FALSE;
}

void
p2v_job_withdraw_cancel (const P2vJob *job)
{
  g_autofree char *path = p2v_job_path (job, CANCEL_FILE);
  g_unlink (path);
}

int
p2v_job_mark_followed (const P2vJob *job)
{
  int fd = open_mark (job, FOLLOWED_FILE, O_RDWR | O_CREAT);
  /* Shared: several sessions may follow one job. */
  if (fd >= 0 && flock (fd, LOCK_SH | LOCK_NB) < 0)
    {
      close (fd);
      fd = -1;
    }
  return fd;
}

gboolean
p2v_job_is_followed (const P2vJob *job)
{
  int fd = open_mark (job, FOLLOWED_FILE, O_RDONLY);
  gboolean followed = fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
  if (fd >= 0)
    close (fd);
  return followed;
}
