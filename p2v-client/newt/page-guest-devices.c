/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/task.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/nic-light.h"
#include "p2v-client/text.h"

/* Which of the machine's devices the guest gets. */

#define LIST_ROWS 8
#define FIELD_COLUMN 14

/* Columns of a line of a list, which has boxes and a scroll bar beside it, and of parts of it. */
#define LINE_WIDTH 66
#define NAME_WIDTH 10
#define NETWORK_WIDTH 20

/* NULL when the guest does not get the interface. */
static const char *
network_of (const P2vFrontEnd *self, const char *nic)
{
  const char *const *names = (const char *const *)self->config->interfaces;
  return names == NULL || g_strv_contains (names, nic) ? p2v_config_network_for (self->config, nic)
                                                       : NULL;
}

static char *
describe_nic (const P2vFrontEnd *self, const P2vNic *nic)
{
  const char *network = network_of (self, nic->name);
  g_autofree char *where = network != NULL ? g_strdup_printf (_ ("to %s"), network)
                                           : g_strdup (_ ("not for the guest"));
  g_autofree char *padded = p2v_text_fit (where, NETWORK_WIDTH);
  g_autofree char *name = p2v_text_pad (nic->name, NAME_WIDTH);
  g_autofree char *model = p2v_text_printable (nic->model);
  g_autofree char *line
      = g_strdup_printf ("%s %s %s %s, %s", name, padded, nic->mac != NULL ? nic->mac : "",
                         nic->link ? _ ("connected") : _ ("no link"), model);
  return p2v_text_cut (line, LINE_WIDTH);
}

/* Pointing at a network puts it into the field. */
static void
on_network (newtComponent list, void *data)
{
  newtEntrySet (data, newtListboxGetCurrent (list), 1);
}

static void
add_networks (newtComponent list, char **names, const char *network)
{
  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autofree char *text = p2v_text_printable (names[i]);
      newtListboxAppendEntry (list, text, names[i]);
      if (g_strcmp0 (names[i], network) == 0)
        newtListboxSetCurrentByKey (list, names[i]);
    }
}

/* The field, in which a name can be typed, and below it what the server has. */
static newtComponent
build_network (const P2vFrontEnd *self, P2vWindow *window, const char *network)
{
  static const char *const labels[] = { N_ ("OK"), N_ ("Cancel"), NULL };
  const P2vOffers *offers = self->offers;
  p2v_window_add_label (window, 0, 0, _ ("Network"));
  newtComponent entry = p2v_window_add_entry (window, FIELD_COLUMN, 0, 40, network, 0);
  p2v_window_add_label (window, FIELD_COLUMN, 1, _ ("empty: the guest does not get the interface"));
  newtComponent list
      = p2v_window_add (window, newtListbox (FIELD_COLUMN + 1, 3, LIST_ROWS, NEWT_FLAG_SCROLL));
  newtListboxSetWidth (list, 42);
  newtListboxAppendEntry (list, _ ("not for the guest"), "");
  if (offers != NULL)
    {
      add_networks (list, offers->networks, network);
      add_networks (list, offers->bridges, network);
    }
  newtComponentAddCallback (list, on_network, entry);
  p2v_window_add_buttons (window, labels);
  return entry;
}

/* FALSE: the program is to end. */
static gboolean
change_network (P2vFrontEnd *self, const char *nic)
{
  g_autoptr (P2vWindow) window = p2v_window_new (nic, P2V_TEXT_WIDTH - 10, LIST_ROWS + 4);
  newtComponent entry = build_network (self, window, network_of (self, nic));
  for (;;)
    {
      int pressed = p2v_window_run (window);
      if (pressed != 0)
        return pressed != P2V_WINDOW_ENDED;
      g_autofree char *network = g_strdup (newtEntryGetValue (entry));
      g_strstrip (network);
      if (network[0] == '\0' || p2v_name_is_plain (network))
        {
          p2v_config_set_network (self->config, self->machine, nic,
                                  network[0] != '\0' ? network : NULL);
          return TRUE;
        }
      p2v_window_say (_ ("Not yet"), _ ("A network's name has letters, digits, \"-\", \"_\", \".\" "
                                        "or \"+\"."));
      p2v_window_focus (window, entry);
    }
}

static gboolean
blink (gpointer data, GCancellable *cancellable, GError **error)
{
  return p2v_nic_light_blink (data, cancellable, error);
}

static void
show_light (char *nic)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf (_ ("The light of %s blinks for ten seconds."), nic);
  if (!p2v_task_run (_ ("Blink"), text, blink, nic, &error)
      && !g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
    p2v_window_say (_ ("Blink"), error->message);
}

static newtComponent
build_networks (const P2vFrontEnd *self, P2vWindow *window)
{
  static const char *const labels[] = { N_ ("Change"), N_ ("Blink"), N_ ("Done"), NULL };
  const GPtrArray *nics = self->machine->nics;
  gboolean scrolls = nics->len > LIST_ROWS;
  p2v_window_add_label (window, 0, 0, _ ("Which network of the server does each interface go to?"));
  newtComponent list
      = p2v_window_add (window, newtListbox (1, 2, LIST_ROWS, scrolls ? NEWT_FLAG_SCROLL : 0));
  newtListboxSetWidth (list, P2V_TEXT_WIDTH);
  for (guint i = 0; i < nics->len; i++)
    {
      const P2vNic *nic = nics->pdata[i];
      g_autofree char *line = describe_nic (self, nic);
      newtListboxAppendEntry (list, line, nic);
    }
  p2v_window_add_buttons (window, labels);
  return list;
}

P2vPage
p2v_page_guest_networks (P2vFrontEnd *self)
{
  if (self->machine->nics->len == 0)
    {
      p2v_window_say (_ ("Network"),
                      _ ("This machine has no network interface that the guest could have."));
      return P2V_PAGE_GUEST;
    }
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Network"), P2V_TEXT_WIDTH, LIST_ROWS + 3);
  newtComponent list = build_networks (self, window);
  for (;;)
    {
      int pressed = p2v_window_run (window);
      P2vNic *nic = newtListboxGetCurrent (list);
      if (pressed == P2V_WINDOW_ENDED)
        return P2V_PAGE_END;
      if (pressed == 1)
        show_light (nic->name);
      else if (pressed != 0)
        return P2V_PAGE_GUEST;
      else if (!change_network (self, nic->name))
        return P2V_PAGE_END;
      for (guint i = 0; i < self->machine->nics->len; i++)
        {
          g_autofree char *line = describe_nic (self, self->machine->nics->pdata[i]);
          newtListboxSetEntry (list, (int)i, line);
        }
      p2v_window_focus (window, list);
    }
}

static newtComponent
build_drives (const P2vFrontEnd *self, P2vWindow *window)
{
  static const char *const labels[] = { N_ ("OK"), N_ ("Cancel"), NULL };
  const GPtrArray *drives = self->machine->removables;
  const char *const *given = (const char *const *)self->config->removables;
  gboolean scrolls = drives->len > LIST_ROWS;
  p2v_window_add_label (window, 0, 0, _ ("Which drives does the guest get, without a medium?"));
  newtComponent list
      = p2v_window_add (window, newtCheckboxTree (1, 2, LIST_ROWS, scrolls ? NEWT_FLAG_SCROLL : 0));
  newtCheckboxTreeSetWidth (list, P2V_TEXT_WIDTH - (scrolls ? 2 : 0));
  for (guint i = 0; i < drives->len; i++)
    {
      const P2vRemovable *drive = drives->pdata[i];
      gboolean chosen = given == NULL || g_strv_contains (given, drive->name);
      g_autofree char *vendor = p2v_text_printable (drive->vendor);
      g_autofree char *model = p2v_text_printable (drive->model);
      g_autofree char *name = p2v_text_pad (drive->name, NAME_WIDTH);
      g_autofree char *all = g_strdup_printf ("%s %s %s", name, vendor, model);
      g_autofree char *line = p2v_text_cut (all, LINE_WIDTH);
      newtCheckboxTreeAddItem (list, line, drive, chosen ? NEWT_FLAG_SELECTED : 0, NEWT_ARG_APPEND,
                               NEWT_ARG_LAST);
    }
  p2v_window_add_buttons (window, labels);
  return list;
}

static void
store_drives (P2vFrontEnd *self, newtComponent list)
{
  const GPtrArray *drives = self->machine->removables;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < drives->len; i++)
    {
      const P2vRemovable *drive = drives->pdata[i];
      if (newtCheckboxTreeGetEntryValue (list, drive) == NEWT_CHECKBOXTREE_SELECTED)
        g_strv_builder_add (builder, drive->name);
    }
  g_strfreev (self->config->removables);
  self->config->removables = g_strv_builder_end (builder);
}

P2vPage
p2v_page_guest_drives (P2vFrontEnd *self)
{
  if (self->machine->removables->len == 0)
    {
      p2v_window_say (_ ("Drives"), _ ("This machine has no CD, DVD or other removable drive."));
      return P2V_PAGE_GUEST;
    }
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Drives"), P2V_TEXT_WIDTH, LIST_ROWS + 3);
  newtComponent list = build_drives (self, window);
  int pressed = p2v_window_run (window);
  if (pressed == 0)
    store_drives (self, list);
  return pressed == P2V_WINDOW_ENDED ? P2V_PAGE_END : P2V_PAGE_GUEST;
}
