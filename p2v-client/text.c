/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/text.h"

#include <string.h>

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

char *
p2v_size_format (gint64 bytes)
{
  static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
  if (bytes < 1024)
    return g_strdup_printf ("%" G_GINT64_FORMAT " B", MAX (bytes, 0));
  double value = bytes / 1024.0;
  gsize unit = 0;
  /* 1023.95 would be rounded to "1024.0". */
  for (; value >= 1023.95 && unit + 1 < G_N_ELEMENTS (units); unit++)
    value /= 1024;
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}

char *
p2v_rate_format (double bytes_per_second)
{
  double limited = CLAMP (bytes_per_second, 0, (double)(G_GINT64_CONSTANT (1) << 60));
  g_autofree char *size = p2v_size_format ((gint64)limited);
  return g_strconcat (size, "/s", NULL);
}

char *
p2v_duration_format (gint64 seconds)
{
  seconds = MAX (seconds, 0);
  if (seconds < MINUTE)
    return g_strdup_printf ("%d s", (int)seconds);
  if (seconds < HOUR)
    return g_strdup_printf ("%d min %02d s", (int)(seconds / MINUTE), (int)(seconds % MINUTE));
  if (seconds < DAY)
    return g_strdup_printf ("%d h %02d min", (int)(seconds / HOUR), (int)(seconds % HOUR / MINUTE));
  return g_strdup_printf ("%" G_GINT64_FORMAT " d %02d h", seconds / DAY,
                          (int)(seconds % DAY / HOUR));
}

char *
p2v_text_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  GString *printable = g_string_new (NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      GUnicodeType type = g_unichar_type (c);
      if (c == '\n' || c == '\t' || c == '\r')
        g_string_append_c (printable, ' ');
      /* Format characters include those that turn the direction of writing around. */
      else if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT
               || type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR)
        g_string_append_c (printable, '?');
      else
        g_string_append_unichar (printable, c);
    }
  return g_string_free (printable, FALSE);
}

char *
p2v_url_mask (const char *url)
{
  const char *authority = url != NULL ? strstr (url, "://") : NULL;
  if (authority == NULL)
    return g_strdup (url);
  authority += 3;
  gsize length = strcspn (authority, "/?#");
  const char *at = memrchr (authority, '@', length);
  if (at == NULL)
    return g_strdup (url);
  g_autofree char *scheme = g_strndup (url, authority - url);
  return g_strconcat (scheme, "***", at, NULL);
}
