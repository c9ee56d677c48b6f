/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/probe.h"

#include "common/error.h"
#include "p2v-client/control.h"
#include "p2v-client/identity.h"

P2vProbe *
p2v_probe_new (void)
{
  return g_new0 (P2vProbe, 1);
}

void
p2v_probe_free (P2vProbe *probe)
{
  if (probe == NULL)
    return;
  p2v_hostkey_clear (&probe->hostkey);
  g_free (probe->program);
  p2v_offers_free (probe->offers);
  g_free (probe);
}

/* A server that does not say what it offers can be used all the same. */
static gboolean
ask_offers (P2vSsh *ssh, const P2vConfig *config, P2vProbe *probe, GCancellable *cancellable,
            GError **error)
{
  JsonObject *message = p2v_message_new (P2V_MESSAGE_DESCRIBE);
  json_object_set_object_member (message, "output", p2v_output_to_json (config->output));
  g_autoptr (GError) failure = NULL;
  g_autoptr (JsonObject) answer
      = p2v_control_ask (ssh, message, P2V_MESSAGE_OFFERS, cancellable, &failure);
  if (g_error_matches (failure, P2V_ERROR, P2V_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  JsonObject *offers = answer != NULL ? p2v_message_get_object (answer, "offers") : NULL;
  if (offers != NULL)
    probe->offers = p2v_offers_from_json (offers, NULL);
  return TRUE;
}

static gboolean
run (const P2vConfig *config, const char *identity, P2vProbe *probe, GCancellable *cancellable,
     GError **error)
{
  g_autoptr (P2vSsh) ssh = p2v_ssh_open (config, identity, P2V_COMMAND_SESSION, NULL, cancellable,
                                         &probe->hostkey, error);
  if (ssh == NULL)
    return FALSE;
  probe->logged_in = TRUE;
  return p2v_control_greet (ssh, config, &probe->program, cancellable, error)
         && ask_offers (ssh, config, probe, cancellable, error);
}

gboolean
p2v_probe_run (const P2vConfig *config, P2vProbe *probe, GCancellable *cancellable, GError **error)
{
  if (config->server == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                           "no conversion server is given. Give its name or address.");
      return FALSE;
    }
  char *identity = NULL;
  if (config->identity_url != NULL
      && (identity = p2v_identity_fetch (config->identity_url, cancellable, error)) == NULL)
    {
      p2v_error_recode (error, error != NULL ? p2v_error_code_of (*error) : P2V_ERROR_AUTH);
      return FALSE;
    }
  gboolean ok = run (config, identity, probe, cancellable, error);
  p2v_secret_free (identity);
  return ok;
}
