/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/ending.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/end-box.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/report-box.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-done.ui"

/* How many places that could not be read are listed: as many as there is room for. */
#define PLACES_SHOWN 4

/* The guest is there. */

#define P2V_TYPE_DONE_PAGE (p2v_done_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vDonePage, p2v_done_page, P2V, DONE_PAGE, P2vKioskPage)

struct _P2vDonePage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *notice;
  GtkContainer *facts;
  P2vKioskEndBox *end;
  P2vKioskReportBox *report;
};

G_DEFINE_TYPE (P2vDonePage, p2v_done_page, P2V_TYPE_KIOSK_PAGE)

static void
add (P2vDonePage *page, const char *name, const char *text)
{
  if (text != NULL)
    gtk_container_add (page->facts, p2v_fact_row_new (name, text, NULL));
}

static void
say_how_it_went (P2vDonePage *page, const P2vKioskModel *model, const P2vEnding *ending)
{
  g_autofree char *next = p2v_ending_next_step (ending);
  const GPtrArray *bad = model->state->bad;
  g_autofree char *good = p2v_ending_headline (ending);
  if (bad->len == 0)
    {
      p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_GOOD, good, next);
      return;
    }
  g_autofree char *heading
      = g_strdup_printf (_ ("%s, but not all of this machine could be read"), good);
  g_autofree char *text = g_strdup_printf (
      ngettext ("%lld bytes in %u place of the disks are zeroes in the guest. Check its "
                "filesystems, and restore from a backup what lies there. %s",
                "%lld bytes in %u places of the disks are zeroes in the guest. Check its "
                "filesystems, and restore from a backup what lies there. %s",
                bad->len),
      (long long)p2v_bad_ranges_bytes (bad), bad->len, next);
  p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING, heading, text);
}

/* The places; the server lists all. */
static void
add_bad (P2vDonePage *page, const GPtrArray *bad)
{
  for (guint i = 0; i < MIN (bad->len, PLACES_SHOWN); i++)
    {
      g_autofree char *place = p2v_bad_range_text (bad->pdata[i]);
      g_autofree char *text = p2v_text_printable (place);
      add (page, i == 0 ? _ ("Not read") : "", text);
    }
  g_autofree char *more = bad->len > PLACES_SHOWN
                              ? g_strdup_printf (_ ("and %u more places"), bad->len - PLACES_SHOWN)
                              : NULL;
  add (page, "", more);
}

static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vDonePage *page = P2V_DONE_PAGE (base);
  const P2vKioskModel *model = p2v_kiosk_page_get_model (base);
  const P2vKioskState *state = model->state;
  P2vEnding ending = { model->config, model->request, state->job, state->place, state->verified };
  g_autofree char *checks = p2v_ending_checks (&ending);
  say_how_it_went (page, model, &ending);
  /* Who has lost something will be asked for it. */
  gtk_widget_set_visible (GTK_WIDGET (page->report), state->bad->len > 0);
  p2v_container_clear (page->facts);
  add (page, _ ("Guest"), model->request->guest->name);
  add (page, _ ("Server"), model->config->server);
  add (page, _ ("Where"), state->place);
  add (page, _ ("Job"), state->job);
  add (page, _ ("Checked"), checks);
  add_bad (page, state->bad);
  for (guint i = 0; i < state->warnings->len; i++)
    add (page, i == 0 ? _ ("Note") : "", state->warnings->pdata[i]);
  /* The page comes by itself: a key that was meant for the one before must not switch the machine
   * off, or begin again. */
  return GTK_WIDGET (page->notice);
}

static void
bind (P2vKioskPage *base)
{
  P2vDonePage *page = P2V_DONE_PAGE (base);
  p2v_kiosk_end_box_bind (page->end, p2v_kiosk_page_get_model (base));
  p2v_kiosk_report_box_bind (page->report, p2v_kiosk_page_get_model (base),
                             p2v_kiosk_page_get_engine (base));
}

static void
p2v_done_page_class_init (P2vDonePageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2V_KIOSK_PAGE_CLASS (class)->bind = bind;
  P2V_KIOSK_PAGE_CLASS (class)->enter = enter;
  g_type_ensure (P2V_TYPE_KIOSK_END_BOX);
  g_type_ensure (P2V_TYPE_KIOSK_REPORT_BOX);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vDonePage, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vDonePage, facts);
  gtk_widget_class_bind_template_child (widget_class, P2vDonePage, end);
  gtk_widget_class_bind_template_child (widget_class, P2vDonePage, report);
}

static void
p2v_done_page_init (P2vDonePage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
