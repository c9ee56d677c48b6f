/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/setup.h"

#include "common/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define UNIT "p2v-recover.service"

/* Where systemd looks for units of packages and of the administrator, systemd.unit(5). */
static const char *const unit_directories[] = {
  "/etc/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
};

/* What "systemctl enable" makes for WantedBy=multi-user.target. */
#define WANTS_DIRECTORY "/etc/systemd/system/multi-user.target.wants"

static char *
find_unit (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (unit_directories); i++)
    {
      g_autofree char *path = g_build_filename (unit_directories[i], UNIT, NULL);
      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&path);
    }
  return NULL;
}

gboolean
p2v_setup_recover (P2vSetup *setup, GError **error)
{
  const char *link = WANTS_DIRECTORY "/" UNIT;
  g_autofree char *unit = find_unit ();
  if (unit == NULL)
    {
      p2v_setup_warn (setup, UNIT " is not installed (make install does that): jobs that a restart "
                                  "of this host interrupts go on only when the next machine logs "
                                  "in, or with \"p2v-server recover\"");
      return TRUE;
    }
  if (g_file_test (link, G_FILE_TEST_EXISTS))
    {
      p2v_setup_keep (setup, UNIT " takes up interrupted jobs at boot");
      return TRUE;
    }
  if (!p2v_setup_change (setup, "enable " UNIT ", which takes up interrupted jobs at boot"))
    return TRUE;
  /* A link that leads nowhere is in the way of a right one. */
  g_unlink (link);
  if (g_mkdir_with_parents (WANTS_DIRECTORY, 0755) == 0 && symlink (unit, link) == 0)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
               "cannot make %s: %s. Look at the file system, then run setup again.", link,
               g_strerror (errno));
  return FALSE;
}
