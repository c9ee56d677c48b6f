/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/stick.h"

#include "common/error.h"
#include "p2v-client/text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Nobody else writes there, and it is memory. */
#define MOUNT_POINT "/run/p2v-stick-XXXXXX"

/* Runs mount or umount; what it says is the message. */
static gboolean
run (const char *const *argv, GError **error)
{
  g_autofree char *said = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C", TRUE);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawnv (launcher, argv, error);
  if (process == NULL || !g_subprocess_communicate_utf8 (process, NULL, NULL, NULL, &said, error))
    return FALSE;
  if (g_subprocess_get_successful (process))
    return TRUE;
  g_strstrip (said);
  g_autofree char *line = p2v_text_printable (said);
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED,
                       line[0] != '\0' ? line : "the program for it has failed");
  return FALSE;
}

static gboolean
mount_stick (const P2vStick *stick, const char *directory, GError **error)
{
  const char *const argv[] = { "mount", "-t",          stick->type, "-o", "rw,nosuid,nodev,noexec",
                               "--",    stick->device, directory,   NULL };
  return run (argv, error);
}

static gboolean
unmount (const char *directory, GError **error)
{
  const char *const argv[] = { "umount", "--", directory, NULL };
  return run (argv, error);
}

static gboolean
fail (const char *what, GError **error)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "%s: %s", what, g_strerror (errno));
  return FALSE;
}

static gboolean
write_file (const char *directory, const char *name, P2vStickFunc write, gpointer user_data,
            GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail ("cannot make the file", error);
  gboolean ok = write (fd, user_data, error);
  /* The directory too, which on FAT is what says how long the file is. */
  if (ok && (fsync (fd) != 0 || syncfs (fd) != 0))
    ok = fail ("cannot write the file", error);
  if (close (fd) != 0 && ok)
    ok = fail ("cannot write the file", error);
  if (!ok)
    g_unlink (path);
  return ok;
}

gboolean
p2v_stick_write (const P2vStick *stick, const char *name, P2vStickFunc write, gpointer user_data,
                 GError **error)
{
  char directory[] = MOUNT_POINT;
  g_autoptr (GError) problem = NULL;
  if (g_mkdtemp (directory) == NULL)
    {
      fail ("cannot make a directory below /run", &problem);
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  if (mount_stick (stick, directory, &problem))
    {
      write_file (directory, name, write, user_data, &problem);
      /* The first thing that went wrong says more. */
      unmount (directory, problem == NULL ? &problem : NULL);
    }
  g_rmdir (directory);
  if (problem == NULL)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "%s cannot be written to: %s", stick->text,
               problem->message);
  return FALSE;
}
