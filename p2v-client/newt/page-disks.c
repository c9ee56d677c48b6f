/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/disk-layout.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

#include <string.h>

#define LIST_ROWS 6
#define DETAIL_ROWS 6

/* Columns of a line of the list, which has a box and a scroll bar beside it. */
#define LINE_WIDTH 66
#define MODEL_WIDTH 18

/* What has no end of its own is cut, so that the rest can be read: columns. */
#define PATH_LIMIT 60
#define SERIAL_LIMIT 30
#define SYSTEM_LIMIT 40
#define LABEL_LIMIT 20

/* How soon the details follow what was chosen or has become known. */
#define REFRESH_MILLISECONDS 400

typedef struct
{
  const P2vFrontEnd *front_end;
  newtComponent list;
  newtComponent details;
  char *shown; /* the choice and the knowledge that the details show */
} Page;

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

/* Why a disk cannot be chosen, NULL when it can. (transfer full) */
static char *
find_obstacle (const P2vDisk *disk)
{
  if (disk->live_medium)
    return g_strdup (_ ("this system was started from it"));
  if (disk->member_of != NULL)
    return g_strdup_printf (_ ("part of %s"), disk->member_of);
  return p2v_disk_is_convertible (disk) ? NULL : g_strdup (_ ("no medium"));
}

/* One line of the list. */
static char *
describe_disk (const P2vDisk *disk)
{
  g_autofree char *size = p2v_size_format (disk->size);
  g_autofree char *model = p2v_text_printable (disk->model != NULL ? disk->model : disk->bus);
  const P2vOs *os = find_os (disk->content);
  g_autofree char *system = p2v_text_printable (os != NULL ? os->name : NULL);
  g_autofree char *short_model = p2v_text_fit (g_strstrip (model), MODEL_WIDTH);
  g_autofree char *line
      = g_strdup_printf ("%-8.20s %10s  %s %s", disk->name, size, short_model, system);
  return p2v_text_cut (line, LINE_WIDTH);
}

static void describe_content (GString *text, const P2vContent *content, guint depth,
                              const char *used);

static void
describe_partition (GString *text, const P2vPartition *partition, guint depth)
{
  g_autofree char *size = p2v_size_format (partition->size);
  g_autofree char *label = p2v_text_printable (
      partition->label != NULL ? partition->label
                               : (partition->content != NULL ? partition->content->label : NULL));
  if (text->len > 0)
    g_string_append_c (text, '\n');
  g_string_append_printf (text, "%*s%" G_GINT64_FORMAT ": %s", (int)depth * 2, "",
                          partition->number, size);
  g_autofree char *short_label = p2v_text_cut (label, LABEL_LIMIT);
  if (label[0] != '\0')
    g_string_append_printf (text, " \"%s\"", short_label);
  gint64 used = p2v_content_usage (partition->content, partition->size);
  g_autofree char *in_use = p2v_size_format (used);
  describe_content (text, partition->content, depth + 1, used >= 0 ? in_use : NULL);
}

/* used: how much of it is in use, NULL when not known. */
static void
describe_content (GString *text, const P2vContent *content, guint depth, const char *used)
{
  const char *kind = content != NULL ? content->kind : NULL;
  if (kind == NULL)
    return;
  g_autofree char *type = p2v_text_printable (content->type);
  if (g_str_equal (kind, "luks") || g_str_equal (kind, "bitlocker"))
    g_string_append (text, _ (" encrypted: sent in full, stays encrypted"));
  else if (g_str_equal (kind, "raid-member"))
    g_string_append (text, _ (" part of an array: all its parts belong together"));
  else if (g_str_equal (kind, "empty"))
    g_string_append (text, _ (" empty"));
  else if (g_str_equal (kind, "unknown"))
    g_string_append (text, _ (" contents of no known kind"));
  else
    g_string_append_printf (text, " %s", type);
  if (used != NULL)
    g_string_append_printf (text, _ (", %s used"), used);
  if (content->os != NULL)
    {
      g_autofree char *name = p2v_text_printable (content->os->name);
      g_autofree char *short_name = p2v_text_cut (name, SYSTEM_LIMIT);
      g_string_append_printf (text, ", %s", short_name);
    }
  for (guint i = 0; i < content->partitions->len; i++)
    describe_partition (text, content->partitions->pdata[i], depth);
}

/* As much as there is room for. */
static void
set_details (newtComponent details, const char *text)
{
  guint count;
  g_autofree char *wrapped = p2v_text_wrap (text, P2V_TEXT_WIDTH - 2, &count);
  g_auto (GStrv) lines = g_strsplit (wrapped, "\n", -1);
  if (count > DETAIL_ROWS)
    {
      g_free (lines[DETAIL_ROWS - 1]);
      lines[DETAIL_ROWS - 1]
          = g_strdup_printf (_ ("  ... and %u lines more"), count - DETAIL_ROWS + 1);
      for (guint i = DETAIL_ROWS; i < count; i++)
        g_clear_pointer (&lines[i], g_free);
    }
  g_autofree char *shown = g_strjoinv ("\n", lines);
  newtTextboxSetText (details, shown);
}

/* The names of the disks that are chosen at the moment. */
static char **
list_chosen (const Page *page)
{
  const P2vMachine *machine = page->front_end->machine;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < machine->disks->len; i++)
    {
      const P2vDisk *disk = machine->disks->pdata[i];
      if (p2v_disk_is_convertible (disk)
          && newtCheckboxTreeGetEntryValue (page->list, disk) == NEWT_CHECKBOXTREE_SELECTED)
        g_strv_builder_add (builder, disk->name);
    }
  return g_strv_builder_end (builder);
}

/* The warnings of a disk, then those of all that are chosen. */
static void
describe_warnings (GString *text, const Page *page, const P2vDisk *disk)
{
  g_auto (GStrv) chosen = list_chosen (page);
  g_autoptr (GPtrArray) warnings = p2v_front_end_judge_disks (page->front_end, chosen);
  for (guint i = 0; i < warnings->len; i++)
    {
      const P2vDiskWarning *warning = warnings->pdata[i];
      if (warning->disk == NULL || g_str_equal (warning->disk, disk->name))
        g_string_append_printf (text, "\n%s: %s %s", p2v_severity_word (warning->severity),
                                warning->text, warning->advice);
    }
}

static void
show_details (newtComponent list, void *data)
{
  Page *page = data;
  const P2vDisk *chosen = newtCheckboxTreeGetCurrent (list);
  if (chosen == NULL)
    return;
  const P2vDisk *known
      = p2v_machine_find_disk (p2v_front_end_known_machine (page->front_end), chosen->name);
  const P2vDisk *disk = known != NULL ? known : chosen;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *path = p2v_text_printable (disk->path);
  g_autofree char *serial = p2v_text_printable (disk->serial);
  gint64 used = p2v_content_usage (disk->content, disk->size);
  g_autofree char *in_use = p2v_size_format (used);
  g_autofree char *short_path = p2v_text_cut (path, PATH_LIMIT);
  g_autofree char *short_serial = p2v_text_cut (serial, SERIAL_LIMIT);
  g_string_append_printf (text, "%s%s%s", short_path,
                          serial[0] != '\0' ? _ (", serial number ") : "", short_serial);
  g_string_append_c (text, ':');
  describe_warnings (text, page, disk);
  describe_content (text, disk->content, 1, used >= 0 ? in_use : NULL);
  set_details (page->details, text->str);
}

/* Newt does not say when something is chosen. */
static void
refresh (Page *page)
{
  g_auto (GStrv) chosen = list_chosen (page);
  g_autofree char *names = g_strjoinv ("/", chosen);
  const P2vMachine *known = p2v_front_end_known_machine (page->front_end);
  char *now = g_strdup_printf ("%p %s", (const void *)known, names);
  if (g_strcmp0 (now, page->shown) != 0)
    show_details (page->list, page);
  g_free (page->shown);
  page->shown = now;
}

/* Those that cannot be chosen are named, so that nobody looks for them. */
static char *
describe_left_out (const P2vMachine *machine)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < machine->disks->len; i++)
    {
      const P2vDisk *disk = machine->disks->pdata[i];
      g_autofree char *obstacle = find_obstacle (disk);
      if (obstacle != NULL)
        g_string_append_printf (text, "%s%s (%s)", text->len > 0 ? ", " : _ ("Not offered: "),
                                disk->name, obstacle);
    }
  return g_string_free (text, FALSE);
}

static guint
count_offered (const P2vMachine *machine)
{
  guint count = 0;
  for (guint i = 0; i < machine->disks->len; i++)
    count += p2v_disk_is_convertible (machine->disks->pdata[i]);
  return count;
}

static void
fill_list (Page *page)
{
  const P2vFrontEnd *self = page->front_end;
  const char *const *chosen = (const char *const *)self->config->disks;
  for (guint i = 0; i < self->machine->disks->len; i++)
    {
      const P2vDisk *disk = self->machine->disks->pdata[i];
      gboolean selected = chosen == NULL || g_strv_contains (chosen, disk->name);
      g_autofree char *line = describe_disk (disk);
      if (p2v_disk_is_convertible (disk))
        newtCheckboxTreeAddItem (page->list, line, disk, selected ? NEWT_FLAG_SELECTED : 0,
                                 NEWT_ARG_APPEND, NEWT_ARG_LAST);
    }
}

/* Takes the choice over. FALSE when nothing is chosen. */
static gboolean
store (Page *page, P2vFrontEnd *self)
{
  g_auto (GStrv) names = list_chosen (page);
  if (names[0] == NULL)
    return FALSE;
  g_strfreev (self->config->disks);
  self->config->disks = g_steal_pointer (&names);
  if (self->name_suggested)
    g_clear_pointer (&self->config->name, g_free);
  return TRUE;
}

static void
build (Page *page, P2vWindow *window)
{
  static const char *const labels[] = { N_ ("Next"), N_ ("Look again"), N_ ("Back"), NULL };
  const P2vMachine *machine = page->front_end->machine;
  g_autofree char *left_out = describe_left_out (machine);
  gboolean scrolls = count_offered (machine) > LIST_ROWS;
  p2v_window_add_label (window, 0, 0, _ ("Which disks become disks of the guest?"));
  page->list
      = p2v_window_add (window, newtCheckboxTree (1, 2, LIST_ROWS, scrolls ? NEWT_FLAG_SCROLL : 0));
  newtCheckboxTreeSetWidth (page->list, P2V_TEXT_WIDTH - (scrolls ? 2 : 0));
  fill_list (page);
  newtComponentAddCallback (page->list, show_details, page);
  page->details
      = p2v_window_add (window, newtTextbox (3, 3 + LIST_ROWS, P2V_TEXT_WIDTH - 2, DETAIL_ROWS, 0));
  p2v_window_add_text (window, 0, 4 + LIST_ROWS + DETAIL_ROWS, P2V_TEXT_WIDTH, 1, left_out);
  p2v_window_add_buttons (window, labels);
  p2v_window_set_timer (window, REFRESH_MILLISECONDS);
  if (count_offered (machine) > 0)
    refresh (page);
}

/* Until the person goes somewhere. */
static P2vPage
run (Page *page, P2vWindow *window, P2vFrontEnd *self)
{
  for (;;)
    {
      int pressed = p2v_window_run (window);
      if (pressed == P2V_WINDOW_ENDED)
        return P2V_PAGE_END;
      if (pressed == P2V_WINDOW_TICK)
        {
          refresh (page);
          continue;
        }
      gboolean chosen = store (page, self);
      if (pressed == 1)
        {
          p2v_front_end_look (self);
          return P2V_PAGE_DISKS;
        }
      if (pressed == 2 || pressed == P2V_WINDOW_ESCAPE)
        return P2V_PAGE_SERVER;
      /* Else that a disk has gone, or a serious warning, has brought the person back to the list.
       */
      if (chosen && p2v_front_end_check_disks (self)
          && p2v_front_end_confirm_warnings (self, FALSE))
        return P2V_PAGE_GUEST;
      if (!chosen)
        p2v_window_say (
            _ ("Not yet"),
            count_offered (self->machine) > 0
                ? _ ("No disk is chosen. Go to a disk in the list and press Space.")
                : _ ("There is no disk to convert. Check that its disks have power and that "
                     "their controller has a driver, then press \"Look again\"."));
      p2v_window_focus (window, page->list);
    }
}

P2vPage
p2v_page_disks (P2vFrontEnd *self)
{
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Disks"), P2V_TEXT_WIDTH, 17);
  Page page = { .front_end = self };
  build (&page, window);
  P2vPage next = run (&page, window, self);
  g_free (page.shown);
  return next;
}
