/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/link-row.h"

#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "link-row.ui"

struct _P2vLinkRow
{
  GtkBox parent_instance;
  GtkLabel *name;
  GtkLabel *text;
};

G_DEFINE_TYPE (P2vLinkRow, p2v_link_row, GTK_TYPE_BOX)

static void
p2v_link_row_class_init (P2vLinkRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vLinkRow, name);
  gtk_widget_class_bind_template_child (widget_class, P2vLinkRow, text);
}

static void
p2v_link_row_init (P2vLinkRow *row)
{
  gtk_widget_init_template (GTK_WIDGET (row));
}

GtkWidget *
p2v_link_row_new (const P2vKioskLink *link)
{
  P2vLinkRow *row = g_object_new (P2V_TYPE_LINK_ROW, NULL);
  g_autofree char *text = p2v_kiosk_link_describe (link);
  gtk_label_set_label (row->name, link->name);
  gtk_label_set_label (row->text, text);
  gtk_style_context_add_class (gtk_widget_get_style_context (GTK_WIDGET (row->text)),
                               p2v_kiosk_link_is_usable (link) ? "good" : "dim");
  return GTK_WIDGET (row);
}
