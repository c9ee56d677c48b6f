/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/keyboard.h"

#include <linux/kd.h>
#include <string.h>
#include <sys/ioctl.h>

void
p2v_keyboard_layout_free (P2vKeyboardLayout *layout)
{
  g_free (layout->code);
  g_free (layout->name);
  g_free (layout);
}

/* The list is made from XML, and some names still show it: "Czech (with &lt;\\|&gt; key)". */
static char *
unescape (const char *name)
{
  GString *text = g_string_new (name);
  g_string_replace (text, "&lt;", "<", 0);
  g_string_replace (text, "&gt;", ">", 0);
  g_string_replace (text, "&amp;", "&", 0);
  return g_string_free (text, FALSE);
}

static void
add (GPtrArray *layouts, char *code, const char *name)
{
  P2vKeyboardLayout *layout = g_new (P2vKeyboardLayout, 1);
  layout->code = code;
  layout->name = unescape (name);
  g_ptr_array_add (layouts, layout);
}

/* "  de              German" */
static void
add_layout (GPtrArray *layouts, const char *code, const char *rest)
{
  if (strcmp (code, "custom") != 0)
    add (layouts, g_strdup (code), rest);
}

/* "  nodeadkeys      de: German (no dead keys)" */
static void
add_variant (GPtrArray *layouts, const char *variant, const char *rest)
{
  const char *colon = strstr (rest, ": ");
  if (colon == NULL)
    return;
  g_autofree char *layout = g_strndup (rest, colon - rest);
  add (layouts, g_strdup_printf ("%s(%s)", layout, variant), colon + strlen (": "));
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const P2vKeyboardLayout *const *left = a;
  const P2vKeyboardLayout *const *right = b;
  return g_utf8_collate ((*left)->name, (*right)->name);
}

GPtrArray *
p2v_keyboard_layouts (const char *path)
{
  GPtrArray *layouts = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_keyboard_layout_free);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return layouts;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const char *section = "";
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      char *line = g_strstrip (lines[i]);
      gsize length = strcspn (line, " ");
      if (g_str_has_prefix (line, "! "))
        section = line + strlen ("! ");
      else if (line[length] != '\0')
        {
          g_autofree char *word = g_strndup (line, length);
          const char *rest = line + length + strspn (line + length, " ");
          if (strcmp (section, "layout") == 0)
            add_layout (layouts, word, rest);
          else if (strcmp (section, "variant") == 0)
            add_variant (layouts, word, rest);
        }
    }
  g_ptr_array_sort (layouts, compare);
  return layouts;
}

gboolean
p2v_keyboard_is_code (const char *code)
{
  return g_regex_match_simple ("^[a-z][a-z0-9_]*(\\([a-zA-Z0-9_-]+\\))?$", code,
                               G_REGEX_DOLLAR_ENDONLY, 0);
}

/* Runs a program to its end; the task returns what it printed. */
static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autofree char *output = NULL;
  g_autofree char *said = NULL;
  GSubprocess *program = G_SUBPROCESS (source);
  GError *error = NULL;
  if (!g_subprocess_communicate_utf8_finish (program, result, &output, &said, &error))
    g_task_return_error (task, error);
  else if (!g_subprocess_get_successful (program))
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "setxkbmap: %s",
                             g_strstrip (said)[0] != '\0' ? said : "it has failed");
  else
    g_task_return_pointer (task, g_steal_pointer (&output), g_free);
}

static void
run (const char *const *argv, GAsyncReadyCallback done, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, done, user_data);
  GError *error = NULL;
  g_autoptr (GSubprocess) program = g_subprocess_newv (
      argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  if (program == NULL)
    g_task_return_error (task, error);
  else
    g_subprocess_communicate_utf8_async (program, NULL, NULL, on_ended, g_steal_pointer (&task));
}

static void
on_set (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autofree char *output = g_task_propagate_pointer (G_TASK (result), &error);
  if (output == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/* The layout's keys are known, or not, when something is wrong with it, which setxkbmap says then.
 */
static void
on_printed (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const char *const *parts = g_task_get_task_data (task);
  const char *variant = parts[1] != NULL ? parts[1] : "";
  g_autofree char *keymap = g_task_propagate_pointer (G_TASK (result), NULL);
  gboolean latin = keymap == NULL || g_regex_match_simple ("\\[ *a, *A", keymap, 0, 0);
  g_autofree char *layouts = g_strconcat (latin ? "" : "us,", parts[0], NULL);
  g_autofree char *variants = g_strconcat (latin ? "" : ",", variant, NULL);
  /* The first option takes those away that there were. */
  const char *const argv[] = { "setxkbmap", "-layout", layouts,
                               "-variant",  variants,  "-option",
                               "",          "-option", latin ? "" : "grp:alt_shift_toggle",
                               NULL };
  g_object_set_data (G_OBJECT (task), "switches", GINT_TO_POINTER (!latin));
  run (argv, on_set, g_steal_pointer (&task));
}

void
p2v_keyboard_set (const char *code, GAsyncReadyCallback done, gpointer user_data)
{
  static const char print[]
      = "setxkbmap -layout \"$0\" -variant \"$1\" -print | xkbcomp -w 0 -xkb - -";
  char **parts = g_strsplit_set (code, "()", 3);
  const char *const argv[]
      = { "sh", "-c", print, parts[0], parts[1] != NULL ? parts[1] : "", NULL };
  g_return_if_fail (p2v_keyboard_is_code (code));
  GTask *task = g_task_new (NULL, NULL, done, user_data);
  g_task_set_task_data (task, parts, (GDestroyNotify)g_strfreev);
  run (argv, on_printed, task);
}

gboolean
p2v_keyboard_set_finish (GAsyncResult *result, gboolean *switches, GError **error)
{
  *switches = g_object_get_data (G_OBJECT (result), "switches") != NULL;
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
p2v_keyboard_get (GAsyncReadyCallback done, gpointer user_data)
{
  static const char *const argv[] = { "setxkbmap", "-query", NULL };
  run (argv, done, user_data);
}

/* The value of a line "layout:     us,de", of several the last. (transfer full) */
static char *
find_value (const char *const *lines, const char *name)
{
  for (gsize i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], name))
      {
        const char *values = lines[i] + strlen (name);
        const char *comma = strrchr (values, ',');
        return g_strstrip (g_strdup (comma != NULL ? comma + 1 : values));
      }
  return NULL;
}

char *
p2v_keyboard_get_finish (GAsyncResult *result, GError **error)
{
  g_autofree char *output = g_task_propagate_pointer (G_TASK (result), error);
  if (output == NULL)
    return NULL;
  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);
  g_autofree char *layout = find_value ((const char *const *)lines, "layout:");
  g_autofree char *variant = find_value ((const char *const *)lines, "variant:");
  return variant == NULL || variant[0] == '\0' ? g_steal_pointer (&layout)
                                               : g_strdup_printf ("%s(%s)", layout, variant);
}

gboolean
p2v_keyboard_is_console (int fd)
{
  char type;
  return ioctl (fd, KDGKBTYPE, &type) == 0;
}

gboolean
p2v_keyboard_set_console (const char *code, GError **error)
{
  g_return_val_if_fail (p2v_keyboard_is_code (code), FALSE);
  g_auto (GStrv) parts = g_strsplit_set (code, "()", 3);
  g_autofree char *keymap
      = parts[1] != NULL ? g_strdup_printf ("%s-%s", parts[0], parts[1]) : g_strdup (parts[0]);
  const char *const argv[] = { "loadkeys", "--quiet", keymap, NULL };
  g_autofree char *said = NULL;
  g_autoptr (GSubprocess) program
      = g_subprocess_newv (argv,
                           G_SUBPROCESS_FLAGS_STDIN_INHERIT | G_SUBPROCESS_FLAGS_STDOUT_SILENCE
                               | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                           error);
  if (program == NULL || !g_subprocess_communicate_utf8 (program, NULL, NULL, NULL, &said, error))
    return FALSE;
  if (g_subprocess_get_successful (program))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "loadkeys: %s",
               g_strstrip (said)[0] != '\0' ? said : "it has failed");
  return FALSE;
}
