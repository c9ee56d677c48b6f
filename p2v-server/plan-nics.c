/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/plan-private.h"

#include "common/error.h"
#include "p2v-server/profile.h"
#include "p2v-server/this-host.h"

#include <string.h>

G_GNUC_PRINTF (2, 3)
static void
warn (P2vPlanner *planner, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  /* Several interfaces in one network are one thing to know. */
  if (!g_ptr_array_find_with_equal_func (planner->warnings, message, g_str_equal, NULL))
    g_ptr_array_add (planner->warnings, g_steal_pointer (&message));
}

static void
warn_about_network (P2vPlanner *planner, const char *name)
{
  const char *uri = planner->config->libvirt_uri;
  g_autoptr (virNetwork) network = virNetworkLookupByName (planner->libvirt, name);
  if (network == NULL)
    warn (planner,
          "network \"%s\" does not exist on this server, neither in libvirt nor as a bridge: the "
          "guest will not start until it does. Define it (virsh -c %s net-define FILE.xml, then "
          "virsh -c %s net-start %s), or map it to another in %s.",
          name, uri, uri, name, planner->config->profiles_file);
  else if (virNetworkIsActive (network) == 0)
    warn (planner,
          "network \"%s\" is not running: the guest will not start until it is. Start it: virsh -c "
          "%s net-start %s",
          name, uri, name);
}

/* What the name is on this host when no rule says: libvirt's network of that name, then a bridge.
 */
static const char *
guess_type (P2vPlanner *planner, const char *name)
{
  if (planner->libvirt != NULL)
    {
      g_autoptr (virNetwork) network = virNetworkLookupByName (planner->libvirt, name);
      if (network != NULL)
        return "network";
    }
  return p2v_this_host_has_bridge (name) ? "bridge" : "network";
}

static void
plug_in (P2vPlanner *planner, P2vPlanNic *nic, const char *name)
{
  const P2vNetworkRule *rule = p2v_network_rules_find (planner->rules, name);
  /* Of what is on the far side of virt-v2v this host knows nothing. */
  gboolean here = strcmp (planner->plan->method, "virt-v2v") != 0;
  if (rule != NULL)
    {
      nic->type = g_strdup (rule->to_type);
      nic->source = g_strdup (rule->to_name);
    }
  else
    {
      nic->type = g_strdup (here ? guess_type (planner, name) : "network");
      nic->source = g_strdup (name);
    }
  if (!here)
    return;
  if (strcmp (nic->type, "bridge") == 0 && !p2v_this_host_has_bridge (nic->source))
    warn (planner,
          "bridge \"%s\" does not exist on this server: the guest will not start until it does. "
          "Create it (ip link add %s type bridge, and permanently in the host's network "
          "configuration), or map it to another in %s.",
          nic->source, nic->source, planner->config->profiles_file);
  if (strcmp (nic->type, "network") == 0 && planner->libvirt != NULL)
    warn_about_network (planner, nic->source);
}

/* "52:54:00:12:34:56", in either case. */
static gboolean
is_mac (const char *text)
{
  for (int i = 0; i < 17; i++)
    if (i % 3 == 2 ? text[i] != ':' : !g_ascii_isxdigit (text[i]))
      return FALSE;
  return text[17] == '\0';
}

gboolean
p2v_planner_add_nics (P2vPlanner *planner, GError **error)
{
  GPtrArray *nics = planner->request->guest->nics;
  /* Method local needs no libvirt; where there is one it still knows which networks exist. */
  if (nics->len > 0 && strcmp (planner->plan->method, "local") == 0)
    p2v_planner_connect (planner, NULL);
  for (guint i = 0; i < nics->len; i++)
    {
      const P2vGuestNic *wanted = nics->pdata[i];
      const P2vNic *real = p2v_machine_find_nic (planner->request->machine, wanted->nic);
      if (real->mac != NULL && !is_mac (real->mac))
        {
          g_autofree char *start = g_strndup (real->mac, 64);
          g_autofree char *shown = g_strescape (start, NULL);
          g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                       "the address \"%s\" of network interface %s is not a MAC address", shown,
                       wanted->nic);
          return FALSE;
        }
      P2vPlanNic *nic = p2v_plan_nic_new ();
      g_ptr_array_add (planner->plan->nics, nic);
      nic->mac = real->mac != NULL ? g_ascii_strdown (real->mac, -1) : NULL;
      plug_in (planner, nic, wanted->network);
    }
  return TRUE;
}
