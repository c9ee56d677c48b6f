/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/media.h"

#include "p2v-server/ssh-key.h"
#include "p2v-server/table.h"

#include <string.h>

/* A value with a password in it: "//USER:PASSWORD@" in a URL, or an option of virt-v2v such as
 * os-password=. Passwords of their own are never put on a medium, but one made by hand may be. */
static gboolean
has_password (const char *word)
{
  return g_regex_match_simple ("//[^/@]*:[^/@]*@|password=", word, G_REGEX_CASELESS, 0);
}

static void
print_word (const char *word)
{
  g_autofree char *name = g_strndup (word, strcspn (word, "="));
  g_autofree char *masked = has_password (word) ? g_strconcat (name, "=***", NULL) : NULL;
  p2v_text_print_field ("default", masked != NULL ? masked : word);
}

/* The value of a line "PREFIXvalue" in a file of the medium, NULL when there is none (transfer
 * full). */
static char *
find_line (const P2vMedium *medium, const char *const *names, const char *prefix)
{
  for (gsize i = 0; names[i] != NULL; i++)
    {
      GBytes *contents = p2v_medium_get (medium, names[i]);
      if (contents == NULL)
        continue;
      g_autofree char *text
          = g_strndup (g_bytes_get_data (contents, NULL), g_bytes_get_size (contents));
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
      for (gsize k = 0; lines[k] != NULL; k++)
        if (g_str_has_prefix (lines[k], prefix))
          return g_strdup (lines[k] + strlen (prefix));
    }
  return NULL;
}

static gboolean
print_identity (GBytes *identity, GError **error)
{
  if (identity == NULL)
    {
      p2v_text_print_field ("key", "none");
      return TRUE;
    }
  g_autoptr (P2vSshKey) key = p2v_ssh_key_of_private (identity, "the medium's key", error);
  if (key == NULL)
    return FALSE;
  g_autofree char *text = g_strdup_printf ("%s %s %s", key->fingerprint, key->type, key->comment);
  p2v_text_print_field ("key", g_strchomp (text));
  return TRUE;
}

gboolean
p2v_media_show (const P2vMedium *medium, GError **error)
{
  static const char *const grub[] = { "boot/grub/site.cfg", "grub/site.cfg", NULL };
  g_autofree char *defaults = NULL;
  g_autoptr (GBytes) identity = NULL;
  p2v_text_print_field ("medium", medium->path);
  if (!p2v_site_image_read (p2v_medium_get (medium, P2V_MEDIUM_IMAGE), P2V_MEDIUM_IMAGE, &defaults,
                            &identity, error))
    return FALSE;
  if (defaults == NULL && identity == NULL)
    {
      g_print ("It has no settings of a site: \"p2v-server media\" puts them in.\n");
      return TRUE;
    }
  g_auto (GStrv) lines = g_strsplit (defaults != NULL ? defaults : "", "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0' && lines[i][0] != '#')
      print_word (lines[i]);
  g_autofree char *kernel = find_line (medium, grub, "set p2v_arguments=");
  if (kernel != NULL && strcmp (kernel, "''") != 0)
    p2v_text_print_field ("kernel", kernel);
  g_autofree char *chosen = find_line (medium, grub, "set default=");
  g_autofree char *timeout = find_line (medium, grub, "set timeout=");
  p2v_text_print_field ("menu starts", chosen != NULL ? chosen : "as the medium's own menu says");
  p2v_text_print_field ("after", timeout);
  return print_identity (identity, error);
}
