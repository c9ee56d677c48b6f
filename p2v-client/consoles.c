/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/consoles.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#define ACTIVE "sys/class/tty/console/active"

/* What is kept for a console that takes nothing, bytes. A line that comes back after hours is to
 * show the present, not the past: this is a quarter of a minute at 9600 baud. */
#define BACKLOG (16 * 1024)

/* A console that was lost (hung up for a login, unplugged) is opened again this often. */
#define REOPEN_INTERVAL G_USEC_PER_SEC

/* See p2v_consoles_drain(). Microseconds. */
#define DRAIN_STILL (2 * G_USEC_PER_SEC)
#define DRAIN_AT_MOST (30 * G_USEC_PER_SEC)
#define DRAIN_STEP (20 * 1000)

#define LEFT_OUT "[some lines are missing here: this console did not take them]\n"

typedef struct
{
  char *path; /* NULL for standard output and standard error */
  int fd;     /* -1 while lost */
  gboolean is_socket;
  gint64 opened; /* monotonic, microseconds */
  GString *waiting;
} Outlet;

struct _P2vConsoles
{
  GMutex lock;
  GPtrArray *outlets; /* of Outlet: the consoles */
  Outlet *output;     /* NULL: it is one of the consoles */
  Outlet *error;
};

static Outlet *
outlet_new (const char *path, int fd)
{
  Outlet *outlet = g_new0 (Outlet, 1);
  outlet->path = g_strdup (path);
  outlet->fd = fd;
  outlet->opened = g_get_monotonic_time ();
  outlet->waiting = g_string_new (NULL);
  return outlet;
}

static void
outlet_free (Outlet *outlet)
{
  if (outlet == NULL)
    return;
  int unsent = 0;
  if (outlet->fd >= 0)
    {
      /* Closing a serial line waits half a minute for what it does not send (closing_wait). */
      if (outlet->path != NULL && ioctl (outlet->fd, TIOCOUTQ, &unsent) == 0 && unsent > 0)
        tcflush (outlet->fd, TCOFLUSH);
      close (outlet->fd);
    }
  g_free (outlet->path);
  g_string_free (outlet->waiting, TRUE);
  g_free (outlet);
}

/* O_NONBLOCK also keeps open() from waiting for a modem's carrier. */
static int
open_device (const char *path)
{
  return open (path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void
reopen (Outlet *outlet)
{
  gint64 now = g_get_monotonic_time ();
  if (outlet->path == NULL || now - outlet->opened < REOPEN_INTERVAL)
    return;
  outlet->opened = now;
  outlet->fd = open_device (outlet->path);
}

/* Writes what is taken without waiting. */
static void
flush_outlet (Outlet *outlet)
{
  GString *waiting = outlet->waiting;
  if (outlet->fd < 0)
    reopen (outlet);
  while (outlet->fd >= 0 && waiting->len > 0)
    {
      ssize_t n = outlet->is_socket
                      ? send (outlet->fd, waiting->str, waiting->len, MSG_DONTWAIT | MSG_NOSIGNAL)
                      : write (outlet->fd, waiting->str, waiting->len);
      if (n > 0)
        g_string_erase (waiting, 0, n);
      else if (n < 0 && errno == EINTR)
        continue;
      else if (n == 0 || errno == EAGAIN)
        return;
      else
        {
          close (outlet->fd);
          outlet->fd = -1;
          outlet->opened = g_get_monotonic_time ();
        }
    }
}

/* Keeps the end of what waits, in whole lines, and says that there was more. */
static void
limit_backlog (Outlet *outlet)
{
  GString *waiting = outlet->waiting;
  if (waiting->len <= BACKLOG)
    return;
  const char *from = waiting->str + (waiting->len - BACKLOG / 2);
  const char *newline = strchr (from, '\n');
  g_string_erase (waiting, 0, (newline != NULL ? newline + 1 : from) - waiting->str);
  g_string_prepend (waiting, LEFT_OUT);
}

static void
give (Outlet *outlet, const char *text, gsize length)
{
  if (outlet == NULL)
    return;
  /* In order: what is taken now must not overtake what waits. */
  g_string_append_len (outlet->waiting, text, (gssize)length);
  flush_outlet (outlet);
  limit_backlog (outlet);
}

char **
p2v_consoles_parse (const char *active)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_null_terminated (4, g_free, TRUE);
  g_auto (GStrv) words = g_strsplit_set (active, " \t\n", -1);
  for (gsize i = 0; words[i] != NULL; i++)
    {
      const char *name = strcmp (words[i], "tty0") == 0 ? "tty1" : words[i];
      if (name[0] == '\0' || name[0] == '.' || strchr (name, '/') != NULL
          || g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
        continue;
      g_ptr_array_add (names, g_strdup (name));
    }
  return (char **)g_ptr_array_steal (names, NULL);
}

static void
open_consoles (P2vConsoles *consoles, const char *root)
{
  g_autofree char *path = g_build_filename (root, ACTIVE, NULL);
  g_autofree char *active = NULL;
  if (!g_file_get_contents (path, &active, NULL, NULL))
    return;
  g_auto (GStrv) names = p2v_consoles_parse (active);
  for (gsize i = 0; names[i] != NULL; i++)
    {
      g_autofree char *device = g_build_filename (root, "dev", names[i], NULL);
      int fd = open_device (device);
      if (fd >= 0)
        g_ptr_array_add (consoles->outlets, outlet_new (device, fd));
      else
        g_debug ("console %s: %s", device, g_strerror (errno));
    }
}

/* TRUE when a descriptor leads to one of the consoles. /dev/console (5:1) is whichever the kernel
 * prefers of them, /dev/tty0 (4:0) the virtual terminal in front; Documentation/admin-guide/
 * devices.txt has the numbers. */
static gboolean
is_console (P2vConsoles *consoles, int fd)
{
  struct stat ours;
  if (fstat (fd, &ours) < 0 || !S_ISCHR (ours.st_mode) || consoles->outlets->len == 0)
    return FALSE;
  if (ours.st_rdev == makedev (5, 1) || ours.st_rdev == makedev (4, 0))
    return TRUE;
  for (guint i = 0; i < consoles->outlets->len; i++)
    {
      const Outlet *outlet = consoles->outlets->pdata[i];
      struct stat theirs;
      if (fstat (outlet->fd, &theirs) == 0 && theirs.st_rdev == ours.st_rdev)
        return TRUE;
    }
  return FALSE;
}

/* Our own way to where standard output or error go: not to wait must not be set on a description
 * that is shared with others. A file is written to as it is. */
static Outlet *
open_standard (P2vConsoles *consoles, int fd)
{
  struct stat st;
  if (is_console (consoles, fd) || fstat (fd, &st) < 0)
    return NULL;
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int own = S_ISFIFO (st.st_mode) || isatty (fd) ? open_device (path) : -1;
  if (own < 0)
    own = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0)
    return NULL;
  Outlet *outlet = outlet_new (NULL, own);
  outlet->is_socket = S_ISSOCK (st.st_mode);
  return outlet;
}

P2vConsoles *
p2v_consoles_open (const char *root)
{
  P2vConsoles *consoles = g_new0 (P2vConsoles, 1);
  g_mutex_init (&consoles->lock);
  consoles->outlets = g_ptr_array_new_with_free_func ((GDestroyNotify)outlet_free);
  open_consoles (consoles, root);
  consoles->output = open_standard (consoles, STDOUT_FILENO);
  consoles->error = open_standard (consoles, STDERR_FILENO);
  return consoles;
}

static void
print (P2vConsoles *consoles, Outlet *standard, const char *text, gssize length)
{
  gsize bytes = length < 0 ? strlen (text) : (gsize)length;
  g_mutex_lock (&consoles->lock);
  for (guint i = 0; i < consoles->outlets->len; i++)
    give (consoles->outlets->pdata[i], text, bytes);
  give (standard, text, bytes);
  g_mutex_unlock (&consoles->lock);
}

void
p2v_consoles_print (P2vConsoles *consoles, const char *text, gssize length)
{
  print (consoles, consoles->output, text, length);
}

void
p2v_consoles_print_error (P2vConsoles *consoles, const char *text, gssize length)
{
  print (consoles, consoles->error, text, length);
}

/* Returns how many bytes still wait, here or in the kernel. */
static gint64
flush_one (Outlet *outlet)
{
  int unsent = 0;
  if (outlet == NULL)
    return 0;
  flush_outlet (outlet);
  if (outlet->fd < 0)
    return 0;
  if (outlet->path == NULL || ioctl (outlet->fd, TIOCOUTQ, &unsent) < 0)
    unsent = 0;
  return (gint64)outlet->waiting->len + unsent;
}

static gint64
flush_all (P2vConsoles *consoles)
{
  gint64 left = 0;
  g_mutex_lock (&consoles->lock);
  for (guint i = 0; i < consoles->outlets->len; i++)
    left += flush_one (consoles->outlets->pdata[i]);
  left += flush_one (consoles->output) + flush_one (consoles->error);
  g_mutex_unlock (&consoles->lock);
  return left;
}

void
p2v_consoles_flush (P2vConsoles *consoles)
{
  flush_all (consoles);
}

void
p2v_consoles_drain (P2vConsoles *consoles)
{
  gint64 started = g_get_monotonic_time ();
  gint64 moved = started;
  gint64 least = G_MAXINT64;
  gint64 now = started;
  while (now - moved < DRAIN_STILL && now - started < DRAIN_AT_MOST)
    {
      gint64 left = flush_all (consoles);
      if (left == 0)
        return;
      if (left < least)
        {
          least = left;
          moved = now;
        }
      g_usleep (DRAIN_STEP);
      now = g_get_monotonic_time ();
    }
}

void
p2v_consoles_free (P2vConsoles *consoles)
{
  if (consoles == NULL)
    return;
  p2v_consoles_drain (consoles);
  g_ptr_array_unref (consoles->outlets);
  outlet_free (consoles->output);
  outlet_free (consoles->error);
  g_mutex_clear (&consoles->lock);
  g_free (consoles);
}
