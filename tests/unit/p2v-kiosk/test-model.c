/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/cmdline.h"
#include "p2v-client/kiosk/model.h"

#define KEY_A "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static P2vKioskModel *
new_model (const char *cmdline)
{
  g_autoptr (GError) error = NULL;
  P2vConfig *config = p2v_cmdline_parse (cmdline, &error);
  g_assert_no_error (error);
  return p2v_kiosk_model_new (config, NULL);
}

/* As if a server had shown a key that nobody knows. */
static void
find_unknown_key (P2vKioskModel *model, const char *fingerprint)
{
  p2v_kiosk_model_forget_probe (model);
  model->probe = p2v_probe_new ();
  model->probe->hostkey.trust = P2V_HOSTKEY_UNKNOWN;
  model->probe->hostkey.fingerprint = g_strdup (fingerprint);
}

static void
test_accepted_key_is_remembered (void)
{
  g_autoptr (P2vKioskModel) model = new_model ("");
  p2v_kiosk_model_set_server (model, "kvm1", 22);
  g_assert_null (model->config->hostkey);
  find_unknown_key (model, KEY_A);
  p2v_kiosk_model_accept_hostkey (model);
  g_assert_cmpstr (model->config->hostkey, ==, KEY_A);
  p2v_kiosk_model_set_server (model, "kvm2", 22);
  g_assert_null (model->config->hostkey);
  p2v_kiosk_model_set_server (model, "kvm1", 2222);
  g_assert_null (model->config->hostkey);
  p2v_kiosk_model_set_server (model, "kvm1", 22);
  g_assert_cmpstr (model->config->hostkey, ==, KEY_A);
}

static void
test_given_key_is_for_its_server (void)
{
  g_autoptr (P2vKioskModel) model = new_model ("p2v.server=kvm1 p2v.hostkey=" KEY_A);
  p2v_kiosk_model_set_server (model, "kvm1", 22);
  g_assert_cmpstr (model->config->hostkey, ==, KEY_A);
  p2v_kiosk_model_set_server (model, "evil", 22);
  g_assert_null (model->config->hostkey);
  find_unknown_key (model, KEY_B);
  p2v_kiosk_model_accept_hostkey (model);
  p2v_kiosk_model_set_server (model, "kvm1", 22);
  g_assert_cmpstr (model->config->hostkey, ==, KEY_A);
}

static void
test_given_key_without_server (void)
{
  g_autoptr (P2vKioskModel) model = new_model ("p2v.hostkey=" KEY_A);
  p2v_kiosk_model_set_server (model, "kvm1", 22);
  g_assert_cmpstr (model->config->hostkey, ==, KEY_A);
  p2v_kiosk_model_set_server (model, "kvm2", 22);
  g_assert_null (model->config->hostkey);
  p2v_kiosk_model_set_server (model, "kvm1", 22);
  g_assert_cmpstr (model->config->hostkey, ==, KEY_A);
}

static void
test_another_server_forgets_the_probe (void)
{
  g_autoptr (P2vKioskModel) model = new_model ("p2v.server=kvm1");
  model->probe = p2v_probe_new ();
  model->server_works = TRUE;
  p2v_kiosk_model_set_server (model, "kvm1", 22);
  g_assert_true (model->server_works);
  p2v_kiosk_model_set_server (model, "kvm2", 22);
  g_assert_false (model->server_works);
  g_assert_null (model->probe);
}

static void
add_nic (P2vMachine *machine, const char *name)
{
  P2vNic *nic = p2v_nic_new ();
  nic->name = g_strdup (name);
  g_ptr_array_add (machine->nics, nic);
}

static P2vMachine *
new_machine (void)
{
  P2vMachine *machine = p2v_machine_new ();
  P2vDisk *disk = p2v_disk_new ();
  machine->cpu = p2v_cpu_new ();
  machine->cpu->online = machine->cpu->sockets = machine->cpu->cores = machine->cpu->threads = 1;
  machine->firmware = p2v_firmware_new ();
  machine->firmware->type = g_strdup ("bios");
  machine->clock = p2v_clock_new ();
  machine->clock->basis = g_strdup ("utc");
  machine->smbios = p2v_smbios_new ();
  machine->memory = 1 << 30;
  disk->name = g_strdup ("sda");
  disk->path = g_strdup ("/dev/sda");
  disk->size = 1 << 20;
  disk->logical_sector_size = disk->physical_sector_size = 512;
  g_ptr_array_add (machine->disks, disk);
  add_nic (machine, "eno1");
  add_nic (machine, "eno2");
  return machine;
}

static char *
nics_of (P2vKioskModel *model)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  p2v_kiosk_model_make_request (model, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < model->request->guest->nics->len; i++)
    {
      const P2vGuestNic *nic = model->request->guest->nics->pdata[i];
      g_string_append_printf (text, "%s:%s ", nic->nic, nic->network);
    }
  return g_string_free (text, FALSE);
}

static void
assert_nics (P2vKioskModel *model, const char *expected)
{
  g_autofree char *nics = nics_of (model);
  g_assert_cmpstr (nics, ==, expected);
}

static void
test_networks (void)
{
  g_autoptr (P2vKioskModel) model = new_model ("p2v.network=lan");
  model->machine = new_machine ();
  assert_nics (model, "eno1:lan eno2:lan ");
  p2v_config_set_network (model->config, model->machine, "eno2", "dmz");
  assert_nics (model, "eno1:lan eno2:dmz ");
  p2v_config_set_network (model->config, model->machine, "eno1", NULL);
  assert_nics (model, "eno2:dmz ");
  p2v_config_set_network (model->config, model->machine, "eno2", NULL);
  assert_nics (model, "");
  p2v_config_set_network (model->config, model->machine, "eno1", "lan2");
  p2v_config_set_network (model->config, model->machine, "eno1", "lan3");
  assert_nics (model, "eno1:lan3 ");
}

/* What was given for another machine stands in nobody's way who has been told and goes on. */
static void
test_missing_hardware_is_dropped (void)
{
  g_autoptr (P2vKioskModel) model
      = new_model ("p2v.network=eth9:lan p2v.removable=sr7 p2v.interfaces=eth9,eno2");
  model->machine = new_machine ();
  p2v_config_set_network (model->config, model->machine, "eno2", "default");
  assert_nics (model, "eno2:default ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kiosk/model/accepted-key-is-remembered", test_accepted_key_is_remembered);
  g_test_add_func ("/kiosk/model/given-key-is-for-its-server", test_given_key_is_for_its_server);
  g_test_add_func ("/kiosk/model/given-key-without-server", test_given_key_without_server);
  g_test_add_func ("/kiosk/model/another-server-forgets-the-probe",
                   test_another_server_forgets_the_probe);
  g_test_add_func ("/kiosk/model/networks", test_networks);
  g_test_add_func ("/kiosk/model/missing-hardware-is-dropped", test_missing_hardware_is_dropped);
  return g_test_run ();
}
