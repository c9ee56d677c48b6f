/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/protocol.h"

#include "common/error.h"
#include "common/schema.h"

#include <string.h>

/* Longest text of a peer's error that we repeat to a person, bytes. */
#define MAX_PEER_TEXT 4096

struct _P2vLineBuffer
{
  GByteArray *bytes;
  gsize searched; /* bytes known to hold no newline */
};

JsonObject *
p2v_message_new (const char *type)
{
  JsonObject *message = json_object_new ();
  json_object_set_string_member (message, "type", type);
  return message;
}

JsonObject *
p2v_message_new_error (const GError *error)
{
  JsonObject *message = p2v_message_new (P2V_MESSAGE_ERROR);
  json_object_set_string_member (message, "code", p2v_error_code_name (p2v_error_code_of (error)));
  g_autofree char *text = g_utf8_make_valid (error->message, -1);
  json_object_set_string_member (message, "message", text);
  return message;
}

char *
p2v_message_to_line (JsonObject *message)
{
  g_autofree char *text = p2v_json_to_text (message, FALSE);
  return g_strconcat (text, "\n", NULL);
}

JsonObject *
p2v_message_parse (const char *line, gssize length, GError **error)
{
  g_autoptr (JsonObject) message = p2v_json_from_text (line, length, error);
  if (message == NULL)
    {
      g_prefix_error_literal (error, "not a message: ");
      return NULL;
    }
  if (p2v_message_type (message) == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "not a message: it has no type");
      return NULL;
    }
  return g_steal_pointer (&message);
}

const char *
p2v_message_type (JsonObject *message)
{
  return p2v_message_get_string (message, "type");
}

const char *
p2v_message_get_string (JsonObject *message, const char *name)
{
  JsonNode *node = json_object_get_member (message, name);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

gboolean
p2v_message_get_int (JsonObject *message, const char *name, gint64 min, gint64 max, gint64 *value,
                     GError **error)
{
  JsonNode *node = json_object_get_member (message, name);
  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_INT64 && json_node_get_int (node) >= min
      && json_node_get_int (node) <= max)
    {
      *value = json_node_get_int (node);
      return TRUE;
    }
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "message \"%s\": expected %s to be a number from %" G_GINT64_FORMAT
               " to %" G_GINT64_FORMAT,
               p2v_message_type (message), name, min, max);
  return FALSE;
}

JsonObject *
p2v_message_get_object (JsonObject *message, const char *name)
{
  JsonNode *node = json_object_get_member (message, name);
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

void
p2v_message_to_error (JsonObject *message, GError **error)
{
  const char *code = p2v_message_get_string (message, "code");
  const char *said = p2v_message_get_string (message, "message");
  g_autofree char *text = g_strndup (said != NULL ? said : "no reason given", MAX_PEER_TEXT);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  /* A stranger's text goes to terminals: no control characters. */
  for (char *c = valid; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c) && *c != '\n')
      *c = ' ';
  g_set_error_literal (error, P2V_ERROR, (gint)p2v_error_code_from_name (code), valid);
}

P2vLineBuffer *
p2v_line_buffer_new (void)
{
  P2vLineBuffer *buffer = g_new0 (P2vLineBuffer, 1);
  buffer->bytes = g_byte_array_new ();
  return buffer;
}

void
p2v_line_buffer_free (P2vLineBuffer *buffer)
{
  if (buffer == NULL)
    return;
  g_byte_array_unref (buffer->bytes);
  g_free (buffer);
}

gboolean
p2v_line_buffer_push (P2vLineBuffer *buffer, const void *data, gsize length, GError **error)
{
  if (length > P2V_LINE_MAX || buffer->bytes->len > P2V_LINE_MAX)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "a line longer than %d bytes",
                   P2V_LINE_MAX);
      return FALSE;
    }
  g_byte_array_append (buffer->bytes, data, (guint)length);
  return TRUE;
}

char *
p2v_line_buffer_pop (P2vLineBuffer *buffer)
{
  gsize length = buffer->bytes->len;
  const guint8 *start = buffer->bytes->data;
  const guint8 *newline = NULL;
  if (length > buffer->searched)
    newline = memchr (start + buffer->searched, '\n', length - buffer->searched);
  if (newline == NULL)
    {
      buffer->searched = length;
      return NULL;
    }
  gsize line_length = (gsize)(newline - start);
  char *line = g_strndup ((const char *)start, line_length);
  g_byte_array_remove_range (buffer->bytes, 0, (guint)line_length + 1);
  buffer->searched = 0;
  return line;
}

GBytes *
p2v_line_buffer_steal_rest (P2vLineBuffer *buffer)
{
  GBytes *rest = g_byte_array_free_to_bytes (g_steal_pointer (&buffer->bytes));
  buffer->bytes = g_byte_array_new ();
  buffer->searched = 0;
  return rest;
}
