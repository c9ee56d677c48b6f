/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/lvm-text.h"

#include <string.h>

#define MAX_DEPTH 8

static void
node_free (gpointer data)
{
  P2vLvmNode *node = data;
  if (node == NULL)
    return;
  g_free (node->name);
  g_free (node->value);
  g_clear_pointer (&node->children, g_ptr_array_unref);
  g_free (node);
}

void
p2v_lvm_node_free (P2vLvmNode *node)
{
  node_free (node);
}

/* The next word, string or punctuation mark; NULL at the end. A string's quotes are left away. */
static char *
next_token (const char **at)
{
  const char *p = *at;
  while (*p != '\0' && (g_ascii_isspace (*p) || *p == '#'))
    if (*p++ == '#')
      p += strcspn (p, "\n");
  g_autoptr (GString) token = g_string_new (NULL);
  if (*p == '"')
    {
      for (p++; *p != '\0' && *p != '"'; p++)
        {
          if (*p == '\\' && p[1] != '\0')
            p++;
          g_string_append_c (token, *p);
        }
      if (*p == '"')
        p++;
    }
  else if (*p != '\0' && strchr ("{}[]=,", *p) != NULL)
    g_string_append_c (token, *p++);
  else
    while (*p != '\0' && !g_ascii_isspace (*p) && strchr ("{}[]=,\"#", *p) == NULL)
      g_string_append_c (token, *p++);
  gboolean end = *at == p || (token->len == 0 && *p == '\0');
  *at = p;
  return end ? NULL : g_strdup (token->str);
}

static char *
parse_value (const char **at)
{
  g_autofree char *first = next_token (at);
  if (g_strcmp0 (first, "[") != 0)
    return g_steal_pointer (&first);
  g_autoptr (GString) values = g_string_new (NULL);
  for (;;)
    {
      g_autofree char *token = next_token (at);
      if (token == NULL || g_str_equal (token, "]"))
        return g_strdup (values->str);
      if (g_str_equal (token, ","))
        continue;
      if (values->len > 0)
        g_string_append_c (values, '\n');
      g_string_append (values, token);
    }
}

static P2vLvmNode *
parse_section (const char **at, int depth)
{
  g_autoptr (P2vLvmNode) section = g_new0 (P2vLvmNode, 1);
  section->children = g_ptr_array_new_with_free_func (node_free);
  for (;;)
    {
      g_autofree char *name = next_token (at);
      if (name == NULL || g_str_equal (name, "}"))
        return g_steal_pointer (&section);
      g_autofree char *mark = next_token (at);
      g_autoptr (P2vLvmNode) child = NULL;
      if (g_strcmp0 (mark, "=") == 0)
        {
          child = g_new0 (P2vLvmNode, 1);
          child->value = parse_value (at);
        }
      else if (g_strcmp0 (mark, "{") == 0 && depth < MAX_DEPTH)
        child = parse_section (at, depth + 1);
      if (child == NULL)
        return NULL;
      child->name = g_steal_pointer (&name);
      g_ptr_array_add (section->children, g_steal_pointer (&child));
    }
}

P2vLvmNode *
p2v_lvm_text_parse (const char *text)
{
  const char *at = text;
  return parse_section (&at, 0);
}

const P2vLvmNode *
p2v_lvm_node_find (const P2vLvmNode *section, const char *name)
{
  for (guint i = 0; section != NULL && section->children != NULL && i < section->children->len; i++)
    {
      const P2vLvmNode *child = section->children->pdata[i];
      if (g_str_equal (child->name, name))
        return child;
    }
  return NULL;
}

gint64
p2v_lvm_node_number (const P2vLvmNode *section, const char *name)
{
  const P2vLvmNode *node = p2v_lvm_node_find (section, name);
  gint64 number;
  if (node == NULL || node->value == NULL
      || !g_ascii_string_to_signed (node->value, 10, 0, P2V_LVM_MAX_NUMBER, &number, NULL))
    return -1;
  return number;
}

const char *
p2v_lvm_node_value (const P2vLvmNode *section, const char *name)
{
  const P2vLvmNode *node = p2v_lvm_node_find (section, name);
  return node == NULL || node->value == NULL ? "" : node->value;
}
