/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/field.h"
#include "p2v-client/kiosk/nic-row.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
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
  GtkEntry *name, *vcpus, *memory;
  GtkLabel *name_error, *vcpus_error, *memory_error;
  GtkLabel *vcpus_hint, *memory_hint;
  GtkContainer *nics;
  gint64 shown_vcpus; /* as the field was filled in */
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
  const P2vOffers *offers = model->probe != NULL ? model->probe->offers : NULL;
  p2v_container_clear (page->nics);
  for (guint i = 0; i < nics->len; i++)
    {
      const P2vNic *nic = nics->pdata[i];
      const char *fallback = p2v_config_network_for (model->config, nic->name);
      const char *network = guest != NULL ? network_in (guest, nic->name) : fallback;
      gtk_container_add (page->nics, p2v_nic_row_new (nic, network, fallback, offers));
    }
  if (nics->len == 0)
    gtk_container_add (page->nics,
                       p2v_fact_row_new (_ ("None"), _ ("The guest will have no network."), "dim"));
}

/* Fills the fields with what was entered, or else with what suits the chosen disks. */
static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vGuestPage *page = P2V_GUEST_PAGE (base);
  const P2vKioskModel *model = model_of (page);
  const P2vConfig *config = model->config;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vRequest) request = p2v_config_to_request (config, model->machine, &error);
  const P2vGuest *guest = request != NULL ? request->guest : NULL;
  g_autofree char *memory = p2v_size_format (model->machine->memory);
  g_autofree char *vcpus_hint
      = g_strdup_printf (_ ("this machine: %lld"), (long long)model->machine->cpu->online);
  g_autofree char *memory_hint = g_strdup_printf (_ ("MiB; this machine: %s"), memory);
  p2v_kiosk_notice_say_error (page->notice, _ ("What was given does not fit this machine"), error);
  gtk_entry_set_text (page->name, guest != NULL          ? guest->name
                                  : config->name != NULL ? config->name
                                                         : "");
  page->shown_vcpus = guest != NULL ? guest->vcpus : config->vcpus;
  show_number (page->vcpus, page->shown_vcpus);
  show_number (page->memory, (guest != NULL ? guest->memory : config->memory) / MEBIBYTE);
  gtk_label_set_label (page->vcpus_hint, vcpus_hint);
  gtk_label_set_label (page->memory_hint, memory_hint);
  show_nics (page, guest);
  return GTK_WIDGET (page->name);
}

static gboolean
take_nics (P2vGuestPage *page)
{
  g_autoptr (GList) rows = gtk_container_get_children (page->nics);
  P2vNicRow *wrong = NULL;
  for (GList *item = rows; item != NULL; item = item->next)
    {
      g_autofree char *network = NULL;
      if (!P2V_IS_NIC_ROW (item->data))
        continue;
      if (p2v_nic_row_read (item->data, &network))
        p2v_kiosk_model_set_network (model_of (page), p2v_nic_row_get_name (item->data), network);
      else if (wrong == NULL)
        wrong = item->data;
    }
  if (wrong != NULL)
    p2v_nic_row_focus (wrong);
  return wrong == NULL;
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
  GtkEntry *wrong = NULL;
  if (!p2v_field_judge (page->memory, page->memory_error, memory_error))
    wrong = page->memory;
  if (!p2v_field_judge (page->vcpus, page->vcpus_error, vcpus_error))
    wrong = page->vcpus;
  if (!p2v_field_judge (page->name, page->name_error, name_error))
    wrong = page->name;
  if (wrong != NULL)
    gtk_widget_grab_focus (GTK_WIDGET (wrong));
  if (wrong != NULL || !nics_good)
    return FALSE;
  g_free (config->name);
  config->name = g_steal_pointer (&name);
  config->memory = memory * MEBIBYTE;
  /* A number that was left alone may stand for sockets, cores and threads. */
  if (vcpus != page->shown_vcpus)
    config->phys_topo = FALSE;
  config->vcpus = vcpus;
  return TRUE;
}

static gboolean
commit (P2vKioskPage *base)
{
  P2vGuestPage *page = P2V_GUEST_PAGE (base);
  g_autoptr (GError) error = NULL;
  if (!take_fields (page))
    return FALSE;
  gboolean made = p2v_kiosk_model_make_request (model_of (page), &error);
  p2v_kiosk_notice_say_error (page->notice, _ ("This cannot be asked of the server"), error);
  return made;
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
  CHILD (nics);
#undef CHILD
}

static void
p2v_guest_page_class_init (P2vGuestPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2V_KIOSK_PAGE_CLASS (class)->enter = enter;
  P2V_KIOSK_PAGE_CLASS (class)->commit = commit;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  bind_children (widget_class);
}

static void
p2v_guest_page_init (P2vGuestPage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
