/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/free-space-parts.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Boot loaders, and the backups of superblocks and of partition tables, lie where filesystems see
 * nothing. */
#define EDGE (1024 * 1024)

/* Where it could be read here with checksums and counters to hold it against, it is; partclone does
 * the rest. partclone (0.3.23) takes ten seconds for each terabyte and counts in 32 bits; its btrfs
 * calls the second copy of what is stored twice free, and data without checksums; its fat does not
 * understand FAT12; its apfs looks at the first part of the map only and takes the rest for free;
 * its minix and reiser4 do not look whether what they read makes sense. */
static const P2vFreeKind kinds[] = {
  { "ext2", NULL, p2v_free_ext_clean, p2v_free_ext_map },
  { "ext3", NULL, p2v_free_ext_clean, p2v_free_ext_map },
  { "ext4", NULL, p2v_free_ext_clean, p2v_free_ext_map },
  { "xfs", NULL, p2v_free_xfs_clean, p2v_free_xfs_map },
  { "vfat", NULL, p2v_free_fat_clean, p2v_free_fat_map },
  { "ntfs", NULL, p2v_free_ntfs_clean, p2v_free_ntfs_map },
  { "btrfs", NULL, p2v_free_btrfs_clean, p2v_free_btrfs_map },
  { "exfat", NULL, p2v_free_exfat_clean, p2v_free_exfat_map },
  { "hfsplus", NULL, p2v_free_hfsplus_clean, p2v_free_hfsplus_map },
  { "f2fs", "partclone.f2fs", p2v_free_f2fs_clean, NULL },
};

gboolean
p2v_free_refuse (GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (P2V_ERROR, P2V_ERROR_SOURCE, format, arguments);
  va_end (arguments);
  return FALSE;
}

gboolean
p2v_free_look_read (const P2vFreeLook *look, gint64 offset, gpointer buffer, gsize length,
                    GError **error)
{
  const P2vFilesystem *filesystem = look->filesystem;
  if (g_cancellable_set_error_if_cancelled (look->cancellable, error))
    return FALSE;
  if (offset < 0 || offset > filesystem->size || (guint64)(filesystem->size - offset) < length)
    return p2v_free_refuse (error, "it points beyond its end");
  guint8 *at = buffer;
  gint64 from = filesystem->offset + offset;
  while (length > 0)
    {
      ssize_t got = pread (filesystem->fd, at, length, from);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return p2v_free_refuse (error, "it cannot be read at byte %" G_GINT64_FORMAT ": %s",
                                from - filesystem->offset,
                                got < 0 ? g_strerror (errno) : "the disk ends there");
      at += got;
      from += got;
      length -= got;
    }
  return TRUE;
}

gboolean
p2v_free_look_measure (P2vFreeLook *look, guint64 units, guint64 free, guint64 unit, GError **error)
{
  if (unit == 0 || units == 0 || units > (guint64)look->filesystem->size / unit)
    return p2v_free_refuse (error, "it says that it is larger than what it lies in");
  if (free != G_MAXUINT64 && free > units)
    return p2v_free_refuse (error, "it says that more of it is free than there is");
  look->size = units * unit;
  look->used = free == G_MAXUINT64 ? -1 : (gint64)((units - free) * unit);
  return TRUE;
}

/* A name that the kernel gave to something else would be the end of somebody's data. Nor may
 * anybody use the device: O_EXCL asks the kernel for what is mounted, or part of something. */
static gboolean
check_device (const P2vFilesystem *filesystem, GError **error)
{
  int fd = open (filesystem->device, O_RDONLY | O_CLOEXEC | O_EXCL);
  if (fd < 0 && errno == EBUSY)
    return p2v_free_refuse (error, "it is in use by this system");
  if (fd < 0)
    return p2v_free_refuse (error, "cannot open %s: %s", filesystem->device, g_strerror (errno));
  struct stat status;
  guint64 size = 0;
  gboolean same = fstat (fd, &status) == 0 && S_ISBLK (status.st_mode)
                  && ioctl (fd, BLKGETSIZE64, &size) == 0 && size == (guint64)filesystem->size;
  close (fd);
  return same ? TRUE
              : p2v_free_refuse (error, "%s is not as large as it should be", filesystem->device);
}

const char *
p2v_free_look_device (P2vFreeLook *look, GError **error)
{
  const P2vFilesystem *filesystem = look->filesystem;
  if (look->device == NULL && filesystem->device != NULL)
    look->device = g_strdup (filesystem->device);
  if (look->device == NULL)
    look->device = p2v_loop_new (filesystem->fd, filesystem->offset, filesystem->size,
                                 filesystem->sector_size, &look->loop, error);
  return look->device;
}

static GArray *
ask (const P2vFreeKind *kind, P2vFreeLook *look, GError **error)
{
  if (!kind->clean (look, error))
    return NULL;
  g_autoptr (GArray) mapped = kind->map != NULL ? kind->map (look, error)
                                                : p2v_partclone_map (look, kind->partclone, error);
  if (mapped == NULL)
    return NULL;
  if (look->size - p2v_ranges_bytes (mapped) < look->used)
    {
      p2v_free_refuse (error, "its map contradicts its superblock");
      return NULL;
    }
  return g_steal_pointer (&mapped);
}

/* Leaves out the area's edges and what is too small. */
static GArray *
trim (const GArray *ranges, gint64 size)
{
  g_autoptr (GArray) inner = p2v_ranges_new ();
  p2v_ranges_add (inner, EDGE, size - 2 * (gint64)EDGE);
  g_autoptr (GArray) all = p2v_ranges_intersect (ranges, inner);
  GArray *large = p2v_ranges_new ();
  for (guint i = 0; i < all->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (all, P2vFreeRange, i);
      if (range->length >= P2V_RANGE_SMALLEST)
        p2v_ranges_add (large, range->offset, range->length);
    }
  return large;
}

GArray *
p2v_free_space_find (const P2vFilesystem *filesystem, GCancellable *cancellable, GError **error)
{
  const P2vFreeKind *kind = NULL;
  for (gsize i = 0; kind == NULL && i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (kinds[i].type, filesystem->type) == 0)
      kind = &kinds[i];
  if (kind == NULL)
    {
      p2v_free_refuse (error, "nothing here can tell which of its blocks are in use");
      return NULL;
    }
  if (filesystem->device != NULL && !check_device (filesystem, error))
    return NULL;
  P2vFreeLook look = { filesystem, cancellable, NULL, -1, 0, -1 };
  g_autoptr (GArray) ranges = ask (kind, &look, error);
  if (look.loop >= 0)
    close (look.loop);
  g_free (look.device);
  if (ranges == NULL)
    {
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_clear_error (error);
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "cancelled");
        }
      return NULL;
    }
  return trim (ranges, filesystem->size);
}
