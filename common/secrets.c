/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/secrets.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MASK "***"

/* A secret that is shorter is taken out only where its place tells what it is: else ordinary words
 * would go with it. */
#define SHORTEST 4

/* Names of options, JSON members and the like whose values are secret. */
#define SECRET_NAME "(?:password|passwd|passphrase|secret|token)[a-z0-9_-]*"

static const struct
{
  const char *pattern;
  const char *replacement;
} places[] = {
  /* "os-password": "…", password="…": a quoted value may hold anything. */
  { "(" SECRET_NAME "\"?\\s*[=:]\\s*\")(?:[^\"\\\\]|\\\\.)*(\")", "\\1" MASK "\\2" },
  { "(" SECRET_NAME "\\s*[=:]\\s*)[^\\s\"',;&]+", "\\1" MASK },
  /* scheme://user:…@host */
  { "([a-z][a-z0-9+.-]*://[^\\s/:@\"']*:)[^\\s/@\"']+@", "\\1" MASK "@" },
};

GPtrArray *
p2v_secrets_new (void)
{
  return g_ptr_array_new_with_free_func (g_free);
}

void
p2v_secrets_add (GPtrArray *secrets, const char *secret)
{
  if (secret == NULL || strlen (secret) < SHORTEST)
    return;
  g_ptr_array_add (secrets, g_strdup (secret));
  /* As it stands in XML, and in JSON. */
  g_ptr_array_add (secrets, g_markup_escape_text (secret, -1));
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_VALUE);
  g_autofree char *valid = g_utf8_make_valid (secret, -1);
  json_node_set_string (node, valid);
  g_autofree char *json = json_to_string (node, FALSE);
  g_ptr_array_add (secrets, g_strndup (json + 1, strlen (json) - 2));
}

void
p2v_secrets_add_options (GPtrArray *secrets, char *const *options)
{
  g_autoptr (GRegex) name = g_regex_new (SECRET_NAME, G_REGEX_CASELESS, 0, NULL);
  for (gsize i = 0; options != NULL && options[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (options[i], "=", 2);
      if (parts[0] != NULL && parts[1] != NULL && g_regex_match (name, parts[0], 0, NULL))
        p2v_secrets_add (secrets, parts[1]);
    }
}

void
p2v_secrets_add_uri (GPtrArray *secrets, const char *text)
{
  g_autoptr (GUri) uri
      = text == NULL
            ? NULL
            : g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_PARSE_RELAXED, NULL);
  if (uri != NULL)
    p2v_secrets_add (secrets, g_uri_get_password (uri));
}

static gint
longer_first (gconstpointer a, gconstpointer b)
{
  gsize first = strlen (*(char *const *)a), second = strlen (*(char *const *)b);
  return first < second ? 1 : first > second ? -1 : 0;
}

char *
p2v_secrets_mask (GPtrArray *secrets, const char *text)
{
  /* One may be the beginning of another. */
  g_ptr_array_sort (secrets, longer_first);
  g_autoptr (GString) clean = g_string_new (text);
  for (guint i = 0; i < secrets->len; i++)
    g_string_replace (clean, secrets->pdata[i], MASK, 0);
  char *result = g_strdup (clean->str);
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autoptr (GRegex) regex
          = g_regex_new (places[i].pattern, G_REGEX_CASELESS | G_REGEX_RAW, 0, NULL);
      char *next = g_regex_replace (regex, result, -1, 0, places[i].replacement, 0, NULL);
      /* A pattern that gives up (too deep a text) must not let the text through. */
      g_free (result);
      result = next != NULL ? next : g_strdup ("(left out: its secrets could not be found)\n");
    }
  return result;
}
