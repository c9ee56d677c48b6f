/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "common/error.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/tool.h"

/* The longest that making an overlay, a file of some kilobytes, may take, seconds. */
#define CREATE_TIMEOUT 120

/* A progress event at least this often, seconds. */
#define PROGRESS_INTERVAL 5

char *
p2v_overlay_path (const P2vJob *job, const P2vImage *image)
{
  g_autofree char *file = g_strdup_printf ("%s.overlay.qcow2", image->disk);
  return p2v_job_path (job, file);
}

void
p2v_overlays_remove (const P2vJob *job)
{
  for (guint i = 0; i < job->plan->images->len; i++)
    {
      g_autofree char *path = p2v_overlay_path (job, job->plan->images->pdata[i]);
      if (g_unlink (path) != 0 && errno != ENOENT)
        g_warning ("cannot remove %s: %s", path, g_strerror (errno));
    }
}

static gboolean
create_overlay (const P2vJob *job, const P2vImage *image, const char *log, GError **error)
{
  /* The image must be there: qemu-img would make an overlay over nothing. */
  if (access (image->path, R_OK | W_OK) != 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                   "cannot open the received image %s: %s. Put it back or run the machine's "
                   "conversion again.",
                   image->path, g_strerror (errno));
      return FALSE;
    }
  g_autofree char *path = p2v_overlay_path (job, image);
  const char *argv[] = { "qemu-img",  "create", "-q",          "-f", "qcow2", "-b",
                         image->path, "-F",     image->format, path, NULL };
  P2vTool tool = { .argv = argv,
                   .package = "qemu-utils",
                   .log = log,
                   .timeout = CREATE_TIMEOUT,
                   .timeout_key = "the speed of the disk that holds the server's state-dir",
                   .cancelled = p2v_job_is_cancelled,
                   .cancelled_data = (gpointer)job };
  return p2v_tool_run (&tool, error);
}

gboolean
p2v_overlays_create (const P2vJob *job, const char *log, GError **error)
{
  p2v_overlays_remove (job);
  for (guint i = 0; i < job->plan->images->len; i++)
    if (!create_overlay (job, job->plan->images->pdata[i], log, error))
      {
        p2v_overlays_remove (job);
        return FALSE;
      }
  return TRUE;
}

typedef struct
{
  P2vJob *job;
  const char *disk;
  gint64 first, last; /* percent of the stage */
  gint64 percent;     /* of this commit */
  gint64 told;        /* seconds since the start, of the last event */
} Commit;

/* qemu-img -p writes "    (12.34/100%)". */
static void
on_commit_line (const char *line, gpointer user_data)
{
  Commit *commit = user_data;
  while (*line == ' ')
    line++;
  if (*line == '(' && g_str_has_suffix (line, "/100%)"))
    commit->percent = CLAMP ((gint64)g_ascii_strtod (line + 1, NULL), 0, 100);
}

static void
on_commit_tick (gint64 elapsed, gpointer user_data)
{
  Commit *commit = user_data;
  if (elapsed - commit->told < PROGRESS_INTERVAL)
    return;
  commit->told = elapsed;
  g_autofree char *message = g_strdup_printf ("Writing the changes of disk %s into its image "
                                              "(%" G_GINT64_FORMAT " %%)",
                                              commit->disk, commit->percent);
  p2v_job_progress (commit->job, P2V_STAGE_CONVERT,
                    commit->first + (commit->last - commit->first) * commit->percent / 100,
                    message);
}

static gboolean
sync_file (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gboolean ok = fd >= 0 && fsync (fd) == 0;
  if (!ok)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT, "cannot make %s durable: %s.", path,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}

/* -d leaves the overlay as it is: emptying it is work for nothing, and whole it can be committed
 * again. No time limit: a commit that is ended has to be done again from its beginning. */
static gboolean
commit_overlay (Commit *commit, const P2vImage *image, const char *path, const char *log,
                GError **error)
{
  const char *argv[] = { "qemu-img", "commit", "-p", "-d", "-f", "qcow2", path, NULL };
  P2vTool tool = { .argv = argv,
                   .package = "qemu-utils",
                   .log = log,
                   .line = on_commit_line,
                   .tick = on_commit_tick,
                   .user_data = commit,
                   .cancelled = p2v_job_is_cancelled,
                   .cancelled_data = commit->job };
  if (p2v_tool_run (&tool, error) && sync_file (image->path, error))
    return TRUE;
  g_prefix_error (error, "Writing the changes of disk %s into %s: ", image->disk, image->path);
  return FALSE;
}

gboolean
p2v_overlays_sync (const P2vJob *job, GError **error)
{
  for (guint i = 0; i < job->plan->images->len; i++)
    {
      g_autofree char *path = p2v_overlay_path (job, job->plan->images->pdata[i]);
      if (!sync_file (path, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
p2v_overlays_commit (P2vJob *job, const char *log, gint64 first, gint64 last, GError **error)
{
  guint count = job->plan->images->len;
  for (guint i = 0; i < count; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      g_autofree char *path = p2v_overlay_path (job, image);
      /* Committed before, by an attempt that was cut short. One that only cannot be looked at is
       * tried, and fails by itself. */
      if (access (path, F_OK) != 0 && errno == ENOENT)
        continue;
      Commit commit = { .job = job,
                        .disk = image->disk,
                        .first = first + (last - first) * i / count,
                        .last = first + (last - first) * (i + 1) / count };
      if (!commit_overlay (&commit, image, path, log, error))
        return FALSE;
      /* Only now, that the image has everything durably, may the overlay go. */
      g_unlink (path);
      g_autofree char *message = g_strdup_printf ("Disk %s is converted", image->disk);
      p2v_job_progress (job, P2V_STAGE_CONVERT, commit.last, message);
    }
  return TRUE;
}
