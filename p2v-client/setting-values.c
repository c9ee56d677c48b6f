/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/setting.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/keyboard.h"

#include <string.h>

/* An unpadded Base64 SHA-256, as ssh-keygen -l prints it. */
#define FINGERPRINT_LENGTH 43

#define SECONDS_PER_HOUR 3600

static gboolean
store (const P2vSetting *setting, P2vConfig *config, char *value)
{
  char **member = p2v_setting_member (setting, config);
  g_free (*member);
  *member = value;
  return TRUE;
}

static gboolean
is_missing (const P2vSetting *setting, const char *value, GError **error)
{
  if (value != NULL && value[0] != '\0')
    return FALSE;
  const P2vArgument *argument = &setting->argument;
  const char *name = argument->alias != NULL ? argument->alias : argument->name;
  g_autofree char *reason
      = g_strdup_printf (_ ("expected a value, as in %s=%s"), name, argument->value);
  p2v_setting_refuse (setting, NULL, reason, error);
  return TRUE;
}

gboolean
p2v_setting_set_server (const P2vSetting *setting, P2vConfig *config, const char *value,
                        GError **error)
{
  if (is_missing (setting, value, error))
    return FALSE;
  gsize length = strlen (value);
  /* An IPv6 address may come in brackets. */
  g_autofree char *server = value[0] == '[' && value[length - 1] == ']'
                                ? g_strndup (value + 1, length - 2)
                                : g_strdup (value);
  const char *colon = strchr (server, ':');
  if (strchr (value, '@') != NULL)
    return p2v_setting_refuse (setting, value,
                               _ ("expected a host name or address only. Give the user with "
                                  "p2v.username=USER"),
                               error);
  if (colon != NULL && strchr (colon + 1, ':') == NULL)
    return p2v_setting_refuse (setting, value,
                               _ ("expected a host name or address only. Give the port with "
                                  "p2v.port=PORT"),
                               error);
  for (const char *p = server; *p != '\0'; p++)
    /* "%" separates the zone of a link-local address: fe80::1%eth0. */
    if (!g_ascii_isalnum (*p) && strchr (".-_:%", *p) == NULL)
      return p2v_setting_refuse (setting, value, _ ("this is no host name or address"), error);
  if (server[0] == '\0' || server[0] == '-')
    return p2v_setting_refuse (setting, value, _ ("this is no host name or address"), error);
  return store (setting, config, g_steal_pointer (&server));
}

gboolean
p2v_setting_set_keyboard (const P2vSetting *setting, P2vConfig *config, const char *value,
                          GError **error)
{
  if (!p2v_keyboard_is_code (value))
    return p2v_setting_refuse (setting, value, _ ("expected a layout such as de or us(dvorak)"),
                               error);
  return store (setting, config, g_strdup (value));
}

gboolean
p2v_setting_set_username (const P2vSetting *setting, P2vConfig *config, const char *value,
                          GError **error)
{
  if (is_missing (setting, value, error))
    return FALSE;
  gboolean good = value[0] != '-';
  /* A name from a directory may be user@domain or DOMAIN\user. */
  for (const char *p = value; *p != '\0' && good; p++)
    good = !g_ascii_iscntrl (*p) && !g_ascii_isspace (*p) && strchr ("/:\"'`$;|&<>", *p) == NULL;
  if (!good)
    return p2v_setting_refuse (setting, value, _ ("this is no user name"), error);
  return store (setting, config, g_strdup (value));
}

gboolean
p2v_setting_set_hostkey (const P2vSetting *setting, P2vConfig *config, const char *value,
                         GError **error)
{
  if (is_missing (setting, value, error))
    return FALSE;
  if (strcmp (value, "any") == 0)
    return store (setting, config, g_strdup (value));
  const char *const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *hash = g_str_has_prefix (value, "SHA256:") ? value + strlen ("SHA256:") : "";
  gsize length = strspn (hash, base64);
  const char *padding = hash + length;
  if (length != FINGERPRINT_LENGTH || (padding[0] != '\0' && strcmp (padding, "=") != 0))
    return p2v_setting_refuse (
        setting, value,
        _ ("expected \"any\", or SHA256: and 43 characters as this prints on the server: "
           "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"),
        error);
  return store (setting, config, g_strndup (value, padding - value));
}

gboolean
p2v_setting_set_name (const P2vSetting *setting, P2vConfig *config, const char *value,
                      GError **error)
{
  if (is_missing (setting, value, error))
    return FALSE;
  if (!p2v_guest_name_check (value, error))
    {
      p2v_error_recode (error, P2V_ERROR_USAGE);
      return FALSE;
    }
  return store (setting, config, g_strdup (value));
}

/* N with its unit. virt-p2v's units are powers of two; a bare number is a number of bytes there,
 * which nobody means, and which its manual forbids. */
gboolean
p2v_setting_set_memory (const P2vSetting *setting, P2vConfig *config, const char *value,
                        GError **error)
{
  static const char units[] = "KMGT";
  if (is_missing (setting, value, error))
    return FALSE;
  gsize digits = strspn (value, "0123456789");
  g_autofree char *number = g_strndup (value, digits);
  const char *suffix = value + digits;
  const char *unit = suffix[0] != '\0' ? strchr (units, g_ascii_toupper (suffix[0])) : NULL;
  gint64 size = 0;
  gint64 factor = unit != NULL ? G_GINT64_CONSTANT (1) << (10 * (unit - units + 1)) : 1;
  gboolean good = unit != NULL && (suffix[1] == '\0' || g_strcmp0 (suffix + 1, "iB") == 0)
                  && g_ascii_string_to_signed (number, 10, 0, setting->max / factor, &size, NULL);
  if (!good || size * factor < setting->min)
    return p2v_setting_refuse (
        setting, value, _ ("expected a size of at least 1M with its unit, such as 1024M or 4G"),
        error);
  config->memory = size * factor;
  return TRUE;
}

/* virt-p2v documents hours, and reads seconds. What it documents is what people write; a number
 * that can only be seconds is outside the range of hours and refused. Minutes are ours, for the
 * time zones that need them. */
gboolean
p2v_setting_set_rtc_offset (const P2vSetting *setting, P2vConfig *config, const char *value,
                            GError **error)
{
  if (is_missing (setting, value, error))
    return FALSE;
  gboolean negative = value[0] == '-';
  const char *unsigned_value = value + (value[0] == '-' || value[0] == '+');
  g_auto (GStrv) parts = g_strsplit (unsigned_value, ":", 2);
  guint64 hours = 0;
  guint64 minutes = 0;
  gboolean good
      = parts[0] != NULL && g_ascii_string_to_unsigned (parts[0], 10, 0, 24, &hours, NULL)
        && (parts[1] == NULL || g_ascii_string_to_unsigned (parts[1], 10, 0, 59, &minutes, NULL));
  gint64 seconds = (gint64)(hours * SECONDS_PER_HOUR + minutes * 60) * (negative ? -1 : 1);
  if (!good || seconds < setting->min * SECONDS_PER_HOUR
      || seconds > setting->max * SECONDS_PER_HOUR)
    return p2v_setting_refuse (
        setting, value, _ ("expected hours from -12 to +14, such as -5, +2 or +5:30"), error);
  config->rtc_offset = seconds;
  config->rtc_offset_set = P2V_YES;
  return TRUE;
}

static gboolean
add_network (const P2vSetting *setting, GPtrArray *networks, const char *item, GError **error)
{
  const char *colon = strchr (item, ':');
  g_autofree char *nic = colon != NULL ? g_strndup (item, colon - item) : NULL;
  const char *network = colon != NULL ? colon + 1 : item;
  if (nic != NULL && !p2v_name_is_plain (nic))
    return p2v_setting_refuse (setting, item, _ ("expected INTERFACE:TARGET"), error);
  if (!p2v_name_is_plain (network))
    return p2v_setting_refuse (
        setting, item,
        _ ("a target network's name has letters, digits, \"-\", \"_\", \".\" "
           "or \"+\""),
        error);
  for (guint i = 0; i < networks->len; i++)
    {
      const P2vNetworkMapping *other = networks->pdata[i];
      if (g_strcmp0 (other->nic, nic) == 0)
        return p2v_setting_refuse (setting, item,
                                   nic != NULL ? _ ("the interface already has a target")
                                               : _ ("there already is a default target"),
                                   error);
    }
  g_ptr_array_add (networks, p2v_network_mapping_new (nic, network));
  return TRUE;
}

gboolean
p2v_setting_set_networks (const P2vSetting *setting, P2vConfig *config, const char *value,
                          GError **error)
{
  if (is_missing (setting, value, error))
    return FALSE;
  g_auto (GStrv) items = g_strsplit (value, ",", -1);
  g_ptr_array_set_size (config->networks, 0);
  for (gsize i = 0; items[i] != NULL; i++)
    if (!add_network (setting, config->networks, items[i], error))
      return FALSE;
  return TRUE;
}

gboolean
p2v_setting_set_root (const P2vSetting *setting, P2vConfig *config, const char *value,
                      GError **error)
{
  if (is_missing (setting, value, error))
    return FALSE;
  gboolean good = strcmp (value, "first") == 0 || strcmp (value, "single") == 0
                  || g_str_has_prefix (value, "/dev/")
                  || g_str_has_prefix (value, "btrfsvol:/dev/");
  /* virt-v2v's "ask" waits for a person at the server. */
  for (const char *p = value; *p != '\0' && good; p++)
    good = g_ascii_isgraph (*p);
  if (!good)
    return p2v_setting_refuse (
        setting, value, _ ("expected first, single, /dev/NAME or btrfsvol:/dev/NAME/SUBVOLUME"),
        error);
  return store (setting, config, g_strdup (value));
}

gboolean
p2v_setting_set_lanes (const P2vSetting *setting, P2vConfig *config, const char *value,
                       GError **error)
{
  if (g_strcmp0 (value, "auto") == 0)
    return TRUE;
  return p2v_setting_set_number (setting, config, value, error);
}

/* Seconds, or a number with its unit; within min and max, which are seconds. */
gboolean
p2v_setting_set_duration (const P2vSetting *setting, P2vConfig *config, const char *value,
                          GError **error)
{
  static const char units[] = "smh";
  static const gint64 factors[] = { 1, 60, SECONDS_PER_HOUR };
  if (is_missing (setting, value, error))
    return FALSE;
  gsize digits = strspn (value, "0123456789");
  g_autofree char *number = g_strndup (value, digits);
  const char *suffix = value + digits;
  const char *unit = suffix[0] != '\0' ? strchr (units, suffix[0]) : units;
  gint64 factor = unit != NULL ? factors[unit - units] : 1;
  gint64 count = 0;
  gboolean good = unit != NULL && (suffix[0] == '\0' || suffix[1] == '\0')
                  && g_ascii_string_to_signed (number, 10, 0, setting->max / factor, &count, NULL);
  if (!good || count * factor < setting->min)
    {
      g_autofree char *reason
          = g_strdup_printf (_ ("expected a time of up to %lldh, such as 90s, 5m or 2h"),
                             (long long)(setting->max / SECONDS_PER_HOUR));
      return p2v_setting_refuse (setting, value, reason, error);
    }
  gint64 *member = p2v_setting_member (setting, config);
  *member = count * factor;
  return TRUE;
}

gboolean
p2v_setting_set_compress (const P2vSetting *setting, P2vConfig *config, const char *value,
                          GError **error)
{
  gint64 *member = p2v_setting_member (setting, config);
  if (is_missing (setting, value, error))
    return FALSE;
  if (strcmp (value, "auto") == 0)
    *member = P2V_COMPRESS_AUTO;
  else if (strcmp (value, "off") == 0)
    *member = P2V_COMPRESS_OFF;
  else if (!g_ascii_string_to_signed (value, 10, setting->min, setting->max, member, NULL))
    return p2v_setting_refuse (setting, value, _ ("expected auto, off, or a level from 1 to 19"),
                               error);
  return TRUE;
}

/* Bytes a second with their unit: people think of a link in bits, of a disk in bytes, and a bare
 * number would be taken for either. */
gboolean
p2v_setting_set_bwlimit (const P2vSetting *setting, P2vConfig *config, const char *value,
                         GError **error)
{
  static const struct
  {
    const char *name;
    gint64 multiplier, divisor;
  } units[] = {
    { "K", 1024, 1 },    { "M", 1024 * 1024, 1 }, { "G", 1024 * 1024 * 1024, 1 },
    { "kbit", 1000, 8 }, { "mbit", 1000000, 8 },  { "gbit", 1000000000, 8 },
  };
  gint64 *member = p2v_setting_member (setting, config);
  gint64 count;
  if (is_missing (setting, value, error))
    return FALSE;
  if (strcmp (value, "off") == 0)
    {
      *member = 0;
      return TRUE;
    }
  gsize digits = strspn (value, "0123456789");
  g_autofree char *number = g_strndup (value, digits);
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (g_ascii_strcasecmp (value + digits, units[i].name) == 0
        && g_ascii_string_to_signed (number, 10, 1, setting->max / units[i].multiplier, &count,
                                     NULL)
        && count * units[i].multiplier / units[i].divisor >= setting->min)
      {
        *member = count * units[i].multiplier / units[i].divisor;
        return TRUE;
      }
  return p2v_setting_refuse (
      setting, value,
      _ ("expected a rate with its unit, at least 8K: bytes a second as in 20M "
         "(K, M, G), or bits as in 200mbit (kbit, mbit, gbit); or off"),
      error);
}
