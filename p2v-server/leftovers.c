/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/leftovers.h"

#include "p2v-server/job-store.h"
#include "p2v-server/overlay.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* So old has the directory of a job to be that is thought to come to nothing, seconds: between its
 * making and the first writing of its file are milliseconds. */
#define UNWRITTEN_SECONDS 60

/* GLib's replacement of a file is written to NAME.XXXXXX first. */
static const char *const replaced_files[]
    = { "convert.xml", "convert-inspection.xml", "domain.xml", NULL };

static gboolean
is_temporary (const char *name)
{
  if (g_str_has_suffix (name, ".tmp"))
    return TRUE;
  for (gsize i = 0; replaced_files[i] != NULL; i++)
    {
      gsize length = strlen (replaced_files[i]);
      if (g_str_has_prefix (name, replaced_files[i]) && name[length] == '.'
          && strlen (name) == length + strlen (".XXXXXX"))
        return TRUE;
    }
  return FALSE;
}

void
p2v_leftovers_remove_temporary (const P2vJob *job)
{
  g_autoptr (GDir) dir = g_dir_open (job->dir, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (is_temporary (name))
      {
        g_autofree char *path = p2v_job_path (job, name);
        g_unlink (path);
      }
  g_auto (GStrv) sockets = p2v_job_socket_paths (job);
  for (gsize i = 0; sockets[i] != NULL; i++)
    g_unlink (sockets[i]);
}

void
p2v_leftovers_remove (const P2vJob *job)
{
  p2v_leftovers_remove_temporary (job);
  if (job->plan != NULL)
    p2v_overlays_remove (job);
}

/* When the stage was begun last, seconds since the epoch; G_MAXINT64 when never. */
static gint64
stage_started (const P2vJob *job, const char *stage)
{
  for (guint i = 0; i < job->stages->len; i++)
    {
      const P2vStageTime *time = job->stages->pdata[i];
      if (g_strcmp0 (time->stage, stage) == 0 && time->started > 0)
        return time->started / 1000;
    }
  return G_MAXINT64;
}

/* virt-v2v(1): GUEST-sda, GUEST-sdb, … and GUEST.sh, .xml, .json or .yaml in -os. */
static gboolean
is_output (const char *name, const char *guest)
{
  static const char *const descriptions[] = { ".sh", ".xml", ".json", ".yaml", NULL };
  if (!g_str_has_prefix (name, guest))
    return FALSE;
  const char *rest = name + strlen (guest);
  return g_strv_contains (descriptions, rest)
         || (g_str_has_prefix (rest, "-sd") && strlen (rest) == strlen ("-sda")
             && g_ascii_islower (rest[3]));
}

void
p2v_leftovers_remove_output (const P2vJob *job, GPtrArray *removed)
{
  const P2vPlan *plan = job->plan;
  gboolean converting = g_strcmp0 (job->state, P2V_JOB_CONVERTING) == 0
                        || g_strcmp0 (job->failed_state, P2V_JOB_CONVERTING) == 0;
  if (plan == NULL || !converting || g_strcmp0 (plan->method, "virt-v2v") != 0
      || plan->storage == NULL || !g_path_is_absolute (plan->storage))
    return;
  gint64 started = stage_started (job, P2V_STAGE_CONVERT);
  g_autoptr (GDir) dir = g_dir_open (plan->storage, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      if (!is_output (name, job->request->guest->name))
        continue;
      char *path = g_build_filename (plan->storage, name, NULL);
      struct stat status;
      /* Older than the conversion: somebody else's after all. */
      if (lstat (path, &status) == 0 && S_ISREG (status.st_mode) && status.st_ctime >= started
          && g_unlink (path) == 0)
        g_ptr_array_add (removed, path);
      else
        g_free (path);
    }
}

GPtrArray *
p2v_leftovers_list_run (const P2vServerConfig *config)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *run = p2v_store_run_dir (config);
  g_autoptr (GDir) dir = g_dir_open (run, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  return names;
}

static gboolean
is_socket_of (const P2vJob *job, const char *path)
{
  g_auto (GStrv) sockets = p2v_job_socket_paths (job);
  return g_strv_contains ((const char *const *)sockets, path);
}

void
p2v_leftovers_remove_orphans (const P2vServerConfig *config, GPtrArray *names, GPtrArray *jobs)
{
  g_autofree char *run = p2v_store_run_dir (config);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (run, names->pdata[i], NULL);
      struct stat status;
      gboolean owned = lstat (path, &status) < 0 || !S_ISSOCK (status.st_mode);
      for (guint j = 0; !owned && j < jobs->len; j++)
        owned = is_socket_of (jobs->pdata[j], path);
      if (!owned)
        g_unlink (path);
    }
}

/* TRUE for the directory of a job that was never written: its lock and a file on its way are all
 * that there is. */
static gboolean
is_unwritten (const char *dir)
{
  struct stat status;
  if (lstat (dir, &status) < 0 || !S_ISDIR (status.st_mode)
      || status.st_mtime > g_get_real_time () / G_USEC_PER_SEC - UNWRITTEN_SECONDS)
    return FALSE;
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  const char *name;
  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    if (strcmp (name, P2V_STORE_LOCK_FILE) != 0 && !is_temporary (name))
      return FALSE;
  return entries != NULL;
}

void
p2v_leftovers_remove_unwritten (const P2vServerConfig *config)
{
  g_autofree char *path = p2v_store_jobs_dir (config);
  g_autoptr (GDir) jobs = g_dir_open (path, 0, NULL);
  const char *id;
  while (jobs != NULL && (id = g_dir_read_name (jobs)) != NULL)
    {
      g_autofree char *dir = g_build_filename (path, id, NULL);
      if (!p2v_store_id_is_valid (id) || p2v_store_is_locked (dir) || !is_unwritten (dir))
        continue;
      g_autoptr (GError) error = NULL;
      if (!p2v_store_remove_tree (dir, &error))
        g_warning ("%s", error->message);
    }
}
