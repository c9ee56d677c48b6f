/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/free-space-parts.h"
#include "p2v-client/inventory-parts.h"

#include <string.h>

/* It reads the filesystem's maps, which lie scattered over the disk. */
#define PARTCLONE_SECONDS 900
/* About a million pieces of free space, more than a terabyte of files breaks a disk into. */
#define MAP_BYTES (64 * 1024 * 1024)

/* A hexadecimal number that begins with 0x. */
static gboolean
take_number (const char **at, const char *end, guint64 *number)
{
  const char *p = *at;
  if (end - p < 3 || p[0] != '0' || p[1] != 'x')
    return FALSE;
  p += 2;
  const char *digits = p;
  for (*number = 0; p < end && g_ascii_isxdigit (*p); p++)
    *number = *number << 4 | (guint64)g_ascii_xdigit_value (*p);
  *at = p;
  return p > digits && p - digits <= 16 && *number <= G_MAXINT64;
}

static gboolean
take_blanks (const char **at, const char *end)
{
  const char *begin = *at;
  while (*at < end && (**at == ' ' || **at == '\t'))
    (*at)++;
  return *at > begin;
}

/* Whatever the status of a line means, only ? says free. */
static gboolean
take_status (const char **at, const char *end, char *status)
{
  if (end - *at < 1 || strchr ("+?", **at) == NULL || **at == '\0')
    return FALSE;
  *status = *(*at)++;
  take_blanks (at, end);
  return TRUE;
}

static gboolean
parse_line (const char *line, const char *end, guint64 *position, guint64 *size, char *status)
{
  return take_number (&line, end, position) && take_blanks (&line, end)
         && (size == NULL || (take_number (&line, end, size) && take_blanks (&line, end)))
         && take_status (&line, end, status) && line == end;
}

GArray *
p2v_domain_map_parse (const char *text, gsize length, gint64 size, GError **error)
{
  g_autoptr (GArray) free = p2v_ranges_new ();
  gboolean started = FALSE;
  guint64 at = 0, position, bytes;
  char status;
  for (const char *line = text, *end = text + length; line < end;)
    {
      const char *stop = memchr (line, '\n', end - line);
      if (stop == NULL)
        {
          p2v_free_refuse (error, "its map breaks off");
          return NULL;
        }
      if (*line == '#' || line == stop)
        ;
      else if (!started)
        {
          started = parse_line (line, stop, &position, NULL, &status);
          if (!started)
            break;
        }
      else if (!parse_line (line, stop, &position, &bytes, &status) || position != at || bytes == 0
               || bytes > (guint64)size - at)
        {
          p2v_free_refuse (error, "its map makes no sense at byte %" G_GUINT64_FORMAT, at);
          return NULL;
        }
      else
        {
          if (status == '?')
            p2v_ranges_add (free, position, bytes);
          at += bytes;
        }
      line = stop + 1;
    }
  if (!started || at != (guint64)size)
    {
      p2v_free_refuse (error, "its map does not cover it");
      return NULL;
    }
  return g_steal_pointer (&free);
}

GArray *
p2v_partclone_map (P2vFreeLook *look, const char *program, GError **error)
{
  const char *device = p2v_free_look_device (look, error);
  if (device == NULL)
    return NULL;
  const char *const argv[]
      = { program, "-D", "-s", device, "-o", "-", "-L", "/dev/null", "-f", "1", NULL };
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) output = p2v_tool_run (argv, look->filesystem->fd, MAP_BYTES,
                                            PARTCLONE_SECONDS, look->cancellable, &problem);
  if (output == NULL)
    {
      if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_propagate_error (error, g_steal_pointer (&problem));
      else if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        p2v_free_refuse (error, "%s is not installed (package partclone)", program);
      else if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
        p2v_free_refuse (error, "its free space is in too many pieces");
      else
        p2v_free_refuse (error, "%s cannot map it: %s", program, problem->message);
      return NULL;
    }
  gsize length;
  const char *text = g_bytes_get_data (output, &length);
  return p2v_domain_map_parse (text, length, look->size, error);
}
