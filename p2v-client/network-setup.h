/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NETWORK_SETUP_H
#define P2V_NETWORK_SETUP_H

#include <glib.h>

G_BEGIN_DECLS

/* How the running system is to be connected, as a person enters it, and what NetworkManager is told
 * then. Nothing of it lasts longer than the system runs. */

typedef enum
{
  P2V_ADDRESSING_AUTOMATIC, /* DHCP; for IPv6 what the router says */
  P2V_ADDRESSING_STATIC,
  P2V_ADDRESSING_OFF,
} P2vAddressing;

/* Texts as they were typed, never NULL. */
typedef struct
{
  char **cards; /* names; several make a bond */
  char *bond;   /* one of p2v_network_bond_modes; NULL: no bond */
  char *vlan;   /* empty: frames have no tag */
  P2vAddressing ipv4, ipv6;
  char *ipv4_address; /* "192.0.2.5/24", "192.0.2.5/255.255.255.0"; read if it is to be static */
  char *ipv4_gateway; /* may be empty */
  char *ipv6_address;
  char *ipv6_gateway;
  char *dns;     /* addresses, separated by blanks or commas; may be empty */
  char *domains; /* to be searched, in the same way */
} P2vNetworkSetup;

/* What a message belongs to; in the order in which a person is asked. */
typedef enum
{
  P2V_NETWORK_CARDS,
  P2V_NETWORK_BOND,
  P2V_NETWORK_VLAN,
  P2V_NETWORK_IPV4_ADDRESS,
  P2V_NETWORK_IPV4_GATEWAY,
  P2V_NETWORK_IPV6,
  P2V_NETWORK_IPV6_ADDRESS,
  P2V_NETWORK_IPV6_GATEWAY,
  P2V_NETWORK_DNS,
  P2V_NETWORK_DOMAINS,
  P2V_NETWORK_N_FIELDS
} P2vNetworkField;

/* As the kernel's driver calls them (Documentation/networking/bonding.rst); NULL after the last. */
extern const char *const p2v_network_bond_modes[];

/* What there is before anybody has entered anything: no card, all automatic. */
P2vNetworkSetup *p2v_network_setup_new (void);
void p2v_network_setup_free (P2vNetworkSetup *setup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vNetworkSetup, p2v_network_setup_free)

/* Fails with P2V_ERROR_USAGE when that field cannot be right: what to type instead. A field that is
 * not needed, as an address with DHCP, is right whatever it has. */
gboolean p2v_network_setup_check (const P2vNetworkSetup *setup, P2vNetworkField field,
                                  GError **error);

/* A connection profile of NetworkManager. */
typedef struct
{
  char *uuid;
  char **argv;       /* of the nmcli command that adds it */
  gboolean is_bonds; /* a card of a bond, which the bond brings up */
} P2vNetworkProfile;

/* The names of the connections that are ours begin so. */
#define P2V_NETWORK_PREFIX "p2v-"

/* The profiles that a setup without mistakes comes to, in the order in which they are to be added
 * and brought up: what others stand on is first. (GPtrArray of P2vNetworkProfile, transfer full) */
GPtrArray *p2v_network_setup_make_profiles (const P2vNetworkSetup *setup);

G_END_DECLS

#endif
