/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/i18n.h"
#include "p2v-client/interface.h"
#include "p2v-client/newt/window.h"

#define NAME_COLUMNS 11

/* An interface, its lines below each other. (transfer full) */
static char *
describe (const P2vInterface *interface, guint width)
{
  g_autofree char *text = p2v_interface_describe (interface);
  g_autofree char *name = p2v_text_pad (interface->name, NAME_COLUMNS);
  g_autofree char *wrapped = p2v_text_wrap (text, width - NAME_COLUMNS - 1, NULL);
  g_auto (GStrv) lines = g_strsplit (wrapped, "\n", -1);
  g_autofree char *gap = g_strdup_printf ("\n%*s", NAME_COLUMNS + 1, "");
  g_autofree char *joined = g_strjoinv (gap, lines);
  return g_strconcat (name, " ", joined, NULL);
}

static const char *
advise (guint count, gboolean has_link, gboolean has_address)
{
  if (count == 0)
    return _ ("No driver for a network card of this machine. Try a USB adapter.");
  if (!has_link)
    return _ ("No network cable seems to be plugged in. Plug one in; this page notices.");
  if (!has_address)
    return _ ("No address yet. Wait for DHCP, or set up the network.");
  return _ ("The network looks ready.");
}

char *
p2v_network_describe (guint width, const char **advice)
{
  g_autoptr (GPtrArray) interfaces = p2v_interfaces_look ();
  GString *text = g_string_new (NULL);
  gboolean has_link = FALSE;
  gboolean has_address = FALSE;
  for (guint i = 0; i < interfaces->len; i++)
    {
      const P2vInterface *interface = interfaces->pdata[i];
      g_autofree char *lines = describe (interface, width);
      g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", lines);
      has_link |= interface->link;
      has_address |= p2v_interface_is_usable (interface);
    }
  if (text->len == 0)
    g_string_append (text, _ ("This machine has no network interface that the kernel knows."));
  *advice = advise (interfaces->len, has_link, has_address);
  return g_string_free (text, FALSE);
}
