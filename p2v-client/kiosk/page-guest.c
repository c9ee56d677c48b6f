/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/disk-warnings.h"
#include "p2v-client/firmware-text.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/field.h"
#include "p2v-client/kiosk/nic-row.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/output-box.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-guest.ui"

#define MEBIBYTE (G_GINT64_CONSTANT (1) << 20)
/* As p2v.vcpu.cores and p2v.memory take it. */
#define MAX_VCPUS 65536
#define MAX_MEMORY_MIB (G_GINT64_CONSTANT (1) << 34)

/* What the guest will be like. */

#define P2V_TYPE_GUEST_PAGE (p2v_guest_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vGuestPage, p2v_guest_page, P2V, GUEST_PAGE, P2vKioskPage)

struct _P2vGuestPage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *notice;
  GtkWidget *form;
  GtkEntry *name, *vcpus, *memory;
  GtkLabel *name_error, *vcpus_error, *memory_error;
  GtkLabel *vcpus_hint, *memory_hint;
  GtkComboBoxText *firmware;
  GtkLabel *firmware_note;
  P2vKioskOutputBox *output;
  GtkContainer *nics;
  GtkContainer *removables; /* of GtkCheckButton, whose widget names are the drives' */
  /* As the fields were filled in. */
  char *shown_name;
  gint64 shown_vcpus;
  gint64 shown_memory; /* MiB */
  gboolean suggests;   /* the name is ours, and follows the disks that are chosen: */
  char *disks;
  gboolean asking; /* the server is asked about the output, to go on then */
};

G_DEFINE_TYPE (P2vGuestPage, p2v_guest_page, P2V_TYPE_KIOSK_PAGE)

static P2vKioskModel *
model_of (P2vGuestPage *page)
{
  return p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page));
}

static void
show_number (GtkEntry *entry, gint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  gtk_entry_set_text (entry, number > 0 ? text : "");
}

static const P2vOffers *
offers_of (P2vGuestPage *page)
{
  const P2vKioskModel *model = model_of (page);
  return model->probe != NULL ? model->probe->offers : NULL;
}

/* The boot loader on the disks decides; the machine was started as they are, or otherwise, for
 * which only a person has the reason. */
static void
on_firmware (P2vGuestPage *page)
{
  const P2vMachine *machine = model_of (page)->machine;
  const char *firmware = gtk_combo_box_get_active_id (GTK_COMBO_BOX (page->firmware));
  if (firmware == NULL)
    return;
  g_autofree char *note = p2v_firmware_note (firmware, machine, offers_of (page));
  gtk_label_set_label (page->firmware_note, note);
}

static void
show_firmware (P2vGuestPage *page)
{
  const P2vKioskModel *model = model_of (page);
  const char *machine = p2v_machine_firmware (model->machine);
  const char *wanted = model->config->firmware != NULL ? model->config->firmware : machine;
  gtk_combo_box_text_remove_all (page->firmware);
  for (guint i = 0; i < P2V_N_FIRMWARES; i++)
    gtk_combo_box_text_append (page->firmware, p2v_firmwares[i],
                               p2v_firmware_text (p2v_firmwares[i]));
  gtk_combo_box_set_active_id (GTK_COMBO_BOX (page->firmware), wanted);
}

static void
take_firmware (P2vGuestPage *page)
{
  const P2vKioskModel *model = model_of (page);
  const char *firmware = gtk_combo_box_get_active_id (GTK_COMBO_BOX (page->firmware));
  gboolean same = g_strcmp0 (firmware, p2v_machine_firmware (model->machine)) == 0;
  g_free (model->config->firmware);
  model->config->firmware = same ? NULL : g_strdup (firmware);
}

/* "sr0: HL-DT-ST DVDRAM GT80N" */
static GtkWidget *
drive_check_new (const P2vRemovable *drive, gboolean chosen)
{
  g_autofree char *vendor = p2v_text_printable (drive->vendor);
  g_autofree char *model = p2v_text_printable (drive->model);
  g_autofree char *kind = g_strstrip (g_strdup_printf ("%s %s", vendor, model));
  g_autofree char *text
      = g_strdup_printf ("%s%s%s", drive->name, kind[0] != '\0' ? ": " : "", kind);
  GtkWidget *check = gtk_check_button_new_with_label (text);
  gtk_widget_set_name (check, drive->name);
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (check), chosen);
  gtk_widget_show (check);
  return check;
}

static void
show_removables (P2vGuestPage *page)
{
  const P2vKioskModel *model = model_of (page);
  const char *const *given = (const char *const *)model->config->removables;
  p2v_container_clear (page->removables);
  for (guint i = 0; i < model->machine->removables->len; i++)
    {
      const P2vRemovable *drive = model->machine->removables->pdata[i];
      gboolean chosen = given == NULL || g_strv_contains (given, drive->name);
      gtk_container_add (page->removables, drive_check_new (drive, chosen));
    }
  if (model->machine->removables->len == 0)
    gtk_container_add (page->removables,
                       p2v_fact_row_new (_ ("None"), _ ("This machine has none."), "dim"));
}

static void
take_removables (P2vGuestPage *page)
{
  P2vConfig *config = model_of (page)->config;
  g_autoptr (GList) checks = gtk_container_get_children (page->removables);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (GList *item = checks; item != NULL; item = item->next)
    if (GTK_IS_TOGGLE_BUTTON (item->data) && gtk_toggle_button_get_active (item->data))
      g_strv_builder_add (builder, gtk_widget_get_name (item->data));
  g_strfreev (config->removables);
  config->removables = g_strv_builder_end (builder);
}

/* NULL when the guest does not get the interface. */
static const char *
network_in (const P2vGuest *guest, const char *nic)
{
  for (guint i = 0; i < guest->nics->len; i++)
    {
      const P2vGuestNic *item = guest->nics->pdata[i];
      if (g_strcmp0 (item->nic, nic) == 0)
        return item->network;
    }
  return NULL;
}

static void
show_nics (P2vGuestPage *page, const P2vGuest *guest)
{
  const P2vKioskModel *model = model_of (page);
  GPtrArray *nics = model->machine->nics;
  p2v_container_clear (page->nics);
  for (guint i = 0; i < nics->len; i++)
    {
      const P2vNic *nic = nics->pdata[i];
      const char *fallback = p2v_config_network_for (model->config, nic->name);
      const char *network = guest != NULL ? network_in (guest, nic->name) : fallback;
      gtk_container_add (page->nics, p2v_nic_row_new (nic, network, fallback, offers_of (page)));
    }
  if (nics->len == 0)
    gtk_container_add (page->nics,
                       p2v_fact_row_new (_ ("None"), _ ("The guest will have no network."), "dim"));
}

/* TRUE when the server would refuse what it was asked about last. */
static gboolean
say_problem (P2vGuestPage *page)
{
  const P2vOffers *offers = offers_of (page);
  gboolean problem = offers != NULL && offers->problem != NULL;
  g_autofree char *why = problem ? p2v_kiosk_sentence (offers->problem) : NULL;
  p2v_kiosk_output_box_say (page->output, P2V_KIOSK_NOTICE_ERROR,
                            problem ? _ ("The server would refuse this conversion") : NULL, why);
  return problem;
}

/* TRUE when the place that was chosen here is too small. */
static gboolean
say_space (P2vGuestPage *page)
{
  const P2vRequest *request = model_of (page)->request;
  g_autoptr (P2vDiskWarning) warning
      = p2v_disk_warnings_judge_space (request->machine, (const char *const *)request->guest->disks,
                                       p2v_offers_free_space (offers_of (page)));
  if (warning != NULL)
    p2v_kiosk_output_box_say (page->output, P2V_KIOSK_NOTICE_WARNING, warning->text,
                              warning->advice);
  return warning != NULL;
}

/* The system on other disks has another name. */
static void
forget_suggestion (P2vGuestPage *page)
{
  P2vConfig *config = model_of (page)->config;
  g_autofree char *disks = g_strjoinv ("\n", config->disks);
  if (page->suggests && g_strcmp0 (disks, page->disks) != 0)
    g_clear_pointer (&config->name, g_free);
  g_free (page->disks);
  page->disks = g_steal_pointer (&disks);
}

/* Fills the fields with what was entered, or else with what suits the chosen disks. */
static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vGuestPage *page = P2V_GUEST_PAGE (base);
  const P2vKioskModel *model = model_of (page);
  const P2vConfig *config = model->config;
  g_autoptr (GError) error = NULL;
  forget_suggestion (page);
  g_autoptr (P2vRequest) request = p2v_config_to_request (config, model->machine, &error);
  const P2vGuest *guest = request != NULL ? request->guest : NULL;
  g_autofree char *memory = p2v_size_format (model->machine->memory);
  g_autofree char *vcpus_hint
      = g_strdup_printf (_ ("this machine: %lld"), (long long)model->machine->cpu->online);
  g_autofree char *memory_hint = g_strdup_printf (_ ("MiB; this machine: %s"), memory);
  p2v_kiosk_notice_say_error (page->notice, _ ("What was given does not fit this machine"), error);
  const char *name = guest != NULL ? guest->name : config->name;
  g_free (page->shown_name);
  page->shown_name = g_strdup (name != NULL ? name : "");
  page->shown_vcpus = guest != NULL ? guest->vcpus : config->vcpus;
  page->shown_memory = (guest != NULL ? guest->memory : config->memory) / MEBIBYTE;
  gtk_entry_set_text (page->name, page->shown_name);
  show_number (page->vcpus, page->shown_vcpus);
  show_number (page->memory, page->shown_memory);
  gtk_label_set_label (page->vcpus_hint, vcpus_hint);
  gtk_label_set_label (page->memory_hint, memory_hint);
  show_firmware (page);
  show_nics (page, guest);
  show_removables (page);
  p2v_kiosk_output_box_show (page->output, config->output, offers_of (page));
  say_problem (page);
  return GTK_WIDGET (page->name);
}

static gboolean
take_nics (P2vGuestPage *page)
{
  const P2vKioskModel *model = model_of (page);
  g_autoptr (GList) rows = gtk_container_get_children (page->nics);
  P2vNicRow *wrong = NULL;
  for (GList *item = rows; item != NULL; item = item->next)
    {
      g_autofree char *network = NULL;
      if (!P2V_IS_NIC_ROW (item->data))
        continue;
      if (p2v_nic_row_read (item->data, &network))
        p2v_config_set_network (model->config, model->machine, p2v_nic_row_get_name (item->data),
                                network);
      else if (wrong == NULL)
        wrong = item->data;
    }
  if (wrong != NULL)
    p2v_nic_row_focus (wrong);
  return wrong == NULL;
}

static void
take_numbers (P2vGuestPage *page, gint64 vcpus, gint64 memory)
{
  P2vConfig *config = model_of (page)->config;
  if (memory != page->shown_memory)
    config->memory = memory * MEBIBYTE;
  if (vcpus == page->shown_vcpus)
    return;
  config->vcpus = vcpus;
  /* What was left alone may stand for sockets, cores and threads. */
  config->phys_topo = FALSE;
}

/* FALSE when some field cannot be right; the first that is wrong has the focus. */
static gboolean
take_fields (P2vGuestPage *page)
{
  P2vConfig *config = model_of (page)->config;
  GError *name_error = NULL;
  GError *vcpus_error = NULL;
  GError *memory_error = NULL;
  gint64 vcpus = 0;
  gint64 memory = 0;
  g_autofree char *name
      = p2v_field_read_name (gtk_entry_get_text (page->name), _ ("a name"), &name_error);
  p2v_field_read_number (gtk_entry_get_text (page->vcpus), _ ("the processors"), 1, MAX_VCPUS,
                         &vcpus, &vcpus_error);
  p2v_field_read_number (gtk_entry_get_text (page->memory), _ ("the memory"), 1, MAX_MEMORY_MIB,
                         &memory, &memory_error);
  gboolean nics_good = take_nics (page);
  P2vOutput *output = p2v_kiosk_output_box_read (page->output);
  GtkEntry *wrong = NULL;
  if (!p2v_field_judge (page->memory, page->memory_error, memory_error))
    wrong = page->memory;
  if (!p2v_field_judge (page->vcpus, page->vcpus_error, vcpus_error))
    wrong = page->vcpus;
  if (!p2v_field_judge (page->name, page->name_error, name_error))
    wrong = page->name;
  if (wrong != NULL)
    gtk_widget_grab_focus (GTK_WIDGET (wrong));
  if (output != NULL)
    p2v_kiosk_model_set_output (model_of (page), output);
  if (wrong != NULL || !nics_good || output == NULL)
    return FALSE;
  take_firmware (page);
  take_removables (page);
  take_numbers (page, vcpus, memory);
  page->suggests &= g_strcmp0 (name, page->shown_name) == 0;
  g_free (config->name);
  config->name = g_steal_pointer (&name);
  return TRUE;
}

static void
show_asking (P2vGuestPage *page)
{
  P2vKioskPage *base = P2V_KIOSK_PAGE (page);
  gboolean probing = model_of (page)->probing;
  gtk_widget_set_sensitive (page->form, !probing);
  p2v_kiosk_page_set_ready (base, !probing && !model_of (page)->looking);
  p2v_kiosk_page_set_back_label (base, probing ? _ ("_Stop") : _ ("_Back"));
}

/* The server has said what it thinks of the output. */
static void
finish_asking (P2vGuestPage *page)
{
  const P2vKioskModel *model = model_of (page);
  const GError *error = model->probe_error;
  page->asking = FALSE;
  show_asking (page);
  p2v_kiosk_output_box_show (page->output, model->config->output, offers_of (page));
  on_firmware (page);
  gboolean stays = say_problem (page);
  if (g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
    p2v_kiosk_output_box_say (page->output, P2V_KIOSK_NOTICE_WARNING,
                              _ ("The server was not asked"), NULL);
  else if (error != NULL)
    {
      g_autofree char *why = p2v_kiosk_sentence (error->message);
      p2v_kiosk_output_box_say (page->output, P2V_KIOSK_NOTICE_ERROR,
                                _ ("The server cannot be asked"), why);
    }
  else
    stays = stays || say_space (page);
  if (error == NULL && !stays)
    p2v_kiosk_page_advance (P2V_KIOSK_PAGE (page));
  else
    p2v_kiosk_output_box_focus (page->output);
}

static void
on_server_changed (P2vGuestPage *page)
{
  if (page->asking && !model_of (page)->probing)
    finish_asking (page);
}

/* Is the output still what the server was asked about, and what it would do? If not it is asked
 * again, and the page goes on by itself when it agrees. */
static gboolean
is_agreed (P2vGuestPage *page)
{
  const P2vKioskModel *model = model_of (page);
  const P2vOffers *offers = offers_of (page);
  if (model->server_works && (offers == NULL || offers->problem == NULL))
    return TRUE;
  p2v_kiosk_engine_probe (p2v_kiosk_page_get_engine (P2V_KIOSK_PAGE (page)));
  page->asking = TRUE;
  p2v_kiosk_output_box_say (page->output, P2V_KIOSK_NOTICE_GOOD,
                            _ ("Asking the server\xe2\x80\xa6"), NULL);
  show_asking (page);
  return FALSE;
}

static void
bind (P2vKioskPage *base)
{
  P2vKioskModel *model = p2v_kiosk_page_get_model (base);
  P2V_GUEST_PAGE (base)->suggests = model->config->name == NULL;
  g_signal_connect_swapped (model, "server-changed", G_CALLBACK (on_server_changed), base);
  g_signal_connect_swapped (model, "machine-changed", G_CALLBACK (show_asking), base);
}

static gboolean
commit (P2vKioskPage *base)
{
  P2vGuestPage *page = P2V_GUEST_PAGE (base);
  g_autoptr (GError) error = NULL;
  if (page->asking || !take_fields (page))
    return FALSE;
  gboolean made = p2v_kiosk_model_make_request (model_of (page), &error);
  p2v_kiosk_notice_say_error (page->notice, _ ("This cannot be asked of the server"), error);
  return made && is_agreed (page);
}

static gboolean
retreat (P2vKioskPage *base)
{
  if (!P2V_GUEST_PAGE (base)->asking)
    return FALSE;
  p2v_kiosk_engine_stop_probe (p2v_kiosk_page_get_engine (base));
  return TRUE;
}

static void
finalize (GObject *object)
{
  g_free (P2V_GUEST_PAGE (object)->shown_name);
  g_free (P2V_GUEST_PAGE (object)->disks);
  G_OBJECT_CLASS (p2v_guest_page_parent_class)->finalize (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
#define CHILD(name_) gtk_widget_class_bind_template_child (widget_class, P2vGuestPage, name_)
  CHILD (notice);
  CHILD (name);
  CHILD (vcpus);
  CHILD (memory);
  CHILD (name_error);
  CHILD (vcpus_error);
  CHILD (memory_error);
  CHILD (vcpus_hint);
  CHILD (memory_hint);
  CHILD (form);
  CHILD (firmware);
  CHILD (firmware_note);
  CHILD (output);
  CHILD (removables);
  CHILD (nics);
#undef CHILD
}

static void
p2v_guest_page_class_init (P2vGuestPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2vKioskPageClass *page_class = P2V_KIOSK_PAGE_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  page_class->bind = bind;
  page_class->enter = enter;
  page_class->commit = commit;
  page_class->retreat = retreat;
  g_type_ensure (P2V_TYPE_KIOSK_OUTPUT_BOX);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, on_firmware);
}

static void
p2v_guest_page_init (P2vGuestPage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
