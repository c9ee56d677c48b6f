/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/tarball.h"

#include "common/error.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

struct _P2vTarball
{
  struct archive *archive;
  char *directory;
};

static gboolean
fail (const P2vTarball *tarball, GError **error)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot write the report: %s (%s)",
               archive_error_string (tarball->archive),
               g_strerror (archive_errno (tarball->archive)));
  return FALSE;
}

P2vTarball *
p2v_tarball_new (int fd, const char *directory, GError **error)
{
  g_autoptr (P2vTarball) tarball = g_new0 (P2vTarball, 1);
  struct archive *archive = archive_write_new ();
  tarball->archive = archive;
  tarball->directory = g_strdup (directory);
  if (archive_write_set_format_pax_restricted (archive) != ARCHIVE_OK
      || archive_write_add_filter_gzip (archive) != ARCHIVE_OK
      || archive_write_open_fd (archive, fd) != ARCHIVE_OK)
    {
      fail (tarball, error);
      return NULL;
    }
  return g_steal_pointer (&tarball);
}

gboolean
p2v_tarball_add (P2vTarball *tarball, const char *name, const char *text, GError **error)
{
  struct archive *archive = tarball->archive;
  g_autofree char *path = g_build_filename (tarball->directory, name, NULL);
  struct archive_entry *entry = archive_entry_new ();
  archive_entry_set_pathname (entry, path);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0600);
  archive_entry_set_size (entry, (la_int64_t)strlen (text));
  archive_entry_set_mtime (entry, g_get_real_time () / G_USEC_PER_SEC, 0);
  gboolean ok = archive_write_header (archive, entry) == ARCHIVE_OK
                && archive_write_data (archive, text, strlen (text)) >= 0
                && archive_write_finish_entry (archive) == ARCHIVE_OK;
  archive_entry_free (entry);
  return ok || fail (tarball, error);
}

gboolean
p2v_tarball_finish (P2vTarball *tarball, GError **error)
{
  return archive_write_close (tarball->archive) == ARCHIVE_OK || fail (tarball, error);
}

void
p2v_tarball_free (P2vTarball *tarball)
{
  if (tarball == NULL)
    return;
  archive_write_free (tarball->archive);
  g_free (tarball->directory);
  g_free (tarball);
}
