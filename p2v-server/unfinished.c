/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/unfinished.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A directory, the files in it, and those that are written at a time. */
#define MAX_PATHS 32

/* What the signal handler looks at: a path is complete before the count includes it. */
static char *paths[MAX_PATHS];
static volatile sig_atomic_t in_place[MAX_PATHS];
static volatile sig_atomic_t count;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* Last in, first out: a directory comes after its files. Async-signal-safe. */
static void
remove_all (void)
{
  for (int i = (int)count - 1; i >= 0; i--)
    if (!in_place[i] && unlink (paths[i]) < 0)
      rmdir (paths[i]);
}

static void
on_signal (int number)
{
  remove_all ();
  signal (number, SIG_DFL);
  raise (number);
}

static void
remember (const char *path)
{
  g_assert (count < MAX_PATHS);
  if (count == 0)
    for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
      signal (signals[i], on_signal);
  paths[count] = g_strdup (path);
  in_place[count] = 0;
  count = count + 1;
}

static void
forget (const char *path)
{
  for (int i = 0; i < (int)count; i++)
    if (strcmp (paths[i], path) == 0)
      in_place[i] = 1;
}

static void
fail (GError **error, const char *doing, const char *path, int failure)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot %s %s: %s", doing, path,
               g_strerror (failure));
}

char *
p2v_unfinished_directory (GError **error)
{
  char *directory = g_build_filename (g_get_tmp_dir (), "p2v-media-XXXXXX", NULL);
  if (g_mkdtemp_full (directory, 0700) != NULL)
    {
      remember (directory);
      return directory;
    }
  fail (error, "make a directory in", g_get_tmp_dir (), errno);
  g_free (directory);
  return NULL;
}

char *
p2v_unfinished_file (const char *place, int *fd, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (place);
  g_autofree char *name = g_path_get_basename (place);
  g_autofree char *hidden = g_strdup_printf (".%s.XXXXXX", name);
  char *file = g_build_filename (directory, hidden, NULL);
  *fd = g_mkstemp_full (file, O_RDWR | O_CLOEXEC, 0600);
  if (*fd >= 0)
    {
      remember (file);
      return file;
    }
  fail (error, "make a file in", directory, errno);
  g_free (file);
  return NULL;
}

gboolean
p2v_bytes_write (GBytes *bytes, int fd, const char *name, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  while (size > 0)
    {
      ssize_t n = write (fd, data, size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          fail (error, "write", name, errno);
          return FALSE;
        }
      data += n;
      size -= (gsize)n;
    }
  return TRUE;
}

char *
p2v_unfinished_write (const char *directory, const char *name, GBytes *contents, GError **error)
{
  g_autofree char *file = g_build_filename (directory, name, NULL);
  int fd = open (file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      fail (error, "make", file, errno);
      return NULL;
    }
  remember (file);
  gboolean ok = p2v_bytes_write (contents, fd, file, error);
  close (fd);
  return ok ? g_steal_pointer (&file) : NULL;
}

gboolean
p2v_unfinished_finish (const char *file, const char *place, GError **error)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC);
  gboolean ok = fd >= 0 && fsync (fd) == 0 && rename (file, place) == 0;
  if (!ok)
    fail (error, "write", place, errno);
  else
    forget (file);
  if (fd >= 0)
    close (fd);
  return ok;
}

void
p2v_unfinished_remove (void)
{
  remove_all ();
  int left = count;
  for (gsize i = 0; left > 0 && i < G_N_ELEMENTS (signals); i++)
    signal (signals[i], SIG_DFL);
  count = 0;
  for (int i = 0; i < left; i++)
    g_clear_pointer (&paths[i], g_free);
}
