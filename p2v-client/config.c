/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/config.h"

#include "p2v-client/identity.h"

#define DEFAULT_PORT 22
#define DEFAULT_USERNAME "root"
#define DEFAULT_NETWORK "default"

P2vNetworkMapping *
p2v_network_mapping_new (const char *nic, const char *network)
{
  P2vNetworkMapping *mapping = g_new0 (P2vNetworkMapping, 1);
  mapping->nic = g_strdup (nic);
  mapping->network = g_strdup (network);
  return mapping;
}

void
p2v_network_mapping_free (P2vNetworkMapping *mapping)
{
  if (mapping == NULL)
    return;
  g_free (mapping->nic);
  g_free (mapping->network);
  g_free (mapping);
}

P2vConfig *
p2v_config_new (void)
{
  P2vConfig *config = g_new0 (P2vConfig, 1);
  config->port = DEFAULT_PORT;
  config->retry_for = config->wait_for = -1;
  config->compress = P2V_COMPRESS_AUTO;
  config->username = g_strdup (DEFAULT_USERNAME);
  config->networks = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_network_mapping_free);
  config->output = p2v_output_new ();
  return config;
}

void
p2v_config_free (P2vConfig *config)
{
  if (config == NULL)
    return;
  g_free (config->server);
  g_free (config->username);
  p2v_secret_free (config->password);
  /* Both may hold a password of their own. */
  p2v_secret_free (config->identity_url);
  p2v_secret_free (config->output->connection);
  config->output->connection = NULL;
  g_free (config->hostkey);
  g_free (config->name);
  g_free (config->cpu_vendor);
  g_free (config->cpu_model);
  g_free (config->firmware);
  g_free (config->rtc_basis);
  g_free (config->wait);
  g_free (config->language);
  g_free (config->keyboard);
  g_free (config->read_errors);
  g_strfreev (config->disks);
  g_strfreev (config->removables);
  g_strfreev (config->interfaces);
  g_ptr_array_unref (config->networks);
  g_free (config->root);
  p2v_output_free (config->output);
  g_free (config->pre);
  g_free (config->post);
  g_free (config->fail);
  g_free (config);
}

const char *
p2v_config_network_for (const P2vConfig *config, const char *nic)
{
  const char *network = DEFAULT_NETWORK;
  for (guint i = 0; i < config->networks->len; i++)
    {
      const P2vNetworkMapping *mapping = config->networks->pdata[i];
      if (g_strcmp0 (mapping->nic, nic) == 0)
        return mapping->network;
      if (mapping->nic == NULL)
        network = mapping->network;
    }
  return network;
}

/* The interfaces that the guest gets, as a list of names that can be changed. */
static GPtrArray *
list_interfaces (const P2vConfig *config, const P2vMachine *machine)
{
  GPtrArray *names = g_ptr_array_new_null_terminated (8, g_free, TRUE);
  char **given = config->interfaces;
  for (gsize i = 0; given != NULL && given[i] != NULL; i++)
    if (p2v_machine_find_nic (machine, given[i]) != NULL)
      g_ptr_array_add (names, g_strdup (given[i]));
  for (guint i = 0; given == NULL && i < machine->nics->len; i++)
    g_ptr_array_add (names, g_strdup (((P2vNic *)machine->nics->pdata[i])->name));
  return names;
}

static void
set_mapping (P2vConfig *config, const char *nic, const char *network)
{
  for (guint i = config->networks->len; i > 0; i--)
    {
      P2vNetworkMapping *mapping = config->networks->pdata[i - 1];
      if (g_strcmp0 (mapping->nic, nic) == 0)
        g_ptr_array_remove_index (config->networks, i - 1);
    }
  if (network != NULL)
    g_ptr_array_add (config->networks, p2v_network_mapping_new (nic, network));
}

void
p2v_config_set_network (P2vConfig *config, const P2vMachine *machine, const char *nic,
                        const char *network)
{
  g_autoptr (GPtrArray) names = list_interfaces (config, machine);
  guint index;
  gboolean listed = g_ptr_array_find_with_equal_func (names, nic, g_str_equal, &index);
  if (listed && network == NULL)
    g_ptr_array_remove_index (names, index);
  else if (!listed && network != NULL)
    g_ptr_array_add (names, g_strdup (nic));
  g_strfreev (config->interfaces);
  config->interfaces = (char **)g_ptr_array_steal (names, NULL);
  set_mapping (config, nic, network);
}
