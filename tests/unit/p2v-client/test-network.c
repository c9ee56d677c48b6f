/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <string.h>

static void
write_file (const char *root, const char *path, const char *text)
{
  g_autofree char *full = g_build_filename (root, "sys/class/net", path, NULL);
  g_autofree char *dir = g_path_get_dirname (full);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (full, text, -1, NULL));
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *entry = g_build_filename (path, name, NULL);
      remove_tree (entry);
    }
  g_remove (path);
}

/* carrier: NULL where the kernel refuses to read it, as it does while the interface is down. */
static void
add_interface (const char *root, const char *name, const char *type, const char *flags,
               const char *carrier)
{
  const char *const files[][2] = { { "type", type }, { "flags", flags }, { "carrier", carrier } };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (name, files[i][0], NULL);
      if (files[i][1] != NULL)
        write_file (root, path, files[i][1]);
    }
}

static void
test_cards_are_told_from_what_stands_on_them (void)
{
  g_autofree char *root = g_dir_make_tmp ("network-XXXXXX", NULL);
  add_interface (root, "eno2", "1\n", "0x1003\n", "1\n");
  add_interface (root, "eno1", "1\n", "0x1003\n", "0\n");
  add_interface (root, "eno3", "1\n", "0x1002\n", NULL);
  add_interface (root, "ib0", "32\n", "0x1003\n", "1\n");
  add_interface (root, "lo", "772\n", "0x9\n", "1\n");
  add_interface (root, "dummy0", "1\n", "0xc3\n", "1\n");
  add_interface (root, "bond0", "1\n", "0x1403\n", "1\n");
  write_file (root, "bond0/bonding/mode", "active-backup 1\n");
  add_interface (root, "br0", "1\n", "0x1003\n", "1\n");
  write_file (root, "br0/bridge/bridge_id", "8000.0\n");
  add_interface (root, "eno2.7", "1\n", "0x1003\n", "1\n");
  write_file (root, "eno2.7/lower_eno2/ifindex", "3\n");
  add_interface (root, "tap0", "1\n", "0x1003\n", "1\n");
  write_file (root, "tap0/tun_flags", "0x1002\n");
  add_interface (root, "wlp3s0", "1\n", "0x1003\n", "0\n");
  write_file (root, "wlp3s0/phy80211/name", "phy0\n");
  g_autoptr (GPtrArray) links = p2v_network_links (root);
  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < links->len; i++)
    {
      const P2vLink *link = links->pdata[i];
      g_string_append_printf (all, "%s%s%s ", link->name, link->up ? " up" : "",
                              link->link ? " link" : "");
    }
  g_assert_cmpstr (all->str, ==, "eno1 up eno2 up link eno3 ib0 up link ");
  remove_tree (root);
  g_autoptr (GPtrArray) none = p2v_network_links ("/nonexistent");
  g_assert_cmpuint (none->len, ==, 0);
}

/* One address after another, as getifaddrs() gives them. */
static struct ifaddrs *
prepend (struct ifaddrs *list, const char *name, unsigned flags, const char *address)
{
  struct sockaddr_in6 *ipv6 = g_new0 (struct sockaddr_in6, 1);
  struct sockaddr_in *ipv4 = g_new0 (struct sockaddr_in, 1);
  struct ifaddrs *item = g_new0 (struct ifaddrs, 1);
  item->ifa_next = list;
  item->ifa_name = g_strdup (name);
  item->ifa_flags = flags;
  ipv6->sin6_family = AF_INET6;
  ipv4->sin_family = AF_INET;
  if (inet_pton (AF_INET, address, &ipv4->sin_addr) == 1)
    {
      item->ifa_addr = (struct sockaddr *)(void *)ipv4;
      g_free (ipv6);
    }
  else
    {
      g_assert_cmpint (inet_pton (AF_INET6, address, &ipv6->sin6_addr), ==, 1);
      item->ifa_addr = (struct sockaddr *)(void *)ipv6;
      g_free (ipv4);
    }
  return item;
}

static void
free_list (struct ifaddrs *list)
{
  while (list != NULL)
    {
      struct ifaddrs *next = list->ifa_next;
      g_free (list->ifa_name);
      g_free (list->ifa_addr);
      g_free (list);
      list = next;
    }
}

/* Which of the machine's addresses would do to reach a server. */
static void
assert_usable (const char *server, const char *expected)
{
  const unsigned on = IFF_UP | IFF_RUNNING;
  struct ifaddrs *list = prepend (NULL, "eno1", on, "fe80::1");
  list = prepend (list, "eno1", on, "169.254.7.7");
  list = prepend (list, "eno1", on, "2001:db8::5");
  list = prepend (list, "eno2", IFF_UP, "192.0.2.66"); /* without a cable */
  list = prepend (list, "eno1", on, "192.0.2.5");
  list = prepend (list, "lo", on | IFF_LOOPBACK, "::1");
  list = prepend (list, "lo", on | IFF_LOOPBACK, "127.0.0.1");
  P2vNetworkNeed need = p2v_network_need (server);
  g_autoptr (GPtrArray) addresses = p2v_network_filter (list, &need);
  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < addresses->len; i++)
    {
      const P2vAddress *address = addresses->pdata[i];
      g_string_append_printf (all, "%s %s,", address->interface, address->text);
    }
  g_assert_cmpstr (all->str, ==, expected);
  free_list (list);
}

static void
test_an_address_has_to_reach_the_server (void)
{
  assert_usable ("kvm1.example.com", "eno1 192.0.2.5,eno1 2001:db8::5,");
  assert_usable ("198.51.100.1", "eno1 192.0.2.5,");
  assert_usable ("2001:db8:1::1", "eno1 2001:db8::5,");
  assert_usable ("fe80::9%eno1", "eno1 2001:db8::5,eno1 fe80::1,");
  assert_usable ("169.254.1.1", "eno1 192.0.2.5,eno1 169.254.7.7,");
}

static void
test_a_server_on_this_machine_needs_no_network (void)
{
  g_assert_true (p2v_network_need ("127.0.0.1").none);
  g_assert_true (p2v_network_need ("::1").none);
  g_assert_true (p2v_network_need ("localhost").none);
  g_assert_false (p2v_network_need ("kvm1").none);
  g_assert_false (p2v_network_need ("192.0.2.1").none);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/cards-are-told-from-what-stands-on-them",
                   test_cards_are_told_from_what_stands_on_them);
  g_test_add_func ("/network/an-address-has-to-reach-the-server",
                   test_an_address_has_to_reach_the_server);
  g_test_add_func ("/network/a-server-on-this-machine-needs-no-network",
                   test_a_server_on_this_machine_needs_no_network);
  return g_test_run ();
}
