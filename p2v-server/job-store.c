/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-store.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory on its way out is renamed to this and its id; no id starts with a dot. */
#define REMOVED_PREFIX ".removed-"

/* Time stamp, guest name (64 bytes) and a number. */
#define MAX_ID_LENGTH 96

/* Somebody who only asks whether a job is busy has its lock for a moment. So much patience tells
 * that from a holder. */
#define LOCK_ATTEMPTS 10
#define LOCK_PAUSE (20 * 1000) /* microseconds */

#define MAX_OPEN_DIRS 16

gboolean
p2v_store_id_is_valid (const char *id)
{
  if (!g_ascii_isdigit (id[0]))
    return FALSE;
  gsize length = strspn (id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.+");
  return length <= MAX_ID_LENGTH && id[length] == '\0';
}

char *
p2v_store_jobs_dir (const P2vServerConfig *config)
{
  return g_build_filename (config->state_dir, "jobs", NULL);
}

char *
p2v_store_job_dir (const P2vServerConfig *config, const char *id)
{
  return g_build_filename (config->state_dir, "jobs", id, NULL);
}

char *
p2v_store_run_dir (const P2vServerConfig *config)
{
  return g_build_filename (config->state_dir, "run", NULL);
}

gboolean
p2v_store_set_errno (GError **error, const char *verb, const char *path)
{
  int saved = errno;
  const char *advice = "";
  if (saved == EACCES || saved == EPERM)
    advice = ". Run this as root, or as the account that owns the server's state directory";
  /* A quota that is used up is no space left, which GLib does not know. */
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved == EDQUOT ? ENOSPC : saved),
               "cannot %s %s: %s%s", verb, path, g_strerror (saved), advice);
  return FALSE;
}

gboolean
p2v_store_prepare (const P2vServerConfig *config, GError **error)
{
  g_autofree char *jobs = p2v_store_jobs_dir (config);
  g_autofree char *run = p2v_store_run_dir (config);
  /* Passable for everybody, because guests' images may be below it and QEMU is another user; what
   * is private is in jobs/ and run/. */
  if (g_mkdir_with_parents (config->state_dir, 0711) < 0)
    return p2v_store_set_errno (error, "create", config->state_dir);
  if (g_mkdir_with_parents (jobs, 0700) < 0)
    return p2v_store_set_errno (error, "create", jobs);
  if (g_mkdir_with_parents (run, 0700) < 0)
    return p2v_store_set_errno (error, "create", run);
  return TRUE;
}

static void
note_holder (int lock)
{
  g_autofree char *pid = g_strdup_printf ("%d\n", (int)getpid ());
  /* Only for people; the lock itself is what counts. */
  if (ftruncate (lock, 0) < 0 || pwrite (lock, pid, strlen (pid), 0) < 0)
    g_debug ("cannot note the holder of a lock: %s", g_strerror (errno));
}

int
p2v_store_lock (const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, P2V_STORE_LOCK_FILE, NULL);
  int lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0)
    {
      p2v_store_set_errno (error, "open", path);
      return -1;
    }
  for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++)
    {
      if (flock (lock, LOCK_EX | LOCK_NB) == 0)
        {
          note_holder (lock);
          return lock;
        }
      g_usleep (LOCK_PAUSE);
    }
  close (lock);
  g_autofree char *id = g_path_get_basename (dir);
  gint64 holder = p2v_store_lock_holder (dir);
  if (holder > 0)
    g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                 "job %s is being worked on by process %" G_GINT64_FORMAT
                 ". Wait until it is done, or end that process first.",
                 id, holder);
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                 "job %s is being worked on by another process. Try again when it is done.", id);
  return -1;
}

gboolean
p2v_store_is_locked (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, P2V_STORE_LOCK_FILE, NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return FALSE;
  /* Shared: those who only ask do not see one another. */
  gboolean locked = flock (fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
  close (fd);
  return locked;
}

gint64
p2v_store_lock_holder (const char *dir)
{
  if (!p2v_store_is_locked (dir))
    return 0;
  g_autofree char *path = g_build_filename (dir, P2V_STORE_LOCK_FILE, NULL);
  g_autofree char *text = NULL;
  gint64 pid = 0;
  if (!g_file_get_contents (path, &text, NULL, NULL)
      || !g_ascii_string_to_signed (g_strstrip (text), 10, 1, G_MAXINT32, &pid, NULL))
    return 0;
  return pid;
}

gboolean
p2v_store_sync_dir (const char *dir, GError **error)
{
  int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return p2v_store_set_errno (error, "open", dir);
  gboolean synced = fsync (fd) == 0 || p2v_store_set_errno (error, "flush", dir);
  close (fd);
  return synced;
}

static gboolean
write_durably (int fd, const char *path, const char *text, GError **error)
{
  gsize left = strlen (text);
  while (left > 0)
    {
      ssize_t written = write (fd, text, left);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return p2v_store_set_errno (error, "write", path);
      text += written;
      left -= (gsize)written;
    }
  return fsync (fd) == 0 || p2v_store_set_errno (error, "flush", path);
}

gboolean
p2v_store_replace (const char *dir, const char *file, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (dir, file, NULL);
  g_autofree char *next = g_strconcat (path, ".tmp", NULL);
  /* What an earlier crash left under this name is worth nothing. */
  int fd = open (next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return p2v_store_set_errno (error, "create", next);
  gboolean written = write_durably (fd, next, text, error);
  close (fd);
  /* The order matters: the contents are on the disk before the name points to them, and the name
   * is before anybody acts on the new state. */
  if (written && g_rename (next, path) == 0)
    return p2v_store_sync_dir (dir, error);
  if (written)
    p2v_store_set_errno (error, "replace", path);
  g_unlink (next);
  return FALSE;
}

static int
remove_entry (const char *path, const struct stat *status, int type, struct FTW *ftw)
{
  (void)status;
  (void)type;
  (void)ftw;
  return remove (path) < 0 && errno != ENOENT ? -1 : 0;
}

gboolean
p2v_store_remove_tree (const char *path, GError **error)
{
  if (nftw (path, remove_entry, MAX_OPEN_DIRS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0
      && errno != ENOENT)
    return p2v_store_set_errno (error, "remove", path);
  return TRUE;
}

/* Removals that a crash cut short are finished by the next one. */
static void
sweep (const char *jobs)
{
  g_autoptr (GDir) dir = g_dir_open (jobs, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (jobs, name, NULL);
      if (g_str_has_prefix (name, REMOVED_PREFIX))
        p2v_store_remove_tree (path, NULL);
    }
}

gboolean
p2v_store_delete_job (const char *dir, GError **error)
{
  g_autofree char *jobs = g_path_get_dirname (dir);
  g_autofree char *id = g_path_get_basename (dir);
  g_autofree char *name = g_strconcat (REMOVED_PREFIX, id, NULL);
  g_autofree char *removed = g_build_filename (jobs, name, NULL);
  if (g_rename (dir, removed) < 0)
    return p2v_store_set_errno (error, "remove", dir);
  if (!p2v_store_remove_tree (removed, error))
    return FALSE;
  sweep (jobs);
  return TRUE;
}
