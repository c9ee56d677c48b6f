/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/setup.h"

#include "common/error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* QEMU runs as another user and has to pass through to the images. */
#define PASSABLE 0711

static gboolean
fail (GError **error, const char *path, const char *doing)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot %s %s: %s", doing, path,
               g_strerror (errno));
  return FALSE;
}

/* Whether nothing but p2v's own is in a directory, so that giving it away harms nobody. */
static gboolean
is_ours (const char *path)
{
  static const char *const own[] = { "jobs", "run", "images", ".ssh", NULL };
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (!g_strv_contains (own, name))
      return FALSE;
  return dir != NULL;
}

static gboolean
make_directory (P2vSetup *setup, const char *path, GError **error)
{
  if (!p2v_setup_change (setup, "make the directory %s, which belongs to %s", path, setup->user))
    return TRUE;
  g_autofree char *parent = g_path_get_dirname (path);
  if (g_mkdir_with_parents (parent, 0755) < 0 || mkdir (path, PASSABLE) < 0
      || lchown (path, setup->uid, setup->gid) < 0 || chmod (path, PASSABLE) < 0)
    return fail (error, path, "make");
  return TRUE;
}

/* An existing directory keeps what more it permits to read, but nobody else may write to it: sshd
 * would not trust what is in it (StrictModes), and neither should we. */
static gboolean
ensure_directory (P2vSetup *setup, const char *path, GError **error)
{
  struct stat status;
  if (lstat (path, &status) < 0)
    return errno == ENOENT ? make_directory (setup, path, error) : fail (error, path, "look at");
  if (!S_ISDIR (status.st_mode))
    {
      errno = ENOTDIR;
      return fail (error, path, "use");
    }
  mode_t mode = (status.st_mode & 0755) | PASSABLE;
  gboolean is_owner = status.st_uid == setup->uid;
  if (is_owner && (status.st_mode & 0777) == mode)
    {
      p2v_setup_keep (setup, "directory %s", path);
      return TRUE;
    }
  if (!is_owner && (status.st_uid != 0 || !is_ours (path)))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "%s belongs to another user, or has other things in it. If %s may have it, say "
                   "so: chown %s %s; else choose another directory (--home, or state-dir= in %s).",
                   path, setup->user, setup->user, path, setup->config->file);
      return FALSE;
    }
  if (!is_owner && p2v_setup_change (setup, "give %s to %s", path, setup->user)
      && lchown (path, setup->uid, setup->gid) < 0)
    return fail (error, path, "give away");
  if ((status.st_mode & 0777) != mode
      && p2v_setup_change (setup, "give %s the mode %04o", path, (guint)mode)
      && chmod (path, mode) < 0)
    return fail (error, path, "change");
  return TRUE;
}

static gboolean
is_below (const char *path, const char *directory)
{
  gsize length = strlen (directory);
  return strncmp (path, directory, length) == 0 && path[length] == '/';
}

gboolean
p2v_setup_directories (P2vSetup *setup, GError **error)
{
  const P2vServerConfig *config = setup->config;
  if (!ensure_directory (setup, config->state_dir, error))
    return FALSE;
  if (strcmp (setup->home_dir, config->state_dir) != 0
      && !ensure_directory (setup, setup->home_dir, error))
    return FALSE;
  /* Elsewhere it is the administrator's, and "p2v-server check" has a word on it. */
  return !is_below (config->storage_default, config->state_dir)
         || ensure_directory (setup, config->storage_default, error);
}
