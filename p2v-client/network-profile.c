/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network-setup.h"
#include "p2v-client/network-words.h"

#include <net/if.h>
#include <string.h>

/* The bond's interface. A bond of the kernel command line has another name, so both may be there.
 */
#define BOND_NAME P2V_NETWORK_PREFIX "bond"

/* What a person has entered is preferred to whatever else goes on: NetworkManager's own values are
 * 0 for the order of profiles, and 100 and more for routes and name servers, where less is better.
 * See nm-settings-nmcli(5). */
#define AUTOCONNECT_PRIORITY "100"
#define METRIC "50"

/* How often a bond looks for the link of its cards, milliseconds. */
#define BOND_MIIMON "100"

static void
profile_free (P2vNetworkProfile *profile)
{
  g_free (profile->uuid);
  g_strfreev (profile->argv);
  g_free (profile);
}

static void
add (GPtrArray *argv, const char *property, const char *value)
{
  g_ptr_array_add (argv, g_strdup (property));
  g_ptr_array_add (argv, g_strdup (value));
}

/* The command for an interface so far; ended by finish(). */
static GPtrArray *
begin (const char *type, const char *interface)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *uuid = g_uuid_string_random ();
  g_autofree char *name = g_str_has_prefix (interface, P2V_NETWORK_PREFIX)
                              ? g_strdup (interface)
                              : g_strconcat (P2V_NETWORK_PREFIX, interface, NULL);
  add (argv, "nmcli", "connection");
  add (argv, "add", "save");
  add (argv, "no", "type");
  g_ptr_array_add (argv, g_strdup (type));
  add (argv, "con-name", name);
  add (argv, "ifname", interface);
  add (argv, "connection.uuid", uuid);
  add (argv, "connection.autoconnect-priority", AUTOCONNECT_PRIORITY);
  return argv;
}

static void
finish (GPtrArray *profiles, GPtrArray *argv, gboolean is_bonds)
{
  P2vNetworkProfile *profile = g_new0 (P2vNetworkProfile, 1);
  guint index = 0;
  g_ptr_array_find_with_equal_func (argv, "connection.uuid", g_str_equal, &index);
  profile->uuid = g_strdup (argv->pdata[index + 1]);
  profile->is_bonds = is_bonds;
  g_ptr_array_add (argv, NULL);
  profile->argv = (char **)g_ptr_array_free (argv, FALSE);
  g_ptr_array_add (profiles, profile);
}

/* The name servers of one family with commas between them; NULL for none (transfer full). */
static char *
join_dns (const P2vNetworkSetup *setup, GSocketFamily family)
{
  g_auto (GStrv) words = p2v_network_words (setup->dns);
  GString *joined = g_string_new (NULL);
  for (char **word = words; *word != NULL; word++)
    {
      g_autoptr (GInetAddress) address = g_inet_address_new_from_string (*word);
      if (address != NULL && g_inet_address_get_family (address) == family)
        g_string_append_printf (joined, "%s%s", joined->len > 0 ? "," : "", *word);
    }
  return g_string_free (joined, joined->len == 0);
}

static void
add_static (GPtrArray *argv, const char *prefix, const char *text, const char *gateway,
            GSocketFamily family)
{
  guint length = 0;
  g_autoptr (GInetAddress) parsed = p2v_network_read_address (text, family, &length);
  g_autofree char *address = g_inet_address_to_string (parsed);
  g_autofree char *with_length = g_strdup_printf ("%s/%u", address, length);
  g_autofree char *addresses = g_strconcat (prefix, ".addresses", NULL);
  g_autofree char *gateway_name = g_strconcat (prefix, ".gateway", NULL);
  g_autofree char *word = p2v_network_word (gateway);
  add (argv, addresses, with_length);
  if (word[0] != '\0')
    add (argv, gateway_name, word);
}

static void
add_family (GPtrArray *argv, const P2vNetworkSetup *setup, GSocketFamily family)
{
  static const char *const methods[] = { [P2V_ADDRESSING_AUTOMATIC] = "auto",
                                         [P2V_ADDRESSING_STATIC] = "manual",
                                         [P2V_ADDRESSING_OFF] = "disabled" };
  gboolean is_ipv4 = family == G_SOCKET_FAMILY_IPV4;
  const char *prefix = is_ipv4 ? "ipv4" : "ipv6";
  P2vAddressing addressing = is_ipv4 ? setup->ipv4 : setup->ipv6;
  g_autofree char *method = g_strconcat (prefix, ".method", NULL);
  g_autofree char *metric = g_strconcat (prefix, ".route-metric", NULL);
  g_autofree char *priority = g_strconcat (prefix, ".dns-priority", NULL);
  g_autofree char *dns_name = g_strconcat (prefix, ".dns", NULL);
  g_autofree char *search_name = g_strconcat (prefix, ".dns-search", NULL);
  g_autofree char *dns = join_dns (setup, family);
  g_auto (GStrv) domains = p2v_network_words (setup->domains);
  g_autofree char *search = g_strjoinv (",", domains);
  add (argv, method, methods[addressing]);
  if (addressing == P2V_ADDRESSING_OFF)
    return;
  if (addressing == P2V_ADDRESSING_STATIC)
    add_static (argv, prefix, is_ipv4 ? setup->ipv4_address : setup->ipv6_address,
                is_ipv4 ? setup->ipv4_gateway : setup->ipv6_gateway, family);
  add (argv, metric, METRIC);
  add (argv, priority, METRIC);
  if (dns != NULL)
    add (argv, dns_name, dns);
  if (search[0] != '\0')
    add (argv, search_name, search);
}

/* What is said of addresses on an interface. carries: a VLAN has them in its place. */
static void
add_addresses (GPtrArray *argv, const P2vNetworkSetup *setup, gboolean carries)
{
  const P2vNetworkSetup none = {
    .ipv4 = P2V_ADDRESSING_OFF, .ipv6 = P2V_ADDRESSING_OFF, .dns = (char *)"", .domains = (char *)""
  };
  add_family (argv, carries ? &none : setup, G_SOCKET_FAMILY_IPV4);
  add_family (argv, carries ? &none : setup, G_SOCKET_FAMILY_IPV6);
}

static void
make_bond (GPtrArray *profiles, const P2vNetworkSetup *setup, gboolean carries)
{
  GPtrArray *bond = begin ("bond", BOND_NAME);
  g_autofree char *options = g_strdup_printf ("mode=%s,miimon=" BOND_MIIMON, setup->bond);
  add (bond, "bond.options", options);
  add (bond, "connection.autoconnect-slaves", "1");
  add_addresses (bond, setup, carries);
  finish (profiles, bond, FALSE);
  for (char **card = setup->cards; *card != NULL; card++)
    {
      GPtrArray *argv = begin ("ethernet", *card);
      add (argv, "connection.master", BOND_NAME);
      add (argv, "connection.slave-type", "bond");
      finish (profiles, argv, TRUE);
    }
}

static void
make_card (GPtrArray *profiles, const P2vNetworkSetup *setup, gboolean carries)
{
  GPtrArray *argv = begin ("ethernet", setup->cards[0]);
  add_addresses (argv, setup, carries);
  finish (profiles, argv, FALSE);
}

static void
make_vlan (GPtrArray *profiles, const P2vNetworkSetup *setup, const char *number)
{
  /* Without zeroes in front of it. */
  g_autofree char *id = g_strdup_printf ("%u", (guint)g_ascii_strtoull (number, NULL, 10));
  const char *parent = setup->bond != NULL ? BOND_NAME : setup->cards[0];
  g_autofree char *interface = g_strdup_printf ("%s.%s", parent, id);
  if (strlen (interface) >= IFNAMSIZ)
    {
      g_free (interface);
      interface = g_strconcat (P2V_NETWORK_PREFIX "vlan", id, NULL);
    }
  GPtrArray *argv = begin ("vlan", interface);
  add (argv, "vlan.parent", parent);
  add (argv, "vlan.id", id);
  add_addresses (argv, setup, FALSE);
  finish (profiles, argv, FALSE);
}

GPtrArray *
p2v_network_setup_make_profiles (const P2vNetworkSetup *setup)
{
  GPtrArray *profiles = g_ptr_array_new_with_free_func ((GDestroyNotify)profile_free);
  g_autofree char *vlan = p2v_network_word (setup->vlan);
  gboolean carries = vlan[0] != '\0';
  if (setup->bond != NULL)
    make_bond (profiles, setup, carries);
  else
    make_card (profiles, setup, carries);
  if (carries)
    make_vlan (profiles, setup, vlan);
  return profiles;
}
