/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server's disk holds at each moment at which it could lose its power and something be
 * different afterwards. Preloaded into p2v-server (LD_PRELOAD), each fsync(), fdatasync() and
 * rename() of a file below P2V_SNAPSHOT_JOBS is followed by a copy of that directory, and then of
 * P2V_SNAPSHOT_IMAGES, to P2V_SNAPSHOTS/0000, /0001, …, as long as there is a file "on" in it. The
 * images come second: they may hold more than the manifests say, never less. Each has a file
 * "what": the path of what was flushed or renamed. */
#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "p2v-server"
#define MAX_SNAPSHOTS 1000

extern char **environ;

int fsync (int fd);
int fdatasync (int fd);
int rename (const char *from, const char *to);

static const char *
get_jobs_dir (void)
{
  const char *to = g_getenv ("P2V_SNAPSHOTS");
  if (to == NULL || strcmp (program_invocation_short_name, PROGRAM) != 0)
    return NULL;
  g_autofree char *on = g_build_filename (to, "on", NULL);
  return access (on, F_OK) == 0 ? g_getenv ("P2V_SNAPSHOT_JOBS") : NULL;
}

/* Several processes may be at it: making the directory is what takes the number. */
static char *
make_next_dir (void)
{
  for (int n = 0; n < MAX_SNAPSHOTS; n++)
    {
      g_autofree char *dir = g_strdup_printf ("%s/%04d", g_getenv ("P2V_SNAPSHOTS"), n);
      if (mkdir (dir, 0755) == 0)
        return g_steal_pointer (&dir);
      if (errno != EEXIST)
        break;
    }
  return NULL;
}

static void
take_snapshot (const char *jobs, const char *path)
{
  int saved = errno, status;
  pid_t child;
  g_autofree char *dir = make_next_dir ();
  const char *argv[] = { "cp", "-a", jobs, g_getenv ("P2V_SNAPSHOT_IMAGES"), dir, NULL };
  if (dir != NULL && posix_spawnp (&child, argv[0], NULL, NULL, (char **)argv, environ) == 0)
    while (waitpid (child, &status, 0) < 0 && errno == EINTR)
      continue;
  g_autofree char *what = dir == NULL ? NULL : g_build_filename (dir, "what", NULL);
  if (what != NULL)
    g_file_set_contents_full (what, path, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL);
  errno = saved;
}

static void
take_snapshot_after (const char *path)
{
  const char *jobs = get_jobs_dir ();
  if (jobs != NULL && path != NULL && g_str_has_prefix (path, jobs))
    take_snapshot (jobs, path);
}

static void
take_snapshot_after_flush (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = NULL;
  struct stat st;
  int saved = errno;
  /* The directory is flushed after a rename, which had its copy. */
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode))
    path = g_file_read_link (link, NULL);
  errno = saved;
  take_snapshot_after (path);
}

int
fsync (int fd)
{
  int (*real) (int) = (int (*) (int))dlsym (RTLD_NEXT, "fsync");
  int result = real (fd);
  if (result == 0)
    take_snapshot_after_flush (fd);
  return result;
}

int
fdatasync (int fd)
{
  int (*real) (int) = (int (*) (int))dlsym (RTLD_NEXT, "fdatasync");
  int result = real (fd);
  if (result == 0)
    take_snapshot_after_flush (fd);
  return result;
}

int
rename (const char *from, const char *to)
{
  int (*real) (const char *, const char *)
      = (int (*) (const char *, const char *))dlsym (RTLD_NEXT, "rename");
  int result = real (from, to);
  if (result == 0)
    take_snapshot_after (to);
  return result;
}
