/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/this-host.h"

#include "common/error.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <glob.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_KEYS "/etc/ssh/ssh_host_*_key.pub"

/* A host name and its end (hostname(7)). */
#define MAX_NAME 256

/* The host name with its domain, NULL when it has none (transfer full). */
static char *
find_full_name (void)
{
  char name[MAX_NAME] = "";
  if (gethostname (name, sizeof name - 1) < 0 || name[0] == '\0')
    return NULL;
  const struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };
  struct addrinfo *found = NULL;
  g_autofree char *full = g_strdup (name);
  if (getaddrinfo (name, NULL, &hints, &found) == 0)
    {
      if (found->ai_canonname != NULL)
        {
          g_free (full);
          full = g_strdup (found->ai_canonname);
        }
      freeaddrinfo (found);
    }
  gboolean usable = strchr (full, '.') != NULL && !g_str_has_prefix (full, "localhost.");
  return usable ? g_steal_pointer (&full) : NULL;
}

/* The source address of packets to the world (transfer full). Nothing is sent: connecting a
 * datagram socket only chooses the route. The destination is for documentation (RFC 5737). */
static char *
find_route_address (void)
{
  struct sockaddr_in world = { .sin_family = AF_INET, .sin_port = htons (9) };
  struct sockaddr_in own = { 0 };
  socklen_t length = sizeof own;
  inet_pton (AF_INET, "192.0.2.1", &world.sin_addr);
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean ok = fd >= 0 && connect (fd, (const struct sockaddr *)&world, sizeof world) == 0
                && getsockname (fd, (struct sockaddr *)&own, &length) == 0;
  if (fd >= 0)
    close (fd);
  char text[INET_ADDRSTRLEN];
  return ok && inet_ntop (AF_INET, &own.sin_addr, text, sizeof text) != NULL ? g_strdup (text)
                                                                             : NULL;
}

char *
p2v_this_host_address (GError **error)
{
  char *address = find_full_name ();
  if (address == NULL)
    address = find_route_address ();
  if (address == NULL)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                         "this host has neither a name with a domain nor an address that leads "
                         "anywhere. Say how machines reach the conversion server: --server HOST");
  return address;
}

static gboolean
is_own_address (GInetAddress *address)
{
  if (g_inet_address_get_is_loopback (address))
    return TRUE;
  struct ifaddrs *interfaces = NULL;
  gboolean own = FALSE;
  if (getifaddrs (&interfaces) < 0)
    return FALSE;
  for (const struct ifaddrs *i = interfaces; i != NULL && !own; i = i->ifa_next)
    {
      int family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : AF_UNSPEC;
      if ((GSocketFamily)family != g_inet_address_get_family (address))
        continue;
      const void *bytes = family == AF_INET
                              ? (const void *)&((const struct sockaddr_in *)i->ifa_addr)->sin_addr
                              : &((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr;
      own = memcmp (bytes, g_inet_address_to_bytes (address),
                    g_inet_address_get_native_size (address))
            == 0;
    }
  freeifaddrs (interfaces);
  return own;
}

gboolean
p2v_this_host_is (const char *name)
{
  char own[MAX_NAME] = "";
  if (gethostname (own, sizeof own - 1) == 0 && g_ascii_strcasecmp (own, name) == 0)
    return TRUE;
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  GList *addresses = g_resolver_lookup_by_name (resolver, name, NULL, NULL);
  gboolean found = FALSE;
  for (GList *a = addresses; a != NULL && !found; a = a->next)
    found = is_own_address (a->data);
  g_resolver_free_addresses (addresses);
  return found;
}

static gint
compare_keys (gconstpointer a, gconstpointer b)
{
  static const char *const order[] = { "ssh-ed25519", "ecdsa-", "ssh-rsa" };
  const P2vSshKey *const keys[] = { *(P2vSshKey *const *)a, *(P2vSshKey *const *)b };
  gint rank[2];
  for (gsize i = 0; i < 2; i++)
    for (rank[i] = 0; rank[i] < (gint)G_N_ELEMENTS (order); rank[i]++)
      if (g_str_has_prefix (keys[i]->type, order[rank[i]]))
        break;
  return rank[0] != rank[1] ? rank[0] - rank[1] : strcmp (keys[0]->type, keys[1]->type);
}

gboolean
p2v_this_host_has_bridge (const char *name)
{
  if (strchr (name, '/') != NULL || name[0] == '.')
    return FALSE;
  g_autofree char *path = g_build_filename ("/sys/class/net", name, "bridge", NULL);
  return g_file_test (path, G_FILE_TEST_IS_DIR);
}

GPtrArray *
p2v_this_host_keys (void)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_ssh_key_free);
  glob_t files = { 0 };
  glob (HOST_KEYS, 0, NULL, &files);
  for (gsize i = 0; i < files.gl_pathc; i++)
    {
      P2vSshKey *key = p2v_ssh_key_load_public (files.gl_pathv[i], NULL);
      if (key != NULL)
        g_ptr_array_add (keys, key);
    }
  globfree (&files);
  g_ptr_array_sort (keys, compare_keys);
  return keys;
}
