/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/failure.h"

#include "common/error.h"
#include "p2v-client/control.h"
#include "p2v-client/identity.h"

static JsonObject *
new_message (const P2vConfig *config, const P2vMachine *machine, const GError *failure)
{
  g_autofree char *name = p2v_config_guest_name (config, machine);
  g_autoptr (P2vRequest) request = p2v_request_new_outline (name);
  if (machine != NULL)
    {
      p2v_machine_free (request->machine);
      request->machine = p2v_schema_copy (&p2v_machine_schema, machine);
    }
  JsonObject *message = p2v_message_new_error (failure);
  json_object_set_string_member (message, "type", P2V_MESSAGE_FAILED);
  json_object_set_object_member (message, "request", p2v_request_to_json (request));
  return message;
}

static char *
tell (P2vSsh *ssh, const P2vConfig *config, JsonObject *message, GCancellable *cancellable,
      GError **error)
{
  g_autofree char *program = NULL;
  g_autoptr (JsonObject) noted = NULL;
  if (p2v_control_greet (ssh, config, &program, cancellable, error))
    noted = p2v_control_ask (ssh, json_object_ref (message), P2V_MESSAGE_NOTED, cancellable, error);
  const char *job = noted != NULL ? p2v_message_get_string (noted, "job") : NULL;
  if (noted != NULL && job == NULL)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "the server names no job");
  return g_strdup (job);
}

char *
p2v_failure_tell (const P2vConfig *config, const P2vMachine *machine, const GError *failure,
                  GCancellable *cancellable, GError **error)
{
  char *identity = NULL;
  if (config->identity_url != NULL
      && (identity = p2v_identity_fetch (config->identity_url, cancellable, error)) == NULL)
    return NULL;
  g_autoptr (P2vSsh) ssh
      = p2v_ssh_open (config, identity, P2V_COMMAND_SESSION, NULL, cancellable, NULL, error);
  p2v_secret_free (identity);
  if (ssh == NULL)
    return NULL;
  g_autoptr (JsonObject) message = new_message (config, machine, failure);
  return tell (ssh, config, message, cancellable, error);
}
