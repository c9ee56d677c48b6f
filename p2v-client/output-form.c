/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/output-form.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <string.h>

#define MASK "***"

/* As long as the kernel's command line may be. */
#define MAX_TEXT 4096

/* What summaries call a field. */
static const char *const names[P2V_OUTPUT_N_FIELDS] = {
  [P2V_OUTPUT_PROFILE] = N_ ("profile"), [P2V_OUTPUT_MODE] = "-o",
  [P2V_OUTPUT_STORAGE] = "-os",          [P2V_OUTPUT_FORMAT] = "-of",
  [P2V_OUTPUT_ALLOCATION] = "-oa",       [P2V_OUTPUT_CONNECTION] = "-oc",
  [P2V_OUTPUT_OPTIONS] = "-oo",
};

/* The member of a field that is one text, NULL for P2V_OUTPUT_OPTIONS. */
static char **
member_of (P2vOutput *output, P2vOutputField field)
{
  switch (field)
    {
    case P2V_OUTPUT_PROFILE:
      return &output->profile;
    case P2V_OUTPUT_MODE:
      return &output->mode;
    case P2V_OUTPUT_STORAGE:
      return &output->storage;
    case P2V_OUTPUT_FORMAT:
      return &output->format;
    case P2V_OUTPUT_ALLOCATION:
      return &output->allocation;
    case P2V_OUTPUT_CONNECTION:
      return &output->connection;
    case P2V_OUTPUT_OPTIONS:
    case P2V_OUTPUT_N_FIELDS:
      break;
    }
  return NULL;
}

/* virt-v2v's options for OpenStack take credentials: os-password, os-token, … */
static gboolean
is_secret_option (const char *option)
{
  static const char *const words[] = { "pass", "secret", "token", "credential" };
  g_autofree char *key = g_strndup (option, strcspn (option, "="));
  g_autofree char *lower = g_ascii_strdown (key, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (lower, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

char **
p2v_output_mask_options (const P2vOutput *output)
{
  char **options = output->options;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (gsize i = 0; options != NULL && options[i] != NULL; i++)
    {
      g_autofree char *masked
          = g_strdup_printf ("%.*s=" MASK, (int)strcspn (options[i], "="), options[i]);
      g_strv_builder_add (builder, is_secret_option (options[i]) ? masked : options[i]);
    }
  return g_strv_builder_end (builder);
}

char *
p2v_output_show (const P2vOutput *output, P2vOutputField field)
{
  if (field == P2V_OUTPUT_OPTIONS)
    {
      g_auto (GStrv) masked = p2v_output_mask_options (output);
      return g_strjoinv (",", masked);
    }
  const char *value = *member_of ((P2vOutput *)output, field);
  if (value == NULL)
    return g_strdup ("");
  return field == P2V_OUTPUT_CONNECTION ? p2v_url_mask (value) : g_strdup (value);
}

static gboolean
refuse (GError **error, const char *sentence)
{
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE, sentence);
  return FALSE;
}

/* What the server would not take for any of them. */
static gboolean
check_text (const char *text, GError **error)
{
  gboolean good = strlen (text) < MAX_TEXT && g_utf8_validate (text, -1, NULL);
  for (const char *p = text; *p != '\0' && good; p++)
    good = !g_ascii_iscntrl (*p);
  if (!good)
    return refuse (error, _ ("This is too long, or has characters that are no text."));
  if (text[0] == '-')
    return refuse (error, _ ("This cannot begin with \"-\"."));
  return TRUE;
}

/* Each has the form KEY=VALUE; some of virt-v2v's are a key alone. */
static gboolean
enter_options (P2vOutput *output, const char *text, GError **error)
{
  g_auto (GStrv) options = g_strsplit (text, ",", -1);
  for (gsize i = 0; options[i] != NULL; i++)
    {
      g_strstrip (options[i]);
      g_autofree char *key = g_strndup (options[i], strcspn (options[i], "="));
      if (!p2v_name_is_plain (key))
        return refuse (error, _ ("Type options as in key=value, with commas between them."));
      if (is_secret_option (options[i]) && g_str_has_suffix (options[i], "=" MASK))
        return refuse (error, _ ("Type the values that are shown as *** again, too."));
    }
  g_strfreev (output->options);
  output->options = options[0] != NULL ? g_steal_pointer (&options) : NULL;
  return TRUE;
}

gboolean
p2v_output_enter (P2vOutput *output, P2vOutputField field, const char *text, GError **error)
{
  g_autofree char *shown = p2v_output_show (output, field);
  g_autofree char *value = g_strdup (text);
  g_strstrip (value);
  if (strcmp (value, shown) == 0)
    return TRUE;
  if (!check_text (value, error))
    return FALSE;
  if (field == P2V_OUTPUT_OPTIONS)
    return enter_options (output, value, error);
  char **member = member_of (output, field);
  g_free (*member);
  *member = value[0] != '\0' ? g_steal_pointer (&value) : NULL;
  return TRUE;
}

gboolean
p2v_output_is_equal (const P2vOutput *a, const P2vOutput *b)
{
  g_autoptr (JsonObject) first = p2v_output_to_json (a);
  g_autoptr (JsonObject) second = p2v_output_to_json (b);
  g_autofree char *first_text = p2v_json_to_text (first, FALSE);
  g_autofree char *second_text = p2v_json_to_text (second, FALSE);
  return strcmp (first_text, second_text) == 0;
}

char *
p2v_output_summary (const P2vOutput *output)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < P2V_OUTPUT_N_FIELDS; i++)
    {
      g_autofree char *value = p2v_output_show (output, i);
      g_autofree char *printable = p2v_text_printable (value);
      if (printable[0] != '\0')
        g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", _ (names[i]),
                                printable);
    }
  return g_string_free (text, FALSE);
}
