/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/free-space-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Others take loop devices too: between asking for a free one and taking it somebody may have it.
 */
#define TRIES 50
#define TRY_MICROSECONDS 20000

/* Where the kernel has no name for the device yet, udev or devtmpfs is about to make it. */
static int
open_device (const char *path)
{
  int fd = -1;
  for (int i = 0; fd < 0 && i < TRIES; i++)
    {
      fd = open (path, O_RDONLY | O_CLOEXEC);
      if (fd < 0 && errno != ENOENT && errno != ENXIO && errno != EACCES)
        break;
      if (fd < 0)
        g_usleep (TRY_MICROSECONDS);
    }
  return fd;
}

/* 0 or the reason as errno. */
static int
configure (int loop, int fd, gint64 offset, gint64 size, unsigned sector_size)
{
  struct loop_config config = { 0 };
  config.fd = fd;
  config.block_size = sector_size;
  config.info.lo_offset = offset;
  config.info.lo_sizelimit = size;
  /* Autoclear: the kernel takes the device apart at the last close, even if this process is killed.
   */
  config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
  return ioctl (loop, LOOP_CONFIGURE, &config) == 0 ? 0 : errno;
}

char *
p2v_loop_new (int fd, gint64 offset, gint64 size, unsigned sector_size, int *loop, GError **error)
{
  int problem = ENODEV;
  int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0)
    {
      p2v_free_refuse (error,
                       "a loop device is needed to look into it: cannot open "
                       "/dev/loop-control: %s",
                       g_strerror (errno));
      return NULL;
    }
  g_autofree char *path = NULL;
  *loop = -1;
  for (int i = 0; *loop < 0 && i < TRIES; i++)
    {
      int number = ioctl (control, LOOP_CTL_GET_FREE);
      if (number < 0)
        {
          problem = errno;
          break;
        }
      g_free (path);
      path = g_strdup_printf ("/dev/loop%d", number);
      *loop = open_device (path);
      if (*loop < 0)
        {
          problem = errno;
          break;
        }
      problem = configure (*loop, fd, offset, size, sector_size);
      if (problem == 0)
        break;
      close (*loop);
      *loop = -1;
      if (problem != EBUSY)
        break;
      g_usleep (TRY_MICROSECONDS);
    }
  close (control);
  if (*loop >= 0)
    return g_steal_pointer (&path);
  p2v_free_refuse (error, "a loop device is needed to look into it, and cannot be made: %s",
                   g_strerror (problem));
  return NULL;
}
