/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/firmware-text.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/output-form.h"
#include "p2v-client/setting.h"
#include "p2v-client/text.h"

#define FIELD_COLUMN 14
#define FIRMWARE_ROW 11
#define SUMMARY_ROW 14
#define HEIGHT 17

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
  newtComponent firmwares[P2V_N_FIRMWARES];
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

/* The boot loader on the disks decides; who wants another knows why. */
static void
add_firmware (Page *page, P2vWindow *window, const P2vFrontEnd *self, const P2vRequest *request)
{
  const char *wanted = p2v_request_firmware (request);
  g_autofree char *note = p2v_firmware_note (wanted, self->machine, self->offers);
  int column = FIELD_COLUMN + 1;
  p2v_window_add_label (window, 0, FIRMWARE_ROW, _ ("Firmware"));
  for (guint i = 0; i < P2V_N_FIRMWARES; i++)
    {
      const char *text = p2v_firmware_text (p2v_firmwares[i]);
      page->firmwares[i]
          = p2v_window_add (window, newtRadiobutton (column, FIRMWARE_ROW, text,
                                                     g_str_equal (p2v_firmwares[i], wanted),
                                                     i > 0 ? page->firmwares[i - 1] : NULL));
      column += (int)p2v_text_columns (text) + 6;
    }
  p2v_window_add_text (window, FIELD_COLUMN, FIRMWARE_ROW + 1, P2V_TEXT_WIDTH - FIELD_COLUMN, 2,
                       note);
}

/* A line of what is chosen in a window of its own. */
static void
add_summary (P2vWindow *window, int row, const char *label, const char *text)
{
  g_autofree char *wrapped = p2v_text_wrap (text, P2V_TEXT_WIDTH - FIELD_COLUMN - 4, NULL);
  g_auto (GStrv) lines = g_strsplit (wrapped, "\n", 2);
  g_autofree char *line = g_strconcat (lines[0], lines[1] != NULL ? " ..." : "", NULL);
  p2v_window_add_label (window, 0, row, label);
  p2v_window_add_label (window, FIELD_COLUMN, row, line);
}

static void
add_summaries (P2vWindow *window, const P2vRequest *request)
{
  g_autofree char *output = p2v_output_summary (request->output);
  g_autofree char *drives = g_strjoinv (", ", request->guest->removables);
  g_autoptr (GString) networks = g_string_new (NULL);
  for (guint i = 0; i < request->guest->nics->len; i++)
    {
      const P2vGuestNic *nic = request->guest->nics->pdata[i];
      g_string_append_printf (networks, _ ("%s%s to %s"), i > 0 ? ", " : "", nic->nic,
                              nic->network);
    }
  add_summary (window, SUMMARY_ROW, _ ("Output"),
               output[0] != '\0' ? output : _ ("as the server is set up"));
  add_summary (window, SUMMARY_ROW + 1, _ ("Network"),
               networks->len > 0 ? networks->str : _ ("none"));
  add_summary (window, SUMMARY_ROW + 2, _ ("Drives"), drives[0] != '\0' ? drives : _ ("none"));
}

static void
store_firmware (const Page *page, P2vFrontEnd *self)
{
  const char *machine = p2v_machine_firmware (self->machine);
  newtComponent chosen = newtRadioGetCurrent (page->firmwares[0]);
  g_clear_pointer (&self->config->firmware, g_free);
  for (guint i = 0; i < P2V_N_FIRMWARES; i++)
    if (chosen == page->firmwares[i] && !g_str_equal (p2v_firmwares[i], machine))
      self->config->firmware = g_strdup (p2v_firmwares[i]);
}

/* Only what was changed is taken over: the rest goes on to follow the machine. Returns the first
 * field that is wrong, N_FIELDS when none is. */
static guint
store (Page *page, P2vFrontEnd *self, GError **error)
{
  P2vConfig *config = self->config;
  store_firmware (page, self);
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

/* The one thing that would end the conversion before it begins. */
static P2vPage
go_on (P2vFrontEnd *self)
{
  const char *problem = self->offers != NULL ? self->offers->problem : NULL;
  if (problem == NULL)
    return P2V_PAGE_REVIEW;
  g_autofree char *text = p2v_text_printable (problem);
  p2v_window_say (_ ("The server would refuse this conversion"), text);
  return p2v_page_guest_output (self);
}

P2vPage
p2v_page_guest (P2vFrontEnd *self)
{
  static const char *const labels[]
      = { N_ ("Next"), N_ ("Output"), N_ ("Network"), N_ ("Drives"), N_ ("Back"), NULL };
  static P2vPage (*const leads_to[]) (P2vFrontEnd *)
      = { go_on, p2v_page_guest_output, p2v_page_guest_networks, p2v_page_guest_drives };
  g_autoptr (GError) failure = NULL;
  g_autoptr (P2vRequest) request = p2v_config_to_request (self->config, self->machine, &failure);
  if (request == NULL)
    {
      g_autofree char *text = p2v_front_end_explain (self, failure);
      p2v_window_say (_ ("Not possible"), text);
      return P2V_PAGE_DISKS;
    }
  g_auto (Page) page = { 0 };
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Guest"), P2V_TEXT_WIDTH, HEIGHT);
  add_fields (&page, window, self, request);
  add_firmware (&page, window, self, request);
  add_summaries (window, request);
  p2v_window_add_buttons (window, labels);
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      int pressed = p2v_window_run (window);
      if (pressed == P2V_WINDOW_ENDED)
        return P2V_PAGE_END;
      guint wrong = store (&page, self, &error);
      if (pressed == (int)G_N_ELEMENTS (leads_to) || pressed == P2V_WINDOW_ESCAPE)
        return P2V_PAGE_DISKS;
      if (wrong == N_FIELDS)
        return leads_to[pressed](self);
      g_autofree char *text = p2v_front_end_explain (self, error);
      p2v_window_say (_ ("Not yet"), text);
      p2v_window_focus (window, page.entries[wrong]);
    }
}
