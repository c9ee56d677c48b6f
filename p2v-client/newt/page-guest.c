/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/setting.h"
#include "p2v-client/text.h"

#define FIELD_COLUMN 14

enum
{
  NAME,
  VCPUS,
  MEMORY,
  N_FIELDS
};

static const P2vSetting settings[N_FIELDS] = {
  [NAME] = { .argument = { N_ ("Name"), NULL, "web1", NULL },
             .set = p2v_setting_set_name,
             .offset = G_STRUCT_OFFSET (P2vConfig, name) },
  [VCPUS] = { .argument = { N_ ("Virtual CPUs"), NULL, "4", NULL },
              .set = p2v_setting_set_number,
              .offset = G_STRUCT_OFFSET (P2vConfig, vcpus),
              .min = 1,
              .max = 65536 },
  [MEMORY] = { .argument = { N_ ("Memory"), NULL, "4G", NULL },
               .set = p2v_setting_set_memory,
               .offset = G_STRUCT_OFFSET (P2vConfig, memory),
               .min = G_GINT64_CONSTANT (1) << 20,
               .max = G_GINT64_CONSTANT (1) << 50 },
};

typedef struct
{
  newtComponent entries[N_FIELDS];
  char *shown[N_FIELDS]; /* what was filled in */
} Page;

/* In the form that the setting reads: whole gibibytes, or else mebibytes. */
static char *
format_memory (gint64 bytes)
{
  gint64 mebibytes = bytes >> 20;
  if (mebibytes % 1024 == 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT "G", mebibytes / 1024);
  return g_strdup_printf ("%" G_GINT64_FORMAT "M", mebibytes);
}

static void
add_fields (Page *page, P2vWindow *window, const P2vFrontEnd *self, const P2vRequest *request)
{
  static const int widths[N_FIELDS] = { 40, 8, 12 };
  const P2vMachine *machine = self->machine;
  g_autofree char *memory = p2v_size_format (machine->memory);
  const char *const notes[N_FIELDS]
      = { g_strdup (_ ("letters, digits, \"-\", \"_\", \".\" and \"+\"")),
          g_strdup_printf (_ ("the machine has %lld"), (long long)machine->cpu->online),
          g_strdup_printf (_ ("such as 4G or 1536M; the machine has %s"), memory) };
  page->shown[NAME] = g_strdup (request->guest->name);
  page->shown[VCPUS] = g_strdup_printf ("%" G_GINT64_FORMAT, request->guest->vcpus);
  page->shown[MEMORY] = format_memory (request->guest->memory);
  p2v_window_add_label (window, 0, 0, _ ("What shall the guest be?"));
  for (guint i = 0; i < N_FIELDS; i++)
    {
      int row = 2 + 3 * (int)i;
      p2v_window_add_label (window, 0, row, _ (settings[i].argument.name));
      page->entries[i]
          = p2v_window_add_entry (window, FIELD_COLUMN, row, widths[i], page->shown[i], 0);
      p2v_window_add_label (window, FIELD_COLUMN, row + 1, notes[i]);
      g_free ((char *)notes[i]);
    }
}

/* Only what was changed is taken over: the rest goes on to follow the machine. Returns the first
 * field that is wrong, N_FIELDS when none is. */
static guint
store (Page *page, P2vFrontEnd *self, GError **error)
{
  P2vConfig *config = self->config;
  for (guint i = 0; i < N_FIELDS; i++)
    {
      const char *text = newtEntryGetValue (page->entries[i]);
      gboolean changed = g_strcmp0 (text, page->shown[i]) != 0;
      if ((changed || i == NAME) && !settings[i].set (&settings[i], config, text, error))
        return i;
      if (changed && i == NAME)
        self->name_suggested = FALSE;
      if (changed && i == VCPUS)
        config->phys_topo = FALSE;
    }
  return N_FIELDS;
}

static void
clear_page (Page *page)
{
  for (guint i = 0; i < N_FIELDS; i++)
    g_free (page->shown[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Page, clear_page)

P2vPage
p2v_page_guest (P2vFrontEnd *self)
{
  static const char *const labels[] = { N_ ("Next"), N_ ("Back"), NULL };
  g_autoptr (GError) failure = NULL;
  g_autoptr (P2vRequest) request = p2v_config_to_request (self->config, self->machine, &failure);
  if (request == NULL)
    {
      g_autofree char *text = p2v_front_end_explain (self, failure);
      p2v_window_say (_ ("Not possible"), text);
      return P2V_PAGE_DISKS;
    }
  g_auto (Page) page = { 0 };
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Guest"), P2V_TEXT_WIDTH, 11);
  add_fields (&page, window, self, request);
  p2v_window_add_buttons (window, labels);
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      int pressed = p2v_window_run (window);
      if (pressed == P2V_WINDOW_ENDED)
        return P2V_PAGE_END;
      guint wrong = store (&page, self, &error);
      if (pressed == 1 || pressed == P2V_WINDOW_ESCAPE)
        return P2V_PAGE_DISKS;
      if (wrong == N_FIELDS)
        return P2V_PAGE_REVIEW;
      g_autofree char *text = p2v_front_end_explain (self, error);
      p2v_window_say (_ ("Not yet"), text);
      p2v_window_focus (window, page.entries[wrong]);
    }
}
