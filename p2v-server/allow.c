/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/allow.h"

#include "common/error.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The value that a list in the configuration would have with one more item (transfer full). */
static char *
list_with (char **items, const char *item)
{
  g_autofree char *list = g_strjoinv (";", items);
  return g_strconcat (list, list[0] != '\0' ? ";" : "", item, NULL);
}

static gboolean
refuse_storage (const P2vServerConfig *config, const char *what, const char *item, GError **error)
{
  g_autofree char *list = list_with (config->storage_allow, item);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "the server does not allow images in %s. To allow it, its administrator puts this "
               "line under [storage] in %s: allow=%s",
               what, config->file, list);
  return FALSE;
}

gboolean
p2v_allow_pool (const P2vServerConfig *config, const char *pool, GError **error)
{
  g_autofree char *item = g_strconcat (P2V_ALLOW_POOL_PREFIX, pool, NULL);
  const char *const *allowed = (const char *const *)config->storage_allow;
  if (g_strv_contains (allowed, P2V_ALLOW_POOLS) || g_strv_contains (allowed, item))
    return TRUE;
  g_autofree char *what = g_strdup_printf ("the storage pool \"%s\"", pool);
  return refuse_storage (config, what, item, error);
}

gboolean
p2v_allow_mode (const P2vServerConfig *config, const char *mode, GError **error)
{
  if (g_strv_contains ((const char *const *)config->output_modes, mode))
    return TRUE;
  g_autofree char *shown = g_strescape (mode, NULL);
  g_autofree char *list = list_with (config->output_modes, shown);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "the server does not allow virt-v2v's output mode \"%s\". To allow it, its "
               "administrator puts this line under [output] in %s: modes=%s",
               shown, config->file, list);
  return FALSE;
}

/* The path with every symbolic link followed in as much of it as exists; NULL with errno set when
 * that cannot be told (transfer full). */
static char *
resolve (const char *path)
{
  g_autofree char *head = g_canonicalize_filename (path, "/");
  g_autofree char *tail = g_strdup ("");
  while (TRUE)
    {
      char *real = realpath (head, NULL);
      if (real != NULL)
        {
          g_autofree char *joined = g_build_filename (real, tail, NULL);
          free (real);
          return g_canonicalize_filename (joined, "/");
        }
      if (errno != ENOENT || strcmp (head, "/") == 0)
        return NULL;
      g_autofree char *name = g_path_get_basename (head);
      char *parent = g_path_get_dirname (head);
      g_free (head);
      head = parent;
      char *longer = g_strconcat (name, "/", tail, NULL);
      g_free (tail);
      tail = longer;
    }
}

/* Component by component: /srv/ab is not below /srv/a. Both are canonical. */
static gboolean
is_within (const char *path, const char *directory)
{
  if (strcmp (directory, "/") == 0)
    return TRUE;
  gsize length = strlen (directory);
  return strncmp (path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static gboolean
is_allowed (const P2vServerConfig *config, const char *canonical)
{
  for (gsize i = 0; config->storage_allow[i] != NULL; i++)
    {
      if (!g_path_is_absolute (config->storage_allow[i]))
        continue;
      g_autofree char *directory = resolve (config->storage_allow[i]);
      if (directory != NULL && is_within (canonical, directory))
        return TRUE;
    }
  return FALSE;
}

static gboolean
check_text (const char *path, GError **error)
{
  g_auto (GStrv) components = g_strsplit (path, "/", -1);
  gboolean climbs = g_strv_contains ((const char *const *)components, "..");
  gboolean printable = g_utf8_validate (path, -1, NULL);
  for (const char *c = path; *c != '\0'; c++)
    printable = printable && !g_ascii_iscntrl (*c);
  if (g_path_is_absolute (path) && !climbs && printable && strlen (path) < PATH_MAX)
    return TRUE;
  g_autofree char *start = g_strndup (path, 200);
  g_autofree char *shown = g_strescape (start, NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "\"%s\" cannot be the directory for images: give an absolute path on the server "
               "without \"..\" and control characters, e.g. p2v.os=/var/lib/p2v/images",
               shown);
  return FALSE;
}

static gboolean
check_usable (const P2vServerConfig *config, const char *canonical, const char *path,
              GError **error)
{
  g_autofree char *standard = resolve (config->storage_default);
  gboolean may_be_made = g_strcmp0 (standard, canonical) == 0;
  if (!g_file_test (canonical, G_FILE_TEST_EXISTS) && may_be_made)
    return TRUE;
  if (!g_file_test (canonical, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "the directory %s does not exist on the server. Make it there (mkdir -p %s) or "
                   "name another with p2v.os=",
                   path, path);
      return FALSE;
    }
  if (access (canonical, W_OK | X_OK) != 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "the server cannot write to the directory %s: %s. Give the account that "
                   "p2v-server runs as (user ID %u) write access to it.",
                   canonical, g_strerror (errno), (guint)geteuid ());
      return FALSE;
    }
  return TRUE;
}

char *
p2v_allow_directory (const P2vServerConfig *config, const char *path, GError **error)
{
  if (!check_text (path, error))
    return NULL;
  g_autofree char *canonical = resolve (path);
  if (canonical == NULL)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "the server cannot use the directory %s: %s. Name another with p2v.os=", path,
                   g_strerror (errno));
      return NULL;
    }
  /* Allowed or not comes first: what exists elsewhere is no business of a client. */
  if (!is_allowed (config, canonical))
    {
      g_autofree char *what
          = strcmp (path, canonical) == 0
                ? g_strdup_printf ("the directory %s", path)
                : g_strdup_printf ("the directory %s (in truth %s)", path, canonical);
      refuse_storage (config, what, canonical, error);
      return NULL;
    }
  if (!check_usable (config, canonical, path, error))
    return NULL;
  return g_steal_pointer (&canonical);
}
