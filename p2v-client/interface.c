/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/interface.h"

#include "p2v-client/i18n.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if.h>
#include <string.h>

void
p2v_interface_free (P2vInterface *link)
{
  g_free (link->name);
  g_free (link->addresses);
  g_free (link);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const P2vInterface *const *left = a;
  const P2vInterface *const *right = b;
  return strcmp ((*left)->name, (*right)->name);
}

static gint64
read_speed (const char *name)
{
  g_autofree char *path = g_strdup_printf ("/sys/class/net/%s/speed", name);
  g_autofree char *text = NULL;
  gint64 speed = 0;
  /* The file cannot be read, or says -1, where there is no speed to tell. */
  if (!g_file_get_contents (path, &text, NULL, NULL)
      || !g_ascii_string_to_signed (g_strstrip (text), 10, 0, G_MAXINT32, &speed, NULL))
    return 0;
  return speed;
}

static P2vInterface *
find_link (GPtrArray *links, const char *name)
{
  for (guint i = 0; i < links->len; i++)
    if (strcmp (((P2vInterface *)links->pdata[i])->name, name) == 0)
      return links->pdata[i];
  P2vInterface *link = g_new0 (P2vInterface, 1);
  link->name = g_strdup (name);
  link->speed = read_speed (name);
  g_ptr_array_add (links, link);
  return link;
}

/* The number of leading one bits of a netmask. */
static guint
prefix_length (const guint8 *mask, gsize length)
{
  guint bits = 0;
  for (gsize i = 0; i < length; i++)
    for (guint8 byte = mask[i]; byte & 0x80; byte = (guint8)(byte << 1))
      bits++;
  return bits;
}

static char *
format_address (const struct ifaddrs *entry)
{
  char text[INET6_ADDRSTRLEN];
  gboolean is_ip4 = entry->ifa_addr->sa_family == AF_INET;
  gsize offset = is_ip4 ? G_STRUCT_OFFSET (struct sockaddr_in, sin_addr)
                        : G_STRUCT_OFFSET (struct sockaddr_in6, sin6_addr);
  gsize length = is_ip4 ? sizeof (struct in_addr) : sizeof (struct in6_addr);
  const guint8 *address = (const guint8 *)entry->ifa_addr + offset;
  if (inet_ntop (entry->ifa_addr->sa_family, address, text, sizeof text) == NULL)
    return NULL;
  if (entry->ifa_netmask == NULL)
    return g_strdup (text);
  const guint8 *mask = (const guint8 *)entry->ifa_netmask + offset;
  return g_strdup_printf ("%s/%u", text, prefix_length (mask, length));
}

/* RFC 4291 and RFC 3927: what an interface gives itself when nobody else does. */
static gboolean
is_link_local (const char *address)
{
  return g_str_has_prefix (address, "fe80:") || g_str_has_prefix (address, "169.254.");
}

static void
add_address (P2vInterface *link, const struct ifaddrs *entry)
{
  g_autofree char *address = format_address (entry);
  if (address == NULL || (link->addresses != NULL && is_link_local (address)))
    return;
  /* One that is no use elsewhere gives way to one that is. */
  g_autofree char *before = g_steal_pointer (&link->addresses);
  if (before == NULL || is_link_local (before))
    link->addresses = g_steal_pointer (&address);
  else
    link->addresses = g_strconcat (before, ", ", address, NULL);
}

/* The kernel's own devices (ifb0, dummy0, sit0) are no news unless somebody has set them up. */
static gboolean
is_worth_showing (const P2vInterface *link)
{
  g_autofree char *path = g_strdup_printf ("/sys/class/net/%s/device", link->name);
  return link->link || link->addresses != NULL || g_file_test (path, G_FILE_TEST_EXISTS);
}

GPtrArray *
p2v_interfaces_look (void)
{
  GPtrArray *links = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_interface_free);
  struct ifaddrs *entries;
  if (getifaddrs (&entries) < 0)
    return links;
  for (const struct ifaddrs *entry = entries; entry != NULL; entry = entry->ifa_next)
    {
      if (entry->ifa_name == NULL || (entry->ifa_flags & IFF_LOOPBACK))
        continue;
      P2vInterface *link = find_link (links, entry->ifa_name);
      link->link = (entry->ifa_flags & IFF_UP) && (entry->ifa_flags & IFF_RUNNING);
      if (entry->ifa_addr != NULL
          && (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6))
        add_address (link, entry);
    }
  freeifaddrs (entries);
  for (guint i = links->len; i > 0; i--)
    if (!is_worth_showing (links->pdata[i - 1]))
      g_ptr_array_remove_index (links, i - 1);
  g_ptr_array_sort (links, compare_names);
  return links;
}

gboolean
p2v_interfaces_equal (GPtrArray *a, GPtrArray *b)
{
  if (a == NULL || b == NULL || a->len != b->len)
    return a == b;
  for (guint i = 0; i < a->len; i++)
    {
      const P2vInterface *left = a->pdata[i];
      const P2vInterface *right = b->pdata[i];
      if (strcmp (left->name, right->name) != 0 || left->link != right->link
          || left->speed != right->speed || g_strcmp0 (left->addresses, right->addresses) != 0)
        return FALSE;
    }
  return TRUE;
}

gboolean
p2v_interface_is_usable (const P2vInterface *link)
{
  return link->link && link->addresses != NULL && !is_link_local (link->addresses);
}

char *
p2v_interface_describe (const P2vInterface *link)
{
  g_autofree char *speed = NULL;
  if (!link->link)
    return g_strdup (_ ("no link: check the cable"));
  if (link->speed >= 1000)
    speed = g_strdup_printf (_ (" at %g Gbit/s"), (double)link->speed / 1000);
  else if (link->speed > 0)
    speed = g_strdup_printf (_ (" at %lld Mbit/s"), (long long)link->speed);
  return g_strdup_printf (_ ("connected%s, %s"), speed != NULL ? speed : "",
                          p2v_interface_is_usable (link) ? link->addresses
                                                         : _ ("no address yet (waiting for DHCP)"));
}
