/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/firmware.h"

#include "common/error.h"
#include "common/schema.h"

#include <string.h>

/* Descriptors of the same file name override one another in this order (QEMU's
 * docs/interop/firmware.json); within a folder and among them the file name decides. */
static const char *const folders[]
    = { "/etc/qemu/firmware", "/usr/local/share/qemu/firmware", "/usr/share/qemu/firmware", NULL };

/* A descriptor is a few hundred bytes; more than this is not one. */
#define DESCRIPTOR_MAX 65536

static JsonObject *
member_object (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static const char *
member_string (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
}

static JsonArray *
member_array (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/* TRUE when the list of strings has `wanted`, or, where the list is one of glob patterns, a pattern
 * that `wanted` matches. */
static gboolean
list_has (JsonArray *list, const char *wanted, gboolean patterns)
{
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      JsonNode *node = json_array_get_element (list, i);
      const char *text = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
      if (text == NULL)
        continue;
      if (patterns ? g_pattern_match_simple (text, wanted) : strcmp (text, wanted) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_feature (JsonObject *descriptor, const char *feature)
{
  return list_has (member_array (descriptor, "features"), feature, FALSE);
}

static gboolean
runs_on_q35 (JsonObject *descriptor)
{
  JsonArray *targets = member_array (descriptor, "targets");
  for (guint i = 0; targets != NULL && i < json_array_get_length (targets); i++)
    {
      JsonNode *node = json_array_get_element (targets, i);
      JsonObject *target = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      /* Machine types are given as patterns: "pc-q35-*". */
      if (g_strcmp0 (member_string (target, "architecture"), "x86_64") == 0
          && list_has (member_array (target, "machines"), "pc-q35-0.0", TRUE))
        return TRUE;
    }
  return FALSE;
}

static gboolean
fits (JsonObject *descriptor, gboolean secure_boot)
{
  if (!list_has (member_array (descriptor, "interface-types"), "uefi", FALSE)
      || !runs_on_q35 (descriptor))
    return FALSE;
  /* Builds for confidential guests have no variable store that survives a reboot. */
  if (g_strcmp0 (member_string (member_object (descriptor, "mapping"), "device"), "flash") != 0)
    return FALSE;
  if (secure_boot)
    return has_feature (descriptor, "secure-boot") && has_feature (descriptor, "enrolled-keys");
  return !has_feature (descriptor, "secure-boot");
}

/* Reads one descriptor; NULL when it does not fit, is unreadable, or names files that are gone. */
static P2vFirmwareImage *
read_descriptor (const char *path, gboolean secure_boot)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, NULL) || length > DESCRIPTOR_MAX)
    return NULL;
  g_autoptr (JsonObject) descriptor = p2v_json_from_text (text, (gssize)length, NULL);
  if (descriptor == NULL || !fits (descriptor, secure_boot))
    return NULL;
  JsonObject *mapping = member_object (descriptor, "mapping");
  JsonObject *executable = member_object (mapping, "executable");
  JsonObject *template = member_object (mapping, "nvram-template");
  const char *code = member_string (executable, "filename");
  const char *vars = member_string (template, "filename");
  if (code == NULL || vars == NULL || !g_file_test (code, G_FILE_TEST_IS_REGULAR)
      || !g_file_test (vars, G_FILE_TEST_IS_REGULAR)
      || g_strcmp0 (member_string (template, "format"), "raw") != 0)
    return NULL;
  P2vFirmwareImage *image = g_new0 (P2vFirmwareImage, 1);
  image->code = g_strdup (code);
  const char *format = member_string (executable, "format");
  image->code_format = g_strdup (format != NULL ? format : "raw");
  image->vars = g_strdup (vars);
  image->smm = has_feature (descriptor, "requires-smm");
  image->secure_boot = secure_boot;
  return image;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* File names of all descriptors, each once, in their order of priority. */
static GPtrArray *
list_descriptors (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; folders[i] != NULL; i++)
    {
      g_autoptr (GDir) dir = g_dir_open (folders[i], 0, NULL);
      const char *name;
      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        if (g_str_has_suffix (name, ".json") && !g_hash_table_contains (seen, name))
          {
            char *copy = g_strdup (name);
            g_hash_table_add (seen, copy);
            g_ptr_array_add (names, copy);
          }
    }
  g_ptr_array_sort (names, compare_names);
  return names;
}

P2vFirmwareImage *
p2v_firmware_image_find (gboolean secure_boot, GError **error)
{
  g_autoptr (GPtrArray) names = list_descriptors ();
  for (guint i = 0; i < names->len; i++)
    for (gsize k = 0; folders[k] != NULL; k++)
      {
        g_autofree char *path = g_build_filename (folders[k], names->pdata[i], NULL);
        if (!g_file_test (path, G_FILE_TEST_EXISTS))
          continue;
        P2vFirmwareImage *image = read_descriptor (path, secure_boot);
        if (image != NULL)
          return image;
        break; /* the one in a folder further down is overridden, even by an empty file */
      }
  g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
               "the guest starts with UEFI%s, and this server has no such firmware for QEMU "
               "(looked for descriptors in /usr/share/qemu/firmware). Install the package ovmf, "
               "then use \"p2v-server retry\".",
               secure_boot ? " and Secure Boot" : "");
  return NULL;
}

void
p2v_firmware_image_free (P2vFirmwareImage *image)
{
  if (image == NULL)
    return;
  g_free (image->code);
  g_free (image->code_format);
  g_free (image->vars);
  g_free (image);
}
