/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/program.h"

#include "common/error.h"

#include <errno.h>
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a program finds its secret: /proc/self/fd/3. */
#define SECRET_FD 3

/* Of what a program said before it failed, this much is repeated, bytes. */
#define MAX_SAID 600

typedef struct
{
  gsize size;
  guint8 data[];
} Secret;

static void
secret_free (gpointer user_data)
{
  Secret *secret = user_data;
  explicit_bzero (secret->data, secret->size);
  g_free (secret);
}

GBytes *
p2v_secret_bytes_new (gconstpointer data, gsize size)
{
  Secret *secret = g_malloc (sizeof *secret + size);
  secret->size = size;
  if (size > 0)
    memcpy (secret->data, data, size);
  return g_bytes_new_with_free_func (secret->data, size, secret_free, secret);
}

/* root's PATH lacks the sbin directories after a plain su(1). */
static char *
find_program (const char *name, const char *package, GError **error)
{
  static const char *const places[] = { "/usr/sbin", "/sbin", "/usr/local/sbin" };
  char *path = g_find_program_in_path (name);
  for (gsize i = 0; path == NULL && i < G_N_ELEMENTS (places); i++)
    {
      path = g_build_filename (places[i], name, NULL);
      if (!g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
        g_clear_pointer (&path, g_free);
    }
  if (path == NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                 "%s is not installed. Install it (apt install %s) and try again.", name, package);
  return path;
}

/* A file in memory; ssh-keygen takes no key that others could read. Returns -1 on failure. */
static int
open_secret (GBytes *secret, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (secret, &size);
  int fd = memfd_create ("p2v-secret", MFD_CLOEXEC);
  gboolean ok = fd >= 0 && fchmod (fd, 0600) == 0;
  while (ok && size > 0)
    {
      ssize_t n = write (fd, data, size);
      ok = n > 0;
      data += MAX (n, 0);
      size -= (gsize)MAX (n, 0);
    }
  if (ok)
    return fd;
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot keep a key in memory: %s",
               g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Runs in the child between fork and exec: async-signal-safe calls only. */
static void
child_setup (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  /* The parent may have died before the line above took effect. */
  if (getppid () != GPOINTER_TO_INT (user_data))
    _exit (127);
}

static GSubprocess *
start (const char *const *argv, GBytes *secret, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  /* Messages are read by us, and shown among ours. */
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C", TRUE);
  g_subprocess_launcher_set_child_setup (launcher, child_setup, GINT_TO_POINTER (getpid ()), NULL);
  if (secret != NULL)
    {
      int fd = open_secret (secret, error);
      if (fd < 0)
        return NULL;
      g_subprocess_launcher_take_fd (launcher, fd, SECRET_FD);
    }
  return g_subprocess_launcher_spawnv (launcher, argv, error);
}

static void
fail (GError **error, const char *name, GSubprocess *process, const char *said)
{
  g_autofree char *valid = g_utf8_make_valid (said, -1);
  g_strstrip (valid);
  const char *end = valid;
  if (strlen (valid) > MAX_SAID)
    end = g_utf8_find_next_char (valid + strlen (valid) - MAX_SAID, NULL);
  g_autofree char *how
      = g_subprocess_get_if_exited (process)
            ? g_strdup_printf ("exit status %d", g_subprocess_get_exit_status (process))
            : g_strdup_printf ("signal %d", g_subprocess_get_term_sig (process));
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "%s failed (%s): %s", name, how,
               end[0] != '\0' ? end : "it said nothing");
}

gboolean
p2v_program_run (const char *const *argv, const char *package, GBytes *secret, char **output,
                 GError **error)
{
  g_autofree char *program = find_program (argv[0], package, error);
  if (program == NULL)
    return FALSE;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_ptr_array_add (words, program);
  for (gsize i = 1; argv[i] != NULL; i++)
    g_ptr_array_add (words, (gpointer)argv[i]);
  g_ptr_array_add (words, NULL);

  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) err = NULL;
  g_autoptr (GSubprocess) process = start ((const char *const *)words->pdata, secret, error);
  if (process == NULL || !g_subprocess_communicate (process, NULL, NULL, &out, &err, error))
    {
      g_prefix_error (error, "cannot run %s: ", argv[0]);
      p2v_error_recode (error, P2V_ERROR_FAILED);
      return FALSE;
    }
  if (!g_subprocess_get_successful (process))
    {
      g_autofree char *said = g_strndup (g_bytes_get_data (err, NULL), g_bytes_get_size (err));
      fail (error, argv[0], process, said);
      return FALSE;
    }
  if (output != NULL)
    *output = g_strndup (g_bytes_get_data (out, NULL), g_bytes_get_size (out));
  return TRUE;
}
