/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/config.h"

#include "p2v-client/output-form.h"
#include "p2v-client/text.h"

#define NONE "(none)"
#define MASK "***"

static void
add_text (GString *dump, const char *name, const char *value)
{
  g_autofree char *shown = p2v_text_printable (value);
  g_string_append_printf (dump, "%-20s %s\n", name, value != NULL ? shown : NONE);
}

static void
add_number (GString *dump, const char *name, gint64 value)
{
  g_string_append_printf (dump, "%-20s %" G_GINT64_FORMAT "\n", name, value);
}

/* value: negative for what is not said and depends on how the program is started. */
static void
add_seconds (GString *dump, const char *name, gint64 value)
{
  if (value < 0)
    add_text (dump, name, "default");
  else
    add_number (dump, name, value);
}

static void
add_boolean (GString *dump, const char *name, gboolean value)
{
  add_text (dump, name, value ? "true" : "false");
}

static void
add_list (GString *dump, const char *name, char **items)
{
  if (items == NULL || items[0] == NULL)
    {
      /* virt-p2v prints an empty line after an empty list; who reads its output may count on it. */
      add_text (dump, name, NULL);
      g_string_append_c (dump, '\n');
      return;
    }
  g_autofree char *joined = g_strjoinv (" ", items);
  add_text (dump, name, joined);
}

static void
add_networks (GString *dump, const P2vConfig *config)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < config->networks->len; i++)
    {
      const P2vNetworkMapping *mapping = config->networks->pdata[i];
      g_autofree char *item = g_strdup_printf ("%s%s%s", mapping->nic != NULL ? mapping->nic : "",
                                               mapping->nic != NULL ? ":" : "", mapping->network);
      g_strv_builder_add (builder, item);
    }
  g_auto (GStrv) items = g_strv_builder_end (builder);
  add_list (dump, "network_map", items);
}

static void
add_server (GString *dump, const P2vConfig *config)
{
  g_autofree char *url = p2v_url_mask (config->identity_url);
  add_text (dump, "local version", P2V_VERSION);
  add_text (dump, "remote version", "unknown");
  add_text (dump, "remote.server", config->server);
  add_number (dump, "remote.port", config->port);
  add_text (dump, "auth.username", config->username);
  add_text (dump, "auth.password", config->password != NULL ? MASK : NULL);
  add_text (dump, "auth.identity.url", url);
  /* virt-p2v copies the key to a file, and prints these two; ours never leaves memory. */
  add_text (dump, "auth.identity.file", NULL);
  add_boolean (dump, "auth.identity.file_needs_update", config->identity_url != NULL);
  add_boolean (dump, "auth.sudo", config->sudo);
}

static gboolean
effective (P2vTristate said, gboolean of_machine)
{
  return said == P2V_UNSET ? of_machine : said == P2V_YES;
}

static void
add_guest (GString *dump, const P2vConfig *config, const P2vRequest *request)
{
  const P2vGuest *guest = request->guest;
  const P2vCpu *cpu = request->machine->cpu;
  add_text (dump, "guestname", guest->name);
  add_boolean (dump, "vcpu.phys_topo", guest->phys_topo);
  add_number (dump, "vcpu.cores", guest->vcpus);
  add_number (dump, "memory", guest->memory);
  add_text (dump, "cpu.vendor", guest->cpu_vendor != NULL ? guest->cpu_vendor : cpu->vendor);
  add_text (dump, "cpu.model", guest->cpu_model);
  add_boolean (dump, "cpu.acpi", effective (guest->acpi, cpu->acpi));
  add_boolean (dump, "cpu.apic", effective (guest->apic, cpu->apic));
  add_boolean (dump, "cpu.pae", effective (guest->pae, cpu->pae));
  add_text (dump, "rtc.basis", guest->rtc_basis);
  add_number (dump, "rtc.offset", guest->rtc_offset);
  add_list (dump, "disks", config->disks != NULL ? config->disks : guest->disks);
  add_list (dump, "removable", guest->removables);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < guest->nics->len; i++)
    g_strv_builder_add (builder, ((const P2vGuestNic *)guest->nics->pdata[i])->nic);
  g_auto (GStrv) nics = g_strv_builder_end (builder);
  add_list (dump, "interfaces", nics);
}

static void
add_output (GString *dump, const P2vOutput *output)
{
  g_autofree char *connection = p2v_url_mask (output->connection);
  g_auto (GStrv) options = p2v_output_mask_options (output);
  add_text (dump, "output.type", output->mode);
  add_text (dump, "output.allocation", output->allocation != NULL ? output->allocation : "none");
  add_text (dump, "output.connection", connection);
  add_text (dump, "output.format", output->format);
  add_text (dump, "output.storage", output->storage);
  add_list (dump, "output.misc", options);
}

static void
add_ours (GString *dump, const P2vConfig *config, const P2vRequest *request)
{
  add_text (dump, "firmware", p2v_request_firmware (request));
  add_text (dump, "profile", config->output->profile);
  add_text (dump, "hostkey", config->hostkey);
  add_text (dump, "root", config->root);
  if (config->lanes > 0)
    add_number (dump, "lanes", config->lanes);
  else
    add_text (dump, "lanes", "auto");
  if (config->compress > 0)
    add_number (dump, "compress", config->compress);
  else
    add_text (dump, "compress", config->compress == P2V_COMPRESS_OFF ? "off" : "auto");
  if (config->bwlimit > 0)
    add_number (dump, "bwlimit", config->bwlimit);
  else
    add_text (dump, "bwlimit", NULL);
  add_text (dump, "wait", config->wait != NULL ? config->wait : P2V_WAIT_DEFINED);
  add_text (dump, "resume",
            config->resume == P2V_UNSET ? NULL
            : config->resume == P2V_YES ? "yes"
                                        : "no");
  add_text (dump, "verify", config->output->verify != NULL ? config->output->verify : "full");
  add_text (dump, "read_errors", config->read_errors != NULL ? config->read_errors : "zero");
  add_seconds (dump, "wait_for", config->wait_for);
  add_seconds (dump, "retry_for", config->retry_for);
  add_boolean (dump, "text", config->text_interface);
  add_text (dump, "language", config->language);
  add_text (dump, "keyboard", config->keyboard);
  add_boolean (dump, "verify_medium", config->verify_medium);
}

char *
p2v_config_dump (const P2vConfig *config, const P2vRequest *request)
{
  GString *dump = g_string_new (NULL);
  add_server (dump, config);
  add_guest (dump, config, request);
  add_networks (dump, config);
  add_output (dump, config->output);
  add_ours (dump, config, request);
  return g_string_free (dump, FALSE);
}
