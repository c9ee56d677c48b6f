/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/storage-file.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* An image holds everything that the machine held; QEMU's account gets access from libvirt. */
#define IMAGE_MODE 0600

/* Others may pass through to an image that is theirs, but not look around. */
#define DIRECTORY_MODE 0711

static gboolean
fail (GError **error, int reason, const char *verb, const char *path)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "the server cannot %s %s: %s", verb, path,
               g_strerror (reason));
  return FALSE;
}

gboolean
p2v_file_prepare (const P2vImage *image, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (image->path);
  if (g_mkdir_with_parents (directory, DIRECTORY_MODE) != 0)
    return fail (error, errno, "make the directory", directory);
  g_autofree char *qemu_img = g_find_program_in_path ("qemu-img");
  if (qemu_img == NULL && strcmp (image->format, "qcow2") == 0)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "qemu-img is not installed on the server, and without it there are no "
                           "qcow2 images. Install the package qemu-utils (qemu-img on Fedora), or "
                           "say p2v.of=raw");
      return FALSE;
    }
  return TRUE;
}

gboolean
p2v_file_available (const char *directory, guint64 *bytes, GError **error)
{
  struct statvfs status;
  if (statvfs (directory, &status) != 0)
    return fail (error, errno, "tell the free space of", directory);
  /* Not what the filesystem keeps for root: the guest will run under another account. */
  *bytes = (guint64)status.f_bavail * status.f_frsize;
  return TRUE;
}

static gboolean
create_raw (int fd, const P2vImage *image, gboolean preallocated, GError **error)
{
  int reason = preallocated                       ? posix_fallocate (fd, 0, image->size)
               : ftruncate (fd, image->size) != 0 ? errno
                                                  : 0;
  return reason == 0
         || fail (error, reason, preallocated ? "reserve space for" : "size", image->path);
}

/* Fills the empty file that is there already: qemu-img itself would replace whatever it finds. */
static gboolean
create_qcow2 (const P2vImage *image, gboolean preallocated, GError **error)
{
  g_autofree char *size = g_strdup_printf ("%" G_GINT64_FORMAT, image->size);
  g_autofree char *options
      = g_strdup_printf ("compat=1.1,preallocation=%s", preallocated ? "falloc" : "off");
  g_autofree char *target = g_strconcat ("file:", image->path, NULL);
  g_autoptr (GSubprocess) process = g_subprocess_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, error, "qemu-img", "create",
      "-q", "-f", "qcow2", "-o", options, "--", target, size, NULL);
  g_autofree char *output = NULL;
  if (process == NULL || !g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, error))
    {
      p2v_error_recode (error, P2V_ERROR_REFUSED);
      return FALSE;
    }
  if (g_subprocess_get_successful (process))
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "the server cannot create the image %s: %s",
               image->path, g_strstrip (output));
  return FALSE;
}

gboolean
p2v_file_create (const P2vImage *image, gboolean preallocated, GError **error)
{
  int fd = open (image->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, IMAGE_MODE);
  if (fd < 0)
    return fail (error, errno, "create the image", image->path);
  gboolean created = strcmp (image->format, "qcow2") == 0
                         ? create_qcow2 (image, preallocated, error)
                         : create_raw (fd, image, preallocated, error);
  if (created && fsync (fd) != 0)
    created = fail (error, errno, "write", image->path);
  g_close (fd, NULL);
  if (!created)
    g_unlink (image->path);
  return created;
}

gboolean
p2v_file_remove (const P2vImage *image, GError **error)
{
  if (image->path == NULL || g_unlink (image->path) == 0 || errno == ENOENT)
    return TRUE;
  return fail (error, errno, "remove", image->path);
}
