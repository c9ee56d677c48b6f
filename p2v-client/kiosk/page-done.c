/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/end-box.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-done.ui"

/* The guest is there. */

#define P2V_TYPE_DONE_PAGE (p2v_done_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vDonePage, p2v_done_page, P2V, DONE_PAGE, P2vKioskPage)

struct _P2vDonePage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *notice;
  GtkContainer *facts;
  P2vKioskEndBox *end;
};

G_DEFINE_TYPE (P2vDonePage, p2v_done_page, P2V_TYPE_KIOSK_PAGE)

static void
add (P2vDonePage *page, const char *name, const char *text)
{
  if (text != NULL)
    gtk_container_add (page->facts, p2v_fact_row_new (name, text, NULL));
}

static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vDonePage *page = P2V_DONE_PAGE (base);
  const P2vKioskModel *model = p2v_kiosk_page_get_model (base);
  const P2vKioskState *state = model->state;
  g_autofree char *heading
      = g_strdup_printf ("The guest %s has been made", model->request->guest->name);
  p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_GOOD, heading,
                        "Switch this machine off before you start the guest: both have the same "
                        "name and may have the same addresses.");
  p2v_container_clear (page->facts);
  add (page, "Guest", model->request->guest->name);
  add (page, "Server", model->config->server);
  add (page, "Where", state->place);
  add (page, "Job", state->job);
  for (guint i = 0; i < state->warnings->len; i++)
    add (page, i == 0 ? "Note" : "", state->warnings->pdata[i]);
  return p2v_kiosk_end_box_get_first (page->end);
}

static void
bind (P2vKioskPage *base)
{
  p2v_kiosk_end_box_bind (P2V_DONE_PAGE (base)->end, p2v_kiosk_page_get_model (base));
}

static void
p2v_done_page_class_init (P2vDonePageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2V_KIOSK_PAGE_CLASS (class)->bind = bind;
  P2V_KIOSK_PAGE_CLASS (class)->enter = enter;
  g_type_ensure (P2V_TYPE_KIOSK_END_BOX);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vDonePage, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vDonePage, facts);
  gtk_widget_class_bind_template_child (widget_class, P2vDonePage, end);
}

static void
p2v_done_page_init (P2vDonePage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
