/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/unfinished-box.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "unfinished-box.ui"

struct _P2vKioskUnfinishedBox
{
  GtkBox parent_instance;
  P2vKioskNotice *notice;
  GtkWidget *go_on;
  GtkWidget *begin_anew;
};

G_DEFINE_TYPE (P2vKioskUnfinishedBox, p2v_kiosk_unfinished_box, GTK_TYPE_BOX)

static guint answered_signal;

static void
on_go_on (P2vKioskUnfinishedBox *box)
{
  g_signal_emit (box, answered_signal, 0, TRUE);
}

static void
on_begin_anew (P2vKioskUnfinishedBox *box)
{
  g_signal_emit (box, answered_signal, 0, FALSE);
}

void
p2v_kiosk_unfinished_box_show (P2vKioskUnfinishedBox *box, const P2vUnfinished *unfinished)
{
  GtkWidget *widget = GTK_WIDGET (box);
  if (unfinished == NULL)
    {
      gtk_widget_hide (widget);
      return;
    }
  if (gtk_widget_get_visible (widget))
    return;
  g_autofree char *what = p2v_unfinished_describe (unfinished);
  g_autofree char *text
      = g_strconcat (what,
                     _ ("\n\nGo on: only what is missing, or has changed since, is sent.\n"
                        "Begin anew: what has landed is thrown away, and everything is sent.\n"
                        "Escape: stop here. The server keeps what it has, for another time."),
                     NULL);
  p2v_kiosk_notice_say (box->notice, P2V_KIOSK_NOTICE_WARNING,
                        _ ("An earlier conversion of this machine is unfinished. Go on with it?"),
                        text);
  gtk_widget_show (widget);
  gtk_widget_grab_focus (box->go_on);
}

GtkWidget *
p2v_kiosk_unfinished_box_get_first (P2vKioskUnfinishedBox *box)
{
  return box->go_on;
}

static void
p2v_kiosk_unfinished_box_class_init (P2vKioskUnfinishedBoxClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  g_type_ensure (P2V_TYPE_KIOSK_NOTICE);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskUnfinishedBox, notice);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskUnfinishedBox, go_on);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskUnfinishedBox, begin_anew);
  gtk_widget_class_bind_template_callback (widget_class, on_go_on);
  gtk_widget_class_bind_template_callback (widget_class, on_begin_anew);
  answered_signal = g_signal_new ("answered", P2V_TYPE_KIOSK_UNFINISHED_BOX, G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}

static void
p2v_kiosk_unfinished_box_init (P2vKioskUnfinishedBox *box)
{
  gtk_widget_init_template (GTK_WIDGET (box));
}
