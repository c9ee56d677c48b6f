/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"

#include <string.h>

static P2vConfig *
parse (const char *cmdline)
{
  g_autoptr (GError) error = NULL;
  P2vConfig *config = p2v_cmdline_parse (cmdline, &error);
  g_assert_no_error (error);
  return config;
}

static void
assert_refused (const char *cmdline, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vConfig) config = p2v_cmdline_parse (cmdline, &error);
  g_assert_null (config);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  if (strstr (error->message, expected) == NULL)
    g_error ("%s\nis refused with: %s\nexpected: %s", cmdline, error->message, expected);
}

static void
assert_everything (const P2vConfig *config)
{
  g_assert_cmpstr (config->server, ==, "conv.example.com");
  g_assert_cmpint (config->port, ==, 2222);
  g_assert_cmpstr (config->username, ==, "p2v");
  g_assert_cmpstr (config->password, ==, "s=cret,\"x");
  g_assert_cmpstr (config->identity_url, ==, "https://example.com/id?a=b");
  g_assert_true (config->sudo);
  g_assert_cmpstr (config->name, ==, "web1");
  g_assert_cmpuint (config->networks->len, ==, 3);
  g_assert_cmpstr (p2v_config_network_for (config, "em1"), ==, "ovirtmgmt");
  g_assert_cmpstr (p2v_config_network_for (config, "em2"), ==, "management");
  g_assert_cmpstr (p2v_config_network_for (config, "em3"), ==, "other");
  g_assert_cmpstr (config->output->mode, ==, "openstack");
  g_assert_cmpstr (config->output->allocation, ==, "preallocated");
  g_assert_cmpstr (config->output->connection, ==, "qemu:///system");
  g_assert_cmpstr (config->output->format, ==, "qcow2");
  g_assert_cmpstr (config->output->storage, ==, "/var/tmp");
  g_assert_cmpuint (g_strv_length (config->output->options), ==, 3);
  g_assert_cmpstr (config->output->options[0], ==, "server-id=a");
  g_assert_cmpstr (config->output->options[1], ==, "compressed");
  g_assert_cmpstr (config->output->options[2], ==, "guest-id=b");
}

static void
test_both_spellings_mean_the_same (void)
{
  g_autoptr (P2vConfig) brief = parse (
      "quiet p2v.server=conv.example.com p2v.port=2222 p2v.username=p2v p2v.password=s=cret,\"x "
      "y\" p2v.identity=https://example.com/id?a=b p2v.sudo p2v.name=web1 "
      "p2v.network=em1:ovirtmgmt,em2:management,other p2v.o=openstack p2v.oa=preallocated "
      "p2v.oc=qemu:///system p2v.of=qcow2 p2v.os=/var/tmp p2v.oo=server-id=a,compressed "
      "p2v.oo=guest-id=b ip=dhcp");
  /* The quote in the middle protects the space and stays, as in the kernel. */
  g_assert_cmpstr (brief->password, ==, "s=cret,\"x y\"");
  brief->password[strlen ("s=cret,\"x")] = '\0';
  assert_everything (brief);
  g_autoptr (P2vConfig) full = parse (
      "p2v.remote.server=conv.example.com p2v.remote.port=2222 p2v.auth.username=p2v "
      "p2v.auth.password=s=cret,\"x\" p2v.auth.identity.url=https://example.com/id?a=b "
      "p2v.auth.sudo p2v.guestname=web1 p2v.network_map=em1:ovirtmgmt,em2:management,other "
      "p2v.output.type=openstack p2v.output.allocation=preallocated "
      "p2v.output.connection=qemu:///system p2v.output.format=qcow2 p2v.output.storage=/var/tmp "
      "p2v.output.misc=server-id=a,compressed p2v.output.misc=guest-id=b");
  full->password[strlen ("s=cret,\"x")] = '\0';
  assert_everything (full);
}

static void
test_the_guest_is_described (void)
{
  g_autoptr (P2vConfig) config = parse (
      "p2v.vcpu.phys_topo p2v.vcpu.cores=4 p2v.memory=1024M p2v.cpu.vendor=Intel "
      "p2v.cpu.model=Skylake-Client-noTSX-IBRS p2v.cpu.acpi p2v.cpu.apic=no "
      "p2v.rtc.basis=utc p2v.rtc.offset=-5:30 p2v.disks=sda,/tmp/a.img "
      "p2v.removable= p2v.interfaces=eno1,eno2 p2v.root=btrfsvol:/dev/sda2/@ p2v.profile=libvirt "
      "p2v.verify=off p2v.skip_test_connection p2v.dump_config_and_exit");
  g_assert_true (config->phys_topo);
  g_assert_cmpint (config->vcpus, ==, 4);
  g_assert_cmpint (config->memory, ==, G_GINT64_CONSTANT (1) << 30);
  g_assert_cmpstr (config->cpu_vendor, ==, "Intel");
  g_assert_cmpstr (config->cpu_model, ==, "Skylake-Client-noTSX-IBRS");
  g_assert_cmpint (config->acpi, ==, P2V_YES);
  g_assert_cmpint (config->apic, ==, P2V_NO);
  g_assert_cmpint (config->pae, ==, P2V_UNSET);
  g_assert_cmpstr (config->rtc_basis, ==, "utc");
  g_assert_cmpint (config->rtc_offset, ==, -(5 * 3600 + 1800));
  g_assert_cmpstr (config->disks[1], ==, "/tmp/a.img");
  g_assert_nonnull (config->removables);
  g_assert_null (config->removables[0]);
  g_assert_cmpstr (config->interfaces[1], ==, "eno2");
  g_assert_cmpstr (config->root, ==, "btrfsvol:/dev/sda2/@");
  g_assert_cmpstr (config->output->profile, ==, "libvirt");
  g_assert_cmpstr (config->output->verify, ==, "off");
  g_assert_true (config->skip_test_connection);
  g_assert_true (config->dump_and_exit);
}

static void
test_nothing_said_is_nothing_set (void)
{
  g_autoptr (P2vConfig) config = parse ("BOOT_IMAGE=/vmlinuz ro quiet xp2v.server=a p2v server=b");
  g_assert_null (config->server);
  g_assert_cmpint (config->port, ==, 22);
  g_assert_cmpstr (config->username, ==, "root");
  g_assert_null (config->password);
  g_assert_null (config->disks);
  g_assert_null (config->removables);
  g_assert_null (config->post);
  g_assert_null (config->output->mode);
  g_assert_null (config->output->allocation);
  g_assert_null (config->output->verify);
  g_autoptr (P2vConfig) none = parse ("p2v.oa=none p2v.password=");
  g_assert_null (none->output->allocation);
  g_assert_null (none->password);
}

static void
test_quotes_protect_spaces (void)
{
  g_autoptr (P2vConfig) config = parse ("p2v.pre=\"echo  'a b'\"\t\"p2v.post=sh -c 'x; y'\" "
                                        "p2v.fail=\"\" p2v.name=\"web1\"\n");
  g_assert_cmpstr (config->pre, ==, "echo  'a b'");
  g_assert_cmpstr (config->post, ==, "sh -c 'x; y'");
  g_assert_cmpstr (config->fail, ==, "");
  g_assert_cmpstr (config->name, ==, "web1");
  assert_refused ("p2v.name=a p2v.post=\"reboot now", "p2v.post: a double quote is not closed");
}

static void
test_unknown_arguments_are_refused_by_name (void)
{
  assert_refused ("p2v.sever=a", "p2v.sever: there is no such argument. Did you mean p2v.server?");
  assert_refused ("p2v.remote.prot=1", "Did you mean p2v.remote.port?");
  assert_refused ("p2v.Server=a", "Did you mean p2v.server?");
  assert_refused ("p2v.frobnicate-everything=1", "p2v-client --help lists those there are");
  assert_refused ("p2v.=1", "p2v.: there is no such argument");
  assert_refused ("p2v.password_=topsecret", "Did you mean p2v.password?");
}

static void
test_values_out_of_range_are_refused (void)
{
  assert_refused ("p2v.port=0", "p2v.port=0: expected a number from 1 to 65535");
  assert_refused ("p2v.port=65536", "p2v.port=65536: expected a number");
  assert_refused ("p2v.port=22x", "p2v.port=22x: expected a number");
  assert_refused ("p2v.server", "p2v.server: expected a value, as in p2v.server=SERVER");
  assert_refused ("p2v.server=", "p2v.server: expected a value");
  assert_refused ("p2v.server=host:22", "Give the port with p2v.port=PORT");
  assert_refused ("p2v.server=root@host", "Give the user with p2v.username=USER");
  assert_refused ("p2v.server=-oProxyCommand", "this is no host name");
  assert_refused ("p2v.username=-x", "this is no user name");
  assert_refused ("p2v.vcpu.cores=0", "p2v.vcpu.cores=0: expected a number from 1 to 65536");
  assert_refused ("p2v.vcpu.cores=99999999999999999999", "expected a number");
  assert_refused ("p2v.memory=1024", "with its unit, such as 1024M or 4G");
  assert_refused ("p2v.memory=1K", "expected a size of at least 1M");
  assert_refused ("p2v.memory=-1G", "expected a size");
  assert_refused ("p2v.memory=99999999999T", "expected a size");
  assert_refused ("p2v.memory=1GX", "expected a size");
  assert_refused ("p2v.firmware=efi", "expected one of bios, uefi, uefi-secure");
  assert_refused ("p2v.rtc.basis=UTC", "expected one of unknown, utc, localtime");
  assert_refused ("p2v.rtc.offset=7200", "expected hours from -12 to +14");
  assert_refused ("p2v.rtc.offset=15", "expected hours from -12 to +14");
  assert_refused ("p2v.rtc.offset=+-1", "expected hours");
  assert_refused ("p2v.oa=thick", "expected one of none, sparse, preallocated");
  assert_refused ("p2v.verify=some", "expected one of full, off");
  assert_refused ("p2v.sudo=maybe", "expected yes or no");
  assert_refused ("p2v.disks=", "p2v.disks: expected a value");
  assert_refused ("p2v.disks=sda,,sdb", "nothing between two commas");
  assert_refused ("p2v.disks=sda,sda", "named twice");
  assert_refused ("p2v.name=../x", "the guest name \"../x\" cannot be used");
  assert_refused ("p2v.network=em1:a,em1:b", "the interface already has a target");
  assert_refused ("p2v.network=a,b", "there already is a default target");
  assert_refused ("p2v.network=em1:$(id)", "a target network's name");
  assert_refused ("p2v.root=ask", "expected first, single, /dev/NAME");
  assert_refused ("p2v.root=btrfsvol:x", "expected first, single, /dev/NAME");
  assert_refused ("p2v.o=a\001b", "control characters");
  assert_refused ("p2v.os=\xff\xfe", "the value is not UTF-8 text");
}

static void
test_an_address_may_be_ipv6 (void)
{
  g_autoptr (P2vConfig) plain = parse ("p2v.server=fe80::1%eth0");
  g_autoptr (P2vConfig) brackets = parse ("p2v.server=[2001:db8::1]");
  g_assert_cmpstr (plain->server, ==, "fe80::1%eth0");
  g_assert_cmpstr (brackets->server, ==, "2001:db8::1");
}

static void
test_host_keys_are_checked (void)
{
  const char *const print = "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8";
  g_autofree char *good = g_strconcat ("p2v.hostkey=", print, NULL);
  g_autofree char *padded = g_strconcat ("p2v.hostkey=", print, "=", NULL);
  g_autofree char *longer = g_strconcat ("p2v.hostkey=", print, "A", NULL);
  g_autoptr (P2vConfig) config = parse (good);
  g_autoptr (P2vConfig) config_padded = parse (padded);
  g_autoptr (P2vConfig) any = parse ("p2v.hostkey=any");
  g_assert_cmpstr (config->hostkey, ==, print);
  g_assert_cmpstr (config_padded->hostkey, ==, print);
  g_assert_cmpstr (any->hostkey, ==, "any");
  assert_refused (longer, "ssh-keygen -lf");
  assert_refused ("p2v.hostkey=MD5:16:27:ac", "ssh-keygen -lf");
  assert_refused ("p2v.hostkey=", "expected a value");
}

static void
test_how_the_data_goes (void)
{
  g_autoptr (P2vConfig) config = parse ("p2v.lanes=1 p2v.compress=off");
  g_autoptr (P2vConfig) automatic = parse ("p2v.lanes=auto p2v.compress=auto");
  g_assert_cmpint (config->lanes, ==, 1);
  g_assert_cmpint (automatic->lanes, ==, 0);
  g_assert_cmpint (config->compress, ==, P2V_COMPRESS_OFF);
  g_assert_cmpint (automatic->compress, ==, P2V_COMPRESS_AUTO);
  g_autoptr (P2vConfig) level = parse ("p2v.lanes=16 p2v.compress=19 p2v.bwlimit=20M");
  g_autoptr (P2vConfig) bits = parse ("p2v.bwlimit=200mbit");
  g_autoptr (P2vConfig) none = parse ("p2v.bwlimit=off");
  g_assert_cmpint (level->lanes, ==, 16);
  g_assert_cmpint (level->compress, ==, 19);
  g_assert_cmpint (level->bwlimit, ==, 20 * 1024 * 1024);
  g_assert_cmpint (bits->bwlimit, ==, 25000000);
  g_assert_cmpint (none->bwlimit, ==, 0);
  assert_refused ("p2v.bwlimit=20", "expected a rate with its unit");
  assert_refused ("p2v.bwlimit=0M", "expected a rate with its unit");
  assert_refused ("p2v.bwlimit=7K", "at least 8K");
  assert_refused ("p2v.bwlimit=99999999999G", "expected a rate with its unit");
  assert_refused ("p2v.bwlimit=", "p2v.bwlimit");
  assert_refused ("p2v.lanes=0", "expected a number from 1 to 16");
  assert_refused ("p2v.lanes=17", "expected a number from 1 to 16");
  assert_refused ("p2v.compress=20", "expected auto, off, or a level from 1 to 19");
}

static void
test_arguments_that_contradict_are_refused (void)
{
  assert_refused ("p2v.server=a p2v.server=b", "given twice with different values");
  assert_refused ("p2v.server=a p2v.remote.server=b", "p2v.server or p2v.remote.server");
  assert_refused ("p2v.password=hush1 p2v.password=hush2", "p2v.password or p2v.auth.password");
  g_autoptr (P2vConfig) config = parse ("p2v.server=a p2v.remote.server=a p2v.sudo p2v.sudo");
  g_assert_cmpstr (config->server, ==, "a");
}

static void
test_secrets_are_never_quoted (void)
{
  static const char *const cmdlines[] = {
    "p2v.password=hush p2v.auth.password=hush2",
    "p2v.identity=https://u:hush@x/\001",
    "p2v.oc=https://u:hush@x/\001",
    "p2v.oo=os-password=hush,,",
    "p2v.pre=\"curl hush; reboot\"",
    "p2v.passwrd=hush",
    "p2v.post=\"echo 'hush\"",
    "p2v.password=\"hush",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cmdlines); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (P2vConfig) config = p2v_cmdline_parse (cmdlines[i], &error);
      g_assert_null (config);
      g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
      if (strstr (error->message, "hush") != NULL)
        g_error ("a secret is quoted: %s", error->message);
    }
}

static void
test_hostile_values_do_not_reach_the_terminal (void)
{
  g_autofree char *endless = g_strnfill (100000, 'a');
  g_autofree char *cmdline = g_strdup_printf ("p2v.o=%s\033[2J", endless);
  g_autofree char *unknown = g_strdup_printf ("p2v.%s", endless);
  const char *const cmdlines[] = { cmdline, unknown, "p2v.rtc.basis=\033[2J", "p2v.\033[2J=1" };
  for (gsize i = 0; i < G_N_ELEMENTS (cmdlines); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (P2vConfig) config = p2v_cmdline_parse (cmdlines[i], &error);
      g_assert_null (config);
      g_assert_null (strchr (error->message, '\033'));
      g_assert_cmpuint (strlen (error->message), <, 400);
    }
}

static char *
read_manual (void)
{
  const char *top = g_getenv ("P2V_TOP");
  g_autofree char *path = g_build_filename (top != NULL ? top : ".", "docs", "p2v-client.1", NULL);
  char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static gboolean
is_argument (const char *name)
{
  const P2vArgument *argument;
  for (guint i = 0; (argument = p2v_cmdline_argument (i)) != NULL; i++)
    if (strcmp (argument->name, name) == 0 || g_strcmp0 (argument->alias, name) == 0)
      return TRUE;
  return FALSE;
}

/* The manual has a ".It Cm NAME" for every spelling. */
static void
test_the_manual_has_every_argument_and_no_other (void)
{
  g_autofree char *manual = read_manual ();
  g_autoptr (GHashTable) documented = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) lines = g_strsplit (manual, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], ".It Cm p2v."))
      {
        const char *name = lines[i] + strlen (".It Cm ");
        g_autofree char *word = g_strndup (name, strcspn (name, " ="));
        if (!is_argument (word))
          g_error ("the manual has %s, the program has not", word);
        g_hash_table_add (documented, g_steal_pointer (&word));
      }
  const P2vArgument *argument;
  for (guint i = 0; (argument = p2v_cmdline_argument (i)) != NULL; i++)
    {
      if (!g_hash_table_contains (documented, argument->name))
        g_error ("the manual lacks %s", argument->name);
      if (argument->alias != NULL && !g_hash_table_contains (documented, argument->alias))
        g_error ("the manual lacks %s", argument->alias);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cmdline/both-spellings-mean-the-same", test_both_spellings_mean_the_same);
  g_test_add_func ("/cmdline/the-guest-is-described", test_the_guest_is_described);
  g_test_add_func ("/cmdline/nothing-said-is-nothing-set", test_nothing_said_is_nothing_set);
  g_test_add_func ("/cmdline/quotes-protect-spaces", test_quotes_protect_spaces);
  g_test_add_func ("/cmdline/unknown-arguments-are-refused-by-name",
                   test_unknown_arguments_are_refused_by_name);
  g_test_add_func ("/cmdline/values-out-of-range-are-refused",
                   test_values_out_of_range_are_refused);
  g_test_add_func ("/cmdline/an-address-may-be-ipv6", test_an_address_may_be_ipv6);
  g_test_add_func ("/cmdline/host-keys-are-checked", test_host_keys_are_checked);
  g_test_add_func ("/cmdline/how-the-data-goes", test_how_the_data_goes);
  g_test_add_func ("/cmdline/arguments-that-contradict-are-refused",
                   test_arguments_that_contradict_are_refused);
  g_test_add_func ("/cmdline/secrets-are-never-quoted", test_secrets_are_never_quoted);
  g_test_add_func ("/cmdline/hostile-values-do-not-reach-the-terminal",
                   test_hostile_values_do_not_reach_the_terminal);
  g_test_add_func ("/cmdline/the-manual-has-every-argument-and-no-other",
                   test_the_manual_has_every_argument_and_no_other);
  return g_test_run ();
}
