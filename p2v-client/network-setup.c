/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network-setup.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/network-words.h"

#include <gio/gio.h>
#include <string.h>

/* IEEE 802.1Q: 0 and 4095 are reserved. */
#define VLAN_MAX 4094

/* RFC 1035, section 2.3.4. */
#define DOMAIN_MAX 253

const char *const p2v_network_bond_modes[] = {
  "active-backup", "802.3ad", "balance-xor", "balance-alb", "balance-tlb", "balance-rr", NULL
};

P2vNetworkSetup *
p2v_network_setup_new (void)
{
  P2vNetworkSetup *setup = g_new0 (P2vNetworkSetup, 1);
  char **texts[]
      = { &setup->vlan,         &setup->ipv4_address, &setup->ipv4_gateway, &setup->ipv6_address,
          &setup->ipv6_gateway, &setup->dns,          &setup->domains };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    *texts[i] = g_strdup ("");
  setup->cards = g_new0 (char *, 1);
  return setup;
}

void
p2v_network_setup_free (P2vNetworkSetup *setup)
{
  if (setup == NULL)
    return;
  g_strfreev (setup->cards);
  g_free (setup->bond);
  g_free (setup->vlan);
  g_free (setup->ipv4_address);
  g_free (setup->ipv4_gateway);
  g_free (setup->ipv6_address);
  g_free (setup->ipv6_gateway);
  g_free (setup->dns);
  g_free (setup->domains);
  g_free (setup);
}

/* Always FALSE. */
G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *sentence = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE, sentence);
  return FALSE;
}

static gboolean
check_cards (const P2vNetworkSetup *setup, GError **error)
{
  return setup->cards[0] != NULL || refuse (error, _ ("Choose a network card."));
}

static gboolean
check_bond (const P2vNetworkSetup *setup, GError **error)
{
  return setup->bond != NULL || g_strv_length (setup->cards) < 2
         || refuse (error, _ ("Several cards make a bond: choose how it is to work, or choose one "
                              "card only."));
}

static gboolean
check_vlan (const P2vNetworkSetup *setup, GError **error)
{
  g_autofree char *vlan = p2v_network_word (setup->vlan);
  return vlan[0] == '\0' || g_ascii_string_to_unsigned (vlan, 10, 1, VLAN_MAX, NULL, NULL)
         || refuse (error, _ ("Type the number of the VLAN, from 1 to %d, or nothing."), VLAN_MAX);
}

/* TRUE when the first bits are the same. */
static gboolean
is_in_network (GInetAddress *address, GInetAddress *network, guint prefix)
{
  const guint8 *a = g_inet_address_to_bytes (address);
  const guint8 *b = g_inet_address_to_bytes (network);
  guint bytes = prefix / 8;
  guint rest = prefix % 8;
  return memcmp (a, b, bytes) == 0
         && (rest == 0 || (guint)(a[bytes] ^ b[bytes]) >> (8 - rest) == 0);
}

/* TRUE for an IPv4 address of only zeroes or only ones behind the prefix; RFC 3021 has none such in
 * the smallest networks. */
static gboolean
is_network_or_broadcast (GInetAddress *address, guint prefix)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  guint32 host = 0;
  for (gsize i = 0; i < sizeof host; i++)
    host = host << 8 | bytes[i];
  guint32 mask = G_MAXUINT32 >> prefix;
  return (host & mask) == 0 || (host & mask) == mask;
}

static gboolean
check_address (const char *text, GSocketFamily family, GError **error)
{
  guint prefix;
  gboolean is_ipv4 = family == G_SOCKET_FAMILY_IPV4;
  g_autoptr (GInetAddress) address = p2v_network_read_address (text, family, &prefix);
  if (address == NULL && is_ipv4)
    return refuse (error, _ ("Type the address with its prefix length or netmask, as in "
                             "192.0.2.5/24 or 192.0.2.5/255.255.255.0."));
  if (address == NULL)
    return refuse (error, _ ("Type the address with its prefix length, as in 2001:db8::5/64."));
  if (g_inet_address_get_is_any (address) || g_inet_address_get_is_loopback (address)
      || g_inet_address_get_is_multicast (address))
    return refuse (error, _ ("No machine of a network has such an address."));
  if (is_ipv4 && prefix < 31 && is_network_or_broadcast (address, prefix))
    return refuse (error, _ ("This is the address of the network, or the one for all in it. Type "
                             "the machine's own."));
  return TRUE;
}

static gboolean
check_ipv4_address (const P2vNetworkSetup *setup, GError **error)
{
  return setup->ipv4 != P2V_ADDRESSING_STATIC
         || check_address (setup->ipv4_address, G_SOCKET_FAMILY_IPV4, error);
}

static gboolean
check_ipv6_address (const P2vNetworkSetup *setup, GError **error)
{
  return setup->ipv6 != P2V_ADDRESSING_STATIC
         || check_address (setup->ipv6_address, G_SOCKET_FAMILY_IPV6, error);
}

/* own: the address's field; when that is wrong nothing is said of networks. */
static gboolean
check_gateway (const char *text, const char *own, GSocketFamily family, GError **error)
{
  guint prefix;
  g_autofree char *word = p2v_network_word (text);
  if (word[0] == '\0')
    return TRUE;
  g_autoptr (GInetAddress) gateway = g_inet_address_new_from_string (word);
  if (gateway == NULL || g_inet_address_get_family (gateway) != family
      || g_inet_address_get_is_any (gateway) || g_inet_address_get_is_multicast (gateway))
    return refuse (error, _ ("Type the address of the gateway, as in %s, or nothing."),
                   family == G_SOCKET_FAMILY_IPV4 ? "192.0.2.1" : "2001:db8::1");
  g_autoptr (GInetAddress) address = p2v_network_read_address (own, family, &prefix);
  if (address == NULL)
    return TRUE;
  if (g_inet_address_equal (gateway, address))
    return refuse (error, _ ("This is the machine's own address. Type the gateway's."));
  /* RFC 4861, section 4.2: routers of IPv6 are known by their link-local addresses. */
  gboolean is_near = family == G_SOCKET_FAMILY_IPV6 && g_inet_address_get_is_link_local (gateway);
  if (!is_near && !is_in_network (gateway, address, prefix))
    return refuse (error,
                   _ ("The gateway is not in the network of the address: their first %u bits "
                      "differ. Check both, and the prefix length."),
                   prefix);
  return TRUE;
}

static gboolean
check_ipv4_gateway (const P2vNetworkSetup *setup, GError **error)
{
  return setup->ipv4 != P2V_ADDRESSING_STATIC
         || check_gateway (setup->ipv4_gateway, setup->ipv4_address, G_SOCKET_FAMILY_IPV4, error);
}

static gboolean
check_ipv6_gateway (const P2vNetworkSetup *setup, GError **error)
{
  return setup->ipv6 != P2V_ADDRESSING_STATIC
         || check_gateway (setup->ipv6_gateway, setup->ipv6_address, G_SOCKET_FAMILY_IPV6, error);
}

static gboolean
check_ipv6 (const P2vNetworkSetup *setup, GError **error)
{
  return setup->ipv4 != P2V_ADDRESSING_OFF || setup->ipv6 != P2V_ADDRESSING_OFF
         || refuse (error, _ ("Without IPv4 and IPv6 no server can be reached. Choose one."));
}

static gboolean
check_dns (const P2vNetworkSetup *setup, GError **error)
{
  g_auto (GStrv) words = p2v_network_words (setup->dns);
  for (char **word = words; *word != NULL; word++)
    {
      g_autoptr (GInetAddress) address = g_inet_address_new_from_string (*word);
      if (address == NULL || g_inet_address_get_is_any (address)
          || g_inet_address_get_is_multicast (address))
        return refuse (error,
                       _ ("Type the addresses of name servers with blanks between them, or "
                          "nothing: %s is none."),
                       *word);
      gboolean is_ipv4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;
      if ((is_ipv4 ? setup->ipv4 : setup->ipv6) == P2V_ADDRESSING_OFF)
        return refuse (error, _ ("%s cannot be reached: %s is off."), *word,
                       is_ipv4 ? "IPv4" : "IPv6");
    }
  return TRUE;
}

static gboolean
check_domains (const P2vNetworkSetup *setup, GError **error)
{
  g_auto (GStrv) words = p2v_network_words (setup->domains);
  for (char **word = words; *word != NULL; word++)
    {
      gboolean good = g_ascii_isalnum (**word) && strlen (*word) <= DOMAIN_MAX;
      for (const char *p = *word; *p != '\0' && good; p++)
        good = g_ascii_isalnum (*p) || strchr (".-_", *p) != NULL;
      if (!good)
        return refuse (error,
                       _ ("Type domains with blanks between them, as in example.com, or nothing: "
                          "%s is none."),
                       *word);
    }
  return TRUE;
}

gboolean
p2v_network_setup_check (const P2vNetworkSetup *setup, P2vNetworkField field, GError **error)
{
  static gboolean (*const checks[]) (const P2vNetworkSetup *, GError **) = {
    [P2V_NETWORK_CARDS] = check_cards,
    [P2V_NETWORK_BOND] = check_bond,
    [P2V_NETWORK_VLAN] = check_vlan,
    [P2V_NETWORK_IPV4_ADDRESS] = check_ipv4_address,
    [P2V_NETWORK_IPV4_GATEWAY] = check_ipv4_gateway,
    [P2V_NETWORK_IPV6] = check_ipv6,
    [P2V_NETWORK_IPV6_ADDRESS] = check_ipv6_address,
    [P2V_NETWORK_IPV6_GATEWAY] = check_ipv6_gateway,
    [P2V_NETWORK_DNS] = check_dns,
    [P2V_NETWORK_DOMAINS] = check_domains,
  };
  return checks[field](setup, error);
}
