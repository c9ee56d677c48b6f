/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/end-box.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/report-box.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-failed.ui"

/* It has not worked, or was stopped: what, why, and what to do. */

#define P2V_TYPE_FAILED_PAGE (p2v_failed_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vFailedPage, p2v_failed_page, P2V, FAILED_PAGE, P2vKioskPage)

struct _P2vFailedPage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *notice;
  GtkContainer *facts;
  P2vKioskEndBox *end;
  P2vKioskReportBox *report;
};

G_DEFINE_TYPE (P2vFailedPage, p2v_failed_page, P2V_TYPE_KIOSK_PAGE)

/* What to do next; the message has the details. (transfer full) */
static char *
advise (const P2vKioskModel *model)
{
  if (model->state->landed)
    return g_strdup_printf (
        _ ("Put right on the server what the message says, and run p2v-server retry %s there. This "
           "machine need not be read again and may be switched off."),
        model->state->job);
  switch (p2v_error_code_of (model->failure))
    {
    case P2V_ERROR_CONNECTION:
    case P2V_ERROR_TRANSFER:
      return g_strdup (
          _ ("Check this machine's cable and network, and that the server runs and has "
             "room. Then try again."));
    case P2V_ERROR_AUTH:
      return g_strdup (_ ("Change the settings: user, password or key."));
    case P2V_ERROR_SOURCE:
      return g_strdup (
          _ ("Check the disk and its cable, or change the settings and leave it out."));
    case P2V_ERROR_CANCELLED:
      return g_strdup (_ ("Change the settings or try again whenever you like."));
    default:
      return g_strdup (
          _ ("Put right what the message says, on the server or in the settings, and try "
             "again."));
    }
}

static void
add (P2vFailedPage *page, const char *name, const char *text)
{
  if (text != NULL)
    gtk_container_add (page->facts, p2v_fact_row_new (name, text, NULL));
}

static void
show_heading (P2vFailedPage *page, const P2vKioskModel *model, gboolean stopped)
{
  P2vKioskPage *base = P2V_KIOSK_PAGE (page);
  g_autofree char *kept = p2v_kiosk_state_kept (model->state);
  if (stopped)
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING,
                          model->state->landed
                              ? _ ("You have stopped watching; the server goes on by itself")
                              : _ ("You have stopped it; no guest was made"),
                          kept != NULL ? kept : _ ("This machine and its disks are as they were."));
  else
    p2v_kiosk_notice_say_error (page->notice, _ ("The guest was not made"), model->failure);
  p2v_kiosk_page_set_title (base, stopped ? _ ("Stopped") : _ ("It has not worked"));
  /* What has landed need not be read again. */
  p2v_kiosk_page_set_next_label (base, model->state->landed ? "" : _ ("_Try again"));
}

static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vFailedPage *page = P2V_FAILED_PAGE (base);
  const P2vKioskModel *model = p2v_kiosk_page_get_model (base);
  const P2vKioskState *state = model->state;
  gboolean stopped = p2v_error_code_of (model->failure) == P2V_ERROR_CANCELLED;
  g_autofree char *advice = advise (model);
  show_heading (page, model, stopped);
  p2v_container_clear (page->facts);
  add (page, _ ("During"), state->failed != NULL ? state->failed : state->activity);
  add (page, _ ("Server"), model->config->server);
  add (page, _ ("Job"), state->job);
  add (page, _ ("What to do"), advice);
  for (guint i = 0; i < state->warnings->len; i++)
    add (page, i == 0 ? _ ("It also said") : "", state->warnings->pdata[i]);
  /* The page comes by itself: a key that was meant for the one before must not switch the machine
   * off, or begin again. */
  return GTK_WIDGET (page->notice);
}

static gboolean
commit (P2vKioskPage *base)
{
  p2v_kiosk_engine_convert (p2v_kiosk_page_get_engine (base));
  return FALSE;
}

static gboolean
retreat (P2vKioskPage *base)
{
  p2v_kiosk_model_start_over (p2v_kiosk_page_get_model (base));
  return TRUE;
}

static void
bind (P2vKioskPage *base)
{
  P2vFailedPage *page = P2V_FAILED_PAGE (base);
  p2v_kiosk_end_box_bind (page->end, p2v_kiosk_page_get_model (base));
  p2v_kiosk_report_box_bind (page->report, p2v_kiosk_page_get_model (base),
                             p2v_kiosk_page_get_engine (base));
}

static void
p2v_failed_page_class_init (P2vFailedPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2vKioskPageClass *page_class = P2V_KIOSK_PAGE_CLASS (class);
  page_class->bind = bind;
  page_class->enter = enter;
  page_class->commit = commit;
  page_class->retreat = retreat;
  g_type_ensure (P2V_TYPE_KIOSK_END_BOX);
  g_type_ensure (P2V_TYPE_KIOSK_REPORT_BOX);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vFailedPage, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vFailedPage, facts);
  gtk_widget_class_bind_template_child (widget_class, P2vFailedPage, end);
  gtk_widget_class_bind_template_child (widget_class, P2vFailedPage, report);
}

static void
p2v_failed_page_init (P2vFailedPage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
