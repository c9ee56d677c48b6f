/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* libFuzzer keeps the input of what aborts, not of the trap that GLib ends in. */
static void
abort_on_message (const char *domain, GLogLevelFlags level, const char *message, gpointer unused)
{
  (void)unused;
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)) == 0)
    return;
  fprintf (stderr, "%s: %s\n", domain == NULL ? "" : domain, message);
  abort ();
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  (void)argc;
  (void)argv;
  g_log_set_default_handler (abort_on_message, NULL);
  return 0;
}

int
fuzz_disk (gint64 length)
{
  static int fd = -1;
  if (fd < 0)
    fd = memfd_create ("fuzz", MFD_CLOEXEC);
  if (fd < 0 || ftruncate (fd, 0) != 0 || ftruncate (fd, length) != 0)
    g_error ("cannot make a file in memory");
  return fd;
}

const char *
fuzz_file (const guint8 *data, gsize size)
{
  static char *path;
  int fd = fuzz_disk ((gint64)size);
  for (gsize at = 0; at < size;)
    {
      ssize_t written = pwrite (fd, data + at, size - at, (off_t)at);
      if (written <= 0)
        g_error ("cannot write a file in memory");
      at += (gsize)written;
    }
  if (path == NULL)
    path = g_strdup_printf ("/proc/self/fd/%d", fd);
  return path;
}
