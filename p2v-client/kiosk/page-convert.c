/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/bar-row.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/log-view.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/rate-graph.h"
#include "p2v-client/kiosk/unfinished-box.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-convert.ui"

/* How often a bar without figures moves, milliseconds. */
#define PULSE 500

/* How the conversion goes. */

#define P2V_TYPE_CONVERT_PAGE (p2v_convert_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vConvertPage, p2v_convert_page, P2V, CONVERT_PAGE, P2vKioskPage)

struct _P2vConvertPage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *notice;
  GtkLabel *activity;
  GtkProgressBar *total;
  GtkLabel *figures;
  P2vRateGraph *graph;
  GtkWidget *disks_section;
  GtkContainer *disks;
  GtkWidget *question;
  P2vKioskNotice *question_text;
  GtkButton *stop;
  P2vKioskUnfinishedBox *unfinished;
  GtkButton *hold;
  GtkToggleButton *log_button;
  P2vLogView *log;
  gboolean log_opened; /* just now */
  gboolean asking;     /* whether to stop */
  gboolean landed;     /* everything had, when that was asked: then stopping loses nothing */
  guint pulse;
};

G_DEFINE_TYPE (P2vConvertPage, p2v_convert_page, P2V_TYPE_KIOSK_PAGE)

static P2vKioskModel *
model_of (P2vConvertPage *page)
{
  return p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page));
}

static gboolean
is_sending (const P2vKioskState *state)
{
  gint64 done;
  gint64 size;
  p2v_kiosk_state_totals (state, &done, &size);
  return size > 0 && done < size && !state->landed;
}

static gboolean
on_pulse (gpointer user_data)
{
  P2vConvertPage *page = user_data;
  gtk_progress_bar_pulse (page->total);
  return G_SOURCE_CONTINUE;
}

/* A bar either shows a fraction, or moves to say that something goes on. */
static void
show_total (P2vConvertPage *page, double fraction)
{
  if (fraction >= 0)
    {
      g_clear_handle_id (&page->pulse, g_source_remove);
      gtk_progress_bar_set_fraction (page->total, fraction);
    }
  else if (page->pulse == 0)
    page->pulse = g_timeout_add (PULSE, on_pulse, page);
}

/* "3.1 GiB of 20.0 GiB, 118.4 MiB/s, 2 min 25 s left". (transfer full) */
static char *
sending_figures (const P2vKioskState *state, gboolean held, gint64 done, gint64 size)
{
  g_autofree char *done_text = p2v_size_format (done);
  g_autofree char *size_text = p2v_size_format (size);
  g_autofree char *rate = p2v_rate_format (state->rate);
  g_autofree char *left = p2v_duration_format (MAX (state->time_left, 1));
  gboolean known = state->rate >= 1 && state->pause == NULL && !held;
  if (!known)
    return g_strdup_printf (_ ("%s of %s"), done_text, size_text);
  if (state->time_left < 0)
    return g_strdup_printf (_ ("%s of %s, %s"), done_text, size_text, rate);
  return g_strdup_printf (_ ("%s of %s, %s, %s left"), done_text, size_text, rate, left);
}

static void
show_figures (P2vConvertPage *page, const P2vKioskState *state)
{
  gint64 done;
  gint64 size;
  g_autofree char *text = NULL;
  p2v_kiosk_state_totals (state, &done, &size);
  /* Nothing goes on while an answer is waited for. */
  if (state->unfinished != NULL)
    show_total (page, 0);
  else if (is_sending (state))
    {
      show_total (page, (double)done / (double)size);
      text = sending_figures (state, model_of (page)->held, done, size);
    }
  else if (state->percent >= 0)
    {
      show_total (page, (double)state->percent / 100);
      text = g_strdup_printf ("%" G_GINT64_FORMAT " %%", state->percent);
    }
  else
    show_total (page, -1);
  gtk_label_set_label (page->figures, text != NULL ? text : "");
}

static void
show_disks (P2vConvertPage *page, const P2vKioskState *state)
{
  g_autoptr (GList) rows = gtk_container_get_children (page->disks);
  guint count = g_list_length (rows);
  for (guint i = count; i < state->disks->len; i++)
    {
      const P2vKioskDisk *disk = state->disks->pdata[i];
      gtk_container_add (page->disks, p2v_bar_row_new (disk->name));
    }
  gtk_widget_set_visible (page->disks_section, state->disks->len > 0);
  g_clear_pointer (&rows, g_list_free);
  rows = gtk_container_get_children (page->disks);
  guint i = 0;
  for (GList *item = rows; item != NULL && i < state->disks->len; item = item->next, i++)
    {
      const P2vKioskDisk *disk = state->disks->pdata[i];
      p2v_bar_row_show (item->data, disk->done, disk->size);
    }
}

static void
show_graph (P2vConvertPage *page, const P2vKioskState *state)
{
  gboolean shown = is_sending (state) && state->rates->len > 1;
  gtk_widget_set_visible (GTK_WIDGET (page->graph), shown);
  if (shown)
    p2v_rate_graph_show (page->graph, state->rates, g_get_monotonic_time ());
}

static void
show_hold (P2vConvertPage *page, const P2vKioskState *state)
{
  const P2vKioskModel *model = model_of (page);
  gtk_widget_set_visible (GTK_WIDGET (page->hold),
                          is_sending (state) && model->phase == P2V_KIOSK_RUNNING);
  gtk_button_set_label (page->hold, model->held ? _ ("_Resume") : _ ("_Pause"));
}

static void
on_hold (P2vConvertPage *page)
{
  p2v_kiosk_engine_hold (p2v_kiosk_page_get_engine (P2V_KIOSK_PAGE (page)), !model_of (page)->held);
}

static void
show_log (P2vConvertPage *page)
{
  const P2vKioskState *state = model_of (page)->state;
  gboolean shown = gtk_toggle_button_get_active (page->log_button);
  gtk_widget_set_visible (GTK_WIDGET (page->log), shown);
  if (shown && state != NULL)
    p2v_log_view_show (page->log, state);
}

/* What was just opened has got its place: it comes into sight. */
static gboolean
scroll_to_end (gpointer user_data)
{
  GtkAdjustment *place = gtk_scrolled_window_get_vadjustment (user_data);
  gtk_adjustment_set_value (place, gtk_adjustment_get_upper (place));
  return G_SOURCE_REMOVE;
}

static void
on_log_allocated (P2vConvertPage *page)
{
  if (page->log_opened)
    g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, scroll_to_end, g_object_ref (page), g_object_unref);
  page->log_opened = FALSE;
}

static void
on_log_toggled (P2vConvertPage *page)
{
  page->log_opened = gtk_toggle_button_get_active (page->log_button);
  show_log (page);
  if (page->log_opened)
    gtk_widget_child_focus (GTK_WIDGET (page->log), GTK_DIR_TAB_FORWARD);
}

static void
show_notice (P2vConvertPage *page, const P2vKioskState *state)
{
  guint count = state->warnings->len;
  const char *warning = count > 0 ? state->warnings->pdata[count - 1] : NULL;
  if (model_of (page)->phase == P2V_KIOSK_STOPPING)
    {
      g_autofree char *kept = p2v_kiosk_state_kept (state);
      const char *told = state->job != NULL && !state->landed
                             ? _ ("The server is told, and takes away what it has received.")
                             : NULL;
      p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING, _ ("Stopping\xe2\x80\xa6"),
                            kept != NULL ? kept : told);
    }
  else if (state->pause != NULL)
    {
      g_autofree char *why = p2v_kiosk_sentence (state->pause_why);
      /* Space is made by people. */
      p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING,
                            state->lost ? _ ("It goes on by itself")
                                        : _ ("It goes on as soon as there is space"),
                            why);
    }
  else if (model_of (page)->held && is_sending (state))
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_GOOD, _ ("Paused"),
                          _ ("Nothing is sent until you go on. The connection is kept, and what "
                             "has arrived too."));
  else if (state->landed && state->stay != NULL)
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_GOOD,
                          _ ("Everything has reached the server"), state->stay);
  else if (state->landed)
    p2v_kiosk_notice_say (
        page->notice, P2V_KIOSK_NOTICE_GOOD, _ ("This machine is no longer needed"),
        _ ("The server has all of it and goes on by itself, even if this machine is "
           "switched off now. To see how it ends, wait here."));
  else
    p2v_kiosk_notice_say (page->notice, P2V_KIOSK_NOTICE_WARNING,
                          warning != NULL ? _ ("The server says") : NULL, warning);
}

static void
show_question (P2vConvertPage *page, const P2vKioskState *state)
{
  P2vKioskPage *base = P2V_KIOSK_PAGE (page);
  gboolean stopping = model_of (page)->phase == P2V_KIOSK_STOPPING;
  const P2vUnfinished *unfinished = stopping ? NULL : state->unfinished;
  /* A question that has come to mean something else is asked anew. */
  page->asking &= !stopping && unfinished == NULL && page->landed == state->landed;
  gtk_widget_set_visible (page->question, page->asking);
  p2v_kiosk_unfinished_box_show (page->unfinished, unfinished);
  /* After what it replaces is hidden: it may have had the focus. */
  p2v_kiosk_page_set_back_label (base, stopping             ? ""
                                       : unfinished != NULL ? _ ("_Stop")
                                       : page->asking       ? _ ("_Keep going")
                                       : state->landed      ? _ ("_Stop watching")
                                                            : _ ("_Cancel"));
  g_autofree char *kept = p2v_kiosk_state_kept (state);
  if (state->landed)
    p2v_kiosk_notice_say (page->question_text, P2V_KIOSK_NOTICE_WARNING, _ ("Stop watching?"),
                          _ ("The server goes on by itself and makes the guest all the same."));
  else if (kept != NULL)
    p2v_kiosk_notice_say (page->question_text, P2V_KIOSK_NOTICE_WARNING,
                          _ ("Cancel the conversion?"), kept);
  else
    p2v_kiosk_notice_say (
        page->question_text, P2V_KIOSK_NOTICE_WARNING, _ ("Cancel the conversion?"),
        _ ("What was sent so far is thrown away on the server. This machine stays as it is."));
  gtk_button_set_label (page->stop,
                        state->landed ? _ ("_Stop watching") : _ ("Cancel the con_version"));
}

static void
on_conversion_changed (P2vConvertPage *page)
{
  P2vKioskModel *model = model_of (page);
  const P2vKioskState *state = model->state;
  if (!p2v_kiosk_model_is_converting (model))
    {
      g_clear_handle_id (&page->pulse, g_source_remove);
      page->asking = FALSE;
      return;
    }
  gboolean held = model->held && is_sending (state);
  const char *activity = held ? _ ("Paused") : state->activity;
  gtk_label_set_label (page->activity, state->pause != NULL ? state->pause : activity);
  show_notice (page, state);
  show_figures (page, state);
  show_graph (page, state);
  show_disks (page, state);
  show_hold (page, state);
  show_log (page);
  show_question (page, state);
}

static void
on_answered (P2vConvertPage *page, gboolean go_on)
{
  p2v_kiosk_engine_answer (p2v_kiosk_page_get_engine (P2V_KIOSK_PAGE (page)), go_on);
}

static void
on_stop (P2vConvertPage *page)
{
  page->asking = FALSE;
  p2v_kiosk_engine_stop_conversion (p2v_kiosk_page_get_engine (P2V_KIOSK_PAGE (page)));
}

/* Back asks, and asked already, goes on: a key that is pressed twice does no harm. */
static gboolean
retreat (P2vKioskPage *base)
{
  P2vConvertPage *page = P2V_CONVERT_PAGE (base);
  /* Nothing has been done yet that would be a loss. */
  if (model_of (page)->state->unfinished != NULL)
    {
      on_stop (page);
      return TRUE;
    }
  page->asking = !page->asking;
  page->landed = model_of (page)->state->landed;
  /* Wherever it is: the window gives it to what does no harm. */
  gtk_window_set_focus (GTK_WINDOW (gtk_widget_get_toplevel (GTK_WIDGET (page))), NULL);
  on_conversion_changed (page);
  return TRUE;
}

static void
bind (P2vKioskPage *base)
{
  g_signal_connect_swapped (p2v_kiosk_page_get_model (base), "conversion-changed",
                            G_CALLBACK (on_conversion_changed), base);
}

static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vConvertPage *page = P2V_CONVERT_PAGE (base);
  p2v_container_clear (page->disks);
  on_conversion_changed (page);
  return model_of (page)->state->unfinished != NULL
             ? p2v_kiosk_unfinished_box_get_first (page->unfinished)
             : NULL;
}

static void
dispose (GObject *object)
{
  P2vConvertPage *page = P2V_CONVERT_PAGE (object);
  g_clear_handle_id (&page->pulse, g_source_remove);
  G_OBJECT_CLASS (p2v_convert_page_parent_class)->dispose (object);
}

static void
p2v_convert_page_class_init (P2vConvertPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2vKioskPageClass *page_class = P2V_KIOSK_PAGE_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  page_class->bind = bind;
  page_class->enter = enter;
  page_class->retreat = retreat;
  g_type_ensure (P2V_TYPE_KIOSK_UNFINISHED_BOX);
  g_type_ensure (P2V_TYPE_RATE_GRAPH);
  g_type_ensure (P2V_TYPE_LOG_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, question);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, question_text);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, stop);
  gtk_widget_class_bind_template_callback (widget_class, on_stop);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, unfinished);
  gtk_widget_class_bind_template_callback (widget_class, on_answered);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, graph);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, hold);
  gtk_widget_class_bind_template_callback (widget_class, on_hold);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, log_button);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, log);
  gtk_widget_class_bind_template_callback (widget_class, on_log_toggled);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, activity);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, total);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, figures);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, disks);
  gtk_widget_class_bind_template_child (widget_class, P2vConvertPage, disks_section);
}

static void
p2v_convert_page_init (P2vConvertPage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
  g_signal_connect_swapped (page->log, "size-allocate", G_CALLBACK (on_log_allocated), page);
}
