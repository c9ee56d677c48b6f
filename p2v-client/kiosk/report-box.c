/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/report-box.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "report-box.ui"

struct _P2vKioskReportBox
{
  GtkBox parent_instance;
  GtkWidget *busy;
  GtkWidget *choice;
  GtkComboBoxText *sticks;
  P2vKioskNotice *notice;
  P2vKioskModel *model;
  P2vKioskEngine *engine;
};

G_DEFINE_TYPE (P2vKioskReportBox, p2v_kiosk_report_box, GTK_TYPE_BOX)

static void
on_save (P2vKioskReportBox *box)
{
  p2v_kiosk_engine_save_report (box->engine, NULL);
}

static void
on_save_there (P2vKioskReportBox *box)
{
  int index = gtk_combo_box_get_active (GTK_COMBO_BOX (box->sticks));
  const GPtrArray *sticks = box->model->sticks;
  if (sticks == NULL || index < 0 || (guint)index >= sticks->len)
    return;
  /* The list goes when the saving begins. */
  g_autoptr (P2vStick) stick = p2v_stick_copy (sticks->pdata[index]);
  p2v_kiosk_engine_save_report (box->engine, stick);
}

static void
show_choice (P2vKioskReportBox *box, const GPtrArray *sticks)
{
  gtk_combo_box_text_remove_all (box->sticks);
  for (guint i = 0; i < sticks->len; i++)
    gtk_combo_box_text_append_text (box->sticks, ((const P2vStick *)sticks->pdata[i])->text);
  gtk_combo_box_set_active (GTK_COMBO_BOX (box->sticks), 0);
  gtk_widget_show (box->choice);
  gtk_widget_grab_focus (GTK_WIDGET (box->sticks));
}

static void
say_result (P2vKioskReportBox *box)
{
  const P2vKioskModel *model = box->model;
  if (model->save_error != NULL)
    p2v_kiosk_notice_say_error (box->notice, _ ("The report could not be saved"),
                                model->save_error);
  else if (model->saved != NULL)
    p2v_kiosk_notice_say (box->notice, P2V_KIOSK_NOTICE_GOOD,
                          _ ("The report is saved. The stick can be pulled out."), model->saved);
  else if (model->sticks != NULL && model->sticks->len == 0)
    p2v_kiosk_notice_say (
        box->notice, P2V_KIOSK_NOTICE_WARNING, _ ("No USB stick was found"),
        _ ("Plug in one with a FAT, exFAT or ext4 filesystem, wait a moment, and press the button "
           "again. Disks that are converted are never written to."));
  else
    p2v_kiosk_notice_say (box->notice, P2V_KIOSK_NOTICE_GOOD, NULL, NULL);
}

static void
on_report_changed (P2vKioskReportBox *box)
{
  const P2vKioskModel *model = box->model;
  gtk_widget_set_visible (box->busy, model->saving);
  gtk_widget_hide (box->choice);
  say_result (box);
  if (!model->saving && model->sticks != NULL && model->sticks->len > 1
      && gtk_widget_get_mapped (GTK_WIDGET (box)))
    show_choice (box, model->sticks);
}

static void
dispose (GObject *object)
{
  P2vKioskReportBox *box = P2V_KIOSK_REPORT_BOX (object);
  if (box->model != NULL)
    g_signal_handlers_disconnect_by_data (box->model, box);
  g_clear_object (&box->model);
  g_clear_object (&box->engine);
  G_OBJECT_CLASS (p2v_kiosk_report_box_parent_class)->dispose (object);
}

static void
p2v_kiosk_report_box_class_init (P2vKioskReportBoxClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  g_type_ensure (P2V_TYPE_KIOSK_NOTICE);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskReportBox, busy);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskReportBox, choice);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskReportBox, sticks);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskReportBox, notice);
  gtk_widget_class_bind_template_callback (widget_class, on_save);
  gtk_widget_class_bind_template_callback (widget_class, on_save_there);
}

static void
p2v_kiosk_report_box_init (P2vKioskReportBox *box)
{
  gtk_widget_init_template (GTK_WIDGET (box));
}

void
p2v_kiosk_report_box_bind (P2vKioskReportBox *box, P2vKioskModel *model, P2vKioskEngine *engine)
{
  g_set_object (&box->model, model);
  g_set_object (&box->engine, engine);
  g_signal_connect_swapped (model, "report-changed", G_CALLBACK (on_report_changed), box);
}
