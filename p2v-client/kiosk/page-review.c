/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/ending.h"
#include "p2v-client/firmware-text.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/disk-row.h"
#include "p2v-client/kiosk/disk-text.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/output-form.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-review.ui"

/* All that was decided, before it is begun. */

#define P2V_TYPE_REVIEW_PAGE (p2v_review_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vReviewPage, p2v_review_page, P2V, REVIEW_PAGE, P2vKioskPage)

struct _P2vReviewPage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *notice;
  GtkContainer *warnings;
  GtkContainer *facts;
  char *serious; /* the warnings that a conversion should rather not be begun with */
  char *heeded;  /* those that the person was asked about last */
};

G_DEFINE_TYPE (P2vReviewPage, p2v_review_page, P2V_TYPE_KIOSK_PAGE)

static void
add (P2vReviewPage *page, const char *name, const char *text)
{
  gtk_container_add (page->facts, p2v_fact_row_new (name, text, NULL));
}

static void
add_server (P2vReviewPage *page, const P2vKioskModel *model)
{
  const P2vConfig *config = model->config;
  g_autofree char *text = g_strdup_printf (_ ("%s port %u, as user %s"), config->server,
                                           config->port, config->username);
  add (page, _ ("Server"), text);
}

static void
add_guest (P2vReviewPage *page, const P2vRequest *request)
{
  const P2vGuest *guest = request->guest;
  g_autofree char *memory = p2v_size_format (guest->memory);
  g_autofree char *text = g_strdup_printf (ngettext ("%s with %lld virtual CPU and %s of memory",
                                                     "%s with %lld virtual CPUs and %s of memory",
                                                     (gulong)guest->vcpus),
                                           guest->name, (long long)guest->vcpus, memory);
  add (page, _ ("Guest"), text);
  add (page, _ ("Firmware"), p2v_firmware_text (p2v_request_firmware (request)));
}

/* As far as its filesystems have been asked. */
static char *
describe_amount (const P2vDisk *disk, gint64 bytes)
{
  g_autofree char *size = p2v_size_format (bytes);
  if (bytes < disk->size)
    return g_strdup_printf (_ ("%s of it are in use, and sent"), size);
  return g_strdup (_ ("All of it is sent, but for what holds only zeroes"));
}

/* Returns the bytes that are read of all of them. */
static gint64
add_disks (P2vReviewPage *page, const P2vKioskModel *model)
{
  const P2vRequest *request = model->request;
  const P2vMachine *machine = model->details != NULL ? model->details : request->machine;
  gint64 total = 0;
  for (gsize i = 0; request->guest->disks[i] != NULL; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (machine, request->guest->disks[i]);
      if (disk == NULL)
        disk = p2v_machine_find_disk (request->machine, request->guest->disks[i]);
      gint64 bytes = p2v_estimate_disk_bytes (disk, NULL);
      g_autofree char *title = p2v_disk_text_title (disk);
      g_autofree char *content = p2v_disk_text_content (disk);
      g_autofree char *amount = describe_amount (disk, bytes);
      g_autofree char *text = g_strdup_printf ("%s\n%s\n%s", title, content, amount);
      add (page, i == 0 ? _ ("Disks") : "", text);
      total += bytes;
    }
  g_autofree char *size = p2v_size_format (total);
  g_autofree char *text = g_strdup_printf (_ ("%s together"), size);
  if (request->guest->disks[1] != NULL)
    add (page, "", text);
  return total;
}

static void
add_time (P2vReviewPage *page, const P2vEstimate *estimate, gint64 bytes)
{
  /* The filesystems may have said something since it was measured. */
  P2vEstimate now = estimate != NULL ? *estimate : (P2vEstimate){ 0 };
  now.bytes = bytes;
  g_autofree char *text = estimate != NULL ? p2v_estimate_text (&now) : NULL;
  add (page, _ ("Time"), text != NULL ? text : _ ("Measuring…"));
}

static void
add_networks (P2vReviewPage *page, const P2vRequest *request)
{
  GPtrArray *nics = request->guest->nics;
  for (guint i = 0; i < nics->len; i++)
    {
      const P2vGuestNic *nic = nics->pdata[i];
      g_autofree char *text
          = g_strdup_printf (_ ("%s to the server's network %s"), nic->nic, nic->network);
      add (page, i == 0 ? _ ("Network") : "", text);
    }
  if (nics->len == 0)
    add (page, _ ("Network"), _ ("none: the guest is not connected"));
}

static void
add_drives (P2vReviewPage *page, const P2vRequest *request)
{
  g_autofree char *names = g_strjoinv (", ", request->guest->removables);
  if (request->machine->removables->len > 0)
    add (page, _ ("Drives"), names[0] != '\0' ? names : _ ("none"));
}

/* part: transfer full. */
static void
add_part (GString *text, char *part)
{
  g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", part);
  g_free (part);
}

/* Where the guest goes. */
static void
add_output (P2vReviewPage *page, const P2vOutput *output)
{
  GString *text = g_string_new (NULL);
  g_autofree char *connection = p2v_output_show (output, P2V_OUTPUT_CONNECTION);
  g_autofree char *options = p2v_output_show (output, P2V_OUTPUT_OPTIONS);
  if (output->profile != NULL)
    add_part (text, g_strdup_printf (_ ("the server's profile %s"), output->profile));
  if (output->mode != NULL)
    add_part (text, g_strdup_printf (_ ("output %s"), output->mode));
  if (output->storage != NULL)
    add_part (text, g_strdup_printf (_ ("storage %s"), output->storage));
  if (output->format != NULL)
    add_part (text, g_strdup_printf (_ ("format %s"), output->format));
  if (output->allocation != NULL)
    add_part (text, g_strdup_printf (_ ("allocation %s"), output->allocation));
  if (output->connection != NULL)
    add_part (text, g_strdup_printf (_ ("connection %s"), connection));
  if (options[0] != '\0')
    add_part (text, g_strdup_printf (_ ("options %s"), options));
  if (text->len == 0)
    g_string_append (text, _ ("where the server puts guests by default"));
  g_autofree char *raw = g_string_free (text, FALSE);
  g_autofree char *shown = p2v_text_printable (raw);
  add (page, _ ("Stored"), shown);
}

/* What was asked of the disks may be answered only now. */
static void
show_warnings (P2vReviewPage *page, const P2vKioskModel *model)
{
  const P2vRequest *request = model->request;
  const P2vMachine *machine = model->details != NULL ? model->details : request->machine;
  const P2vOffers *offers = model->probe != NULL ? model->probe->offers : NULL;
  g_autoptr (GPtrArray) warnings = p2v_disk_warnings_judge (
      machine, (const char *const *)request->guest->disks, p2v_offers_free_space (offers));
  GString *serious = g_string_new (NULL);
  p2v_container_clear (page->warnings);
  for (guint i = 0; i < warnings->len; i++)
    {
      P2vDiskWarning *warning = warnings->pdata[i];
      if (warning->severity == P2V_SEVERITY_NOTE)
        continue;
      if (warning->severity == P2V_SEVERITY_SERIOUS)
        g_string_append_printf (serious, "%s %s\n", warning->disk, warning->text);
      gtk_container_add (page->warnings, p2v_disk_warning_new_label (warning, warning->disk));
    }
  if (model->details == NULL && model->machine_error == NULL)
    gtk_container_add (page->warnings,
                       p2v_fact_row_new ("",
                                         _ ("The disks are still being asked about their "
                                            "health and their filesystems."),
                                         "dim"));
  g_free (page->serious);
  page->serious = g_string_free (serious, FALSE);
}

static void
show (P2vReviewPage *page)
{
  const P2vKioskModel *model = p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page));
  g_autofree char *ending = p2v_ending_foretell (model->config, model->request->guest->name);
  show_warnings (page, model);
  p2v_container_clear (page->facts);
  add_server (page, model);
  add_guest (page, model->request);
  gint64 bytes = add_disks (page, model);
  add_networks (page, model->request);
  add_drives (page, model->request);
  add_output (page, model->request->output);
  add_time (page, model->estimate, bytes);
  add (page, _ ("Then"), ending);
}

static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vReviewPage *page = P2V_REVIEW_PAGE (base);
  p2v_kiosk_notice_say_gone (page->notice, p2v_kiosk_page_get_model (base));
  p2v_kiosk_engine_estimate (p2v_kiosk_page_get_engine (base));
  g_clear_pointer (&page->heeded, g_free);
  p2v_kiosk_page_set_next_label (base, _ ("_Convert"));
  show (page);
  return NULL;
}

/* Something more is known. */
static void
on_changed (P2vReviewPage *page)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (page)))
    show (page);
}

static void
on_machine_changed (P2vReviewPage *page)
{
  P2vKioskPage *base = P2V_KIOSK_PAGE (page);
  p2v_kiosk_page_set_ready (base, !p2v_kiosk_page_get_model (base)->looking);
}

static gboolean
retreat (P2vKioskPage *base)
{
  p2v_kiosk_engine_stop_estimate (p2v_kiosk_page_get_engine (base));
  return FALSE;
}

static void
bind (P2vKioskPage *base)
{
  P2vKioskModel *model = p2v_kiosk_page_get_model (base);
  g_signal_connect_object (model, "estimate-changed", G_CALLBACK (on_changed), base,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (model, "machine-changed", G_CALLBACK (on_machine_changed), base,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (model, "details-changed", G_CALLBACK (on_changed), base,
                           G_CONNECT_SWAPPED);
}

/* TRUE when the person wants it in spite of the warnings there are, or there are none. */
static gboolean
confirm (P2vReviewPage *page)
{
  if (page->serious[0] == '\0' || g_strcmp0 (page->serious, page->heeded) == 0)
    return TRUE;
  g_free (page->heeded);
  page->heeded = g_strdup (page->serious);
  p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING,
                        _ ("The guest will probably not work. Convert all the same?"),
                        _ ("Read the warnings below. Nothing has been begun yet."));
  p2v_kiosk_page_set_next_label (P2V_KIOSK_PAGE (page), _ ("_Convert all the same"));
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (page)), 0);
  /* Not on what goes on. */
  gtk_widget_grab_focus (GTK_WIDGET (page->notice));
  return FALSE;
}

/* The window shows the conversion as soon as it runs. */
static gboolean
commit (P2vKioskPage *base)
{
  P2vReviewPage *page = P2V_REVIEW_PAGE (base);
  if (p2v_kiosk_notice_say_gone (page->notice, p2v_kiosk_page_get_model (base)) && confirm (page))
    p2v_kiosk_engine_convert (p2v_kiosk_page_get_engine (base));
  return FALSE;
}

static void
finalize (GObject *object)
{
  P2vReviewPage *page = P2V_REVIEW_PAGE (object);
  g_free (page->serious);
  g_free (page->heeded);
  G_OBJECT_CLASS (p2v_review_page_parent_class)->finalize (object);
}

static void
p2v_review_page_class_init (P2vReviewPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  P2V_KIOSK_PAGE_CLASS (class)->bind = bind;
  P2V_KIOSK_PAGE_CLASS (class)->enter = enter;
  P2V_KIOSK_PAGE_CLASS (class)->retreat = retreat;
  P2V_KIOSK_PAGE_CLASS (class)->commit = commit;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vReviewPage, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vReviewPage, warnings);
  gtk_widget_class_bind_template_child (widget_class, P2vReviewPage, facts);
}

static void
p2v_review_page_init (P2vReviewPage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
