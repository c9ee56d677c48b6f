/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"

#include <glib/gstdio.h>
#include <string.h>

#define GIB (G_GINT64_CONSTANT (1) << 30)

/* Two disks, the stick that it was booted from, half a mirror, two interfaces and a drive. */
static const char machine_json[]
    = "{\"hostname\":\"web-01.example.com\",\"memory\":4294967297,"
      "\"cpu\":{\"vendor\":\"AMD\",\"sockets\":2,\"cores\":4,\"threads\":2,\"online\":3,"
      "\"acpi\":true,\"apic\":true,\"pae\":true},"
      "\"firmware\":{\"type\":\"bios\"},\"clock\":{\"basis\":\"utc\",\"offset\":3600},"
      "\"smbios\":{\"product\":\"PowerEdge R740\",\"serial\":\"ABC123\"},"
      "\"disks\":[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"size\":1073741824},"
      "{\"name\":\"sdb\",\"path\":\"/dev/sdb\",\"size\":1073741824},"
      "{\"name\":\"sdc\",\"path\":\"/dev/sdc\",\"size\":1073741824,\"live_medium\":true},"
      "{\"name\":\"sdd\",\"path\":\"/dev/sdd\",\"size\":1073741824,\"member_of\":\"md127\"},"
      "{\"name\":\"sde\",\"path\":\"/dev/sde\",\"size\":0}],"
      "\"removables\":[{\"name\":\"sr0\",\"path\":\"/dev/sr0\"}],"
      "\"nics\":[{\"name\":\"eno1\",\"mac\":\"52:54:00:00:00:01\"},"
      "{\"name\":\"eno2\",\"mac\":\"52:54:00:00:00:02\"}]}";

static P2vMachine *
machine_new (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = p2v_json_from_text (machine_json, -1, &error);
  P2vMachine *machine = object != NULL ? p2v_machine_from_json (object, &error) : NULL;
  g_assert_no_error (error);
  return machine;
}

static P2vRequest *
request_for (const char *cmdline, const P2vMachine *machine, GError **error)
{
  g_autoptr (P2vConfig) config = p2v_cmdline_parse (cmdline, error);
  g_assert_nonnull (config);
  return p2v_config_to_request (config, machine, error);
}

static P2vRequest *
request_new (const char *cmdline)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vMachine) machine = machine_new ();
  P2vRequest *request = request_for (cmdline, machine, &error);
  g_assert_no_error (error);
  return request;
}

static void
assert_refused (const char *cmdline, int code, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vMachine) machine = machine_new ();
  g_autoptr (P2vRequest) request = request_for (cmdline, machine, &error);
  g_assert_null (request);
  g_assert_error (error, P2V_ERROR, code);
  if (strstr (error->message, expected) == NULL)
    g_error ("%s\nis refused with: %s\nexpected: %s", cmdline, error->message, expected);
}

static void
assert_list (char **items, const char *expected)
{
  g_autofree char *joined = g_strjoinv (" ", items);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_defaults_are_the_machine (void)
{
  g_autoptr (P2vRequest) request = request_new ("");
  const P2vGuest *guest = request->guest;
  g_assert_cmpstr (guest->name, ==, "web-01");
  g_assert_false (guest->phys_topo);
  g_assert_cmpint (guest->vcpus, ==, 3);
  g_assert_cmpint (guest->memory, ==, 4 * GIB);
  g_assert_null (guest->cpu_vendor);
  g_assert_cmpint (guest->acpi, ==, P2V_UNSET);
  g_assert_cmpstr (guest->rtc_basis, ==, "utc");
  g_assert_cmpint (guest->rtc_offset, ==, 3600);
  assert_list (guest->disks, "sda sdb");
  assert_list (guest->removables, "sr0");
  g_assert_cmpuint (guest->nics->len, ==, 2);
  const P2vGuestNic *nic = guest->nics->pdata[1];
  g_assert_cmpstr (nic->nic, ==, "eno2");
  g_assert_cmpstr (nic->network, ==, "default");
  g_assert_null (request->output->mode);
}

static void
test_what_is_said_wins (void)
{
  g_autoptr (P2vRequest) request = request_new (
      "p2v.name=db p2v.vcpu.phys_topo p2v.vcpu.cores=5 p2v.memory=2G p2v.cpu.vendor=Intel "
      "p2v.cpu.model=IvyBridge p2v.cpu.pae=no p2v.rtc.basis=localtime p2v.disks=/dev/sdb,sda "
      "p2v.removable= p2v.interfaces=eno2,eno1 p2v.network=eno1:lan,other p2v.root=first "
      "p2v.o=local p2v.oo=a=b p2v.firmware=uefi");
  const P2vGuest *guest = request->guest;
  g_assert_cmpstr (guest->name, ==, "db");
  g_assert_true (guest->phys_topo);
  g_assert_cmpint (guest->vcpus, ==, 16);
  g_assert_cmpint (guest->memory, ==, 2 * GIB);
  g_assert_cmpstr (guest->cpu_vendor, ==, "Intel");
  g_assert_cmpstr (guest->cpu_model, ==, "IvyBridge");
  g_assert_cmpstr (guest->firmware, ==, "uefi");
  g_assert_cmpint (guest->pae, ==, P2V_NO);
  g_assert_cmpstr (guest->rtc_basis, ==, "localtime");
  g_assert_cmpint (guest->rtc_offset, ==, 0);
  g_assert_cmpstr (guest->root, ==, "first");
  assert_list (guest->disks, "sdb sda");
  g_assert_cmpstr (guest->removables[0], ==, NULL);
  const P2vGuestNic *first = guest->nics->pdata[0];
  const P2vGuestNic *second = guest->nics->pdata[1];
  g_assert_cmpstr (first->nic, ==, "eno2");
  g_assert_cmpstr (first->network, ==, "other");
  g_assert_cmpstr (second->network, ==, "lan");
  g_assert_cmpstr (request->output->mode, ==, "local");
  assert_list (request->output->options, "a=b");
}

static void
test_what_is_not_there_is_refused_with_what_is (void)
{
  assert_refused ("p2v.disks=sdx", P2V_ERROR_SOURCE,
                  "no disk \"sdx\". Disks it has: sda, sdb. Correct p2v.disks");
  assert_refused ("p2v.disks=sdc", P2V_ERROR_SOURCE, "the medium that this system was booted from");
  assert_refused ("p2v.disks=sdd", P2V_ERROR_SOURCE,
                  "only a part of md127. Convert that with p2v.disks=md127");
  assert_refused ("p2v.disks=sde", P2V_ERROR_SOURCE, "has no size");
  assert_refused ("p2v.disks=sda,/dev/sda", P2V_ERROR_USAGE, "names disk sda twice");
  assert_refused ("p2v.disks=/nonexistent/disk", P2V_ERROR_SOURCE,
                  "cannot use disk /nonexistent/disk: No such file or directory");
  assert_refused ("p2v.removable=sr1", P2V_ERROR_USAGE,
                  "no removable drive \"sr1\". Drives it has: sr0. Correct p2v.removable");
  assert_refused ("p2v.interfaces=eth0", P2V_ERROR_USAGE,
                  "no network interface \"eth0\". Interfaces it has: eno1, eno2. Correct "
                  "p2v.interfaces");
  assert_refused ("p2v.network=eth0:lan", P2V_ERROR_USAGE, "Correct p2v.network");
  assert_refused ("p2v.rtc.basis=localtime p2v.rtc.offset=1", P2V_ERROR_USAGE,
                  "goes with p2v.rtc.basis=utc");
}

static void
test_a_machine_without_disks_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vMachine) machine = machine_new ();
  for (guint i = 0; i < machine->disks->len; i++)
    ((P2vDisk *)machine->disks->pdata[i])->live_medium = TRUE;
  g_autoptr (P2vRequest) request = request_for ("", machine, &error);
  g_assert_null (request);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
}

static void
test_names_come_from_what_the_machine_is (void)
{
  g_autoptr (P2vMachine) machine = machine_new ();
  g_free (machine->hostname);
  machine->hostname = g_strdup ("../--");
  g_autoptr (P2vRequest) product = request_for ("", machine, NULL);
  g_assert_cmpstr (product->guest->name, ==, "PowerEdgeR740-ABC123");
  g_clear_pointer (&machine->hostname, g_free);
  g_clear_pointer (&machine->smbios->serial, g_free);
  g_autoptr (P2vRequest) random = request_for ("", machine, NULL);
  g_autoptr (P2vRequest) other = request_for ("", machine, NULL);
  g_assert_true (g_str_has_prefix (random->guest->name, "machine-"));
  g_assert_cmpstr (random->guest->name, !=, other->guest->name);
}

static void
test_the_clock_s_offset_needs_no_basis (void)
{
  g_autoptr (P2vMachine) machine = machine_new ();
  g_free (machine->clock->basis);
  machine->clock->basis = g_strdup ("unknown");
  g_autoptr (P2vRequest) unknown = request_for ("", machine, NULL);
  g_assert_cmpstr (unknown->guest->rtc_basis, ==, "unknown");
  g_assert_cmpint (unknown->guest->rtc_offset, ==, 0);
  g_autoptr (P2vRequest) said = request_for ("p2v.rtc.offset=-2", machine, NULL);
  g_assert_cmpstr (said->guest->rtc_basis, ==, "utc");
  g_assert_cmpint (said->guest->rtc_offset, ==, -7200);
}

/* Two files of the same name in a folder with a space. */
static void
test_files_are_disks (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("p2v disks XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *block = g_malloc0 (1024 * 1024);
  g_autofree char *below = g_build_filename (folder, "b", NULL);
  g_autofree char *first = g_build_filename (folder, "disk.img", NULL);
  g_autofree char *second = g_build_filename (below, "disk.img", NULL);
  g_assert_cmpint (g_mkdir (below, 0700), ==, 0);
  g_assert_true (g_file_set_contents (first, block, 1024 * 1024, NULL));
  g_assert_true (g_file_set_contents (second, block, 512 * 1024, NULL));
  g_autofree char *cmdline = g_strdup_printf ("\"p2v.disks=%s,sda,%s\"", first, second);
  g_autoptr (P2vMachine) machine = machine_new ();
  g_autoptr (P2vRequest) request = request_for (cmdline, machine, &error);
  g_assert_no_error (error);
  assert_list (request->guest->disks, "disk.img sda disk.img-2");
  const P2vDisk *disk = p2v_machine_find_disk (request->machine, "disk.img-2");
  g_assert_cmpstr (disk->path, ==, second);
  g_assert_cmpint (disk->size, ==, 512 * 1024);
  g_assert_cmpuint (machine->disks->len, ==, 5);
  g_autofree char *twice = g_strdup_printf ("\"p2v.disks=%s,%s/b/../disk.img\"", first, folder);
  g_autoptr (P2vRequest) refused = request_for (twice, machine, &error);
  g_assert_null (refused);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  g_unlink (first);
  g_unlink (second);
  g_rmdir (below);
  g_rmdir (folder);
}

/* What virt-p2v 1.42.3 printed for these arguments, but for: versions; the masked password; the
 * machine's own values; output.misc, which newer versions print; and ours at the end. */
static void
test_the_dump_has_the_form_of_virt_p2v (void)
{
  const char *const expected = "local version        " P2V_VERSION "\n"
                               "remote version       unknown\n"
                               "remote.server        localhost\n"
                               "remote.port          123\n"
                               "auth.username        user\n"
                               "auth.password        ***\n"
                               "auth.identity.url    (none)\n"
                               "auth.identity.file   (none)\n"
                               "auth.identity.file_needs_update false\n"
                               "auth.sudo            false\n"
                               "guestname            test\n"
                               "vcpu.phys_topo       false\n"
                               "vcpu.cores           4\n"
                               "memory               1073741824\n"
                               "cpu.vendor           AMD\n"
                               "cpu.model            (none)\n"
                               "cpu.acpi             true\n"
                               "cpu.apic             true\n"
                               "cpu.pae              true\n"
                               "rtc.basis            unknown\n"
                               "rtc.offset           0\n"
                               "disks                sda sdb\n"
                               "removable            (none)\n"
                               "\n"
                               "interfaces           eno1 eno2\n"
                               "network_map          eno1:wired other\n"
                               "output.type          local\n"
                               "output.allocation    sparse\n"
                               "output.connection    qemu:///session\n"
                               "output.format        raw\n"
                               "output.storage       /var/tmp\n"
                               "output.misc          opt1=val1 opt2=val2\n"
                               "firmware             bios\n"
                               "profile              (none)\n"
                               "hostkey              any\n"
                               "root                 (none)\n"
                               "lanes                auto\n"
                               "compress             auto\n"
                               "bwlimit              (none)\n"
                               "wait                 defined\n"
                               "resume               (none)\n"
                               "verify               full\n"
                               "read_errors          zero\n"
                               "wait_for             default\n"
                               "retry_for            default\n"
                               "text                 false\n"
                               "language             (none)\n"
                               "keyboard             (none)\n"
                               "verify_medium        false\n";
  const char *const cmdline
      = "p2v.server=localhost p2v.port=123 p2v.username=user p2v.password=secret "
        "p2v.skip_test_connection p2v.name=test p2v.vcpu.cores=4 p2v.memory=1G "
        "p2v.disks=sda,sdb p2v.removable= p2v.interfaces=eno1,eno2 p2v.o=local p2v.oa=sparse "
        "p2v.oc=qemu:///session p2v.of=raw p2v.os=/var/tmp p2v.oo=opt1=val1,opt2=val2 "
        "p2v.network=eno1:wired,other p2v.rtc.basis=unknown p2v.hostkey=any "
        "p2v.dump_config_and_exit";
  g_autoptr (P2vRequest) request = request_new (cmdline);
  g_autoptr (P2vConfig) config = p2v_cmdline_parse (cmdline, NULL);
  g_autofree char *dump = p2v_config_dump (config, request);
  g_assert_cmpstr (dump, ==, expected);
}

static void
test_the_dump_shows_no_secret (void)
{
  const char *const cmdline
      = "p2v.password=hush p2v.identity=https://u:hush@host/id p2v.oc=esx://root:hush@esx/ "
        "p2v.oo=os-password=hush,os-auth-token=hush,server-id=shown p2v.pre='echo' "
        "\"p2v.post=echo hush\"";
  g_autoptr (P2vRequest) request = request_new (cmdline);
  g_autoptr (P2vConfig) config = p2v_cmdline_parse (cmdline, NULL);
  g_autofree char *dump = p2v_config_dump (config, request);
  g_assert_null (strstr (dump, "hush"));
  g_assert_nonnull (strstr (dump, "auth.identity.url    https://***@host/id\n"));
  g_assert_nonnull (strstr (dump, "auth.identity.file_needs_update true\n"));
  g_assert_nonnull (
      strstr (dump, "output.misc          os-password=*** os-auth-token=*** server-id=shown\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults-are-the-machine", test_defaults_are_the_machine);
  g_test_add_func ("/config/what-is-said-wins", test_what_is_said_wins);
  g_test_add_func ("/config/what-is-not-there-is-refused-with-what-is",
                   test_what_is_not_there_is_refused_with_what_is);
  g_test_add_func ("/config/a-machine-without-disks-is-refused",
                   test_a_machine_without_disks_is_refused);
  g_test_add_func ("/config/names-come-from-what-the-machine-is",
                   test_names_come_from_what_the_machine_is);
  g_test_add_func ("/config/the-clock-s-offset-needs-no-basis",
                   test_the_clock_s_offset_needs_no_basis);
  g_test_add_func ("/config/files-are-disks", test_files_are_disks);
  g_test_add_func ("/config/the-dump-has-the-form-of-virt-p2v",
                   test_the_dump_has_the_form_of_virt_p2v);
  g_test_add_func ("/config/the-dump-shows-no-secret", test_the_dump_shows_no_secret);
  return g_test_run ();
}
