/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/config.h"

#include "common/error.h"

#include <string.h>

/* A Unix socket's path has 107 usable bytes (unix(7), sun_path); "/run/" and the name of an
 * export's socket (see p2v_job_socket_path()) need this many of them. */
#define MAX_STATE_DIR_LENGTH 80

#define MAX_TIMEOUT (30 * 24 * 3600)
#define MAX_CONVERSIONS 1000

typedef enum
{
  KEY_PATH,   /* an absolute path */
  KEY_STRING, /* any text that is not empty */
  KEY_PLACES, /* a list of absolute paths, P2V_ALLOW_POOLS and pools by name */
  KEY_WORDS,  /* a list of words in lower case */
  KEY_FORMAT, /* an image format */
  KEY_ROOT,   /* what virt-v2v --root may be told */
  KEY_NUMBER, /* within [min, max] */
} KeyType;

typedef struct
{
  const char *group;
  const char *name;
  KeyType type;
  gsize offset; /* in P2vServerConfig */
  const char *standard;
  gint64 min, max;
} Key;

#define KEY(group, name, type, member, standard, min, max)                                         \
  {                                                                                                \
    group, name, type, G_STRUCT_OFFSET (P2vServerConfig, member), standard, min, max               \
  }

static const Key keys[] = {
  KEY ("server", "state-dir", KEY_PATH, state_dir, "/var/lib/p2v", 0, 0),
  KEY ("server", "max-conversions", KEY_NUMBER, max_conversions, "2", 1, MAX_CONVERSIONS),
  KEY ("libvirt", "uri", KEY_STRING, libvirt_uri, "qemu:///system", 0, 0),
  KEY ("storage", "allow", KEY_PLACES, storage_allow, P2V_ALLOW_POOLS ";/var/lib/p2v/images", 0, 0),
  KEY ("storage", "default", KEY_PATH, storage_default, "/var/lib/p2v/images", 0, 0),
  KEY ("storage", "format", KEY_FORMAT, storage_format, "qcow2", 0, 0),
  KEY ("output", "modes", KEY_WORDS, output_modes, "kubevirt;null;qemu", 0, 0),
  KEY ("profiles", "file", KEY_PATH, profiles_file, "/etc/virt-v2v.conf", 0, 0),
  KEY ("convert", "root", KEY_ROOT, root, "first", 0, 0),
  KEY ("convert", "timeout", KEY_NUMBER, convert_timeout, "14400", 1, MAX_TIMEOUT),
  KEY ("define", "timeout", KEY_NUMBER, define_timeout, "300", 1, MAX_TIMEOUT),
  KEY ("receive", "timeout", KEY_NUMBER, receive_timeout, "0", 0, MAX_TIMEOUT),
};

static gboolean
refuse (GError **error, const P2vServerConfig *config, const Key *key, const char *value,
        const char *expected)
{
  g_autofree char *shown = g_strescape (value, NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s: [%s] %s=%s: expected %s", config->file,
               key->group, key->name, shown, expected);
  return FALSE;
}

static gboolean
set_string (P2vServerConfig *config, const Key *key, const char *value, GError **error)
{
  if (*value == '\0')
    return refuse (error, config, key, value, "a value, or no such line at all");
  if (key->type == KEY_PATH && !g_path_is_absolute (value))
    return refuse (error, config, key, value, "an absolute path");
  if (key->type == KEY_FORMAT && strcmp (value, "raw") != 0 && strcmp (value, "qcow2") != 0)
    return refuse (error, config, key, value, "raw or qcow2");
  /* "ask" would wait for a person who is not there. */
  if (key->type == KEY_ROOT && strcmp (value, "first") != 0 && strcmp (value, "single") != 0
      && !g_str_has_prefix (value, "/dev/") && !g_str_has_prefix (value, "btrfsvol:/dev/"))
    return refuse (error, config, key, value, "first, single or a device such as /dev/sda2");
  G_STRUCT_MEMBER (char *, config, key->offset)
      = key->type == KEY_PATH ? g_canonicalize_filename (value, "/") : g_strdup (value);
  return TRUE;
}

static gboolean
set_number (P2vServerConfig *config, const Key *key, const char *value, GError **error)
{
  gint64 number;
  if (!g_ascii_string_to_signed (value, 10, key->min, key->max, &number, NULL))
    {
      g_autofree char *expected = g_strdup_printf (
          "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, key->min, key->max);
      return refuse (error, config, key, value, expected);
    }
  G_STRUCT_MEMBER (gint64, config, key->offset) = number;
  return TRUE;
}

/* One item of a list as it is kept, NULL when it is not acceptable (transfer full). */
static char *
read_place (const char *place)
{
  gboolean is_pool = g_str_has_prefix (place, P2V_ALLOW_POOL_PREFIX)
                     && strlen (place) > strlen (P2V_ALLOW_POOL_PREFIX);
  if (is_pool || strcmp (place, P2V_ALLOW_POOLS) == 0)
    return g_strdup (place);
  return g_path_is_absolute (place) ? g_canonicalize_filename (place, "/") : NULL;
}

static char *
read_word (const char *word)
{
  gsize length = strspn (word, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return word[length] == '\0' && word[0] != '-' ? g_strdup (word) : NULL;
}

static gboolean
set_list (P2vServerConfig *config, const Key *key, const char *value, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) items = g_strsplit (value, ";", -1);
  for (gsize i = 0; items[i] != NULL; i++)
    {
      const char *item = g_strstrip (items[i]);
      if (*item == '\0')
        continue;
      g_autofree char *kept = key->type == KEY_PLACES ? read_place (item) : read_word (item);
      if (kept == NULL)
        return refuse (error, config, key, item,
                       key->type == KEY_PLACES
                           ? "absolute paths, " P2V_ALLOW_POOLS " and " P2V_ALLOW_POOL_PREFIX
                             "NAME, with \";\" between them"
                           : "names of virt-v2v's output modes, with \";\" between them");
      g_strv_builder_add (builder, kept);
    }
  G_STRUCT_MEMBER (char **, config, key->offset) = g_strv_builder_end (builder);
  return TRUE;
}

/* GLib hands out a value with an escape that does not exist, mangled and with an error, and with
 * two of them sets the error twice (2.74). */
static gboolean
has_wrong_escape (const char *raw)
{
  for (const char *at = strchr (raw, '\\'); at != NULL; at = strchr (at + 2, '\\'))
    if (at[1] == '\0' || strchr ("sntr\\", at[1]) == NULL)
      return TRUE;
  return FALSE;
}

static gboolean
read_key (P2vServerConfig *config, GKeyFile *file, const Key *key, GError **error)
{
  g_autofree char *value = NULL;
  g_autofree char *raw = g_key_file_get_value (file, key->group, key->name, NULL);
  if (raw != NULL && has_wrong_escape (raw))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "%s: [%s] %s: contains invalid escape sequence: write a backslash as \\\\.",
                   config->file, key->group, key->name);
      return FALSE;
    }
  if (raw != NULL)
    {
      value = g_key_file_get_string (file, key->group, key->name, NULL);
      if (value == NULL)
        {
          g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s: [%s] %s: the value is not UTF-8.",
                       config->file, key->group, key->name);
          return FALSE;
        }
      g_strstrip (value);
    }
  const char *text = value != NULL ? value : key->standard;
  switch (key->type)
    {
    case KEY_NUMBER:
      return set_number (config, key, text, error);
    case KEY_PLACES:
    case KEY_WORDS:
      return set_list (config, key, text, error);
    case KEY_PATH:
    case KEY_STRING:
    case KEY_FORMAT:
    case KEY_ROOT:
      return set_string (config, key, text, error);
    }
  g_assert_not_reached ();
}

static gboolean
is_known (const char *group, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (strcmp (keys[i].group, group) == 0 && (name == NULL || strcmp (keys[i].name, name) == 0))
      return TRUE;
  return FALSE;
}

static gboolean
check_names (const P2vServerConfig *config, GKeyFile *file, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (gsize i = 0; groups[i] != NULL; i++)
    {
      if (!is_known (groups[i], NULL))
        {
          g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                       "%s: there is no group [%s]. p2v-server.conf(5) lists all there are.",
                       config->file, groups[i]);
          return FALSE;
        }
      g_auto (GStrv) names = g_key_file_get_keys (file, groups[i], NULL, NULL);
      for (gsize k = 0; names != NULL && names[k] != NULL; k++)
        if (!is_known (groups[i], names[k]))
          {
            g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                         "%s: group [%s] has no key \"%s\". p2v-server.conf(5) lists all there "
                         "are.",
                         config->file, groups[i], names[k]);
            return FALSE;
          }
    }
  return TRUE;
}

/* The default file may be missing, also when it is named: a worker is told it by name. */
static gboolean
load_file (const P2vServerConfig *config, GKeyFile *file, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (g_key_file_load_from_file (file, config->file, G_KEY_FILE_NONE, &problem))
    return TRUE;
  gboolean missing = g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  if (missing && strcmp (config->file, P2V_SERVER_CONFIG_FILE) == 0)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "cannot read the configuration %s: %s",
               config->file, problem->message);
  return FALSE;
}

P2vServerConfig *
p2v_server_config_load (const char *file, GError **error)
{
  g_autoptr (P2vServerConfig) config = g_new0 (P2vServerConfig, 1);
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  config->file = g_canonicalize_filename (file != NULL ? file : P2V_SERVER_CONFIG_FILE, NULL);
  if (!load_file (config, key_file, error) || !check_names (config, key_file, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!read_key (config, key_file, &keys[i], error))
      return NULL;
  if (strlen (config->state_dir) > MAX_STATE_DIR_LENGTH)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "%s: [server] state-dir=%s: longer than %d bytes, so the paths of sockets in it "
                   "would not fit. Choose a shorter one.",
                   config->file, config->state_dir, MAX_STATE_DIR_LENGTH);
      return NULL;
    }
  return g_steal_pointer (&config);
}

void
p2v_server_config_free (P2vServerConfig *config)
{
  if (config == NULL)
    return;
  g_free (config->file);
  g_free (config->state_dir);
  g_free (config->libvirt_uri);
  g_strfreev (config->storage_allow);
  g_free (config->storage_default);
  g_free (config->storage_format);
  g_strfreev (config->output_modes);
  g_free (config->profiles_file);
  g_free (config->root);
  g_free (config);
}
