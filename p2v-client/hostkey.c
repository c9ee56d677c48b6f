/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/hostkey.h"

#include "common/error.h"

#include <libssh/libssh.h>

void
p2v_hostkey_clear (P2vHostKey *hostkey)
{
  g_clear_pointer (&hostkey->fingerprint, g_free);
  g_clear_pointer (&hostkey->type, g_free);
  hostkey->trust = P2V_HOSTKEY_UNSEEN;
}

char *
p2v_hostkey_warning (const P2vHostKey *hostkey, const P2vConfig *config)
{
  if (hostkey->trust != P2V_HOSTKEY_ANY)
    return NULL;
  return g_strdup_printf (
      "p2v.hostkey=any: whoever answers as %s is trusted with the password and the disks. "
      "Its %s host key is %s; give p2v.hostkey=%s to be sure.",
      config->server, hostkey->type, hostkey->fingerprint, hostkey->fingerprint);
}

static gboolean
read_key (ssh_session session, P2vHostKey *hostkey)
{
  ssh_key key = NULL;
  if (ssh_get_server_publickey (session, &key) != SSH_OK)
    return FALSE;
  unsigned char *hash = NULL;
  size_t length = 0;
  if (ssh_get_publickey_hash (key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) == SSH_OK)
    {
      char *text = ssh_get_fingerprint_hash (SSH_PUBLICKEY_HASH_SHA256, hash, length);
      hostkey->fingerprint = g_strdup (text);
      ssh_string_free_char (text);
      ssh_clean_pubkey_hash (&hash);
    }
  hostkey->type = g_strdup (ssh_key_type_to_char (ssh_key_type (key)));
  ssh_key_free (key);
  return hostkey->fingerprint != NULL;
}

static P2vHostKeyTrust
judge (ssh_session session, const P2vConfig *config, const char *fingerprint)
{
  if (g_strcmp0 (config->hostkey, "any") == 0)
    return P2V_HOSTKEY_ANY;
  if (config->hostkey != NULL)
    {
      g_auto (GStrv) list = g_strsplit (config->hostkey, ",", -1);
      return g_strv_contains ((const char *const *)list, fingerprint) ? P2V_HOSTKEY_TRUSTED
                                                                      : P2V_HOSTKEY_MISMATCH;
    }
  switch (ssh_session_is_known_server (session))
    {
    case SSH_KNOWN_HOSTS_OK:
      return P2V_HOSTKEY_TRUSTED;
    case SSH_KNOWN_HOSTS_CHANGED:
    case SSH_KNOWN_HOSTS_OTHER: /* a key of another kind is no less another key */
      return P2V_HOSTKEY_MISMATCH;
    default:
      return P2V_HOSTKEY_UNKNOWN;
    }
}

gboolean
p2v_hostkey_check (ssh_session session, const P2vConfig *config, P2vHostKey *hostkey,
                   GError **error)
{
  p2v_hostkey_clear (hostkey);
  if (!read_key (session, hostkey))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONNECTION, "no host key from %s port %u: %s",
                   config->server, config->port, ssh_get_error (session));
      return FALSE;
    }
  hostkey->trust = judge (session, config, hostkey->fingerprint);
  if (hostkey->trust == P2V_HOSTKEY_MISMATCH)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONNECTION,
                 "the host key of %s is not the expected one: it is %s (%s), %s says %s. Somebody "
                 "may be in between. If the server's key has changed, compare with `ssh-keygen "
                 "-lf /etc/ssh/ssh_host_ed25519_key.pub` on the server itself.",
                 config->server, hostkey->fingerprint, hostkey->type,
                 config->hostkey != NULL ? "p2v.hostkey=" : P2V_KNOWN_HOSTS_FILE,
                 config->hostkey != NULL ? config->hostkey : "otherwise");
  else if (hostkey->trust == P2V_HOSTKEY_UNKNOWN)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONNECTION,
                 "the host key of %s is not known: %s (%s). If `ssh-keygen -lf "
                 "/etc/ssh/ssh_host_ed25519_key.pub` on the server shows the same, add "
                 "p2v.hostkey=%s",
                 config->server, hostkey->fingerprint, hostkey->type, hostkey->fingerprint);
  return hostkey->trust == P2V_HOSTKEY_TRUSTED || hostkey->trust == P2V_HOSTKEY_ANY;
}
