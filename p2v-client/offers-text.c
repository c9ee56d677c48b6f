/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/offers-text.h"

#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

/* How many names are said, of each kind. */
#define MAX_NAMES 6

static char *
list_names (char **names)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *name = p2v_text_printable (names[i]);
      if (i == MAX_NAMES)
        {
          g_string_append (text, ", \xe2\x80\xa6");
          break;
        }
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", name);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* sentence: with one %s for the names. */
static void
add_names (GPtrArray *sentences, const char *sentence, char **names)
{
  if (names == NULL || names[0] == NULL)
    return;
  g_autofree char *list = list_names (names);
  g_auto (GStrv) parts = g_strsplit (sentence, "%s", 2);
  g_ptr_array_add (sentences, g_strjoinv (list, parts));
}

char *
p2v_offers_place_text (const P2vOffers *offers)
{
  if (offers == NULL || offers->place == NULL || offers->problem != NULL)
    return NULL;
  g_autofree char *place = p2v_text_printable (offers->place);
  g_autofree char *size = offers->free >= 0 ? p2v_size_format (offers->free) : NULL;
  return size != NULL ? g_strdup_printf (_ ("The disks go to %s, which has %s free."), place, size)
                      : g_strdup_printf (_ ("The disks go to %s."), place);
}

char *
p2v_offers_text (const P2vOffers *offers)
{
  g_autoptr (GPtrArray) sentences = g_ptr_array_new_with_free_func (g_free);
  if (offers == NULL)
    return g_strdup ("");
  char *place = p2v_offers_place_text (offers);
  if (place != NULL)
    g_ptr_array_add (sentences, place);
  add_names (sentences, _ ("Profiles: %s."), offers->profiles);
  add_names (sentences, _ ("Storage pools: %s."), offers->pools);
  add_names (sentences, _ ("Networks: %s."), offers->networks);
  add_names (sentences, _ ("Bridges: %s."), offers->bridges);
  if (offers->libvirt_problem != NULL)
    {
      g_autofree char *why = p2v_text_printable (offers->libvirt_problem);
      g_ptr_array_add (sentences, g_strdup_printf (_ ("Its libvirt cannot be used: %s"), why));
    }
  g_ptr_array_add (sentences, NULL);
  return g_strjoinv (" ", (char **)sentences->pdata);
}

gint64
p2v_offers_free_space (const P2vOffers *offers)
{
  return offers != NULL && offers->place != NULL && offers->problem == NULL ? offers->free : -1;
}

char *
p2v_offers_profile_text (const P2vOffers *offers, guint index)
{
  g_autofree char *name = p2v_text_printable (offers->profiles[index]);
  guint targets = offers->targets != NULL ? g_strv_length (offers->targets) : 0;
  if (index >= targets)
    return g_steal_pointer (&name);
  g_autofree char *target = p2v_text_printable (offers->targets[index]);
  return g_strdup_printf ("%s (%s)", name, target);
}

gboolean
p2v_offers_has_firmware (const P2vOffers *offers, const char *firmware)
{
  return offers == NULL || offers->firmwares == NULL || offers->firmwares[0] == NULL
         || g_strv_contains ((const char *const *)offers->firmwares, firmware);
}
