/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/end-box.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/power.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "end-box.ui"

struct _P2vKioskEndBox
{
  GtkBox parent_instance;
  P2vKioskNotice *notice;
  GtkWidget *power_off;
  GtkWidget *reboot;
  GtkWidget *again;
  GtkWidget *close;
  P2vKioskModel *model;
};

G_DEFINE_TYPE (P2vKioskEndBox, p2v_kiosk_end_box, GTK_TYPE_BOX)

static void
end_machine (P2vKioskEndBox *box, gboolean reboot)
{
  g_autoptr (GError) error = NULL;
  p2v_power_off (reboot, &error);
  p2v_kiosk_notice_say_error (box->notice, _ ("The machine cannot be switched off from here"),
                              error);
}

static void
on_power_off (P2vKioskEndBox *box)
{
  end_machine (box, FALSE);
}

static void
on_reboot (P2vKioskEndBox *box)
{
  end_machine (box, TRUE);
}

static void
on_again (P2vKioskEndBox *box)
{
  p2v_kiosk_model_start_over (box->model);
}

static void
on_close (P2vKioskEndBox *box)
{
  gtk_window_close (GTK_WINDOW (gtk_widget_get_toplevel (GTK_WIDGET (box))));
}

static void
dispose (GObject *object)
{
  g_clear_object (&P2V_KIOSK_END_BOX (object)->model);
  G_OBJECT_CLASS (p2v_kiosk_end_box_parent_class)->dispose (object);
}

static void
p2v_kiosk_end_box_class_init (P2vKioskEndBoxClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskEndBox, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskEndBox, power_off);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskEndBox, reboot);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskEndBox, again);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskEndBox, close);
  gtk_widget_class_bind_template_callback (widget_class, on_power_off);
  gtk_widget_class_bind_template_callback (widget_class, on_reboot);
  gtk_widget_class_bind_template_callback (widget_class, on_again);
  gtk_widget_class_bind_template_callback (widget_class, on_close);
}

static void
p2v_kiosk_end_box_init (P2vKioskEndBox *box)
{
  gboolean ours = p2v_power_is_ours ();
  gtk_widget_init_template (GTK_WIDGET (box));
  gtk_widget_set_visible (box->power_off, ours);
  gtk_widget_set_visible (box->reboot, ours);
  gtk_widget_set_visible (box->again, ours);
  gtk_widget_set_visible (box->close, !ours);
}

void
p2v_kiosk_end_box_bind (P2vKioskEndBox *box, P2vKioskModel *model)
{
  g_set_object (&box->model, model);
}
