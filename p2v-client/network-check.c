/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network-check.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/inventory-parts.h"
#include "p2v-client/network.h"
#include "p2v-client/text.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* A gateway of the same network answers within milliseconds; the first time it is looked for. */
#define PING_SECONDS "4"
/* resolv.conf(5): two times five seconds for each of the name servers. */
#define LOOKUP_SECONDS 15
/* For each address of the server. */
#define CONNECT_SECONDS 10
/* For programs that ask the kernel only. */
#define ASK_SECONDS 8
#define ANSWER_LIMIT 65536

/* More gateways than this are not tried. */
#define MAX_GATEWAYS 4

static void
finding_free (P2vFinding *finding)
{
  g_free (finding->text);
  g_free (finding);
}

G_GNUC_PRINTF (3, 4)
static void
say (GPtrArray *findings, P2vFindingKind kind, const char *format, ...)
{
  va_list arguments;
  P2vFinding *finding = g_new0 (P2vFinding, 1);
  va_start (arguments, format);
  finding->kind = kind;
  finding->text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_ptr_array_add (findings, finding);
}

static void
check_link (GPtrArray *findings)
{
  g_autoptr (GPtrArray) links = p2v_network_links ("/");
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < links->len; i++)
    {
      const P2vLink *link = links->pdata[i];
      if (link->link)
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", link->name);
    }
  if (names->len > 0)
    say (findings, P2V_FINDING_GOOD, _ ("There is a link on %s."), names->str);
  else if (links->len > 0)
    say (findings, P2V_FINDING_BAD,
         _ ("No network card has a link. Check the cable and the switch's port."));
  else
    say (findings, P2V_FINDING_BAD,
         _ ("This system has no driver for a network card of this machine. Try a USB network "
            "adapter."));
}

static void
check_address (GPtrArray *findings, const P2vNetworkNeed *need)
{
  g_autoptr (GPtrArray) addresses = p2v_network_addresses (need);
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint i = 0; i < addresses->len; i++)
    {
      const P2vAddress *address = addresses->pdata[i];
      g_string_append_printf (list, _ ("%s%s on %s"), list->len > 0 ? ", " : "", address->text,
                              address->interface);
    }
  if (list->len > 0)
    say (findings, P2V_FINDING_GOOD, _ ("This machine has an address: %s."), list->str);
  else if (need->ipv4 && need->ipv6)
    say (findings, P2V_FINDING_BAD,
         _ ("This machine has no address. Check the DHCP server and the VLAN, or enter a static "
            "address."));
  else
    say (findings, P2V_FINDING_BAD,
         _ ("This machine has no %s address, and the server's is one. Check what gives it, or "
            "enter a static one."),
         need->ipv4 ? "IPv4" : "IPv6");
}

/* What "ip -json" with these words prints: a list; NULL when it prints none (transfer full). */
static JsonArray *
ask_ip (const char *const *argv, GCancellable *cancellable)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GBytes) answer = p2v_tool_run (argv, -1, ANSWER_LIMIT, ASK_SECONDS, cancellable, NULL);
  gsize length = 0;
  const char *text = answer != NULL ? g_bytes_get_data (answer, &length) : NULL;
  if (length == 0 || !json_parser_load_from_data (parser, text, (gssize)length, NULL))
    return NULL;
  JsonNode *root = json_parser_get_root (parser);
  return root != NULL && JSON_NODE_HOLDS_ARRAY (root) ? json_array_ref (json_node_get_array (root))
                                                      : NULL;
}

static const char *
get_text (JsonArray *list, guint index, const char *member)
{
  JsonNode *node = json_array_get_element (list, index);
  JsonNode *value = JSON_NODE_HOLDS_OBJECT (node)
                        ? json_object_get_member (json_node_get_object (node), member)
                        : NULL;
  return value != NULL && json_node_get_value_type (value) == G_TYPE_STRING
             ? json_node_get_string (value)
             : NULL;
}

/* TRUE when the kernel has got the hardware's address of it: it is there, whether or not it answers
 * to a ping. */
static gboolean
is_neighbour (const char *gateway, const char *interface, GCancellable *cancellable)
{
  const char *const argv[]
      = { "ip", "-json", "neigh", "show", "to", gateway, "dev", interface, NULL };
  g_autoptr (JsonArray) neighbours = ask_ip (argv, cancellable);
  return neighbours != NULL && json_array_get_length (neighbours) > 0
         && get_text (neighbours, 0, "lladdr") != NULL;
}

static void
check_gateway (GPtrArray *findings, const char *gateway, const char *interface,
               GCancellable *cancellable)
{
  const char *const argv[]
      = { "ping", "-n", "-q", "-c", "1", "-w", PING_SECONDS, "-I", interface, gateway, NULL };
  g_autoptr (GBytes) answer = p2v_tool_run (argv, -1, ANSWER_LIMIT, ASK_SECONDS, cancellable, NULL);
  if (answer != NULL)
    say (findings, P2V_FINDING_GOOD, _ ("The gateway %s answers on %s."), gateway, interface);
  else if (is_neighbour (gateway, interface, cancellable))
    say (findings, P2V_FINDING_GOOD,
         _ ("The gateway %s is there on %s, though it does not answer to ping."), gateway,
         interface);
  else
    say (findings, P2V_FINDING_BAD,
         _ ("The gateway %s does not answer on %s. Check its address, the prefix length and the "
            "VLAN."),
         gateway, interface);
}

/* Returns how many gateways there are. */
static guint
check_gateways (GPtrArray *findings, const char *family, GCancellable *cancellable)
{
  const char *const argv[] = { "ip", "-json", family, "route", "show", "default", NULL };
  g_autoptr (JsonArray) routes = ask_ip (argv, cancellable);
  guint count = 0;
  for (guint i = 0; routes != NULL && i < json_array_get_length (routes); i++)
    {
      const char *gateway = get_text (routes, i, "gateway");
      const char *interface = get_text (routes, i, "dev");
      if (gateway != NULL && interface != NULL && count++ < MAX_GATEWAYS)
        check_gateway (findings, gateway, interface, cancellable);
    }
  return count;
}

/* Returns FALSE when the server's name has no address. */
static gboolean
check_name (GPtrArray *findings, const char *server, GCancellable *cancellable)
{
  const char *const argv[] = { "getent", "ahosts", "--", server, NULL };
  g_autofree char *bare = g_strndup (server, strcspn (server, "%"));
  g_autoptr (GInetAddress) literal = g_inet_address_new_from_string (bare);
  if (literal != NULL)
    return TRUE;
  g_autoptr (GBytes) answer
      = p2v_tool_run (argv, -1, ANSWER_LIMIT, LOOKUP_SECONDS, cancellable, NULL);
  gsize length = 0;
  const char *text = answer != NULL ? g_bytes_get_data (answer, &length) : "";
  g_autofree char *address = g_strndup (text, length);
  address[strcspn (address, " \n")] = '\0';
  if (address[0] != '\0')
    say (findings, P2V_FINDING_GOOD, _ ("The name %s is known: %s."), server, address);
  else
    say (findings, P2V_FINDING_BAD,
         _ ("The name %s is not known, or no name server answers. Check it and the name servers, "
            "or give the server's address in its place."),
         server);
  return address[0] != '\0';
}

/* Where a connection comes from; NULL when that is not known (transfer full). */
static char *
local_address (GSocketConnection *connection)
{
  g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (connection, NULL);
  return G_IS_INET_SOCKET_ADDRESS (local) ? g_inet_address_to_string (
             g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local)))
                                          : NULL;
}

static void
check_server (GPtrArray *findings, const char *server, guint16 port, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) place = g_network_address_new (server, port);
  /* No proxy has a say in SSH. */
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, CONNECT_SECONDS);
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect (client, place, cancellable, &error);
  g_autofree char *local = connection != NULL ? local_address (connection) : NULL;
  g_autofree char *why = error != NULL ? p2v_text_printable (error->message) : NULL;
  if (connection != NULL)
    say (findings, P2V_FINDING_GOOD, _ ("%s port %u takes connections from %s."), server, port,
         local != NULL ? local : _ ("here"));
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    say (findings, P2V_FINDING_BAD,
         _ ("%s is there, but nothing listens on its port %u. Check the port, and that sshd runs "
            "there."),
         server, port);
  else
    say (findings, P2V_FINDING_BAD,
         _ ("%s port %u cannot be reached: %s. Check the gateway here, the way back there, and "
            "firewalls in between."),
         server, port, why);
}

GPtrArray *
p2v_network_check (const char *server, guint16 port, GCancellable *cancellable, GError **error)
{
  const P2vNetworkNeed any = { .ipv4 = TRUE, .ipv6 = TRUE };
  P2vNetworkNeed need = server != NULL ? p2v_network_need (server) : any;
  g_autoptr (GPtrArray) findings = g_ptr_array_new_with_free_func ((GDestroyNotify)finding_free);
  check_link (findings);
  check_address (findings, &need);
  if (check_gateways (findings, "-4", cancellable) + check_gateways (findings, "-6", cancellable)
      == 0)
    say (findings, P2V_FINDING_NOTE,
         _ ("There is no gateway: only servers in the same network can be reached."));
  if (server == NULL)
    say (findings, P2V_FINDING_NOTE,
         _ ("No server has been entered yet, so it is not known whether it can be reached."));
  else if (check_name (findings, server, cancellable))
    check_server (findings, server, port, cancellable);
  if (!g_cancellable_is_cancelled (cancellable))
    return g_steal_pointer (&findings);
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
  return NULL;
}

gboolean
p2v_network_check_is_good (GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    if (((const P2vFinding *)findings->pdata[i])->kind == P2V_FINDING_BAD)
      return FALSE;
  return TRUE;
}
