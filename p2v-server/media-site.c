/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/media.h"

#include "common/error.h"
#include "p2v-server/profile.h"
#include "p2v-server/ssh-key.h"
#include "p2v-server/this-host.h"

#include <string.h>

#define MAX_TIMEOUT 3600

static gboolean
set_server (P2vSite *site, const char *server, gboolean *is_here, GError **error)
{
  g_autofree char *own = server == NULL ? p2v_this_host_address (error) : NULL;
  if (server == NULL && own == NULL)
    return FALSE;
  if (!p2v_site_set_server (site, server != NULL ? server : own, error))
    return FALSE;
  if (server == NULL)
    g_printerr ("Note: the conversion server is %s, as this host sees itself. If machines reach it "
                "by another name or address, say --server HOST.\n",
                own);
  *is_here = server == NULL || p2v_this_host_is (server);
  return TRUE;
}

static gboolean
set_hostkey (P2vSite *site, const char *hostkey, gboolean is_here, GError **error)
{
  if (hostkey != NULL)
    {
      site->hostkey = p2v_ssh_fingerprint_parse (hostkey, error);
      if (g_strcmp0 (site->hostkey, "any") == 0)
        g_printerr ("Warning: with --hostkey any a machine hands its disks to whoever answers as "
                    "%s. Give the fingerprint instead.\n",
                    site->server);
      return site->hostkey != NULL;
    }
  g_autoptr (GPtrArray) keys = is_here ? p2v_this_host_keys () : NULL;
  if (keys != NULL && keys->len > 0)
    {
      const P2vSshKey *key = keys->pdata[0];
      site->hostkey = g_strdup (key->fingerprint);
      return TRUE;
    }
  if (is_here)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                         "there is no host key in /etc/ssh, by which machines would know this "
                         "server. Make one (ssh-keygen -A), or say --hostkey SHA256:...");
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "%s is another host, so say by which key machines know it: --hostkey SHA256:... "
                 "This prints it there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
                 site->server);
  return FALSE;
}

static gboolean
set_identity (P2vSite *site, const char *file, GError **error)
{
  gboolean standard = file == NULL;
  if (standard)
    file = P2V_IDENTITY_FILE;
  if (standard && !g_file_test (file, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "there is no private key %s that this user can see. \"p2v-server setup\", as "
                   "root, makes it; another is named with --identity FILE.",
                   file);
      return FALSE;
    }
  g_autoptr (P2vSshKey) key = p2v_ssh_key_load_private (file, &site->identity, error);
  return key != NULL;
}

static gboolean
check_numbers (const P2vMediaOptions *options, GError **error)
{
  if (options->port < 0 || options->port > G_MAXUINT16)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "--port %d: expected a number from 1 to %d",
                 options->port, G_MAXUINT16);
  else if (options->timeout < -1 || options->timeout > MAX_TIMEOUT)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "--timeout %d: expected seconds from 0 to %d",
                 options->timeout, MAX_TIMEOUT);
  else
    return TRUE;
  return FALSE;
}

/* A profile that this server does not have would be refused when the machine asks for it. */
static void
warn_of_profile (const P2vSite *site, const P2vServerConfig *config)
{
  const char *const prefix = "p2v.profile=";
  for (guint i = 0; i < site->defaults->len; i++)
    {
      const char *word = site->defaults->pdata[i];
      if (!g_str_has_prefix (word, prefix))
        continue;
      g_autoptr (GError) problem = NULL;
      g_autoptr (GPtrArray) profiles = p2v_profiles_load (config->profiles_file, &problem);
      if (profiles != NULL)
        p2v_profiles_find (profiles, word + strlen (prefix), &problem);
      if (problem != NULL)
        g_printerr ("Warning: %s: %s\n", word, problem->message);
    }
}

P2vSite *
p2v_media_site (const P2vMediaOptions *options, const P2vServerConfig *config, GError **error)
{
  g_autoptr (P2vSite) site = p2v_site_new ();
  gboolean is_here = FALSE;
  if (!check_numbers (options, error) || !set_server (site, options->server, &is_here, error))
    return NULL;
  if (options->port != 0)
    site->port = (guint16)options->port;
  site->unattended = options->unattended;
  site->timeout = options->timeout;
  const char *username = options->username != NULL ? options->username : P2V_ACCOUNT;
  if (!p2v_site_set_username (site, username, error))
    return NULL;
  for (gsize i = 0; options->arguments != NULL && options->arguments[i] != NULL; i++)
    if (!p2v_site_add_argument (site, options->arguments[i], error))
      return NULL;
  if (!set_hostkey (site, options->hostkey, is_here, error)
      || !set_identity (site, options->identity, error))
    return NULL;
  if (is_here)
    warn_of_profile (site, config);
  return g_steal_pointer (&site);
}
