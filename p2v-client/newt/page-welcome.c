/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/i18n.h"
#include "p2v-client/keyboard.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

#include <unistd.h>

#define LABEL_WIDTH 10
#define MAX_LANGUAGES 4

#define NIC_ROWS 6
/* A scroll bar has two columns of its own. */
#define NIC_COLUMNS (P2V_TEXT_WIDTH - 4)
#define REFRESH_MILLISECONDS 2000

static void
add_words (GString *text, const char *word)
{
  g_autofree char *printable = p2v_text_printable (word);
  g_strstrip (printable);
  if (printable[0] != '\0')
    g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", printable);
}

/* "Dell Inc. PowerEdge R720" */
static char *
describe_product (const P2vMachine *machine)
{
  GString *text = g_string_new (NULL);
  if (machine->smbios != NULL)
    {
      add_words (text, machine->smbios->manufacturer);
      add_words (text, machine->smbios->product);
    }
  if (text->len == 0)
    g_string_append (text, _ ("of unknown make"));
  return g_string_free (text, FALSE);
}

static char *
describe_hardware (const P2vMachine *machine)
{
  g_autofree char *memory = p2v_size_format (machine->memory);
  const P2vFirmware *firmware = machine->firmware;
  return g_strdup_printf (_ ("%lld CPUs, %s of memory, %s%s"), (long long)machine->cpu->online,
                          memory, g_strcmp0 (firmware->type, "uefi") == 0 ? "UEFI" : "BIOS",
                          firmware->secure_boot ? _ (" with Secure Boot") : "");
}

/* The first operating system found below some content, NULL when there is none. */
static const P2vOs *
find_os (const P2vContent *content)
{
  if (content == NULL || content->os != NULL)
    return content != NULL ? content->os : NULL;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      const P2vOs *os = find_os (((const P2vPartition *)content->partitions->pdata[i])->content);
      if (os != NULL)
        return os;
    }
  return NULL;
}

static char *
describe_system (const P2vMachine *machine)
{
  const P2vOs *os = NULL;
  for (guint i = 0; i < machine->disks->len && os == NULL; i++)
    {
      const P2vDisk *disk = machine->disks->pdata[i];
      if (!disk->live_medium)
        os = find_os (disk->content);
    }
  if (os == NULL)
    return g_strdup (_ ("none found on the disks"));
  g_autofree char *name = p2v_text_printable (os->name != NULL ? os->name : os->id);
  g_autofree char *host = p2v_text_printable (machine->hostname);
  return g_strdup_printf ("%s%s%s", name, host[0] != '\0' ? _ (", host name ") : "", host);
}

/* What the machine is, in three lines. (transfer full) */
static char *
describe_machine (const P2vMachine *machine)
{
  g_autofree char *product = describe_product (machine);
  g_autofree char *hardware = describe_hardware (machine);
  g_autofree char *system = describe_system (machine);
  g_autofree char *machine_label = p2v_text_pad (_ ("Machine"), LABEL_WIDTH);
  g_autofree char *gap = p2v_text_pad ("", LABEL_WIDTH);
  g_autofree char *system_label = p2v_text_pad (_ ("System"), LABEL_WIDTH);
  const char *const labels[] = { machine_label, gap, system_label };
  const char *const values[] = { product, hardware, system };
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *value = p2v_text_cut (values[i], P2V_TEXT_WIDTH - LABEL_WIDTH);
      g_string_append_printf (text, "%s%s%s", i > 0 ? "\n" : "", labels[i], value);
    }
  return g_string_free (text, FALSE);
}

/* machine: NULL when nobody has looked at it. */
static void
add_facts (P2vWindow *window, const P2vMachine *machine)
{
  g_autofree char *text
      = machine != NULL ? describe_machine (machine)
                        : g_strdup (_ ("The disks were not looked at. \"Look again\" does so; the "
                                       "network can be set up meanwhile."));
  p2v_window_add_label (window, 0, 0,
                        _ ("This makes a virtual machine of the machine it runs on."));
  p2v_window_add_label (window, 0, 1, _ ("Its disks are read, and never written to."));
  p2v_window_add_text (window, 0, 3, P2V_TEXT_WIDTH, 3, text);
}

/* Lines of the list of interfaces. */
static guint
count_lines (const char *text)
{
  guint count = 1;
  for (; *text != '\0'; text++)
    count += *text == '\n';
  return count;
}

/* Returns FALSE when the list has become too long for a box without a scroll bar. */
static gboolean
refresh (newtComponent nics, newtComponent advice, gboolean scrolls)
{
  const char *line;
  g_autofree char *text = p2v_network_describe (NIC_COLUMNS, &line);
  newtTextboxSetText (nics, text);
  newtTextboxSetText (advice, line);
  return scrolls || count_lines (text) <= NIC_ROWS;
}

static gboolean
has_many_nics (void)
{
  const char *unused;
  g_autofree char *text = p2v_network_describe (NIC_COLUMNS, &unused);
  return count_lines (text) > NIC_ROWS;
}

/* There is nothing to go on with before the machine has been looked at. */
static P2vPage
go_on (P2vFrontEnd *self)
{
  static const char *const labels[] = { N_ ("Look again"), N_ ("Back"), NULL };
  if (self->machine != NULL)
    return P2V_PAGE_SERVER;
  if (p2v_window_ask (_ ("Not yet"),
                      _ ("The disks were not looked at, and without that there is nothing to "
                         "convert."),
                      labels, 0)
      == 0)
    p2v_front_end_look (self);
  return self->machine != NULL ? P2V_PAGE_SERVER : P2V_PAGE_WELCOME;
}

/* Each language names itself, so that it is found in any other. */
static void
choose_language (void)
{
  const char *labels[MAX_LANGUAGES + 2] = { NULL };
  const char *codes[MAX_LANGUAGES];
  const P2vLanguage *language;
  guint count = 0;
  guint focus = 0;
  for (guint i = 0; (language = p2v_i18n_language (i)) != NULL && count < MAX_LANGUAGES; i++)
    if (p2v_screen_shows (language->code))
      {
        focus = i == p2v_i18n_get_language () ? count : focus;
        codes[count] = language->code;
        labels[count++] = language->name;
      }
  /* The keyboard of any other terminal is not this machine's. */
  if (p2v_keyboard_is_console (STDIN_FILENO))
    labels[count] = N_ ("Keyboard");
  int pressed = p2v_window_ask (_ ("Language"), _ ("The language of this program:"), labels, focus);
  if (pressed == (int)count)
    p2v_keyboard_ask ();
  else if (pressed >= 0)
    p2v_i18n_set_language (codes[pressed]);
}

static P2vPage
leave (P2vFrontEnd *self)
{
  static const char *const labels[] = { N_ ("Stay"), N_ ("Quit"), NULL };
  if (self->live)
    return P2V_PAGE_WELCOME;
  int pressed
      = p2v_window_ask (_ ("Quit"), _ ("End this program? Nothing has been converted."), labels, 0);
  return pressed == 1 || pressed == P2V_WINDOW_ENDED ? P2V_PAGE_END : P2V_PAGE_WELCOME;
}

P2vPage
p2v_page_welcome (P2vFrontEnd *self)
{
  static const char *const shell[] = { "/bin/sh", NULL };
  const char *const labels[] = { N_ ("Next"),       N_ ("Set up network"),
                                 N_ ("Look again"), self->live ? N_ ("Shell") : N_ ("Quit"),
                                 N_ ("Language"),   NULL };
  gboolean scrolls = has_many_nics ();
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Machine and network"), P2V_TEXT_WIDTH, 15);
  add_facts (window, self->machine);
  p2v_window_add_label (window, 0, 7, _ ("Network"));
  newtComponent nics = p2v_window_add (
      window, newtTextbox (1, 8, P2V_TEXT_WIDTH - 2, NIC_ROWS, scrolls ? NEWT_FLAG_SCROLL : 0));
  newtComponent advice = p2v_window_add_text (window, 0, 14, P2V_TEXT_WIDTH, 1, "");
  p2v_window_add_buttons (window, labels);
  p2v_window_focus_button (window, 0);
  p2v_window_set_timer (window, REFRESH_MILLISECONDS);
  for (;;)
    {
      if (!refresh (nics, advice, scrolls))
        return P2V_PAGE_WELCOME;
      int pressed = p2v_window_run (window);
      if (pressed == 0)
        return go_on (self);
      if (pressed == 1)
        p2v_page_network (self);
      if (pressed == 2)
        {
          p2v_front_end_look (self);
          return P2V_PAGE_WELCOME;
        }
      if (pressed == 3 && self->live)
        p2v_screen_run_program (shell);
      else if (pressed == 3 || pressed == P2V_WINDOW_ESCAPE)
        return leave (self);
      if (pressed == 4)
        {
          choose_language ();
          return P2V_PAGE_WELCOME;
        }
      if (pressed == P2V_WINDOW_ENDED)
        return P2V_PAGE_END;
    }
}
