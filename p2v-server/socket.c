/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/socket.h"

#include "common/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static gboolean
set_path (struct sockaddr_un *address, const char *path, GError **error)
{
  if (strlen (path) >= sizeof address->sun_path)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                   "the socket's path %s is too long: choose a shorter [server] state-dir=", path);
      return FALSE;
    }
  address->sun_family = AF_UNIX;
  memcpy (address->sun_path, path, strlen (path) + 1);
  return TRUE;
}

static int
fail (int fd, int saved, P2vErrorCode code, const char *path, GError **error)
{
  g_set_error (error, P2V_ERROR, (gint)code, "%s: %s", path, g_strerror (saved));
  if (fd >= 0)
    close (fd);
  return -1;
}

int
p2v_socket_connect (const char *path, GError **error)
{
  struct sockaddr_un address = { 0 };
  if (!set_path (&address, path, error))
    return -1;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect (fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  return fail (fd, errno, P2V_ERROR_TRANSFER, path, error);
}

int
p2v_socket_listen (const char *path, GError **error)
{
  struct sockaddr_un address = { 0 };
  if (!set_path (&address, path, error))
    return -1;
  g_unlink (path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && bind (fd, (struct sockaddr *)&address, sizeof address) == 0 && listen (fd, 4) == 0)
    return fd;
  return fail (fd, errno, P2V_ERROR_FAILED, path, error);
}
