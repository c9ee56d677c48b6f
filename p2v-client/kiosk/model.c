/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/model.h"

#include "p2v-client/i18n.h"
#include "p2v-client/output-form.h"

G_DEFINE_TYPE (P2vKioskModel, p2v_kiosk_model, G_TYPE_OBJECT)

static const char *const signals[]
    = { "network-changed", "machine-changed",    "details-changed",  "language-changed",
        "server-changed",  "conversion-changed", "estimate-changed", "report-changed" };

static char *
place_of (const P2vConfig *config)
{
  return g_strdup_printf ("%s %u", config->server != NULL ? config->server : "", config->port);
}

P2vKioskModel *
p2v_kiosk_model_new (P2vConfig *config, const char *complaint)
{
  P2vKioskModel *model = g_object_new (P2V_TYPE_KIOSK_MODEL, NULL);
  model->config = config;
  model->complaint = g_strdup (complaint);
  if (config->server != NULL && config->hostkey != NULL)
    g_hash_table_insert (model->hostkeys, place_of (config), g_strdup (config->hostkey));
  return model;
}

void
p2v_kiosk_model_changed (P2vKioskModel *model, const char *signal)
{
  g_signal_emit_by_name (model, signal);
}

void
p2v_kiosk_model_forget_probe (P2vKioskModel *model)
{
  g_assert (!model->probing);
  g_clear_pointer (&model->probe, p2v_probe_free);
  g_clear_error (&model->probe_error);
  model->server_works = FALSE;
  p2v_kiosk_model_changed (model, "server-changed");
}

void
p2v_kiosk_model_set_server (P2vKioskModel *model, const char *server, guint16 port)
{
  P2vConfig *config = model->config;
  if (g_strcmp0 (config->server, server) == 0 && config->port == port)
    return;
  /* A key that was given without a server holds for the first one that is named. */
  if (config->server == NULL && config->hostkey != NULL)
    {
      char *first = g_strdup_printf ("%s %u", server, port);
      g_hash_table_insert (model->hostkeys, first, g_strdup (config->hostkey));
    }
  g_free (config->server);
  config->server = g_strdup (server);
  config->port = port;
  g_autofree char *place = place_of (config);
  g_free (config->hostkey);
  config->hostkey = g_strdup (g_hash_table_lookup (model->hostkeys, place));
  p2v_kiosk_model_forget_probe (model);
}

void
p2v_kiosk_model_set_language (P2vKioskModel *model, const char *code)
{
  p2v_i18n_set_language (code);
  p2v_kiosk_model_changed (model, "language-changed");
}

void
p2v_kiosk_model_accept_hostkey (P2vKioskModel *model)
{
  g_return_if_fail (model->probe != NULL && model->probe->hostkey.trust == P2V_HOSTKEY_UNKNOWN);
  P2vConfig *config = model->config;
  g_free (config->hostkey);
  config->hostkey = g_strdup (model->probe->hostkey.fingerprint);
  g_hash_table_insert (model->hostkeys, place_of (config), g_strdup (config->hostkey));
}

void
p2v_kiosk_model_set_output (P2vKioskModel *model, P2vOutput *output)
{
  gboolean changed = !p2v_output_is_equal (model->config->output, output);
  p2v_output_free (model->config->output);
  model->config->output = output;
  if (changed)
    p2v_kiosk_model_forget_probe (model);
}

/* Leaves out what the machine does not have, of interfaces and drives that were given beforehand:
 * the Machine page has said so, and whoever went on has seen the ones there are. */
static void
drop_missing (P2vConfig *config, const P2vMachine *machine)
{
  for (guint i = config->networks->len; i > 0; i--)
    {
      const P2vNetworkMapping *mapping = config->networks->pdata[i - 1];
      if (mapping->nic != NULL && p2v_machine_find_nic (machine, mapping->nic) == NULL)
        g_ptr_array_remove_index (config->networks, i - 1);
    }
  gboolean missing = FALSE;
  for (char **name = config->removables; name != NULL && *name != NULL; name++)
    missing |= p2v_machine_find_removable (machine, *name) == NULL;
  if (missing)
    g_clear_pointer (&config->removables, g_strfreev);
}

gboolean
p2v_kiosk_model_make_request (P2vKioskModel *model, GError **error)
{
  drop_missing (model->config, model->machine);
  g_clear_pointer (&model->request, p2v_request_free);
  model->request = p2v_config_to_request (model->config, model->machine, error);
  return model->request != NULL;
}

gboolean
p2v_kiosk_model_is_converting (P2vKioskModel *model)
{
  return model->phase == P2V_KIOSK_RUNNING || model->phase == P2V_KIOSK_STOPPING;
}

void
p2v_kiosk_model_forget_report (P2vKioskModel *model)
{
  g_clear_pointer (&model->sticks, g_ptr_array_unref);
  g_clear_pointer (&model->saved, g_free);
  g_clear_error (&model->save_error);
  p2v_kiosk_model_changed (model, "report-changed");
}

void
p2v_kiosk_model_start_over (P2vKioskModel *model)
{
  g_return_if_fail (!p2v_kiosk_model_is_converting (model));
  model->phase = P2V_KIOSK_SETUP;
  g_clear_error (&model->failure);
  p2v_kiosk_model_changed (model, "conversion-changed");
}

static void
finalize (GObject *object)
{
  P2vKioskModel *model = P2V_KIOSK_MODEL (object);
  p2v_config_free (model->config);
  g_free (model->complaint);
  g_hash_table_unref (model->hostkeys);
  g_clear_pointer (&model->links, g_ptr_array_unref);
  p2v_machine_free (model->machine);
  g_clear_error (&model->machine_error);
  p2v_machine_free (model->details);
  p2v_request_free (model->suggestion);
  g_clear_error (&model->suggestion_error);
  p2v_probe_free (model->probe);
  g_clear_error (&model->probe_error);
  p2v_request_free (model->request);
  p2v_kiosk_state_free (model->state);
  g_clear_error (&model->failure);
  g_clear_pointer (&model->sticks, g_ptr_array_unref);
  g_free (model->saved);
  p2v_estimate_free (model->estimate);
  g_clear_error (&model->save_error);
  G_OBJECT_CLASS (p2v_kiosk_model_parent_class)->finalize (object);
}

static void
p2v_kiosk_model_class_init (P2vKioskModelClass *class)
{
  G_OBJECT_CLASS (class)->finalize = finalize;
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_new (signals[i], P2V_TYPE_KIOSK_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 0);
}

static void
p2v_kiosk_model_init (P2vKioskModel *model)
{
  model->hostkeys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}
