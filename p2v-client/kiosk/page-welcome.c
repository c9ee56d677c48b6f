/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/network-form.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-welcome.ui"

/* What this machine is and how it is connected, while it is still being looked at. */

#define P2V_TYPE_WELCOME_PAGE (p2v_welcome_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vWelcomePage, p2v_welcome_page, P2V, WELCOME_PAGE, P2vKioskPage)

struct _P2vWelcomePage
{
  P2vKioskPage parent_instance;
  GtkStack *stack;
  GtkWidget *overview;
  P2vKioskNotice *complaint;
  GtkComboBoxText *language;
  GtkLabel *machine;
  GtkLabel *system;
  GtkBox *links;
  GtkLabel *advice;
  GtkWidget *settings;
  P2vNetworkForm *network;
  char *title; /* of the page while it does not show the form */
};

G_DEFINE_TYPE (P2vWelcomePage, p2v_welcome_page, P2V_TYPE_KIOSK_PAGE)

/* "Dell Inc. PowerEdge R720, serial number 7XK2J5J; 8 processors, 32.0 GiB of memory". */
static char *
describe_machine (const P2vMachine *machine)
{
  const P2vSmbios *smbios = machine->smbios;
  g_autofree char *memory = p2v_size_format (machine->memory);
  GString *text = g_string_new (NULL);
  if (smbios != NULL && smbios->manufacturer != NULL)
    g_string_append_printf (text, "%s ", smbios->manufacturer);
  if (smbios != NULL && smbios->product != NULL)
    g_string_append (text, smbios->product);
  if (smbios != NULL && smbios->serial != NULL)
    g_string_append_printf (text, _ (", serial number %s"), smbios->serial);
  if (text->len > 0)
    g_string_append (text, "; ");
  g_string_append_printf (text,
                          ngettext ("%lld processor, %s of memory", "%lld processors, %s of memory",
                                    (gulong)machine->cpu->online),
                          (long long)machine->cpu->online, memory);
  return g_string_free (text, FALSE);
}

static void
on_machine_changed (P2vWelcomePage *page)
{
  P2vKioskModel *model = p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page));
  const P2vMachine *machine = model->machine;
  g_autofree char *text = NULL;
  g_autofree char *system = NULL;
  if (machine != NULL)
    text = describe_machine (machine);
  else if (model->machine_error != NULL)
    text = p2v_kiosk_sentence (model->machine_error->message);
  else
    text = g_strdup (_ ("Looking at this machine and what is on its disks\xe2\x80\xa6"));
  if (machine != NULL && machine->hostname != NULL)
    system = g_strdup_printf (_ ("On its disks it calls itself %s."), machine->hostname);
  else if (machine != NULL)
    system = g_strdup (_ ("No operating system that gives itself a name was found on its disks."));
  gtk_label_set_label (page->machine, text);
  gtk_label_set_label (page->system, system != NULL ? system : "");
  gtk_widget_set_visible (GTK_WIDGET (page->system), system != NULL);
}

static void
on_network_changed (P2vWelcomePage *page)
{
  P2vKioskModel *model = p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page));
  GPtrArray *links = model->links;
  gboolean usable = FALSE;
  p2v_container_clear (GTK_CONTAINER (page->links));
  for (guint i = 0; links != NULL && i < links->len; i++)
    {
      const P2vInterface *link = links->pdata[i];
      g_autofree char *text = p2v_interface_describe (link);
      const char *style = p2v_interface_is_usable (link) ? "good" : "dim";
      usable |= p2v_interface_is_usable (link);
      gtk_container_add (GTK_CONTAINER (page->links), p2v_fact_row_new (link->name, text, style));
    }
  const char *advice = "";
  if (links == NULL)
    advice = _ ("Looking at the network\xe2\x80\xa6");
  else if (links->len == 0)
    advice = _ ("This system has no driver for a network card of this machine. Without a network "
                "nothing can be converted; try a USB network adapter.");
  else if (!usable)
    advice = _ ("Without an address the server cannot be reached. Check the cable and the switch. "
                "Where there is no DHCP, or a VLAN or bond is needed, enter it in the settings.");
  else
    advice
        = _ ("You need the name or address of the conversion server, a user name with a password "
             "or an SSH key for it, and the host key's fingerprint that p2v-server setup has "
             "printed there.");
  gtk_label_set_label (page->advice, advice);
}

static gboolean
shows_form (P2vWelcomePage *page)
{
  return gtk_stack_get_visible_child (page->stack) == GTK_WIDGET (page->network);
}

/* The window's buttons are the form's while it is shown. */
static void
show_buttons (P2vWelcomePage *page)
{
  P2vKioskPage *base = P2V_KIOSK_PAGE (page);
  gboolean form = shows_form (page);
  gboolean busy = form && p2v_network_form_is_busy (page->network);
  p2v_kiosk_page_set_title (base, form ? _ ("How is this machine connected?") : page->title);
  gboolean applies = form && !p2v_network_form_is_done (page->network);
  p2v_kiosk_page_set_next_label (base, applies ? _ ("_Apply") : _ ("_Next"));
  p2v_kiosk_page_set_back_label (base, busy ? _ ("_Stop") : form ? _ ("_Back") : "");
  p2v_kiosk_page_set_ready (base, !form || p2v_network_form_is_ready (page->network));
}

static void
show (P2vWelcomePage *page, GtkWidget *child)
{
  gtk_stack_set_visible_child (page->stack, child);
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (page)), 0);
  show_buttons (page);
}

static void
on_settings (P2vWelcomePage *page)
{
  show (page, GTK_WIDGET (page->network));
  p2v_network_form_open (page->network, p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page)));
}

static gboolean
commit (P2vKioskPage *base)
{
  P2vWelcomePage *page = P2V_WELCOME_PAGE (base);
  if (!shows_form (page))
    return TRUE;
  if (!p2v_network_form_is_done (page->network))
    {
      p2v_network_form_apply (page->network);
      return FALSE;
    }
  show (page, page->overview);
  return TRUE;
}

static gboolean
retreat (P2vKioskPage *base)
{
  P2vWelcomePage *page = P2V_WELCOME_PAGE (base);
  if (!shows_form (page))
    return FALSE;
  if (p2v_network_form_is_busy (page->network))
    p2v_network_form_stop (page->network);
  else
    {
      show (page, page->overview);
      gtk_widget_grab_focus (page->settings);
    }
  return TRUE;
}

static void
on_language (GtkComboBox *box, P2vWelcomePage *page)
{
  const char *code = gtk_combo_box_get_active_id (box);
  if (code != NULL)
    p2v_kiosk_model_set_language (p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page)), code);
}

static void
fill_languages (P2vWelcomePage *page)
{
  const P2vLanguage *language;
  for (guint i = 0; (language = p2v_i18n_language (i)) != NULL; i++)
    gtk_combo_box_text_append (page->language, language->code, language->name);
  gtk_combo_box_set_active (GTK_COMBO_BOX (page->language), (int)p2v_i18n_get_language ());
  g_signal_connect (page->language, "changed", G_CALLBACK (on_language), page);
}

static void
bind (P2vKioskPage *base)
{
  P2vWelcomePage *page = P2V_WELCOME_PAGE (base);
  P2vKioskModel *model = p2v_kiosk_page_get_model (base);
  g_autofree char *complaint
      = model->complaint != NULL ? p2v_kiosk_sentence (model->complaint) : NULL;
  p2v_kiosk_notice_say (
      page->complaint, P2V_KIOSK_NOTICE_WARNING,
      complaint != NULL ? _ ("What was given at the boot menu is not used") : NULL, complaint);
  g_signal_connect_swapped (model, "machine-changed", G_CALLBACK (on_machine_changed), page);
  g_signal_connect_swapped (model, "network-changed", G_CALLBACK (on_network_changed), page);
  fill_languages (page);
  page->title = g_strdup (p2v_kiosk_page_get_title (base));
  g_signal_connect_swapped (page->network, "changed", G_CALLBACK (show_buttons), page);
  on_machine_changed (page);
  on_network_changed (page);
}

static void
finalize (GObject *object)
{
  g_free (P2V_WELCOME_PAGE (object)->title);
  G_OBJECT_CLASS (p2v_welcome_page_parent_class)->finalize (object);
}

static void
p2v_welcome_page_class_init (P2vWelcomePageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2vKioskPageClass *page_class = P2V_KIOSK_PAGE_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  page_class->bind = bind;
  page_class->commit = commit;
  page_class->retreat = retreat;
  g_type_ensure (P2V_TYPE_KIOSK_NOTICE);
  g_type_ensure (P2V_TYPE_NETWORK_FORM);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, stack);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, overview);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, complaint);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, language);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, machine);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, system);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, links);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, advice);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, settings);
  gtk_widget_class_bind_template_child (widget_class, P2vWelcomePage, network);
  gtk_widget_class_bind_template_callback (widget_class, on_settings);
}

static void
p2v_welcome_page_init (P2vWelcomePage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
