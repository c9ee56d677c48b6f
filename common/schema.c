/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/schema.h"

#include "common/error.h"

#include <string.h>

#define MEMBER(instance, field, type) G_STRUCT_MEMBER (type, instance, (field)->offset)

/* Arrays and nesting deeper or longer than any machine has; they bound what a peer can make us
 * allocate (a line of the control channel is bounded too, see protocol.h). */
#define MAX_ARRAY_LENGTH 65536
#define MAX_DEPTH 16

/* Objects and arrays within one another in a text: each level of a schema takes two. */
#define MAX_TEXT_DEPTH 64

static gpointer from_json (const P2vSchema *schema, JsonObject *object, const char *path,
                           guint depth, GError **error);

gpointer
p2v_schema_new (const P2vSchema *schema)
{
  gpointer instance = g_malloc0 (schema->size);
  for (const P2vField *field = schema->fields; field->name != NULL; field++)
    if (field->type == P2V_FIELD_ARRAY)
      MEMBER (instance, field, GPtrArray *) = g_ptr_array_new ();
  return instance;
}

static void
free_field (const P2vField *field, gpointer instance)
{
  switch (field->type)
    {
    case P2V_FIELD_STRING:
      g_free (MEMBER (instance, field, char *));
      break;
    case P2V_FIELD_STRV:
      g_strfreev (MEMBER (instance, field, char **));
      break;
    case P2V_FIELD_OBJECT:
      p2v_schema_free (field->object, MEMBER (instance, field, gpointer));
      break;
    case P2V_FIELD_ARRAY:
      {
        GPtrArray *array = MEMBER (instance, field, GPtrArray *);
        for (guint i = 0; array != NULL && i < array->len; i++)
          p2v_schema_free (field->object, array->pdata[i]);
        g_clear_pointer (&array, g_ptr_array_unref);
        break;
      }
    case P2V_FIELD_BOOLEAN:
    case P2V_FIELD_TRISTATE:
    case P2V_FIELD_INT64:
      break;
    }
}

void
p2v_schema_free (const P2vSchema *schema, gpointer instance)
{
  if (instance == NULL)
    return;
  for (const P2vField *field = schema->fields; field->name != NULL; field++)
    free_field (field, instance);
  g_free (instance);
}

static void
write_strv (JsonObject *object, const char *name, char **strv)
{
  if (strv == NULL)
    return;
  JsonArray *array = json_array_new ();
  for (gsize i = 0; strv[i] != NULL; i++)
    json_array_add_string_element (array, strv[i]);
  json_object_set_array_member (object, name, array);
}

static void
write_field (JsonObject *object, const P2vField *field, gconstpointer instance)
{
  switch (field->type)
    {
    case P2V_FIELD_BOOLEAN:
      json_object_set_boolean_member (object, field->name, MEMBER (instance, field, gboolean));
      break;
    case P2V_FIELD_TRISTATE:
      if (MEMBER (instance, field, P2vTristate) != P2V_UNSET)
        json_object_set_boolean_member (object, field->name,
                                        MEMBER (instance, field, P2vTristate) == P2V_YES);
      break;
    case P2V_FIELD_INT64:
      json_object_set_int_member (object, field->name, MEMBER (instance, field, gint64));
      break;
    case P2V_FIELD_STRING:
      if (MEMBER (instance, field, char *) != NULL)
        json_object_set_string_member (object, field->name, MEMBER (instance, field, char *));
      break;
    case P2V_FIELD_STRV:
      write_strv (object, field->name, MEMBER (instance, field, char **));
      break;
    case P2V_FIELD_OBJECT:
      if (MEMBER (instance, field, gpointer) != NULL)
        json_object_set_object_member (
            object, field->name,
            p2v_schema_to_json (field->object, MEMBER (instance, field, gpointer)));
      break;
    case P2V_FIELD_ARRAY:
      {
        GPtrArray *items = MEMBER (instance, field, GPtrArray *);
        JsonArray *array = json_array_sized_new (items->len);
        for (guint i = 0; i < items->len; i++)
          json_array_add_object_element (array,
                                         p2v_schema_to_json (field->object, items->pdata[i]));
        json_object_set_array_member (object, field->name, array);
        break;
      }
    }
}

JsonObject *
p2v_schema_to_json (const P2vSchema *schema, gconstpointer instance)
{
  JsonObject *object = json_object_new ();
  for (const P2vField *field = schema->fields; field->name != NULL; field++)
    write_field (object, field, instance);
  return object;
}

static gboolean
bad_value (GError **error, const char *path, const char *expected)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "%s: expected %s", path, expected);
  return FALSE;
}

static gboolean
read_int (JsonNode *node, const P2vField *field, gint64 *out, const char *path, GError **error)
{
  gboolean ranged = field->min != 0 || field->max != 0;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64)
    return bad_value (error, path, "a whole number");
  gint64 value = json_node_get_int (node);
  if (ranged && (value < field->min || value > field->max))
    {
      g_autofree char *range = g_strdup_printf (
          "a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, field->min, field->max);
      return bad_value (error, path, range);
    }
  *out = value;
  return TRUE;
}

static gboolean
is_string (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

static gboolean
is_boolean (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN;
}

static gboolean
read_strv (JsonNode *node, char ***out, const char *path, GError **error)
{
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return bad_value (error, path, "a list of strings");
  JsonArray *array = json_node_get_array (node);
  guint length = json_array_get_length (array);
  if (length > MAX_ARRAY_LENGTH)
    return bad_value (error, path, "a shorter list");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < length; i++)
    {
      JsonNode *item = json_array_get_element (array, i);
      if (!is_string (item))
        return bad_value (error, path, "a list of strings");
      g_strv_builder_add (builder, json_node_get_string (item));
    }
  *out = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
read_array (JsonNode *node, const P2vField *field, GPtrArray *items, const char *path, guint depth,
            GError **error)
{
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return bad_value (error, path, "a list of objects");
  JsonArray *array = json_node_get_array (node);
  guint length = json_array_get_length (array);
  if (length > MAX_ARRAY_LENGTH)
    return bad_value (error, path, "a shorter list");
  for (guint i = 0; i < length; i++)
    {
      g_autofree char *item_path = g_strdup_printf ("%s[%u]", path, i);
      JsonNode *item = json_array_get_element (array, i);
      if (!JSON_NODE_HOLDS_OBJECT (item))
        return bad_value (error, item_path, "an object");
      gpointer instance
          = from_json (field->object, json_node_get_object (item), item_path, depth + 1, error);
      if (instance == NULL)
        return FALSE;
      g_ptr_array_add (items, instance);
    }
  return TRUE;
}

static gboolean
read_object (JsonNode *node, const P2vField *field, gpointer *out, const char *path, guint depth,
             GError **error)
{
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return bad_value (error, path, "an object");
  *out = from_json (field->object, json_node_get_object (node), path, depth + 1, error);
  return *out != NULL;
}

static gboolean
read_field (JsonNode *node, const P2vField *field, gpointer instance, const char *path, guint depth,
            GError **error)
{
  switch (field->type)
    {
    case P2V_FIELD_BOOLEAN:
      if (!is_boolean (node))
        return bad_value (error, path, "true or false");
      MEMBER (instance, field, gboolean) = json_node_get_boolean (node);
      return TRUE;
    case P2V_FIELD_TRISTATE:
      if (!is_boolean (node))
        return bad_value (error, path, "true or false");
      MEMBER (instance, field, P2vTristate) = json_node_get_boolean (node) ? P2V_YES : P2V_NO;
      return TRUE;
    case P2V_FIELD_INT64:
      return read_int (node, field, &MEMBER (instance, field, gint64), path, error);
    case P2V_FIELD_STRING:
      if (!is_string (node))
        return bad_value (error, path, "a string");
      MEMBER (instance, field, char *) = g_strdup (json_node_get_string (node));
      return TRUE;
    case P2V_FIELD_STRV:
      return read_strv (node, &MEMBER (instance, field, char **), path, error);
    case P2V_FIELD_OBJECT:
      return read_object (node, field, &MEMBER (instance, field, gpointer), path, depth, error);
    case P2V_FIELD_ARRAY:
      return read_array (node, field, MEMBER (instance, field, GPtrArray *), path, depth, error);
    }
  g_assert_not_reached ();
}

static gpointer
from_json (const P2vSchema *schema, JsonObject *object, const char *path, guint depth,
           GError **error)
{
  if (depth > MAX_DEPTH)
    {
      bad_value (error, path, "less nesting");
      return NULL;
    }
  gpointer instance = p2v_schema_new (schema);
  for (const P2vField *field = schema->fields; field->name != NULL; field++)
    {
      JsonNode *node = json_object_get_member (object, field->name);
      if (node == NULL || JSON_NODE_HOLDS_NULL (node))
        continue;
      g_autofree char *field_path = g_strdup_printf ("%s.%s", path, field->name);
      if (!read_field (node, field, instance, field_path, depth, error))
        {
          p2v_schema_free (schema, instance);
          return NULL;
        }
    }
  return instance;
}

gpointer
p2v_schema_from_json (const P2vSchema *schema, JsonObject *object, GError **error)
{
  return from_json (schema, object, schema->name, 0, error);
}

gpointer
p2v_schema_copy (const P2vSchema *schema, gconstpointer instance)
{
  g_autoptr (JsonObject) object = p2v_schema_to_json (schema, instance);
  g_autoptr (GError) error = NULL;
  gpointer copy = p2v_schema_from_json (schema, object, &error);
  /* What we wrote ourselves we can read; anything else is a mistake in a table of fields. */
  if (copy == NULL)
    g_error ("cannot copy %s: %s", schema->name, error->message);
  return copy;
}

char *
p2v_json_to_text (JsonObject *object, gboolean pretty)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  return json_to_string (node, pretty);
}

/* json-glib's parser calls itself for every bracket, so a line of nothing but "[" would end the
 * process. It also takes comments and other quotes, in which brackets mean nothing; JSON (RFC 8259)
 * has none of them, and without them strings are easily told from the rest. And it takes whatever
 * follows the first value in its place, and forgets (1.6) to free that one. */
static gboolean
check_form (const char *text, gsize length, GError **error)
{
  guint depth = 0;
  gboolean in_string = FALSE, ended = FALSE;
  for (gsize i = 0; i < length; i++)
    {
      char c = text[i];
      if (ended && !g_ascii_isspace (c))
        return bad_value (error, "text", "nothing after the object");
      if (depth == 0 && !g_ascii_isspace (c) && c != '[' && c != '{')
        return bad_value (error, "text", "a JSON object");
      if (in_string && c == '\\')
        i++;
      else if (c == '"')
        in_string = !in_string;
      else if (in_string)
        continue;
      else if (c == '[' || c == '{')
        depth++;
      else if (c == ']' || c == '}')
        ended = --depth == 0;
      else if (!g_ascii_isalnum (c) && !g_ascii_isspace (c) && strchr (":,+-.", c) == NULL)
        return bad_value (error, "text", "JSON");
      if (depth > MAX_TEXT_DEPTH)
        return bad_value (error, "text", "less nesting");
    }
  return TRUE;
}

JsonObject *
p2v_json_from_text (const char *text, gssize length, GError **error)
{
  if (!check_form (text, length < 0 ? strlen (text) : (gsize)length, error))
    return NULL;
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, text, length, error))
    {
      p2v_error_recode (error, P2V_ERROR_REFUSED);
      return NULL;
    }
  JsonNode *root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "expected a JSON object");
      return NULL;
    }
  return json_object_ref (json_node_get_object (root));
}
