/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

/* A sound filesystem answers within milliseconds; a damaged disk may make every read take long. */
#define TOOL_SECONDS 20
/* Enough for any of the programs; a hostile filesystem must not take the machine's memory. */
#define TOOL_MEMORY ((rlim_t)1 << 30)
#define POLL_MILLISECONDS 100

static void
limit_child (gpointer data)
{
  rlim_t seconds = GPOINTER_TO_UINT (data);
  const struct rlimit memory = { TOOL_MEMORY, TOOL_MEMORY };
  const struct rlimit processor = { seconds, seconds };
  const struct rlimit core = { 0, 0 };
  setrlimit (RLIMIT_AS, &memory);
  setrlimit (RLIMIT_CPU, &processor);
  setrlimit (RLIMIT_CORE, &core);
}

/* A live system's PATH may lack the folders where disk tools live. */
static char *
find_program (const char *name)
{
  const char *folders[] = { "/usr/sbin", "/sbin", "/usr/local/sbin", NULL };
  char *path = g_find_program_in_path (name);
  for (gsize i = 0; path == NULL && folders[i] != NULL; i++)
    {
      g_autofree char *candidate = g_build_filename (folders[i], name, NULL);
      if (g_file_test (candidate, G_FILE_TEST_IS_EXECUTABLE))
        path = g_steal_pointer (&candidate);
    }
  return path;
}

static GBytes *
read_output (int fd, gsize limit, guint seconds, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) output = g_byte_array_new ();
  gint64 deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  guint8 buffer[65536];
  for (;;)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      struct pollfd ready = { fd, POLLIN, 0 };
      int n = poll (&ready, 1, POLL_MILLISECONDS);
      if (g_get_monotonic_time () > deadline)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer within %u seconds",
                       seconds);
          return NULL;
        }
      if (n <= 0)
        continue;
      ssize_t got = read (fd, buffer, sizeof buffer);
      if (got < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (got <= 0)
        return g_byte_array_free_to_bytes (g_steal_pointer (&output));
      if (output->len + (gsize)got > limit)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "it writes too much");
          return NULL;
        }
      g_byte_array_append (output, buffer, got);
    }
}

/* The program with its arguments. fd: becomes its descriptor 3; -1 for none. */
static GSubprocess *
spawn (const char *const *argv, int fd, guint seconds, GError **error)
{
  g_autofree char *program = find_program (argv[0]);
  if (program == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s is not installed", argv[0]);
      return NULL;
    }
  int inherited = fd < 0 ? -1 : fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (fd >= 0 && inherited < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   "cannot hand over the disk: %s", g_strerror (errno));
      return NULL;
    }
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C", TRUE);
  /* debugfs would pipe what it shows through a pager on a terminal. */
  g_subprocess_launcher_setenv (launcher, "PAGER", "cat", TRUE);
  g_subprocess_launcher_set_child_setup (launcher, limit_child, GUINT_TO_POINTER (seconds), NULL);
  if (inherited >= 0)
    g_subprocess_launcher_take_fd (launcher, inherited, 3);
  g_autoptr (GPtrArray) vector = g_ptr_array_new ();
  g_ptr_array_add (vector, program);
  for (gsize i = 1; argv[i] != NULL; i++)
    g_ptr_array_add (vector, (gpointer)argv[i]);
  g_ptr_array_add (vector, NULL);
  return g_subprocess_launcher_spawnv (launcher, (const char *const *)vector->pdata, error);
}

/* What it writes, to the end. */
static GBytes *
capture (GSubprocess *process, gsize limit, guint seconds, GCancellable *cancellable,
         GError **error)
{
  GInputStream *stream = g_subprocess_get_stdout_pipe (process);
  int output = g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (stream));
  GBytes *bytes = read_output (output, limit, seconds, cancellable, error);
  /* Not waited for: a process that a dying disk holds in the kernel does not die at once. */
  if (bytes == NULL)
    g_subprocess_force_exit (process);
  return bytes;
}

GBytes *
p2v_tool_capture (const char *const *argv, int fd, gsize limit, GCancellable *cancellable,
                  GError **error)
{
  return p2v_tool_run (argv, fd, limit, TOOL_SECONDS, cancellable, error);
}

GBytes *
p2v_tool_run (const char *const *argv, int fd, gsize limit, guint seconds,
              GCancellable *cancellable, GError **error)
{
  g_autoptr (GSubprocess) process = spawn (argv, fd, seconds, error);
  if (process == NULL)
    return NULL;
  g_autoptr (GBytes) bytes = capture (process, limit, seconds, cancellable, error);
  if (bytes == NULL || !g_subprocess_wait_check (process, cancellable, error))
    return NULL;
  return g_steal_pointer (&bytes);
}

GBytes *
p2v_tool_answer (const char *const *argv, gsize limit, guint seconds, GCancellable *cancellable,
                 GError **error)
{
  g_autoptr (GSubprocess) process = spawn (argv, -1, seconds, error);
  return process == NULL ? NULL : capture (process, limit, seconds, cancellable, error);
}
