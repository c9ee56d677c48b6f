/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/table.h"

#include <string.h>

/* Of the names in p2v_text_print_field(), characters. */
#define FIELD_WIDTH 12

struct _P2vTable
{
  const char *const *titles;
  guint columns;
  GPtrArray *rows; /* of char **, columns strings each */
};

char *
p2v_text_clean (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_new (NULL);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      g_string_append_unichar (clean, g_unichar_iscntrl (c) ? ' ' : c);
    }
  return g_string_free (clean, FALSE);
}

char *
p2v_text_time (gint64 milliseconds)
{
  if (milliseconds == 0)
    return g_strdup ("");
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (milliseconds / 1000);
  return time == NULL ? g_strdup ("?") : g_date_time_format (time, "%Y-%m-%d %H:%M:%S");
}

char *
p2v_text_duration (gint64 milliseconds)
{
  gint64 seconds = milliseconds / 1000;
  int hours = (int)MIN (seconds / 3600, G_MAXINT);
  int minutes = (int)(seconds / 60 % 60);
  int rest = (int)(seconds % 60);
  return hours > 0 ? g_strdup_printf ("%d:%02d:%02d", hours, minutes, rest)
                   : g_strdup_printf ("%d:%02d", minutes, rest);
}

char *
p2v_text_size (gint64 bytes)
{
  return g_format_size_full ((guint64)bytes, G_FORMAT_SIZE_IEC_UNITS);
}

P2vTable *
p2v_table_new (const char *const *titles)
{
  P2vTable *table = g_new0 (P2vTable, 1);
  table->titles = titles;
  table->columns = g_strv_length ((char **)titles);
  table->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  return table;
}

void
p2v_table_free (P2vTable *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->rows);
  g_free (table);
}

void
p2v_table_add (P2vTable *table, ...)
{
  char **row = g_new0 (char *, table->columns + 1);
  va_list cells;
  va_start (cells, table);
  for (guint i = 0; i < table->columns; i++)
    {
      const char *cell = va_arg (cells, const char *);
      row[i] = cell == NULL || *cell == '\0' ? g_strdup ("-") : p2v_text_clean (cell);
    }
  va_end (cells);
  g_ptr_array_add (table->rows, row);
}

static void
print_row (const char *const *row, const glong *widths, guint columns)
{
  GString *line = g_string_new (NULL);
  for (guint i = 0; i < columns; i++)
    {
      g_string_append (line, row[i]);
      glong padding = i + 1 < columns ? widths[i] - g_utf8_strlen (row[i], -1) + 2 : 0;
      for (glong n = 0; n < padding; n++)
        g_string_append_c (line, ' ');
    }
  g_print ("%s\n", line->str);
  g_string_free (line, TRUE);
}

void
p2v_table_print (const P2vTable *table)
{
  g_autofree glong *widths = g_new0 (glong, table->columns);
  for (guint i = 0; i < table->columns; i++)
    {
      widths[i] = g_utf8_strlen (table->titles[i], -1);
      for (guint k = 0; k < table->rows->len; k++)
        {
          char **row = table->rows->pdata[k];
          widths[i] = MAX (widths[i], g_utf8_strlen (row[i], -1));
        }
    }
  print_row (table->titles, widths, table->columns);
  for (guint k = 0; k < table->rows->len; k++)
    print_row (table->rows->pdata[k], widths, table->columns);
}

void
p2v_text_print_field (const char *name, const char *value)
{
  if (value == NULL || *value == '\0')
    return;
  g_autofree char *title = g_strconcat (name, ":", NULL);
  g_autofree char *clean = p2v_text_clean (value);
  g_print ("%-*s %s\n", FIELD_WIDTH, title, clean);
}
