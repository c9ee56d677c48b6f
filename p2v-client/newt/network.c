/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

/* Documentation/ABI/testing/sysfs-class-net of the kernel has these files. */
#define CLASS_NET "/sys/class/net"

static gint64
read_number (const char *nic, const char *file)
{
  g_autofree char *path = g_strdup_printf (CLASS_NET "/%s/%s", nic, file);
  g_autofree char *text = NULL;
  /* Both fail with EINVAL while the interface is down. */
  return g_file_get_contents (path, &text, NULL, NULL) ? g_ascii_strtoll (text, NULL, 10) : -1;
}

/* The bits set in a network mask. */
static guint
prefix_length (const guint8 *mask, gsize size)
{
  guint bits = 0;
  for (gsize i = 0; i < size; i++)
    bits += (guint)__builtin_popcount (mask[i]);
  return bits;
}

/* "192.168.1.5/24"; NULL for what is no IP address (transfer full). */
static char *
format_address (const struct ifaddrs *entry, gboolean *is_link_local)
{
  char text[INET6_ADDRSTRLEN];
  int family = entry->ifa_addr != NULL ? entry->ifa_addr->sa_family : AF_UNSPEC;
  const void *address = NULL;
  guint bits = 0;
  if (family == AF_INET)
    {
      const struct sockaddr_in *mask = (const void *)entry->ifa_netmask;
      address = &((const struct sockaddr_in *)(const void *)entry->ifa_addr)->sin_addr;
      *is_link_local
          = g_str_has_prefix (inet_ntop (family, address, text, sizeof text), "169.254.");
      bits = mask != NULL ? prefix_length ((const void *)&mask->sin_addr, 4) : 32;
    }
  else if (family == AF_INET6)
    {
      const struct sockaddr_in6 *mask = (const void *)entry->ifa_netmask;
      address = &((const struct sockaddr_in6 *)(const void *)entry->ifa_addr)->sin6_addr;
      *is_link_local = IN6_IS_ADDR_LINKLOCAL ((const struct in6_addr *)address);
      bits = mask != NULL ? prefix_length ((const void *)&mask->sin6_addr, 16) : 128;
    }
  if (address == NULL || inet_ntop (family, address, text, sizeof text) == NULL)
    return NULL;
  return g_strdup_printf ("%s/%u", text, bits);
}

/* The addresses that matter, separated by blanks; empty when there are none (transfer full). */
static char *
list_addresses (const struct ifaddrs *all, const char *nic)
{
  GString *list = g_string_new (NULL);
  for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next)
    {
      gboolean is_link_local = FALSE;
      g_autofree char *address
          = strcmp (entry->ifa_name, nic) == 0 ? format_address (entry, &is_link_local) : NULL;
      if (address != NULL && !is_link_local)
        g_string_append_printf (list, "%s%s", list->len > 0 ? " " : "", address);
    }
  return g_string_free (list, FALSE);
}

/* Bridges and tunnels that programs make for themselves are of no interest without an address. */
static gboolean
is_hardware (const char *nic)
{
  g_autofree char *path = g_strdup_printf (CLASS_NET "/%s/device", nic);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
describe_nic (const struct ifaddrs *all, const char *nic, GString *text, gboolean *has_link,
              gboolean *has_address)
{
  g_autofree char *addresses = list_addresses (all, nic);
  gint64 carrier = read_number (nic, "carrier");
  gint64 speed = read_number (nic, "speed");
  g_autofree char *link = speed > 0 ? g_strdup_printf (_ ("link, %lld Mbit/s"), (long long)speed)
                                    : g_strdup (_ ("link"));
  if (strcmp (nic, "lo") == 0 || (addresses[0] == '\0' && !is_hardware (nic)))
    return;
  const char *state = carrier > 0 ? link : carrier == 0 ? _ ("no cable") : _ ("off");
  const char *shown = addresses[0] != '\0' ? addresses : carrier > 0 ? _ ("no address") : "";
  g_autofree char *padded = p2v_text_pad (state, 18);
  g_string_append_printf (text, "%-12s %s %s\n", nic, padded, shown);
  *has_link |= carrier > 0;
  *has_address |= carrier > 0 && addresses[0] != '\0';
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

char *
p2v_network_describe (gboolean *has_link, gboolean *has_address)
{
  g_autoptr (GDir) dir = g_dir_open (CLASS_NET, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  struct ifaddrs *all = NULL;
  const char *name;
  GString *text = g_string_new (NULL);
  *has_link = *has_address = FALSE;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  if (getifaddrs (&all) != 0)
    all = NULL;
  for (guint i = 0; i < names->len; i++)
    describe_nic (all, names->pdata[i], text, has_link, has_address);
  freeifaddrs (all);
  if (text->len == 0)
    g_string_append (text, _ ("This machine has no network interface that the kernel knows.\n"));
  g_string_truncate (text, text->len - 1);
  return g_string_free (text, FALSE);
}
