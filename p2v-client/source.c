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

static int
open_past_cache (const P2vSource *source)
{
  int fd = open (source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_DIRECT);
  if (fd < 0)
    g_debug ("%s: read through the page cache: %s", source->path, g_strerror (errno));
  return fd;
}

/* A whole disk that is read once would only push out of the page cache what is needed again. A file
 * may well be in it already. */
static void
open_direct (P2vSource *source)
{
  struct stat st;
  if (fstat (source->fd, &st) == 0 && S_ISBLK (st.st_mode))
    source->direct = open_past_cache (source);
  source->precise = source->direct >= 0 ? source->direct : open_past_cache (source);
}

static void
find_sectors (P2vSource *source)
{
  int logical = 0;
  unsigned physical = 0;
  source->sector_size = P2V_SOURCE_SECTOR;
  if (ioctl (source->fd, BLKSSZGET, &logical) == 0 && logical >= P2V_SOURCE_SECTOR
      && logical <= P2V_SOURCE_ALIGNMENT)
    source->sector_size = (gsize)logical;
  source->physical_sector_size = source->sector_size;
  if (ioctl (source->fd, BLKPBSZGET, &physical) == 0 && physical > source->sector_size
      && physical <= P2V_SOURCE_ALIGNMENT && physical % source->sector_size == 0)
    source->physical_sector_size = physical;
}

P2vSource *
p2v_source_open (const P2vDisk *disk, GError **error)
{
  g_autoptr (P2vSource) source = g_new0 (P2vSource, 1);
  source->direct = source->precise = -1;
  source->health.good = -1;
  source->read = pread;
  g_mutex_init (&source->health.lock);
  source->rotational = disk->rotational;
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
  open_direct (source);
  find_sectors (source);
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
  if (source->direct >= 0)
    close (source->direct);
  if (source->precise >= 0 && source->precise != source->direct)
    close (source->precise);
  g_mutex_clear (&source->health.lock);
  g_clear_pointer (&source->map, p2v_block_map_free);
  g_free (source->name);
  g_free (source->path);
  g_free (source);
}

gboolean
p2v_source_fail (const P2vSource *source, gint64 offset, int result, GError **error)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
               "cannot read disk %s at byte %" G_GINT64_FORMAT ": %s. Look at the kernel's "
               "messages (dmesg) and the disk's health (smartctl -a), check the cable.",
               source->path, offset,
               result == P2V_SOURCE_END ? "it ends there" : g_strerror (result));
  return FALSE;
}

int
p2v_source_try (P2vSource *source, gboolean precise, void *buffer, gsize length, gint64 offset)
{
  guint8 *at = buffer;
  int fd = precise ? source->precise : source->direct;
  gsize unit = precise ? source->sector_size : P2V_SOURCE_ALIGNMENT;
  while (length > 0)
    {
      if (((guint64)offset | length | (gsize)at) % unit != 0 || fd < 0)
        fd = source->fd;
      ssize_t got = source->read (fd, at, length, offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0 && errno == EINVAL && fd != source->fd)
        {
          fd = source->fd; /* a driver that wants more than sectors */
          continue;
        }
      if (got <= 0)
        return got < 0 ? errno : P2V_SOURCE_END;
      at += got;
      offset += got;
      length -= (gsize)got;
    }
  return P2V_SOURCE_OK;
}
