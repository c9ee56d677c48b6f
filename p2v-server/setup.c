/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/setup.h"

#include "common/error.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

void
p2v_setup_clear (P2vSetup *setup)
{
  g_clear_pointer (&setup->program, g_free);
  g_clear_pointer (&setup->home_dir, g_free);
  g_clear_pointer (&setup->key, p2v_ssh_key_free);
}

static void
say (const char *tag, const char *format, va_list arguments)
{
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  g_print ("%-9s %s\n", tag, text);
}

gboolean
p2v_setup_change (P2vSetup *setup, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  say (setup->dry_run ? "would" : "change", format, arguments);
  va_end (arguments);
  setup->changes++;
  return !setup->dry_run;
}

void
p2v_setup_keep (P2vSetup *setup, const char *format, ...)
{
  (void)setup;
  va_list arguments;
  va_start (arguments, format);
  say ("ok", format, arguments);
  va_end (arguments);
}

void
p2v_setup_warn (P2vSetup *setup, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  say ("warning", format, arguments);
  va_end (arguments);
  setup->warnings++;
}

/* Why a path cannot be part of the way to a login shell, NULL when it can. Whoever can change a
 * part of it decides what is run for everybody who logs in. */
static const char *
find_fault (P2vSetup *setup, const char *path)
{
  struct stat status;
  if (stat (path, &status) < 0)
    return "cannot be looked at";
  if (status.st_uid != 0)
    return "is not root's";
  if ((status.st_mode & S_IXOTH) == 0)
    return "may not be used by other users";
  if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
    return "may be changed by anybody";
  /* A file system of Debian has staff as the group of /usr/local, with the right to write. */
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0 && (status.st_mode & S_ISVTX) == 0)
    p2v_setup_warn (setup,
                    "the group %u may change %s, and so what runs for a machine that logs in; if "
                    "not all of them are administrators: chmod g-w %s",
                    status.st_gid, path, path);
  return NULL;
}

gboolean
p2v_setup_program (P2vSetup *setup, GError **error)
{
  setup->program = g_file_read_link ("/proc/self/exe", error);
  if (setup->program == NULL)
    return FALSE;
  const char *fault = NULL;
  g_autofree char *path = g_strdup (setup->program);
  while (fault == NULL && strcmp (path, "/") != 0)
    {
      fault = find_fault (setup, path);
      if (fault != NULL)
        break;
      char *parent = g_path_get_dirname (path);
      g_free (path);
      path = parent;
    }
  /* It stands between quotes in authorized_keys, and between colons in /etc/passwd. */
  for (const char *p = setup->program; *p != '\0' && fault == NULL; p++)
    if (!g_ascii_isalnum (*p) && strchr ("/._+-", *p) == NULL)
      fault = "has characters in its name that cannot stand in /etc/passwd";
  if (fault == NULL)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
               "%s cannot be a login shell: %s %s. Install p2v-server (make install, as root), and "
               "run setup with the installed one.",
               setup->program, path, fault);
  return FALSE;
}
