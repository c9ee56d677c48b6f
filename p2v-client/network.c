/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>

static void
link_free (P2vLink *link)
{
  g_free (link->name);
  g_free (link);
}

static void
address_free (P2vAddress *address)
{
  g_free (address->interface);
  g_free (address->text);
  g_free (address);
}

static gint
compare_links (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(P2vLink *const *)a)->name, (*(P2vLink *const *)b)->name);
}

/* A number from a file of an interface, in any of C's notations; absent when it cannot be read. */
static gint64
read_number (const char *dir, const char *file, gint64 absent)
{
  g_autofree char *path = g_build_filename (dir, file, NULL);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return absent;
  char *end = NULL;
  gint64 number = g_ascii_strtoll (text, &end, 0);
  return end != text ? number : absent;
}

/* TRUE for what stands on another interface or is not made for a cable; Documentation/ABI/testing/
 * sysfs-class-net has the names. */
static gboolean
is_virtual (const char *dir)
{
  static const char *const marks[] = { "bridge", "bonding", "tun_flags", "phy80211", "wireless" };
  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      g_autofree char *path = g_build_filename (dir, marks[i], NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return TRUE;
    }
  g_autoptr (GDir) entries = g_dir_open (dir, 0, NULL);
  const char *name;
  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    if (g_str_has_prefix (name, "lower_"))
      return TRUE;
  return FALSE;
}

static P2vLink *
look_at (const char *dir, const char *name)
{
  gint64 type = read_number (dir, "type", -1);
  gint64 flags = read_number (dir, "flags", 0);
  /* A dummy answers for itself, without a cable: it needs no ARP. */
  if ((type != ARPHRD_ETHER && type != ARPHRD_INFINIBAND) || (flags & IFF_NOARP)
      || is_virtual (dir))
    return NULL;
  P2vLink *link = g_new0 (P2vLink, 1);
  link->name = g_strdup (name);
  link->ethernet = type == ARPHRD_ETHER;
  link->up = (flags & IFF_UP) != 0;
  /* While the interface is down the file cannot be read (EINVAL). */
  link->link = read_number (dir, "carrier", 0) == 1;
  return link;
}

GPtrArray *
p2v_network_links (const char *root)
{
  GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)link_free);
  g_autofree char *top = g_build_filename (root, "sys/class/net", NULL);
  g_autoptr (GDir) entries = g_dir_open (top, 0, NULL);
  const char *name;
  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *dir = g_build_filename (top, name, NULL);
      P2vLink *link = look_at (dir, name);
      if (link != NULL)
        g_ptr_array_add (links, link);
    }
  g_ptr_array_sort (links, compare_links);
  return links;
}

P2vNetworkNeed
p2v_network_need (const char *server)
{
  /* The zone of a link-local address, "%eth0", is no part of the address. */
  g_autofree char *bare = g_strndup (server, strcspn (server, "%"));
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (bare);
  if (address == NULL)
    {
      gboolean here = g_ascii_strcasecmp (server, "localhost") == 0;
      return (P2vNetworkNeed){ .none = here, .ipv4 = TRUE, .ipv6 = TRUE };
    }
  gboolean is_ipv4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;
  return (P2vNetworkNeed){
    .none = g_inet_address_get_is_loopback (address),
    .ipv4 = is_ipv4,
    .ipv6 = !is_ipv4,
    .link_local = g_inet_address_get_is_link_local (address),
  };
}

static GInetAddress *
to_inet_address (const struct sockaddr *from)
{
  if (from->sa_family == AF_INET)
    return g_inet_address_new_from_bytes (
        (const guint8 *)&((const struct sockaddr_in *)(const void *)from)->sin_addr,
        G_SOCKET_FAMILY_IPV4);
  if (from->sa_family == AF_INET6)
    return g_inet_address_new_from_bytes (
        (const guint8 *)&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
        G_SOCKET_FAMILY_IPV6);
  return NULL;
}

static gboolean
meets (GInetAddress *address, const P2vNetworkNeed *need)
{
  gboolean is_ipv4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;
  return (is_ipv4 ? need->ipv4 : need->ipv6) && !g_inet_address_get_is_loopback (address)
         && !g_inet_address_get_is_any (address) && !g_inet_address_get_is_multicast (address)
         && (need->link_local || !g_inet_address_get_is_link_local (address));
}

GPtrArray *
p2v_network_filter (const struct ifaddrs *list, const P2vNetworkNeed *need)
{
  GPtrArray *addresses = g_ptr_array_new_with_free_func ((GDestroyNotify)address_free);
  for (; list != NULL; list = list->ifa_next)
    {
      /* An address that was given by hand stays on a card that has lost its cable. */
      const unsigned wanted = IFF_UP | IFF_RUNNING;
      if (list->ifa_addr == NULL || (list->ifa_flags & wanted) != wanted)
        continue;
      g_autoptr (GInetAddress) address = to_inet_address (list->ifa_addr);
      if (address == NULL || !meets (address, need))
        continue;
      P2vAddress *found = g_new0 (P2vAddress, 1);
      found->interface = g_strdup (list->ifa_name);
      found->text = g_inet_address_to_string (address);
      g_ptr_array_add (addresses, found);
    }
  return addresses;
}

GPtrArray *
p2v_network_addresses (const P2vNetworkNeed *need)
{
  struct ifaddrs *list = NULL;
  if (getifaddrs (&list) < 0)
    list = NULL;
  GPtrArray *addresses = p2v_network_filter (list, need);
  if (list != NULL)
    freeifaddrs (list);
  return addresses;
}
