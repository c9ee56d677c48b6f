/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/fact-row.h"

#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "fact-row.ui"

struct _P2vFactRow
{
  GtkBox parent_instance;
  GtkLabel *name;
  GtkLabel *text;
};

G_DEFINE_TYPE (P2vFactRow, p2v_fact_row, GTK_TYPE_BOX)

static void
p2v_fact_row_class_init (P2vFactRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vFactRow, name);
  gtk_widget_class_bind_template_child (widget_class, P2vFactRow, text);
}

static void
p2v_fact_row_init (P2vFactRow *row)
{
  gtk_widget_init_template (GTK_WIDGET (row));
}

GtkWidget *
p2v_fact_row_new (const char *name, const char *text, const char *style)
{
  P2vFactRow *row = g_object_new (P2V_TYPE_FACT_ROW, NULL);
  gtk_label_set_label (row->name, name);
  gtk_label_set_label (row->text, text);
  if (style != NULL)
    gtk_style_context_add_class (gtk_widget_get_style_context (GTK_WIDGET (row->text)), style);
  return GTK_WIDGET (row);
}

static void
remove_child (GtkWidget *child, gpointer container)
{
  gtk_container_remove (container, child);
}

void
p2v_container_clear (GtkContainer *container)
{
  gtk_container_foreach (container, remove_child, container);
}
