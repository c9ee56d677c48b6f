/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Files of /sys, /proc and /run that matter are far smaller. */
#define TEXT_LIMIT (1024 * 1024)

#define TREE_PATH(path)                                                                            \
  g_autofree char *path = NULL;                                                                    \
  {                                                                                                \
    va_list arguments;                                                                             \
    va_start (arguments, format);                                                                  \
    path = tree_path (tree, format, arguments);                                                    \
    va_end (arguments);                                                                            \
  }

static char *tree_path (const P2vTree *tree, const char *format, va_list arguments)
    __attribute__ ((format (printf, 2, 0)));

static char *
tree_path (const P2vTree *tree, const char *format, va_list arguments)
{
  g_autofree char *path = g_strdup_vprintf (format, arguments);
  return g_strconcat (tree->root, path, NULL);
}

char *
p2v_tree_path (const P2vTree *tree, const char *format, ...)
{
  TREE_PATH (path);
  return g_steal_pointer (&path);
}

gboolean
p2v_tree_exists (const P2vTree *tree, const char *format, ...)
{
  TREE_PATH (path);
  return access (path, F_OK) == 0;
}

static GBytes *
read_file (const char *path, gsize limit)
{
  /* Not blocking: nothing here should be a FIFO, but a recorded tree may hold anything. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 buffer[4096];
  ssize_t got = 0;
  while (bytes->len < limit)
    {
      got = read (fd, buffer, MIN (sizeof buffer, limit - bytes->len));
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        break;
      g_byte_array_append (bytes, buffer, got);
    }
  close (fd);
  if (got < 0)
    {
      g_debug ("cannot read %s: %s", path, g_strerror (errno));
      return NULL;
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

GBytes *
p2v_tree_read_bytes (const P2vTree *tree, gsize limit, const char *format, ...)
{
  TREE_PATH (path);
  return read_file (path, limit);
}

static char *
read_text (const char *path)
{
  g_autoptr (GBytes) bytes = read_file (path, TEXT_LIMIT);
  if (bytes == NULL)
    return NULL;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  if (data == NULL)
    return NULL;
  char *text = g_utf8_make_valid (data, length);
  for (char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) && *p != '\n')
      *p = ' ';
  g_strstrip (text);
  if (*text == '\0')
    g_clear_pointer (&text, g_free);
  return text;
}

char *
p2v_tree_read (const P2vTree *tree, const char *format, ...)
{
  TREE_PATH (path);
  return read_text (path);
}

gint64
p2v_tree_read_number (const P2vTree *tree, gint64 maximum, gint64 missing, const char *format, ...)
{
  TREE_PATH (path);
  g_autofree char *text = read_text (path);
  gint64 number;
  if (text == NULL || !g_ascii_string_to_signed (text, 10, 0, maximum, &number, NULL))
    return missing;
  return number;
}

static char *
resolve (const P2vTree *tree, const char *path)
{
  g_autofree char *real = realpath (path, NULL);
  if (real == NULL || !g_str_has_prefix (real, tree->root) || real[strlen (tree->root)] != '/')
    return NULL;
  return g_strdup (real + strlen (tree->root));
}

char *
p2v_tree_resolve (const P2vTree *tree, const char *format, ...)
{
  TREE_PATH (path);
  return resolve (tree, path);
}

char *
p2v_tree_link_name (const P2vTree *tree, const char *format, ...)
{
  TREE_PATH (path);
  g_autofree char *real = resolve (tree, path);
  return real == NULL ? NULL : g_path_get_basename (real);
}

/* Digits and letters count alike: the kernel numbers with both, "sdaa" after "sdz". */
static int
compare_names (gconstpointer a, gconstpointer b)
{
  const char *left = *(const char *const *)a;
  const char *right = *(const char *const *)b;
  gsize common = 0;
  while (left[common] != '\0' && left[common] == right[common])
    common++;
  gboolean disks = g_str_has_prefix (left, "sd") && g_str_has_prefix (right, "sd");
  disks |= g_str_has_prefix (left, "vd") && g_str_has_prefix (right, "vd");
  if (disks && strlen (left) != strlen (right))
    return strlen (left) < strlen (right) ? -1 : 1;
  while (common > 0 && g_ascii_isdigit (left[common - 1]))
    common--;
  if (g_ascii_isdigit (left[common]) && g_ascii_isdigit (right[common]))
    {
      guint64 l = g_ascii_strtoull (left + common, NULL, 10);
      guint64 r = g_ascii_strtoull (right + common, NULL, 10);
      if (l != r)
        return l < r ? -1 : 1;
    }
  return strcmp (left, right);
}

char **
p2v_tree_list (const P2vTree *tree, const char *format, ...)
{
  TREE_PATH (path);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  /* A name that is no UTF-8 could not be told to anybody. */
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_utf8_validate (name, -1, NULL))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

char *
p2v_text_clean (const char *text, gssize length)
{
  if (text == NULL)
    return NULL;
  /* What follows a NUL is padding. */
  gsize end = length < 0 ? strlen (text) : strnlen (text, length);
  g_autofree char *valid = g_utf8_make_valid (text, end);
  g_autoptr (GString) clean = g_string_new (NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      g_string_append_unichar (clean, g_unichar_iscntrl (c) ? ' ' : c);
    }
  g_strstrip (clean->str);
  return *clean->str == '\0' ? NULL : g_strdup (clean->str);
}

/* The database's own format: a line "E:NAME=value" for each property, as systemd has written it
 * since version 1; libudev reads it for this machine only, this also for a recorded one. */
GHashTable *
p2v_udev_properties (const P2vTree *tree, const char *id)
{
  GHashTable *properties = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *text = p2v_tree_read (tree, "/run/udev/data/%s", id);
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      const char *equals = strchr (*line, '=');
      if (!g_str_has_prefix (*line, "E:") || equals == NULL)
        continue;
      char *value = p2v_text_clean (equals + 1, -1);
      if (value != NULL)
        g_hash_table_replace (properties, g_strndup (*line + 2, equals - *line - 2), value);
    }
  return properties;
}
