/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/source.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
set_errno (GError **error, const P2vSource *source, const char *what)
{
  int saved = errno;
  g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
               "cannot %s disk %s: %s. Check that it is there and its cable is sound, or leave it "
               "out: name the other disks with p2v.disks=.",
               what, source->path, g_strerror (saved));
  return FALSE;
}

static gboolean
find_size (P2vSource *source, gint64 expected, GError **error)
{
  struct stat st;
  if (fstat (source->fd, &st) < 0)
    return set_errno (error, source, "examine");
  guint64 size = (guint64)st.st_size;
  if (S_ISBLK (st.st_mode))
    {
      /* Before anything is read: from here on the kernel refuses every write to the disk. Some
       * drivers do not know the request; our own descriptor cannot write in any case. */
      int read_only = 1;
      if (ioctl (source->fd, BLKROSET, &read_only) < 0)
        g_debug ("%s: cannot be set read-only: %s", source->path, g_strerror (errno));
      if (ioctl (source->fd, BLKGETSIZE64, &size) < 0)
        return set_errno (error, source, "measure");
    }
  else if (!S_ISREG (st.st_mode))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE, "%s is neither a disk nor a file",
                   source->path);
      return FALSE;
    }
  source->size = (gint64)size;
  if (source->size != expected)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "disk %s has %" G_GINT64_FORMAT " bytes, but had %" G_GINT64_FORMAT
                   " when the machine was looked at. Start again.",
                   source->path, source->size, expected);
      return FALSE;
    }
  return TRUE;
}

P2vSource *
p2v_source_open (const P2vDisk *disk, GError **error)
{
  g_autoptr (P2vSource) source = g_new0 (P2vSource, 1);
  source->name = g_strdup (disk->name);
  source->path = g_strdup (disk->path);
  source->fd = open (disk->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (source->fd < 0)
    {
      set_errno (error, source, "open");
      return NULL;
    }
  if (!find_size (source, disk->size, error))
    return NULL;
  posix_fadvise (source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  source->map = p2v_block_map_new (source->fd, source->size);
  return g_steal_pointer (&source);
}

void
p2v_source_free (P2vSource *source)
{
  if (source == NULL)
    return;
  if (source->fd >= 0)
    close (source->fd);
  g_clear_pointer (&source->map, p2v_block_map_free);
  g_free (source->name);
  g_free (source->path);
  g_free (source);
}

gboolean
p2v_source_read (P2vSource *source, void *buffer, gsize length, gint64 offset, GError **error)
{
  guint8 *at = buffer;
  while (length > 0)
    {
      ssize_t got = pread (source->fd, at, length, offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        {
          int saved = got < 0 ? errno : EIO;
          g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                       "cannot read disk %s at byte %" G_GINT64_FORMAT ": %s. Look at the kernel's "
                       "messages (dmesg) and the disk's health (smartctl -a), check the cable.",
                       source->path, offset, got < 0 ? g_strerror (saved) : "it ends there");
          return FALSE;
        }
      at += got;
      offset += got;
      length -= (gsize)got;
    }
  return TRUE;
}
