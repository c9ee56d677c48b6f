/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/network-check.h"
#include "p2v-client/network-manager.h"
#include "p2v-client/network.h"
#include "p2v-client/newt/task.h"
#include "p2v-client/newt/window.h"

#include <string.h>

#define FIELD_COLUMN 14
#define CARD_ROWS 3

/* The choices of the bond stand in three rows of three: "none" and the kernel's modes. */
#define BOND_ROW CARD_ROWS
#define BOND_WIDTH 19
#define MAX_BONDS 9

/* A finding's word stands before its text. */
#define WORD_COLUMNS 8

/* Where what is typed stands. */
static const struct
{
  P2vNetworkField field;
  const char *label;
  int column, row, entry, width;
  gsize offset; /* of the member in P2vNetworkSetup */
} texts[] = {
  { P2V_NETWORK_VLAN, N_ ("VLAN number"), 0, 6, FIELD_COLUMN, 6,
    G_STRUCT_OFFSET (P2vNetworkSetup, vlan) },
  { P2V_NETWORK_IPV4_ADDRESS, N_ ("Address/prefix"), 0, 8, FIELD_COLUMN + 1, 24,
    G_STRUCT_OFFSET (P2vNetworkSetup, ipv4_address) },
  { P2V_NETWORK_IPV4_GATEWAY, N_ ("Gateway"), 41, 8, 50, 21,
    G_STRUCT_OFFSET (P2vNetworkSetup, ipv4_gateway) },
  { P2V_NETWORK_IPV6_ADDRESS, N_ ("Address/prefix"), 0, 10, FIELD_COLUMN + 1, 24,
    G_STRUCT_OFFSET (P2vNetworkSetup, ipv6_address) },
  { P2V_NETWORK_IPV6_GATEWAY, N_ ("Gateway"), 41, 10, 50, 21,
    G_STRUCT_OFFSET (P2vNetworkSetup, ipv6_gateway) },
  { P2V_NETWORK_DNS, N_ ("Name servers"), 0, 12, FIELD_COLUMN, 57,
    G_STRUCT_OFFSET (P2vNetworkSetup, dns) },
  { P2V_NETWORK_DOMAINS, N_ ("Domains"), 0, 13, FIELD_COLUMN, 57,
    G_STRUCT_OFFSET (P2vNetworkSetup, domains) },
};

/* In the order of P2vAddressing. */
static const char *const ipv4_choices[] = { N_ ("by DHCP"), N_ ("static"), N_ ("off") };
static const char *const ipv6_choices[] = { N_ ("automatic"), N_ ("static"), N_ ("off") };

typedef struct
{
  P2vFrontEnd *front_end;
  P2vWindow *window;
  GPtrArray *links; /* of P2vLink */
  newtComponent cards;
  newtComponent bonds[MAX_BONDS];
  newtComponent ipv4[G_N_ELEMENTS (ipv4_choices)];
  newtComponent ipv6[G_N_ELEMENTS (ipv6_choices)];
  newtComponent entries[G_N_ELEMENTS (texts)];
} Page;

static char **
member_of (P2vNetworkSetup *setup, gsize index)
{
  return G_STRUCT_MEMBER_P (setup, texts[index].offset);
}

static void
add_cards (Page *page, const P2vNetworkSetup *setup)
{
  page->links = p2v_network_links ("/");
  p2v_window_add_label (page->window, 0, 0, _ ("Network cards"));
  page->cards = p2v_window_add (
      page->window, newtCheckboxTree (FIELD_COLUMN + 1, 0, CARD_ROWS,
                                      page->links->len > CARD_ROWS ? NEWT_FLAG_SCROLL : 0));
  newtCheckboxTreeSetWidth (page->cards, 50);
  for (guint i = 0; i < page->links->len; i++)
    {
      const P2vLink *link = page->links->pdata[i];
      gboolean chosen = page->links->len == 1
                        || g_strv_contains ((const char *const *)setup->cards, link->name);
      g_autofree char *line
          = g_strdup_printf ("%s, %s", link->name, link->link ? _ ("connected") : _ ("no link"));
      if (link->ethernet)
        newtCheckboxTreeAddItem (page->cards, line, link, chosen ? NEWT_FLAG_SELECTED : 0,
                                 NEWT_ARG_APPEND, NEWT_ARG_LAST);
    }
}

static void
add_bonds (Page *page, const P2vNetworkSetup *setup)
{
  newtComponent previous = NULL;
  p2v_window_add_label (page->window, 0, BOND_ROW, _ ("Bond"));
  for (int i = 0; i < MAX_BONDS && (i == 0 || p2v_network_bond_modes[i - 1] != NULL); i++)
    {
      const char *mode = i > 0 ? p2v_network_bond_modes[i - 1] : NULL;
      previous = page->bonds[i] = p2v_window_add (
          page->window, newtRadiobutton (FIELD_COLUMN + 1 + i % 3 * BOND_WIDTH, BOND_ROW + i / 3,
                                         mode != NULL ? mode : _ ("none"),
                                         g_strcmp0 (setup->bond, mode) == 0, previous));
    }
}

static void
add_choices (Page *page, const char *label, int row, const char *const *choices,
             newtComponent *radios, P2vAddressing chosen)
{
  newtComponent previous = NULL;
  p2v_window_add_label (page->window, 0, row, label);
  for (int i = 0; i <= P2V_ADDRESSING_OFF; i++)
    previous = radios[i] = p2v_window_add (
        page->window, newtRadiobutton (FIELD_COLUMN + 1 + i * BOND_WIDTH, row, _ (choices[i]),
                                       i == (int)chosen, previous));
}

/* Which of them is chosen. */
static int
chosen_of (newtComponent *radios)
{
  newtComponent current = newtRadioGetCurrent (radios[0]);
  int index = 0;
  while (radios[index] != current)
    index++;
  return index;
}

static void
add_text (Page *page, P2vNetworkSetup *setup, P2vNetworkField field)
{
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i].field == field)
      {
        p2v_window_add_label (page->window, texts[i].column, texts[i].row, _ (texts[i].label));
        page->entries[i] = p2v_window_add_entry (page->window, texts[i].entry, texts[i].row,
                                                 texts[i].width, *member_of (setup, i), 0);
      }
}

/* In the order of the Tab key. */
static void
build (Page *page, P2vNetworkSetup *setup)
{
  static const char *const labels[] = { N_ ("Apply"), N_ ("Test"), N_ ("Back"), NULL };
  add_cards (page, setup);
  add_bonds (page, setup);
  add_text (page, setup, P2V_NETWORK_VLAN);
  add_choices (page, "IPv4", 7, ipv4_choices, page->ipv4, setup->ipv4);
  add_text (page, setup, P2V_NETWORK_IPV4_ADDRESS);
  add_text (page, setup, P2V_NETWORK_IPV4_GATEWAY);
  add_choices (page, "IPv6", 9, ipv6_choices, page->ipv6, setup->ipv6);
  add_text (page, setup, P2V_NETWORK_IPV6_ADDRESS);
  add_text (page, setup, P2V_NETWORK_IPV6_GATEWAY);
  add_text (page, setup, P2V_NETWORK_DNS);
  add_text (page, setup, P2V_NETWORK_DOMAINS);
  p2v_window_add_buttons (page->window, labels);
}

static void
store (Page *page, P2vNetworkSetup *setup)
{
  GPtrArray *names = g_ptr_array_new ();
  for (guint i = 0; i < page->links->len; i++)
    {
      const P2vLink *link = page->links->pdata[i];
      if (link->ethernet
          && newtCheckboxTreeGetEntryValue (page->cards, link) == NEWT_CHECKBOXTREE_SELECTED)
        g_ptr_array_add (names, g_strdup (link->name));
    }
  g_ptr_array_add (names, NULL);
  g_strfreev (setup->cards);
  setup->cards = (char **)g_ptr_array_free (names, FALSE);
  int bond = chosen_of (page->bonds);
  g_free (setup->bond);
  setup->bond = bond > 0 ? g_strdup (p2v_network_bond_modes[bond - 1]) : NULL;
  setup->ipv4 = (P2vAddressing)chosen_of (page->ipv4);
  setup->ipv6 = (P2vAddressing)chosen_of (page->ipv6);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_free (*member_of (setup, i));
      *member_of (setup, i) = g_utf8_make_valid (newtEntryGetValue (page->entries[i]), -1);
    }
}

static newtComponent
component_of (Page *page, P2vNetworkField field)
{
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i].field == field)
      return page->entries[i];
  return field == P2V_NETWORK_CARDS  ? page->cards
         : field == P2V_NETWORK_BOND ? page->bonds[0]
                                     : page->ipv6[0];
}

/* Says what is wrong with the first field that is, which has the focus then. */
static gboolean
judge (Page *page, const P2vNetworkSetup *setup)
{
  for (P2vNetworkField field = 0; field < P2V_NETWORK_N_FIELDS; field++)
    {
      g_autoptr (GError) error = NULL;
      if (p2v_network_setup_check (setup, field, &error))
        continue;
      p2v_window_say (_ ("Not yet"), error->message);
      p2v_window_focus (page->window, component_of (page, field));
      return FALSE;
    }
  return TRUE;
}

static gboolean
apply (gpointer data, GCancellable *cancellable, GError **error)
{
  return p2v_network_manager_apply (data, cancellable, error);
}

static gboolean
find_manager (gpointer data G_GNUC_UNUSED, GCancellable *cancellable, GError **error)
{
  return p2v_network_manager_check (cancellable, error);
}

typedef struct
{
  const P2vConfig *config;
  GPtrArray *findings;
} Trial;

static gboolean
check (gpointer data, GCancellable *cancellable, GError **error)
{
  Trial *trial = data;
  trial->findings
      = p2v_network_check (trial->config->server, trial->config->port, cancellable, error);
  return trial->findings != NULL;
}

/* A finding, its lines below each other. (transfer full) */
static char *
describe (const P2vFinding *finding)
{
  static const char *const words[] = { [P2V_FINDING_GOOD] = N_ ("Works"),
                                       [P2V_FINDING_BAD] = N_ ("Fails"),
                                       [P2V_FINDING_NOTE] = N_ ("Note") };
  g_autofree char *word = p2v_text_pad (_ (words[finding->kind]), WORD_COLUMNS);
  g_autofree char *wrapped = p2v_text_wrap (finding->text, P2V_TEXT_WIDTH - 6 - WORD_COLUMNS, NULL);
  g_auto (GStrv) lines = g_strsplit (wrapped, "\n", -1);
  g_autofree char *gap = g_strdup_printf ("\n%*s", WORD_COLUMNS, "");
  g_autofree char *text = g_strjoinv (gap, lines);
  return g_strconcat (word, text, NULL);
}

static void
test (const P2vFrontEnd *self)
{
  Trial trial = { .config = self->config };
  g_autoptr (GError) error = NULL;
  if (!p2v_task_run (_ ("Network"), _ ("Testing the network ..."), check, &trial, &error))
    {
      if (!g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
        p2v_window_say (_ ("The network could not be tested"), error->message);
      return;
    }
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < trial.findings->len; i++)
    {
      g_autofree char *line = describe (trial.findings->pdata[i]);
      g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", line);
    }
  p2v_window_say (p2v_network_check_is_good (trial.findings) ? _ ("What could be tested works")
                                                             : _ ("Not all of the network works"),
                  text->str);
  g_ptr_array_unref (trial.findings);
}

/* TRUE when the network is as entered, and the test was seen. */
static gboolean
apply_and_test (Page *page, P2vNetworkSetup *setup)
{
  g_autoptr (GError) error = NULL;
  if (!judge (page, setup))
    return FALSE;
  if (p2v_task_run (_ ("Network"), _ ("Setting the network up ..."), apply, setup, &error))
    {
      test (page->front_end);
      return TRUE;
    }
  if (!g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
    p2v_window_say (_ ("The network was not set up"), error->message);
  return FALSE;
}

/* TRUE when the network can be set up. Where it cannot, it can be tested all the same. */
static gboolean
is_possible (const P2vFrontEnd *self)
{
  static const char *const labels[] = { N_ ("Test"), N_ ("Back"), NULL };
  g_autoptr (GError) error = NULL;
  if (p2v_task_run (_ ("Network"), _ ("Looking for NetworkManager ..."), find_manager, NULL,
                    &error))
    return TRUE;
  if (!g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED)
      && p2v_window_ask (_ ("The network cannot be set up here"), error->message, labels, 1) == 0)
    test (self);
  return FALSE;
}

void
p2v_page_network (P2vFrontEnd *self)
{
  if (!is_possible (self))
    return;
  if (self->network == NULL)
    self->network = p2v_network_setup_new ();
  g_autoptr (P2vWindow) window
      = p2v_window_new (_ ("How is this machine connected?"), P2V_TEXT_WIDTH, 15);
  Page page = { .front_end = self, .window = window };
  build (&page, self->network);
  for (;;)
    {
      int pressed = p2v_window_run (window);
      store (&page, self->network);
      if (pressed == 1)
        test (self);
      else if (pressed != 0)
        break;
      else if (apply_and_test (&page, self->network))
        p2v_window_focus_button (window, 2);
    }
  g_ptr_array_unref (page.links);
}
