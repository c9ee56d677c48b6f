/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/site.h"

#include "common/error.h"

#include <string.h>

#define DEFAULT_PORT 22

P2vSite *
p2v_site_new (void)
{
  P2vSite *site = g_new0 (P2vSite, 1);
  site->port = DEFAULT_PORT;
  site->timeout = -1;
  site->defaults = g_ptr_array_new_with_free_func (g_free);
  site->kernel = g_ptr_array_new_with_free_func (g_free);
  return site;
}

void
p2v_site_free (P2vSite *site)
{
  if (site == NULL)
    return;
  g_free (site->server);
  g_free (site->username);
  g_free (site->hostkey);
  g_clear_pointer (&site->identity, g_bytes_unref);
  g_ptr_array_unref (site->defaults);
  g_ptr_array_unref (site->kernel);
  g_free (site);
}

gboolean
p2v_site_set_server (P2vSite *site, const char *server, GError **error)
{
  const char *colon = strchr (server, ':');
  const char *problem = NULL;
  if (strchr (server, '@') != NULL)
    problem = "expected a host name or address only. Give the account with --user USER";
  else if (colon != NULL && strchr (colon + 1, ':') == NULL)
    problem = "expected a host name or address only. Give the port with --port PORT";
  else if (server[0] == '\0' || server[0] == '-' || !p2v_site_word_is_plain (server)
           || strpbrk (server, "/=,") != NULL)
    problem = "this is no host name or address";
  if (problem != NULL)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "--server %s: %s", server, problem);
      return FALSE;
    }
  g_free (site->server);
  site->server = g_strdup (server);
  return TRUE;
}

gboolean
p2v_site_set_username (P2vSite *site, const char *username, GError **error)
{
  gboolean good = username[0] != '\0' && username[0] != '-';
  /* A name from a directory may be user@domain. */
  for (const char *p = username; *p != '\0'; p++)
    good = good && (g_ascii_isalnum (*p) || strchr ("._-@", *p) != NULL);
  if (!good)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "--user %s: this is no user name", username);
      return FALSE;
    }
  g_free (site->username);
  site->username = g_strdup (username);
  return TRUE;
}

char *
p2v_site_defaults (const P2vSite *site)
{
  g_autoptr (GString) text = g_string_new (
      "# Made by \"p2v-server media\". Words as on the kernel command line, which goes before "
      "them.\n");
  g_string_append_printf (text, "p2v.server=%s\n", site->server);
  if (site->port != DEFAULT_PORT)
    g_string_append_printf (text, "p2v.port=%u\n", site->port);
  g_string_append_printf (text, "p2v.username=%s\n", site->username);
  g_string_append_printf (text, "p2v.hostkey=%s\n", site->hostkey);
  g_string_append (text, "p2v.identity=file:///" P2V_SITE_IDENTITY "\n");
  for (guint i = 0; i < site->defaults->len; i++)
    g_string_append_printf (text, "%s\n", (const char *)site->defaults->pdata[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
p2v_site_kernel (const P2vSite *site)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < site->kernel->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", (const char *)site->kernel->pdata[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
