/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NETWORK_H
#define P2V_NETWORK_H

#include <glib.h>
#include <ifaddrs.h>

G_BEGIN_DECLS

/* What the machine's network is like now: cables and addresses. */

/* A network card, in the order of names. */
typedef struct
{
  char *name;
  gboolean ethernet; /* and not InfiniBand */
  gboolean up;       /* switched on by the administrator or a network manager */
  gboolean link;     /* the other end of the cable answers */
} P2vLink;

/* The cards that /sys below root knows, and those that may carry a link as they do: Ethernet and
 * InfiniBand, but no bridge, bond, VLAN, tunnel, dummy or wireless one. (GPtrArray of P2vLink,
 * transfer full) */
GPtrArray *p2v_network_links (const char *root);

/* What address a machine needs to reach a server. */
typedef struct
{
  gboolean none;       /* the server is this machine: no network is needed */
  gboolean ipv4, ipv6; /* what kinds would do */
  gboolean link_local; /* one that is valid on its link only would do: the server has one too */
} P2vNetworkNeed;

/* The need for a server's name or address, as p2v.server takes it. */
P2vNetworkNeed p2v_network_need (const char *server);

/* An address of the machine. */
typedef struct
{
  char *interface;
  char *text; /* "192.168.1.5", "2001:db8::5" */
} P2vAddress;

/* Those of a list of getifaddrs() that meet the need: on an interface that is up and running, valid
 * beyond this machine, and beyond the link where that is needed. (GPtrArray of P2vAddress, transfer
 * full) */
GPtrArray *p2v_network_filter (const struct ifaddrs *list, const P2vNetworkNeed *need);

/* The same of this machine. */
GPtrArray *p2v_network_addresses (const P2vNetworkNeed *need);

G_END_DECLS

#endif
