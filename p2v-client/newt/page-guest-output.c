/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/disk-warnings.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/output-form.h"
#include "p2v-client/text.h"

#define FIELD_COLUMN 14
#define FIELD_WIDTH 40
#define PROFILE_ROWS 3
#define HEIGHT 17

/* Radio buttons for the few values that a field can have; the first one says nothing. */
#define MAX_CHOICES 3

static const struct
{
  const char *label;
  int row;
  const char *choices[MAX_CHOICES + 1]; /* none: a field to type in */
} fields[P2V_OUTPUT_N_FIELDS] = {
  [P2V_OUTPUT_PROFILE] = { N_ ("Profile"), 2, { NULL } },
  [P2V_OUTPUT_MODE] = { N_ ("Output"), 7, { NULL } },
  [P2V_OUTPUT_STORAGE] = { N_ ("Storage"), 9, { NULL } },
  [P2V_OUTPUT_FORMAT] = { N_ ("Format"), 12, { "", "qcow2", "raw" } },
  [P2V_OUTPUT_ALLOCATION] = { N_ ("Allocation"), 13, { "", "sparse", "preallocated" } },
  [P2V_OUTPUT_CONNECTION] = { N_ ("Connection"), 15, { NULL } },
  [P2V_OUTPUT_OPTIONS] = { N_ ("Options"), 16, { NULL } },
};

typedef struct
{
  P2vFrontEnd *front_end;
  P2vWindow *window;
  newtComponent entries[P2V_OUTPUT_N_FIELDS];
  newtComponent radios[P2V_OUTPUT_N_FIELDS][MAX_CHOICES];
} Page;

static void
add_radios (Page *page, P2vOutputField field, const char *value)
{
  const char *const *choices = fields[field].choices;
  int column = FIELD_COLUMN + 1;
  for (guint i = 0; choices[i] != NULL; i++)
    {
      const char *text = choices[i][0] != '\0' ? choices[i] : _ ("as set up");
      page->radios[field][i] = p2v_window_add (
          page->window, newtRadiobutton (column, fields[field].row, text,
                                         i == 0 || g_str_equal (choices[i], value),
                                         i > 0 ? page->radios[field][i - 1] : NULL));
      column += (int)p2v_text_columns (text) + 6;
    }
}

/* Pointing at a profile puts it into the field. */
static void
on_profile (newtComponent list, void *data)
{
  const char *name = newtListboxGetCurrent (list);
  newtEntrySet (data, name != NULL ? name : "", 1);
}

static void
add_profiles (Page *page)
{
  const P2vOffers *offers = page->front_end->offers;
  const char *given = page->front_end->config->output->profile;
  char **names = offers != NULL ? offers->profiles : NULL;
  if (names == NULL || names[0] == NULL)
    return;
  gboolean scrolls = g_strv_length (names) + 1 > PROFILE_ROWS;
  newtComponent list = p2v_window_add (page->window, newtListbox (FIELD_COLUMN + 1, 3, PROFILE_ROWS,
                                                                  scrolls ? NEWT_FLAG_SCROLL : 0));
  newtListboxSetWidth (list, P2V_TEXT_WIDTH - FIELD_COLUMN - 2);
  newtListboxAppendEntry (list, _ ("none: as the server is set up"), NULL);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *text = p2v_offers_profile_text (offers, i);
      newtListboxAppendEntry (list, text, names[i]);
      if (g_strcmp0 (names[i], given) == 0)
        newtListboxSetCurrent (list, (int)i + 1);
    }
  newtComponentAddCallback (list, on_profile, page->entries[P2V_OUTPUT_PROFILE]);
}

/* What there is to choose from, below a field. */
static void
add_note (Page *page, P2vOutputField field, const char *format, char **names)
{
  if (names == NULL || names[0] == NULL)
    return;
  g_autofree char *list = g_strjoinv (", ", names);
  g_autofree char *printable = p2v_text_printable (list);
  g_auto (GStrv) parts = g_strsplit (format, "%s", 2);
  g_autofree char *text = g_strjoinv (printable, parts);
  p2v_window_add_text (page->window, FIELD_COLUMN, fields[field].row + 1,
                       P2V_TEXT_WIDTH - FIELD_COLUMN, 1, text);
}

static void
build (Page *page)
{
  static const char *const labels[] = { N_ ("OK"), N_ ("Cancel"), NULL };
  const P2vOutput *output = page->front_end->config->output;
  const P2vOffers *offers = page->front_end->offers;
  p2v_window_add_label (page->window, 0, 0,
                        _ ("Where does the guest go? What is empty is as the server is set up."));
  for (guint i = 0; i < P2V_OUTPUT_N_FIELDS; i++)
    {
      g_autofree char *value = p2v_output_show (output, i);
      p2v_window_add_label (page->window, 0, fields[i].row, _ (fields[i].label));
      if (fields[i].choices[0] != NULL)
        add_radios (page, i, value);
      else
        page->entries[i] = p2v_window_add_entry (page->window, FIELD_COLUMN, fields[i].row,
                                                 FIELD_WIDTH, value, 0);
      if (i == P2V_OUTPUT_PROFILE)
        add_profiles (page);
    }
  if (offers != NULL)
    {
      add_note (page, P2V_OUTPUT_MODE, "%s", offers->modes);
      add_note (page, P2V_OUTPUT_STORAGE, _ ("%s; or a directory of the server"), offers->pools);
    }
  p2v_window_add_buttons (page->window, labels);
}

static const char *
text_of (const Page *page, P2vOutputField field)
{
  if (page->entries[field] != NULL)
    return newtEntryGetValue (page->entries[field]);
  newtComponent chosen = newtRadioGetCurrent (page->radios[field][0]);
  for (guint i = 0; i < MAX_CHOICES; i++)
    if (page->radios[field][i] == chosen)
      return fields[field].choices[i];
  return "";
}

/* What was entered (transfer full); NULL once the person has been told what is wrong with it. */
static P2vOutput *
read_output (const Page *page)
{
  g_autoptr (P2vOutput) output
      = p2v_schema_copy (&p2v_output_schema, page->front_end->config->output);
  for (guint i = 0; i < P2V_OUTPUT_N_FIELDS; i++)
    {
      g_autoptr (GError) error = NULL;
      if (p2v_output_enter (output, i, text_of (page, i), &error))
        continue;
      p2v_window_say (_ ("Not yet"), error->message);
      p2v_window_focus (page->window, page->entries[i]);
      return NULL;
    }
  return g_steal_pointer (&output);
}

/* FALSE: the disks do not fit there, and the person chooses another place. */
static gboolean
confirm_space (P2vFrontEnd *self)
{
  static const char *const labels[] = { N_ ("Back"), N_ ("Go on"), NULL };
  g_autoptr (P2vDiskWarning) warning
      = p2v_disk_warnings_judge_space (self->machine, (const char *const *)self->config->disks,
                                       p2v_offers_free_space (self->offers));
  if (warning == NULL)
    return TRUE;
  g_autofree char *text = g_strdup_printf ("%s %s", warning->text, warning->advice);
  if (p2v_window_ask (_ ("There may be too little space"), text, labels, 0) != 1)
    return FALSE;
  p2v_front_end_accept_warning (self, warning);
  return TRUE;
}

/* Asks the server what it thinks of the configuration's output. FALSE, once the person has been
 * told: it would refuse it, or is not there. */
static gboolean
ask_server (P2vFrontEnd *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vProbe) probe = p2v_probe_new ();
  if (!p2v_front_end_probe (self, probe, &error))
    {
      g_autofree char *why = p2v_front_end_explain (self, error);
      if (!g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
        p2v_window_say (_ ("The server cannot be asked"), why);
      return FALSE;
    }
  if (self->offers == NULL || self->offers->problem == NULL)
    return confirm_space (self);
  g_autofree char *problem = p2v_text_printable (self->offers->problem);
  p2v_window_say (_ ("The server would refuse this conversion"), problem);
  return FALSE;
}

/* Takes the output (transfer full) over when the server agrees; else all stays as it was. */
static gboolean
adopt (P2vFrontEnd *self, P2vOutput *output)
{
  gboolean refused = self->offers != NULL && self->offers->problem != NULL;
  P2vOutput *before = self->config->output;
  P2vOffers *offers
      = self->offers != NULL ? p2v_schema_copy (&p2v_offers_schema, self->offers) : NULL;
  gboolean agreed = TRUE;
  self->config->output = output;
  if (refused || !p2v_output_is_equal (before, output))
    agreed = ask_server (self);
  if (!agreed)
    {
      self->config->output = before;
      before = output;
      p2v_offers_free (self->offers);
      self->offers = g_steal_pointer (&offers);
    }
  p2v_output_free (before);
  p2v_offers_free (offers);
  return agreed;
}

P2vPage
p2v_page_guest_output (P2vFrontEnd *self)
{
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Output"), P2V_TEXT_WIDTH, HEIGHT);
  Page page = { .front_end = self, .window = window };
  build (&page);
  for (;;)
    {
      int pressed = p2v_window_run (window);
      if (pressed == P2V_WINDOW_ENDED)
        return P2V_PAGE_END;
      if (pressed != 0)
        return P2V_PAGE_GUEST;
      P2vOutput *output = read_output (&page);
      if (output != NULL && adopt (self, output))
        return P2V_PAGE_GUEST;
    }
}
