/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/ending.h"
#include "p2v-client/firmware-text.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/measuring.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/output-form.h"
#include "p2v-client/text.h"

#define TEXT_ROWS 13
/* A scroll bar has two columns of its own. */
#define TEXT_COLUMNS (P2V_TEXT_WIDTH - 2)
#define TIME_ROWS 3

/* How often it is looked whether the measurement is through, or more is known of the disks. */
#define TICK_MILLISECONDS 200

#define LABEL_WIDTH 10
#define MODEL_LIMIT 25

/* The buttons. */
enum
{
  CONVERT,
  BACK,
};

static void
add_line (GString *text, const char *label, const char *value)
{
  g_autofree char *printable = p2v_text_printable (value);
  g_autofree char *padded = p2v_text_pad (label, LABEL_WIDTH);
  g_string_append_printf (text, "%s%s\n", padded, printable);
}

/* Text that may be longer than a line. */
static void
add_paragraph (GString *text, const char *label, const char *value)
{
  g_autofree char *wrapped = p2v_text_wrap (value, TEXT_COLUMNS - LABEL_WIDTH, NULL);
  g_auto (GStrv) lines = g_strsplit (wrapped, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    add_line (text, i == 0 ? label : "", lines[i]);
}

static void
add_server (GString *text, const P2vFrontEnd *self)
{
  const P2vConfig *config = self->config;
  g_autofree char *server
      = g_strdup_printf (_ ("%s port %u, user %s%s"), config->server, config->port,
                         config->username, config->sudo ? _ (" with sudo") : "");
  add_line (text, _ ("Server"), server);
  add_line (text, "", self->program);
  add_line (text, "", self->fingerprint);
  if (g_strcmp0 (config->hostkey, "any") == 0)
    add_line (text, "", _ ("NOT CHECKED: p2v.hostkey=any trusts whoever answers"));
}

static void
add_guest (GString *text, const P2vRequest *request)
{
  const P2vGuest *guest = request->guest;
  g_autofree char *memory = p2v_size_format (guest->memory);
  g_autofree char *size = g_strdup_printf (
      ngettext ("%lld virtual CPU, %s of memory, %s", "%lld virtual CPUs, %s of memory, %s",
                (gulong)guest->vcpus),
      (long long)guest->vcpus, memory, p2v_firmware_text (p2v_request_firmware (request)));
  add_line (text, _ ("Guest"), guest->name);
  add_line (text, "", size);
}

/* How much of each is sent; returns the sum. */
static gint64
add_disks (GString *text, const P2vFrontEnd *self)
{
  char **disks = self->request->guest->disks;
  const P2vMachine *machine = p2v_front_end_known_machine (self);
  gint64 total = 0;
  for (gsize i = 0; disks[i] != NULL; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (machine, disks[i]);
      if (disk == NULL)
        disk = p2v_machine_find_disk (self->request->machine, disks[i]);
      gint64 bytes = p2v_estimate_disk_bytes (disk, NULL);
      g_autofree char *size = p2v_size_format (disk->size);
      g_autofree char *used = p2v_size_format (bytes);
      g_autofree char *amount
          = bytes < disk->size ? g_strdup_printf (_ ("%s in use"), used) : g_strdup ("");
      g_autofree char *printable = p2v_text_printable (disk->model);
      g_autofree char *model = p2v_text_cut (printable, MODEL_LIMIT);
      g_autofree char *line
          = g_strdup_printf ("%-10s %10s  %s%s%s", disk->name, size, model,
                             model[0] != '\0' && amount[0] != '\0' ? ", " : "", amount);
      add_line (text, i == 0 ? _ ("Disks") : "", line);
      total += bytes;
    }
  g_autofree char *size = p2v_size_format (total);
  g_autofree char *together = p2v_text_pad (_ ("together"), LABEL_WIDTH);
  g_autofree char *line = g_strdup_printf ("%s %10s", together, size);
  if (disks[1] != NULL)
    add_line (text, "", line);
  return total;
}

static void
add_warnings (GString *text, const P2vFrontEnd *self)
{
  g_autoptr (GPtrArray) warnings = p2v_front_end_judge_disks (self, self->request->guest->disks);
  for (guint i = 0; i < warnings->len; i++)
    {
      const P2vDiskWarning *warning = warnings->pdata[i];
      g_autofree char *line = p2v_warning_describe (warning);
      add_paragraph (text, p2v_severity_word (warning->severity), line);
    }
}

static void
add_nics (GString *text, const P2vRequest *request)
{
  const GPtrArray *nics = request->guest->nics;
  for (guint i = 0; i < nics->len; i++)
    {
      const P2vGuestNic *nic = nics->pdata[i];
      g_autofree char *name = p2v_text_pad (nic->nic, LABEL_WIDTH);
      g_autofree char *line = g_strdup_printf (_ ("%s to network %s"), name, nic->network);
      add_line (text, i == 0 ? _ ("Network") : "", line);
    }
  if (nics->len == 0)
    add_line (text, _ ("Network"), _ ("none: the guest gets no network interface"));
}

static void
add_drives (GString *text, const P2vRequest *request)
{
  g_autofree char *names = g_strjoinv (", ", request->guest->removables);
  if (request->machine->removables->len > 0)
    add_line (text, _ ("Drives"), names[0] != '\0' ? names : _ ("none"));
}

static void
add_output (GString *text, const P2vOutput *output)
{
  g_autofree char *summary = p2v_output_summary (output);
  add_line (text, _ ("Output"), summary[0] != '\0' ? summary : _ ("as the server is set up"));
}

static void
add_ending (GString *text, const P2vFrontEnd *self)
{
  g_autofree char *ending = p2v_ending_foretell (self->config, self->request->guest->name);
  add_paragraph (text, _ ("Then"), ending);
}

/* Everything that is known by now. bytes: receives how much is sent. (transfer full) */
static char *
describe (const P2vFrontEnd *self, gint64 *bytes)
{
  GString *text = g_string_new (NULL);
  add_server (text, self);
  add_guest (text, self->request);
  *bytes = add_disks (text, self);
  add_warnings (text, self);
  add_nics (text, self->request);
  add_drives (text, self->request);
  add_output (text, self->request->output);
  add_ending (text, self);
  g_string_truncate (text, text->len - 1);
  return g_string_free (text, FALSE);
}

static void
show_time (newtComponent box, const P2vEstimate *measured, gint64 bytes)
{
  P2vEstimate estimate = measured != NULL ? *measured : (P2vEstimate){ 0 };
  estimate.bytes = bytes;
  g_autofree char *text
      = measured != NULL ? p2v_estimate_text (&estimate) : g_strdup (_ ("Measuring ..."));
  g_autofree char *padded = p2v_text_pad (_ ("Time"), LABEL_WIDTH);
  g_autofree char *all = g_strconcat (padded, text, NULL);
  g_autofree char *wrapped = p2v_text_wrap (all, P2V_TEXT_WIDTH, NULL);
  newtTextboxSetText (box, wrapped);
}

/* What there is to read, and the box for the time. bytes: receives how much is sent. */
static newtComponent
build (P2vWindow *window, const P2vFrontEnd *self, gint64 *bytes)
{
  static const char *const labels[] = { N_ ("Convert"), N_ ("Back"), NULL };
  g_autofree char *text = describe (self, bytes);
  p2v_window_add_text (window, 0, 0, P2V_TEXT_WIDTH, TEXT_ROWS, text);
  if (!p2v_details_is_complete (self->details))
    p2v_window_add_label (
        window, 0, TEXT_ROWS,
        _ ("The disks are still being asked about their health and their filesystems."));
  newtComponent time
      = p2v_window_add (window, newtTextbox (1, TEXT_ROWS + 1, P2V_TEXT_WIDTH, TIME_ROWS, 0));
  p2v_window_add_buttons (window, labels);
  p2v_window_set_timer (window, TICK_MILLISECONDS);
  return time;
}

/* Until a button is pressed, or the disks have said more than is shown: P2V_WINDOW_TICK then.
 * focus: the button that has the focus, at the beginning and at the end. */
static int
show (const P2vFrontEnd *self, P2vMeasuring *measuring, guint *focus)
{
  gint64 bytes;
  const P2vMachine *shown = p2v_front_end_known_machine (self);
  g_autoptr (P2vWindow) window
      = p2v_window_new (_ ("Is this right?"), P2V_TEXT_WIDTH, TEXT_ROWS + 1 + TIME_ROWS);
  newtComponent time = build (window, self, &bytes);
  p2v_window_focus_button (window, *focus);
  int pressed = P2V_WINDOW_TICK;
  while (pressed == P2V_WINDOW_TICK && p2v_front_end_known_machine (self) == shown)
    {
      show_time (time, p2v_measuring_get (measuring), bytes);
      pressed = p2v_window_run (window);
    }
  /* Who was reading is not on the button that begins. */
  int focused = p2v_window_focused_button (window);
  *focus = focused >= 0 ? (guint)focused : BACK;
  return pressed;
}

/* Measures meanwhile how long it will take; nobody has to wait for that, nor for the disks. */
static int
ask (const P2vFrontEnd *self)
{
  g_autoptr (P2vMeasuring) measuring = p2v_measuring_new (
      self->config, p2v_front_end_known_machine (self), self->request->guest->disks);
  guint focus = CONVERT;
  int pressed;
  do
    pressed = show (self, measuring, &focus);
  while (pressed == P2V_WINDOW_TICK);
  return pressed;
}

P2vPage
p2v_page_review (P2vFrontEnd *self)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&self->request, p2v_request_free);
  self->request = p2v_config_to_request (self->config, self->machine, &error);
  if (self->request == NULL)
    {
      g_autofree char *why = p2v_front_end_explain (self, error);
      p2v_window_say (_ ("Not possible"), why);
      return P2V_PAGE_GUEST;
    }
  int pressed = ask (self);
  if (pressed == P2V_WINDOW_ENDED)
    return P2V_PAGE_END;
  if (pressed != CONVERT)
    return P2V_PAGE_GUEST;
  if (!p2v_front_end_check_disks (self))
    return P2V_PAGE_DISKS;
  return p2v_front_end_confirm_warnings (self, TRUE) ? P2V_PAGE_CONVERT : P2V_PAGE_REVIEW;
}
