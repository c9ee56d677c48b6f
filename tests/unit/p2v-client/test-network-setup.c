/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network-setup.h"

#include "common/error.h"

#include <gio/gio.h>
#include <string.h>

static void
set (char **member, const char *text)
{
  g_free (*member);
  *member = g_strdup (text);
}

static P2vNetworkSetup *
new_setup (const char *cards)
{
  P2vNetworkSetup *setup = p2v_network_setup_new ();
  g_strfreev (setup->cards);
  setup->cards = g_strsplit (cards, " ", -1);
  return setup;
}

/* part: of the message; NULL: the field is right. */
static void
assert_field (const P2vNetworkSetup *setup, P2vNetworkField field, const char *part)
{
  g_autoptr (GError) error = NULL;
  gboolean good = p2v_network_setup_check (setup, field, &error);
  if (part == NULL)
    {
      g_assert_no_error (error);
      g_assert_true (good);
      return;
    }
  g_assert_false (good);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  if (strstr (error->message, part) == NULL)
    g_error ("\"%s\" lacks \"%s\"", error->message, part);
}

static void
test_nothing_entered_is_dhcp_and_lacks_a_card (void)
{
  g_autoptr (P2vNetworkSetup) setup = p2v_network_setup_new ();
  for (guint field = 0; field < P2V_NETWORK_N_FIELDS; field++)
    assert_field (setup, field, field == P2V_NETWORK_CARDS ? "Choose a network card" : NULL);
}

static void
test_several_cards_need_a_bond (void)
{
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1 eno2");
  assert_field (setup, P2V_NETWORK_BOND, "choose how it is to work");
  setup->bond = g_strdup ("802.3ad");
  assert_field (setup, P2V_NETWORK_BOND, NULL);
}

static void
test_vlan_numbers (void)
{
  static const char *const good[] = { "", " ", "1", " 42 ", "4094" };
  static const char *const bad[] = { "0", "4095", "-1", "4x", "eno1.42", "1.5" };
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      set (&setup->vlan, good[i]);
      assert_field (setup, P2V_NETWORK_VLAN, NULL);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      set (&setup->vlan, bad[i]);
      assert_field (setup, P2V_NETWORK_VLAN, "from 1 to 4094");
    }
}

typedef struct
{
  const char *text;
  const char *message; /* NULL: right */
} Case;

static void
test_ipv4_addresses (void)
{
  static const Case cases[] = {
    { "192.0.2.5/24", NULL },
    { " 192.0.2.5/255.255.255.0 ", NULL },
    { "192.0.2.4/31", NULL },
    { "192.0.2.5/32", NULL },
    { "192.0.2.5", "with its prefix length or netmask" },
    { "192.0.2.5/", "with its prefix length or netmask" },
    { "192.0.2.5/0", "with its prefix length or netmask" },
    { "192.0.2.5/33", "with its prefix length or netmask" },
    { "192.0.2.5/255.0.255.0", "with its prefix length or netmask" },
    { "192.0.2.5/0.0.0.0", "with its prefix length or netmask" },
    { "192.0.2/24", "with its prefix length or netmask" },
    { "192.0.2.256/24", "with its prefix length or netmask" },
    { "2001:db8::5/64", "with its prefix length or netmask" },
    { "", "with its prefix length or netmask" },
    { "127.0.0.1/8", "No machine of a network" },
    { "224.0.0.5/24", "No machine of a network" },
    { "0.0.0.0/24", "No machine of a network" },
    { "192.0.2.0/24", "the address of the network" },
    { "192.0.2.255/24", "the address of the network" },
    { "192.0.2.127/255.255.255.128", "the address of the network" },
  };
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  set (&setup->ipv4_address, "nonsense");
  assert_field (setup, P2V_NETWORK_IPV4_ADDRESS, NULL);
  setup->ipv4 = P2V_ADDRESSING_STATIC;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      set (&setup->ipv4_address, cases[i].text);
      assert_field (setup, P2V_NETWORK_IPV4_ADDRESS, cases[i].message);
    }
}

static void
test_ipv6_addresses (void)
{
  static const Case cases[] = {
    { "2001:db8::5/64", NULL },
    { "2001:db8::5/128", NULL },
    { "fd00::1/8", NULL },
    { "2001:db8::5", "as in 2001:db8::5/64" },
    { "2001:db8::5/129", "as in 2001:db8::5/64" },
    { "2001:db8::5/ffff::", "as in 2001:db8::5/64" },
    { "192.0.2.5/24", "as in 2001:db8::5/64" },
    { "::1/64", "No machine of a network" },
    { "ff02::1/64", "No machine of a network" },
  };
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  setup->ipv6 = P2V_ADDRESSING_STATIC;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      set (&setup->ipv6_address, cases[i].text);
      assert_field (setup, P2V_NETWORK_IPV6_ADDRESS, cases[i].message);
    }
}

static void
test_gateways (void)
{
  static const Case ipv4[] = {
    { "", NULL },
    { "192.0.2.1", NULL },
    { "192.0.2.62", NULL },
    { "192.0.2.65", "first 26 bits differ" },
    { "198.51.100.1", "first 26 bits differ" },
    { "192.0.2.5", "own address" },
    { "192.0.2.1/26", "as in 192.0.2.1" },
    { "router", "as in 192.0.2.1" },
    { "2001:db8::1", "as in 192.0.2.1" },
  };
  static const Case ipv6[] = {
    { "", NULL },
    { "2001:db8:0:0:ffff::1", NULL },
    { "fe80::1", NULL },
    { "2001:db8:0:1::1", "first 64 bits differ" },
    { "2001:db8::5", "own address" },
    { "192.0.2.1", "as in 2001:db8::1" },
  };
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  setup->ipv4 = setup->ipv6 = P2V_ADDRESSING_STATIC;
  set (&setup->ipv4_address, "192.0.2.5/26");
  set (&setup->ipv6_address, "2001:db8::5/64");
  for (gsize i = 0; i < G_N_ELEMENTS (ipv4); i++)
    {
      set (&setup->ipv4_gateway, ipv4[i].text);
      assert_field (setup, P2V_NETWORK_IPV4_GATEWAY, ipv4[i].message);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (ipv6); i++)
    {
      set (&setup->ipv6_gateway, ipv6[i].text);
      assert_field (setup, P2V_NETWORK_IPV6_GATEWAY, ipv6[i].message);
    }
  /* One message at a time: the address is wrong, and the gateway cannot be judged. */
  set (&setup->ipv4_address, "192.0.2.5");
  set (&setup->ipv4_gateway, "198.51.100.1");
  assert_field (setup, P2V_NETWORK_IPV4_GATEWAY, NULL);
}

static void
test_names_and_families (void)
{
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  set (&setup->dns, "192.0.2.1, 2001:db8::1  198.51.100.1");
  assert_field (setup, P2V_NETWORK_DNS, NULL);
  setup->ipv6 = P2V_ADDRESSING_OFF;
  assert_field (setup, P2V_NETWORK_DNS, "2001:db8::1 cannot be reached: IPv6 is off");
  assert_field (setup, P2V_NETWORK_IPV6, NULL);
  setup->ipv4 = P2V_ADDRESSING_OFF;
  assert_field (setup, P2V_NETWORK_IPV6, "Without IPv4 and IPv6");
  set (&setup->dns, "192.0.2.1 ns.example.com");
  assert_field (setup, P2V_NETWORK_DNS, "192.0.2.1 cannot be reached: IPv4 is off");
  setup->ipv4 = P2V_ADDRESSING_AUTOMATIC;
  assert_field (setup, P2V_NETWORK_DNS, "ns.example.com is none");
  set (&setup->domains, "example.com, lab.example.com");
  assert_field (setup, P2V_NETWORK_DOMAINS, NULL);
  set (&setup->domains, "example.com -x");
  assert_field (setup, P2V_NETWORK_DOMAINS, "-x is none");
}

/* The words from the interface on, without the UUID, a profile a line. */
static char *
describe (const P2vNetworkSetup *setup)
{
  g_autoptr (GPtrArray) profiles = p2v_network_setup_make_profiles (setup);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < profiles->len; i++)
    {
      const P2vNetworkProfile *profile = profiles->pdata[i];
      char **argv = profile->argv;
      g_autofree char *begin = g_strjoinv (" ", argv);
      g_assert_true (g_str_has_prefix (begin, "nmcli connection add save no type "));
      g_string_append_printf (text, "%s%s %s %s", profile->is_bonds ? "+ " : "", argv[6], argv[8],
                              argv[10]);
      g_assert_cmpstr (argv[11], ==, "connection.uuid");
      g_assert_cmpstr (argv[12], ==, profile->uuid);
      g_assert_true (g_uuid_string_is_valid (profile->uuid));
      g_assert_cmpstr (argv[13], ==, "connection.autoconnect-priority");
      for (guint j = 15; argv[j] != NULL; j++)
        g_string_append_printf (text, " %s", argv[j]);
      g_string_append_c (text, '\n');
    }
  return g_string_free (text, FALSE);
}

#define PREFERRED(family) family ".route-metric 50 " family ".dns-priority 50"
#define NO_ADDRESS "ipv4.method disabled ipv6.method disabled"

static void
test_profile_of_a_static_address (void)
{
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  setup->ipv4 = P2V_ADDRESSING_STATIC;
  setup->ipv6 = P2V_ADDRESSING_OFF;
  set (&setup->ipv4_address, " 192.0.2.5/255.255.255.192");
  set (&setup->ipv4_gateway, "192.0.2.1 ");
  set (&setup->dns, "192.0.2.2 192.0.2.3");
  set (&setup->domains, "example.com lab.example.com");
  g_autofree char *text = describe (setup);
  g_assert_cmpstr (
      text, ==,
      "ethernet p2v-eno1 eno1 ipv4.method manual ipv4.addresses 192.0.2.5/26 "
      "ipv4.gateway 192.0.2.1 " PREFERRED (
          "ipv4") " ipv4.dns 192.0.2.2,192.0.2.3 ipv4.dns-search example.com,lab.example.com "
                  "ipv6.method disabled\n");
}

static void
test_profile_of_both_families (void)
{
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  setup->ipv6 = P2V_ADDRESSING_STATIC;
  set (&setup->ipv6_address, "2001:db8:0::5/64");
  set (&setup->dns, "2001:db8::1,192.0.2.1");
  g_autofree char *text = describe (setup);
  g_assert_cmpstr (text, ==,
                   "ethernet p2v-eno1 eno1 ipv4.method auto " PREFERRED (
                       "ipv4") " ipv4.dns 192.0.2.1 ipv6.method manual ipv6.addresses "
                               "2001:db8::5/64 " PREFERRED ("ipv6") " ipv6.dns 2001:db8::1\n");
}

static void
test_profiles_of_a_vlan (void)
{
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1");
  set (&setup->vlan, "042");
  g_autofree char *text = describe (setup);
  g_assert_cmpstr (
      text, ==,
      "ethernet p2v-eno1 eno1 " NO_ADDRESS "\n"
      "vlan p2v-eno1.42 eno1.42 vlan.parent eno1 vlan.id 42 ipv4.method auto " PREFERRED (
          "ipv4") " ipv6.method auto " PREFERRED ("ipv6") "\n");
  /* The name of an interface has at most 15 letters. */
  g_autoptr (P2vNetworkSetup) longer = new_setup ("enp175s0f0np0");
  set (&longer->vlan, "4094");
  g_autofree char *named = describe (longer);
  g_assert_nonnull (strstr (named, "\nvlan p2v-vlan4094 p2v-vlan4094 vlan.parent enp175s0f0np0 "));
}

static void
test_profiles_of_a_vlan_on_a_bond (void)
{
  g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1 eno2");
  setup->bond = g_strdup ("802.3ad");
  setup->ipv6 = P2V_ADDRESSING_OFF;
  set (&setup->vlan, "42");
  g_autofree char *text = describe (setup);
  g_assert_cmpstr (text, ==,
                   "bond p2v-bond p2v-bond bond.options mode=802.3ad,miimon=100 "
                   "connection.autoconnect-slaves 1 " NO_ADDRESS "\n"
                   "+ ethernet p2v-eno1 eno1 connection.master p2v-bond connection.slave-type "
                   "bond\n"
                   "+ ethernet p2v-eno2 eno2 connection.master p2v-bond connection.slave-type "
                   "bond\n"
                   "vlan p2v-bond.42 p2v-bond.42 vlan.parent p2v-bond vlan.id 42 "
                   "ipv4.method auto " PREFERRED ("ipv4") " ipv6.method disabled\n");
}

/* What nmcli itself says of a command, without telling NetworkManager; NULL: it is content. */
static char *
refusal (char **argv)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autofree char *said = NULL;
  g_autoptr (GError) error = NULL;
  g_ptr_array_add (words, argv[0]);
  g_ptr_array_add (words, (char *)"--offline");
  for (guint i = 1; argv[i] != NULL; i++)
    g_ptr_array_add (words, argv[i]);
  g_ptr_array_add (words, NULL);
  g_autoptr (GSubprocess) process = g_subprocess_newv (
      (const char *const *)words->pdata,
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, NULL, &said, &error);
  g_assert_no_error (error);
  return g_subprocess_get_successful (process) ? NULL : g_steal_pointer (&said);
}

static void
test_nmcli_takes_every_profile (void)
{
  for (guint i = 0; p2v_network_bond_modes[i] != NULL; i++)
    {
      g_autoptr (P2vNetworkSetup) setup = new_setup ("eno1 eno2");
      setup->bond = g_strdup (p2v_network_bond_modes[i]);
      set (&setup->vlan, i % 2 == 0 ? "42" : "");
      setup->ipv4 = i % 3;
      setup->ipv6 = (i + 1) % 3;
      set (&setup->ipv4_address, "192.0.2.5/24");
      set (&setup->ipv4_gateway, "192.0.2.1");
      set (&setup->ipv6_address, "2001:db8::5/64");
      set (&setup->ipv6_gateway, "fe80::1");
      set (&setup->domains, "example.com lab.example.com");
      g_autoptr (GPtrArray) profiles = p2v_network_setup_make_profiles (setup);
      for (guint j = 0; j < profiles->len; j++)
        {
          g_autofree char *said = refusal (((P2vNetworkProfile *)profiles->pdata[j])->argv);
          g_assert_cmpstr (said, ==, NULL);
        }
    }
}

int
main (int argc, char **argv)
{
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network-setup/nothing-entered", test_nothing_entered_is_dhcp_and_lacks_a_card);
  g_test_add_func ("/network-setup/bond", test_several_cards_need_a_bond);
  g_test_add_func ("/network-setup/vlan", test_vlan_numbers);
  g_test_add_func ("/network-setup/ipv4", test_ipv4_addresses);
  g_test_add_func ("/network-setup/ipv6", test_ipv6_addresses);
  g_test_add_func ("/network-setup/gateways", test_gateways);
  g_test_add_func ("/network-setup/names", test_names_and_families);
  g_test_add_func ("/network-setup/profile-static", test_profile_of_a_static_address);
  g_test_add_func ("/network-setup/profile-both", test_profile_of_both_families);
  g_test_add_func ("/network-setup/profile-vlan", test_profiles_of_a_vlan);
  g_test_add_func ("/network-setup/profile-bond", test_profiles_of_a_vlan_on_a_bond);
  g_test_add_func ("/network-setup/nmcli", test_nmcli_takes_every_profile);
  return g_test_run ();
}
