/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/site.h"

#include "common/error.h"
#include "p2v-server/program.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

/* Nothing in it is larger: a file of defaults and a key. */
#define MAX_FILE (256 * 1024)

/* Room for the whole archive from the start: growing would leave copies of the key behind. */
#define MAX_IMAGE (4 * MAX_FILE)

static la_ssize_t
append (struct archive *archive, void *user_data, const void *data, size_t length)
{
  GByteArray *image = user_data;
  if (length > MAX_IMAGE - image->len)
    {
      archive_set_error (archive, EFBIG, "the key is too large");
      return -1;
    }
  g_byte_array_append (image, data, (guint)length);
  return (la_ssize_t)length;
}

/* data: NULL for a directory. Belongs to root, and has no time, so that the same site gives the
 * same bytes. */
static gboolean
add (struct archive *archive, const char *path, mode_t mode, const void *data, gsize size)
{
  struct archive_entry *entry = archive_entry_new ();
  archive_entry_set_pathname (entry, path);
  archive_entry_set_filetype (entry, data != NULL ? AE_IFREG : AE_IFDIR);
  archive_entry_set_perm (entry, mode);
  archive_entry_set_uid (entry, 0);
  archive_entry_set_gid (entry, 0);
  archive_entry_set_nlink (entry, data != NULL ? 1 : 2);
  archive_entry_set_mtime (entry, 0, 0);
  archive_entry_set_size (entry, (la_int64_t)size);
  gboolean ok = archive_write_header (archive, entry) == ARCHIVE_OK
                && (size == 0 || archive_write_data (archive, data, size) == (la_ssize_t)size);
  archive_entry_free (entry);
  return ok;
}

static gboolean
fill (struct archive *archive, const P2vSite *site, GByteArray *image)
{
  gsize size;
  const void *identity = g_bytes_get_data (site->identity, &size);
  g_autofree char *defaults = p2v_site_defaults (site);
  g_autofree char *words = p2v_site_kernel (site);
  g_autofree char *kernel = g_strconcat (words, "\n", NULL);
  /* The kernel unpacks over what is there, so the directories have the modes they have anyway. */
  return archive_write_set_format_cpio_newc (archive) == ARCHIVE_OK
         && archive_write_add_filter_none (archive) == ARCHIVE_OK
         && archive_write_set_bytes_per_block (archive, 512) == ARCHIVE_OK
         && archive_write_open (archive, image, NULL, append, NULL) == ARCHIVE_OK
         && add (archive, "etc", 0755, NULL, 0) && add (archive, "etc/p2v", 0755, NULL, 0)
         && add (archive, P2V_SITE_DEFAULTS, 0600, defaults, strlen (defaults))
         && add (archive, P2V_SITE_IDENTITY, 0600, identity, size)
         && add (archive, P2V_SITE_KERNEL, 0644, kernel, strlen (kernel))
         && archive_write_close (archive) == ARCHIVE_OK;
}

GBytes *
p2v_site_image (const P2vSite *site, GError **error)
{
  g_autoptr (GByteArray) image = g_byte_array_sized_new (MAX_IMAGE);
  struct archive *archive = archive_write_new ();
  gboolean ok = fill (archive, site, image);
  if (!ok)
    g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot make site.img: %s",
                 archive_error_string (archive));
  archive_write_free (archive);
  GBytes *bytes = ok ? p2v_secret_bytes_new (image->data, image->len) : NULL;
  explicit_bzero (image->data, image->len);
  return bytes;
}

/* The contents of the current entry, NULL when it is too large or damaged. */
static GBytes *
read_entry (struct archive *archive)
{
  g_autofree char *buffer = g_malloc (MAX_FILE);
  la_ssize_t length = archive_read_data (archive, buffer, MAX_FILE);
  GBytes *bytes
      = length >= 0 && length < MAX_FILE ? p2v_secret_bytes_new (buffer, (gsize)length) : NULL;
  explicit_bzero (buffer, MAX_FILE);
  return bytes;
}

gboolean
p2v_site_image_read (GBytes *image, const char *name, char **defaults, GBytes **identity,
                     GError **error)
{
  struct archive *archive = archive_read_new ();
  struct archive_entry *entry;
  gsize size;
  const void *data = g_bytes_get_data (image, &size);
  *defaults = NULL;
  *identity = NULL;
  archive_read_support_format_cpio (archive);
  int status = archive_read_open_memory (archive, data, size);
  while (status == ARCHIVE_OK
         && (status = archive_read_next_header (archive, &entry)) == ARCHIVE_OK)
    {
      const char *path = archive_entry_pathname (entry);
      gboolean is_defaults = g_strcmp0 (path, P2V_SITE_DEFAULTS) == 0;
      if (!is_defaults && g_strcmp0 (path, P2V_SITE_IDENTITY) != 0)
        continue;
      g_autoptr (GBytes) contents = read_entry (archive);
      if (contents == NULL)
        status = ARCHIVE_FATAL;
      else if (is_defaults && *defaults == NULL)
        *defaults = g_strndup (g_bytes_get_data (contents, NULL), g_bytes_get_size (contents));
      else if (!is_defaults && *identity == NULL)
        *identity = g_steal_pointer (&contents);
    }
  archive_read_free (archive);
  if (status == ARCHIVE_EOF)
    return TRUE;
  g_clear_pointer (defaults, g_free);
  g_clear_pointer (identity, g_bytes_unref);
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s is damaged: it is no cpio archive.", name);
  return FALSE;
}
