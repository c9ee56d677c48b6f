/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network-wait.h"

#include "common/error.h"
#include "p2v-client/network.h"
#include "p2v-client/retry.h"
#include "p2v-client/text.h"

/* How often the network is looked at, milliseconds, and something is said, microseconds. */
#define LOOK_EVERY 250
#define SAY_EVERY (10 * G_USEC_PER_SEC)

typedef struct
{
  P2vNetworkSay say;
  gpointer user_data;
  gint64 seconds;
  gint64 link_deadline;    /* monotonic microseconds */
  gint64 address_deadline; /* 0 until there was a link */
  char *said;              /* what was waited for when something was said last */
  gint64 said_at;
} Wait;

/* The names of the cards with a link, or of all of them; NULL when there are none. */
static char *
list_names (GPtrArray *links, gboolean with_link)
{
  GString *names = g_string_new (NULL);
  for (guint i = 0; i < links->len; i++)
    {
      const P2vLink *link = links->pdata[i];
      if (link->link || !with_link)
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", link->name);
    }
  return g_string_free (names, names->len == 0);
}

static gboolean
any_up (GPtrArray *links)
{
  for (guint i = 0; i < links->len; i++)
    if (((const P2vLink *)links->pdata[i])->up)
      return TRUE;
  return FALSE;
}

/* What is missing, for a line of progress: "a network link on eno1: ...". */
static char *
describe (GPtrArray *links, gboolean had_link)
{
  g_autofree char *all = list_names (links, FALSE);
  g_autofree char *linked = list_names (links, TRUE);
  if (linked != NULL)
    return g_strdup_printf ("an address on %s: nothing has given one yet", linked);
  if (had_link)
    return g_strdup_printf ("an address: the link is lost again%s%s", all != NULL ? " on " : "",
                            all != NULL ? all : "");
  if (all == NULL)
    return g_strdup ("a network card: the kernel has found none yet");
  if (!any_up (links))
    return g_strdup_printf ("a network link on %s: not switched on yet", all);
  return g_strdup_printf ("a network link on %s: %s", all,
                          links->len == 1 ? "it has no cable" : "none has a cable");
}

static void
say_what (Wait *wait, const char *what, gint64 now)
{
  if (g_strcmp0 (wait->said, what) == 0 && now - wait->said_at < SAY_EVERY)
    return;
  gint64 deadline = wait->address_deadline > 0 ? wait->address_deadline : wait->link_deadline;
  g_autofree char *left
      = p2v_duration_format ((deadline - now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  g_autofree char *line = g_strdup_printf ("Waiting for %s (%s left)", what, left);
  wait->say (line, wait->user_data);
  g_free (wait->said);
  wait->said = g_strdup (what);
  wait->said_at = now;
}

static void
say_addresses (Wait *wait, GPtrArray *addresses)
{
  for (guint i = 0; i < addresses->len; i++)
    {
      const P2vAddress *address = addresses->pdata[i];
      g_autofree char *line
          = g_strdup_printf ("%s has the address %s", address->interface, address->text);
      wait->say (line, wait->user_data);
    }
}

static void
set_no_link (const Wait *wait, GPtrArray *links, GError **error)
{
  g_autofree char *all = list_names (links, FALSE);
  g_autofree char *time = p2v_duration_format (wait->seconds);
  if (all == NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONNECTION_FINAL,
                 "no network card has appeared in %s. The kernel has no driver or no firmware for "
                 "it, or it is switched off in the firmware's set-up: see `lspci -nnk` and "
                 "`dmesg | grep -i firmware`.",
                 time);
  else if (!any_up (links))
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONNECTION_FINAL,
                 "nothing has switched on a network card (%s) in %s. See `nmcli device`, or do it "
                 "with `ip link set NAME up`.",
                 all, time);
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONNECTION_FINAL,
                 "no network card (%s) has had a link in %s. Check the cable and the switch's port "
                 "(`ip link` shows NO-CARRIER), or wait longer with p2v.wait_for=TIME.",
                 all, time);
}

static void
set_no_address (const Wait *wait, GPtrArray *links, const P2vNetworkNeed *need, GError **error)
{
  g_autofree char *linked = list_names (links, TRUE);
  g_autofree char *time = p2v_duration_format (wait->seconds);
  const char *kind = need->ipv4 && need->ipv6 ? "" : need->ipv4 ? "IPv4 " : "IPv6 ";
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_CONNECTION_FINAL,
      "%s has been given no %saddress in %s. Check the DHCP server and the VLAN of the "
      "switch's port, or give one on the kernel command line: "
      "ip=ADDRESS::GATEWAY:NETMASK::NAME:none (dracut.cmdline(7)), vlan=NAME.ID:NAME for a VLAN. "
      "`nmcli device` shows the network cards.",
      linked != NULL ? linked : "no network card", kind, time);
}

/* TRUE when the waiting is over, with or without an error. */
static gboolean
look (Wait *wait, const P2vNetworkNeed *need, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GPtrArray) addresses = p2v_network_addresses (need);
  if (addresses->len > 0)
    {
      say_addresses (wait, addresses);
      return TRUE;
    }
  g_autoptr (GPtrArray) links = p2v_network_links ("/");
  g_autofree char *linked = list_names (links, TRUE);
  if (linked != NULL && wait->address_deadline == 0)
    wait->address_deadline = now + wait->seconds * G_USEC_PER_SEC;
  if (wait->address_deadline > 0 && now >= wait->address_deadline)
    {
      set_no_address (wait, links, need, error);
      return TRUE;
    }
  if (wait->address_deadline == 0 && now >= wait->link_deadline)
    {
      set_no_link (wait, links, error);
      return TRUE;
    }
  g_autofree char *what = describe (links, wait->address_deadline > 0);
  say_what (wait, what, now);
  return FALSE;
}

gboolean
p2v_network_wait (const char *server, gint64 seconds, P2vNetworkSay say, gpointer user_data,
                  GCancellable *cancellable, GError **error)
{
  P2vNetworkNeed need = p2v_network_need (server);
  if (need.none)
    return TRUE;
  Wait wait = {
    .say = say,
    .user_data = user_data,
    .seconds = seconds,
    .link_deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC,
  };
  g_autoptr (GError) failure = NULL;
  while (!look (&wait, &need, &failure) && p2v_pause (LOOK_EVERY, cancellable, &failure))
    ;
  g_free (wait.said);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
