/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/network-check.h"
#include "p2v-client/network-manager.h"

#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets up and tests the network for a test:
 *
 *   network apply NAME=VALUE...   the members of P2vNetworkSetup: cards=eno1,eno2 bond=802.3ad
 *                                 ipv4=192.0.2.5/24 ipv4=off ipv6=auto dns=192.0.2.1 ...
 *   network check [SERVER PORT]   prints a line for each finding: "good: There is a link on eno1."
 *
 * SIGTERM cancels. The exit status is 0, or the P2vErrorCode. */

static void
set_family (P2vAddressing *addressing, char **address, const char *value)
{
  if (strcmp (value, "off") == 0)
    *addressing = P2V_ADDRESSING_OFF;
  else if (strcmp (value, "auto") != 0)
    {
      *addressing = P2V_ADDRESSING_STATIC;
      g_free (*address);
      *address = g_strdup (value);
    }
}

static void
set_member (P2vNetworkSetup *setup, const char *name, const char *value)
{
  const struct
  {
    const char *name;
    char **member;
  } texts[] = { { "bond", &setup->bond },
                { "vlan", &setup->vlan },
                { "ipv4_gateway", &setup->ipv4_gateway },
                { "ipv6_gateway", &setup->ipv6_gateway },
                { "dns", &setup->dns },
                { "domains", &setup->domains } };
  if (strcmp (name, "cards") == 0)
    {
      g_strfreev (setup->cards);
      setup->cards = g_strsplit (value, ",", -1);
    }
  else if (strcmp (name, "ipv4") == 0)
    set_family (&setup->ipv4, &setup->ipv4_address, value);
  else if (strcmp (name, "ipv6") == 0)
    set_family (&setup->ipv6, &setup->ipv6_address, value);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (strcmp (name, texts[i].name) == 0)
      {
        g_free (*texts[i].member);
        *texts[i].member = g_strdup (value);
      }
}

static gboolean
apply (char **words, GCancellable *cancellable, GError **error)
{
  g_autoptr (P2vNetworkSetup) setup = p2v_network_setup_new ();
  for (; *words != NULL; words++)
    {
      g_auto (GStrv) pair = g_strsplit (*words, "=", 2);
      set_member (setup, pair[0], pair[1]);
    }
  for (P2vNetworkField field = 0; field < P2V_NETWORK_N_FIELDS; field++)
    if (!p2v_network_setup_check (setup, field, error))
      return FALSE;
  return p2v_network_manager_check (cancellable, error)
         && p2v_network_manager_apply (setup, cancellable, error);
}

static gboolean
check (char **words, GCancellable *cancellable, GError **error)
{
  static const char *const kinds[] = { "good", "bad", "note" };
  guint16 port = words[0] != NULL ? (guint16)strtoul (words[1], NULL, 10) : 0;
  g_autoptr (GPtrArray) findings = p2v_network_check (words[0], port, cancellable, error);
  for (guint i = 0; findings != NULL && i < findings->len; i++)
    {
      const P2vFinding *finding = findings->pdata[i];
      printf ("%s: %s\n", kinds[finding->kind], finding->text);
    }
  return findings != NULL;
}

/* Signals reach the main loop, which has a thread of its own. */
static gboolean
on_terminated (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static gpointer
run_loop (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  if (argc < 2)
    return fprintf (stderr, "usage: network apply NAME=VALUE...|check [SERVER PORT]\n"),
           P2V_ERROR_USAGE;
  g_unix_signal_add (SIGTERM, on_terminated, cancellable);
  GThread *thread = g_thread_new ("loop", run_loop, loop);
  gboolean ok = strcmp (argv[1], "apply") == 0 ? apply (argv + 2, cancellable, &error)
                                               : check (argv + 2, cancellable, &error);
  g_main_loop_quit (loop);
  g_thread_join (thread);
  if (!ok)
    fprintf (stderr, "%s\n", error->message);
  return ok ? 0 : (int)p2v_error_code_of (error);
}
