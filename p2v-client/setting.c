/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/setting.h"

#include "common/error.h"
#include "p2v-client/hooks.h"
#include "p2v-client/i18n.h"
#include "p2v-client/identity.h"
#include "p2v-client/text.h"

#include <string.h>

/* Longest value that a message repeats, bytes. */
#define MAX_SHOWN 64

/* Longer values are no names, paths or URLs; the kernel's own limit for its command line is 2 to
 * 4 KiB (COMMAND_LINE_SIZE). */
#define MAX_VALUE 4096

gboolean
p2v_setting_refuse (const P2vSetting *setting, const char *value, const char *reason,
                    GError **error)
{
  const char *name
      = setting->argument.alias != NULL ? setting->argument.alias : _ (setting->argument.name);
  if (value == NULL || setting->secret)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s: %s.", name, reason);
      return FALSE;
    }
  g_autofree char *printable = p2v_text_printable (value);
  gboolean cut = strlen (printable) > MAX_SHOWN;
  if (cut)
    *g_utf8_find_prev_char (printable, printable + MAX_SHOWN) = '\0';
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s=%s%s: %s.", name, printable, cut ? "..." : "",
               reason);
  return FALSE;
}

gpointer
p2v_setting_member (const P2vSetting *setting, P2vConfig *config)
{
  gpointer base = setting->in_output ? (gpointer)config->output : (gpointer)config;
  return G_STRUCT_MEMBER_P (base, setting->offset);
}

static gboolean
refuse_missing (const P2vSetting *setting, GError **error)
{
  const P2vArgument *argument = &setting->argument;
  const char *name = argument->alias != NULL ? argument->alias : argument->name;
  g_autofree char *reason
      = g_strdup_printf (_ ("expected a value, as in %s=%s"), name, argument->value);
  return p2v_setting_refuse (setting, NULL, reason, error);
}

static gboolean
has_control_character (const char *value)
{
  for (; *value != '\0'; value++)
    if (g_ascii_iscntrl (*value))
      return TRUE;
  return FALSE;
}

static gboolean
check_text (const P2vSetting *setting, const char *value, GError **error)
{
  if (value == NULL || value[0] == '\0')
    return refuse_missing (setting, error);
  if (strlen (value) > MAX_VALUE)
    return p2v_setting_refuse (setting, value, _ ("the value is too long"), error);
  if (has_control_character (value))
    return p2v_setting_refuse (setting, value, _ ("control characters cannot be part of it"),
                               error);
  return TRUE;
}

static void
store_text (const P2vSetting *setting, P2vConfig *config, const char *value)
{
  char **member = p2v_setting_member (setting, config);
  g_free (*member);
  *member = g_strdup (value);
}

gboolean
p2v_setting_set_text (const P2vSetting *setting, P2vConfig *config, const char *value,
                      GError **error)
{
  if (!check_text (setting, value, error))
    return FALSE;
  store_text (setting, config, value);
  return TRUE;
}

gboolean
p2v_setting_set_plain (const P2vSetting *setting, P2vConfig *config, const char *value,
                       GError **error)
{
  if (!check_text (setting, value, error))
    return FALSE;
  if (!p2v_name_is_plain (value))
    return p2v_setting_refuse (
        setting, value, _ ("expected one word of letters, digits, \"-\", \"_\", \".\" or \"+\""),
        error);
  store_text (setting, config, value);
  return TRUE;
}

/* An empty secret is none, as "p2v.password=" in a template that was not filled in. */
gboolean
p2v_setting_set_secret (const P2vSetting *setting, P2vConfig *config, const char *value,
                        GError **error)
{
  if (value == NULL)
    return refuse_missing (setting, error);
  char **member = p2v_setting_member (setting, config);
  g_clear_pointer (member, p2v_secret_free);
  if (value[0] != '\0')
    *member = g_strdup (value);
  return TRUE;
}

static gboolean
read_boolean (const P2vSetting *setting, const char *value, gboolean *out, GError **error)
{
  static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
  *out = TRUE;
  if (value == NULL || value[0] == '\0')
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (value, words[i]) == 0)
      {
        *out = i % 2 == 1;
        return TRUE;
      }
  return p2v_setting_refuse (setting, value, _ ("expected yes or no, or nothing for yes"), error);
}

gboolean
p2v_setting_set_switch (const P2vSetting *setting, P2vConfig *config, const char *value,
                        GError **error)
{
  return read_boolean (setting, value, p2v_setting_member (setting, config), error);
}

gboolean
p2v_setting_set_tristate (const P2vSetting *setting, P2vConfig *config, const char *value,
                          GError **error)
{
  gboolean yes;
  if (!read_boolean (setting, value, &yes, error))
    return FALSE;
  P2vTristate *member = p2v_setting_member (setting, config);
  *member = yes ? P2V_YES : P2V_NO;
  return TRUE;
}

static gboolean
read_number (const P2vSetting *setting, const char *value, gint64 *out, GError **error)
{
  if (!check_text (setting, value, error))
    return FALSE;
  if (g_ascii_string_to_signed (value, 10, setting->min, setting->max, out, NULL))
    return TRUE;
  g_autofree char *reason = g_strdup_printf (_ ("expected a number from %lld to %lld"),
                                             (long long)setting->min, (long long)setting->max);
  return p2v_setting_refuse (setting, value, reason, error);
}

gboolean
p2v_setting_set_number (const P2vSetting *setting, P2vConfig *config, const char *value,
                        GError **error)
{
  return read_number (setting, value, p2v_setting_member (setting, config), error);
}

gboolean
p2v_setting_set_port (const P2vSetting *setting, P2vConfig *config, const char *value,
                      GError **error)
{
  gint64 port;
  if (!read_number (setting, value, &port, error))
    return FALSE;
  config->port = (guint16)port;
  return TRUE;
}

static gboolean
check_choice (const P2vSetting *setting, const char *value, GError **error)
{
  if (!check_text (setting, value, error))
    return FALSE;
  if (g_strv_contains ((const char *const *)setting->choices, value))
    return TRUE;
  g_autofree char *choices = g_strjoinv (", ", (char **)setting->choices);
  g_autofree char *reason = g_strdup_printf (_ ("expected one of %s"), choices);
  return p2v_setting_refuse (setting, value, reason, error);
}

gboolean
p2v_setting_set_choice (const P2vSetting *setting, P2vConfig *config, const char *value,
                        GError **error)
{
  if (!check_choice (setting, value, error))
    return FALSE;
  store_text (setting, config, value);
  return TRUE;
}

/* "none" is virt-p2v's word for not passing -oa at all. */
gboolean
p2v_setting_set_allocation (const P2vSetting *setting, P2vConfig *config, const char *value,
                            GError **error)
{
  if (!check_choice (setting, value, error))
    return FALSE;
  store_text (setting, config, strcmp (value, "none") == 0 ? NULL : value);
  return TRUE;
}

/* min: the least number of items. An empty list means "none of them" where that makes sense. */
gboolean
p2v_setting_set_list (const P2vSetting *setting, P2vConfig *config, const char *value,
                      GError **error)
{
  if (value == NULL || (setting->min > 0 && value[0] == '\0'))
    return refuse_missing (setting, error);
  if (value[0] != '\0' && !check_text (setting, value, error))
    return FALSE;
  g_auto (GStrv) items = g_strsplit (value, ",", -1);
  char ***member = p2v_setting_member (setting, config);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  if (setting->repeatable && *member != NULL)
    g_strv_builder_addv (builder, (const char **)*member);
  for (gsize i = 0; items[i] != NULL; i++)
    {
      if (items[i][0] == '\0')
        return p2v_setting_refuse (setting, value, _ ("there is nothing between two commas"),
                                   error);
      if (!setting->repeatable && g_strv_contains ((const char *const *)items + i + 1, items[i]))
        return p2v_setting_refuse (setting, value, _ ("something is named twice"), error);
      g_strv_builder_add (builder, items[i]);
    }
  g_strfreev (*member);
  *member = g_strv_builder_end (builder);
  return TRUE;
}

/* An empty command is kept: it says "do nothing" where there is a default. */
gboolean
p2v_setting_set_command (const P2vSetting *setting, P2vConfig *config, const char *value,
                         GError **error)
{
  if (value == NULL)
    return refuse_missing (setting, error);
  if (value[0] != '\0' && (!check_text (setting, value, error)))
    return FALSE;
  g_autoptr (GError) reason = NULL;
  if (!p2v_hook_check (setting->argument.name, value, &reason))
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  store_text (setting, config, value);
  return TRUE;
}
