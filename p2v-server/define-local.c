/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/define-parts.h"

#include "common/error.h"
#include "p2v-server/domain.h"
#include "p2v-server/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* No UEFI variable store and no domain is larger. */
#define FILE_MAX (64 * 1024 * 1024)

char *
p2v_define_local_path (const P2vPlan *plan, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".xml", NULL);
  return g_build_filename (plan->storage, file, NULL);
}

static gboolean
exists (const char *path)
{
  /* Not g_file_test(), to which a dangling symbolic link does not exist. */
  GStatBuf info;
  return g_lstat (path, &info) == 0;
}

/* The UUID in a domain's XML file, "" when it cannot be told: whoever wrote that, it is taken. */
static char *
read_uuid (const char *path)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, NULL))
    return g_strdup ("");
  g_autoptr (xmlDoc) doc = p2v_xml_parse (text, length, path, NULL);
  xmlNode *uuid = doc != NULL ? p2v_xml_find_child (xmlDocGetRootElement (doc), "uuid") : NULL;
  return uuid != NULL ? p2v_xml_get_text (uuid) : g_strdup ("");
}

gboolean
p2v_define_local_look (const P2vPlan *plan, const char *name, P2vDefineLook *look, GError **error)
{
  if (!g_file_test (plan->storage, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                   "the directory %s for the guest's definition is gone. Bring it back, then use "
                   "\"p2v-server retry\".",
                   plan->storage);
      return FALSE;
    }
  g_autofree char *path = p2v_define_local_path (plan, name);
  if (exists (path))
    look->owner_uuid = read_uuid (path);
  return TRUE;
}

static gboolean
fail (GError **error, const char *path)
{
  int code = errno;
  g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
               "cannot write %s: %s. Nothing was overwritten. Remove the cause, then use "
               "\"p2v-server retry\".",
               path, g_strerror (code));
  return FALSE;
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      ssize_t written = write (fd, data, length);
      if (written < 0 && errno != EINTR)
        return FALSE;
      if (written > 0)
        {
          data += written;
          length -= (gsize)written;
        }
    }
  return fsync (fd) == 0;
}

/* Gives a finished file its name, failing with EEXIST when that is taken. */
static gboolean
name_file (const char *temporary, const char *path)
{
  if (renameat2 (AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
    return TRUE;
  if (errno != EINVAL && errno != ENOSYS) /* NFS and others cannot, but have hard links */
    return FALSE;
  if (link (temporary, path) != 0)
    return FALSE;
  g_unlink (temporary);
  return TRUE;
}

static void
sync_directory (const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);
  int fd = g_open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0)
    return;
  fsync (fd);
  close (fd);
}

/* Writes a file that has no name before it is complete, so that nothing is left of it if we die.
 * FALSE with errno; ENOTSUP where the file system has no such files (NFS). */
static gboolean
write_nameless (const char *path, const char *data, gsize length)
{
  g_autofree char *dir = g_path_get_dirname (path);
  int fd = open (dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0)
    {
      /* What open(2) says depends on who does not know the flag. */
      if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
        errno = ENOTSUP;
      return FALSE;
    }
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  gboolean ok = write_all (fd, data, length)
                && linkat (AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
  int code = errno;
  close (fd);
  errno = code;
  return ok;
}

static gboolean
write_new_file (const char *path, const char *data, gsize length, GError **error)
{
  if (write_nameless (path, data, length))
    {
      sync_directory (path);
      return TRUE;
    }
  if (errno != ENOTSUP)
    return fail (error, path);
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0)
    return fail (error, path);
  gboolean written = write_all (fd, data, length);
  int code = errno;
  close (fd);
  errno = code;
  if (!written || !name_file (temporary, path))
    {
      fail (error, path);
      g_unlink (temporary);
      return FALSE;
    }
  sync_directory (path);
  return TRUE;
}

static gboolean
has_contents (const char *path, const char *data, gsize length)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  return g_file_get_contents (path, &text, &size, NULL) && size == length
         && memcmp (text, data, length) == 0;
}

/* Copies the template of the UEFI variable store to where the domain expects it. One that is there
 * and as new was left by an attempt that was cut short. */
static gboolean
write_nvram (const char *template, const char *path, GError **error)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  if (!g_file_get_contents (template, &data, &length, error))
    return FALSE;
  if (length > FILE_MAX)
    {
      g_set_error (
          error, P2V_ERROR, P2V_ERROR_CONVERT,
          "%s is too large for a UEFI variable store. Reinstall the package ovmf, then use "
          "\"p2v-server retry\".",
          template);
      return FALSE;
    }
  return has_contents (path, data, length) || write_new_file (path, data, length, error);
}

gboolean
p2v_define_local (const P2vPlan *plan, const char *name, const char *xml, GError **error)
{
  g_autofree char *path = p2v_define_local_path (plan, name);
  g_autoptr (xmlDoc) doc = p2v_xml_parse (xml, strlen (xml), path, error);
  if (doc == NULL)
    return FALSE;
  xmlNode *os = p2v_xml_find_child (xmlDocGetRootElement (doc), "os");
  xmlNode *nvram = os != NULL ? p2v_xml_find_child (os, "nvram") : NULL;
  if (nvram != NULL)
    {
      g_autofree char *template = p2v_xml_get_attribute (nvram, "template");
      g_autofree char *store = p2v_xml_get_text (nvram);
      if (!write_nvram (template, store, error))
        return FALSE;
    }
  /* Last, because its being there means that all is. */
  return write_new_file (path, xml, strlen (xml), error);
}
