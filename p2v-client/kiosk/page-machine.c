/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/disk-warnings.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/disk-row.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-machine.ui"

/* Which disks of the machine are converted. */

#define P2V_TYPE_MACHINE_PAGE (p2v_machine_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vMachinePage, p2v_machine_page, P2V, MACHINE_PAGE, P2vKioskPage)

struct _P2vMachinePage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *notice;
  GtkContainer *disks;
  GtkContainer *warnings;
  GtkLabel *summary;
  GtkWidget *look;
  gboolean chosen; /* the model's disks are what the person has chosen here */
};

G_DEFINE_TYPE (P2vMachinePage, p2v_machine_page, P2V_TYPE_KIOSK_PAGE)

static P2vKioskModel *
model_of (P2vMachinePage *page)
{
  return p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page));
}

/* What the choice as it is now comes to, with all that is known by now. */
static void
show_details (P2vMachinePage *page)
{
  const P2vKioskModel *model = model_of (page);
  const P2vMachine *machine = model->details != NULL ? model->details : model->machine;
  g_autoptr (GList) rows = gtk_container_get_children (page->disks);
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  p2v_container_clear (page->warnings);
  if (machine == NULL || model->looking)
    return;
  for (GList *item = rows; item != NULL; item = item->next)
    if (p2v_disk_row_get_chosen (item->data))
      g_ptr_array_add (chosen, p2v_disk_row_get_disk (item->data)->name);
  g_ptr_array_add (chosen, NULL);
  gint64 free_space = p2v_offers_free_space (model->probe != NULL ? model->probe->offers : NULL);
  g_autoptr (GPtrArray) warnings
      = p2v_disk_warnings_judge (machine, (const char *const *)chosen->pdata, free_space);
  for (GList *item = rows; item != NULL; item = item->next)
    {
      const P2vDisk *disk = p2v_disk_row_get_disk (item->data);
      const P2vDisk *known = p2v_machine_find_disk (machine, disk->name);
      p2v_disk_row_show_details (item->data, known != NULL ? known : disk, warnings);
    }
  for (guint i = 0; i < warnings->len; i++)
    if (((P2vDiskWarning *)warnings->pdata[i])->disk == NULL)
      gtk_container_add (page->warnings, p2v_disk_warning_new_label (warnings->pdata[i], NULL));
}

static void
on_toggled (P2vMachinePage *page)
{
  g_autoptr (GList) rows = gtk_container_get_children (page->disks);
  guint count = 0;
  gint64 size = 0;
  for (GList *item = rows; item != NULL; item = item->next)
    if (p2v_disk_row_get_chosen (item->data))
      {
        count++;
        size += p2v_disk_row_get_disk (item->data)->size;
      }
  g_autofree char *total = p2v_size_format (size);
  g_autofree char *text = NULL;
  if (count > 0)
    text = g_strdup_printf (ngettext ("%u disk with %s chosen. What is free there is not sent.",
                                      "%u disks with %s chosen. What is free there is not sent.",
                                      count),
                            count, total);
  else
    text = g_strdup (_ ("Choose at least one disk."));
  gtk_label_set_label (page->summary, rows != NULL ? text : "");
  p2v_kiosk_page_set_ready (P2V_KIOSK_PAGE (page), count > 0 && !model_of (page)->looking);
  show_details (page);
}

/* TRUE when a disk is to be converted as things were given or chosen before. */
static gboolean
is_wanted (const P2vKioskModel *model, const P2vDisk *disk)
{
  char **names = model->suggestion != NULL ? model->suggestion->guest->disks : model->config->disks;
  if (names == NULL)
    return TRUE;
  return g_strv_contains ((const char *const *)names, disk->name)
         || g_strv_contains ((const char *const *)names, disk->path);
}

static void
show_disks (P2vMachinePage *page)
{
  P2vKioskModel *model = model_of (page);
  p2v_container_clear (page->disks);
  for (guint i = 0; model->machine != NULL && i < model->machine->disks->len; i++)
    {
      GtkWidget *row = p2v_disk_row_new (model->machine->disks->pdata[i]);
      p2v_disk_row_set_chosen (P2V_DISK_ROW (row),
                               is_wanted (model, model->machine->disks->pdata[i]));
      g_signal_connect_swapped (row, "toggled", G_CALLBACK (on_toggled), page);
      gtk_container_add (page->disks, row);
    }
}

/* Puts the choice into the model, by path: a disk that was given as a file is found again. */
static void
take_disks (P2vMachinePage *page)
{
  g_autoptr (GList) rows = gtk_container_get_children (page->disks);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  P2vConfig *config = model_of (page)->config;
  for (GList *item = rows; item != NULL; item = item->next)
    if (p2v_disk_row_get_chosen (item->data))
      g_strv_builder_add (builder, p2v_disk_row_get_disk (item->data)->path);
  g_strfreev (config->disks);
  config->disks = g_strv_builder_end (builder);
  page->chosen = TRUE;
}

/* TRUE when nothing that could be chosen was left out; what is found then is wanted, too. */
static gboolean
all_chosen (P2vMachinePage *page)
{
  g_autoptr (GList) rows = gtk_container_get_children (page->disks);
  for (GList *item = rows; item != NULL; item = item->next)
    if (!p2v_disk_row_get_chosen (item->data)
        && p2v_disk_is_convertible (p2v_disk_row_get_disk (item->data)))
      return FALSE;
  return TRUE;
}

/* Before the disks are looked at anew. As long as nothing is known, nothing was chosen here. */
static void
keep_choice (P2vMachinePage *page)
{
  const P2vKioskModel *model = model_of (page);
  if (model->machine != NULL && all_chosen (page))
    g_clear_pointer (&model->config->disks, g_strfreev);
  else if (model->machine != NULL)
    take_disks (page);
}

/* What was given names a disk that there is not, or there is none at all. */
static void
say_misfit (P2vMachinePage *page)
{
  const P2vKioskModel *model = model_of (page);
  const P2vMachine *machine = model->machine;
  const char *gone = NULL;
  for (char **path = page->chosen ? model->config->disks : NULL; path != NULL && *path != NULL;
       path++)
    gone = p2v_machine_find_disk (machine, *path) == NULL ? *path : gone;
  g_autofree char *heading
      = gone != NULL ? g_strdup_printf (_ ("Disk %s is not there any more"), gone) : NULL;
  if (machine != NULL && machine->disks->len == 0)
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_ERROR, _ ("This machine shows no disk"),
                          _ ("Check that its disks have power and that their controller has a "
                             "driver (View and tools, Logs), then look again."));
  else if (gone != NULL)
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING, heading,
                          _ ("It is left out. Connect it and look again, or go on without it."));
  else
    p2v_kiosk_notice_say_error (page->notice, _ ("What was given does not fit this machine"),
                                model->suggestion_error);
}

static void
on_machine_changed (P2vMachinePage *page)
{
  P2vKioskModel *model = model_of (page);
  if (model->looking && gtk_widget_get_sensitive (GTK_WIDGET (page->disks)))
    keep_choice (page);
  if (model->looking)
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_GOOD,
                          _ ("Looking at the disks\xe2\x80\xa6"),
                          _ ("What is on them is only read, and nothing is mounted."));
  else if (g_error_matches (model->machine_error, P2V_ERROR, P2V_ERROR_CANCELLED))
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING,
                          _ ("The look at the disks was stopped"),
                          _ ("What was known of them before is shown. Look again for the rest."));
  else if (model->machine_error != NULL)
    p2v_kiosk_notice_say_error (page->notice, _ ("This machine could not be looked at"),
                                model->machine_error);
  else
    say_misfit (page);
  p2v_kiosk_page_set_back_label (P2V_KIOSK_PAGE (page), model->looking ? _ ("_Stop") : _ ("_Back"));
  gtk_widget_set_sensitive (page->look, !model->looking);
  gtk_widget_set_sensitive (GTK_WIDGET (page->disks), !model->looking);
  if (!model->looking)
    show_disks (page);
  on_toggled (page);
}

static void
on_look (P2vMachinePage *page)
{
  p2v_kiosk_engine_look (p2v_kiosk_page_get_engine (P2V_KIOSK_PAGE (page)));
}

static void
bind (P2vKioskPage *base)
{
  P2vMachinePage *page = P2V_MACHINE_PAGE (base);
  g_signal_connect_swapped (model_of (page), "machine-changed", G_CALLBACK (on_machine_changed),
                            page);
  g_signal_connect_swapped (model_of (page), "details-changed", G_CALLBACK (show_details), page);
  g_signal_connect_swapped (model_of (page), "server-changed", G_CALLBACK (show_details), page);
  on_machine_changed (page);
}

static gboolean
commit (P2vKioskPage *base)
{
  P2vMachinePage *page = P2V_MACHINE_PAGE (base);
  take_disks (page);
  return p2v_kiosk_notice_say_gone (page->notice, model_of (page));
}

static gboolean
retreat (P2vKioskPage *base)
{
  if (!p2v_kiosk_page_get_model (base)->looking)
    return FALSE;
  p2v_kiosk_engine_stop_look (p2v_kiosk_page_get_engine (base));
  return TRUE;
}

static void
p2v_machine_page_class_init (P2vMachinePageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2V_KIOSK_PAGE_CLASS (class)->bind = bind;
  P2V_KIOSK_PAGE_CLASS (class)->commit = commit;
  P2V_KIOSK_PAGE_CLASS (class)->retreat = retreat;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vMachinePage, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vMachinePage, disks);
  gtk_widget_class_bind_template_child (widget_class, P2vMachinePage, warnings);
  gtk_widget_class_bind_template_child (widget_class, P2vMachinePage, summary);
  gtk_widget_class_bind_template_child (widget_class, P2vMachinePage, look);
  gtk_widget_class_bind_template_callback (widget_class, on_look);
}

static void
p2v_machine_page_init (P2vMachinePage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
