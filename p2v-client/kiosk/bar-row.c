/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/bar-row.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "bar-row.ui"

struct _P2vBarRow
{
  GtkBox parent_instance;
  GtkLabel *name;
  GtkProgressBar *bar;
  GtkLabel *figures;
};

G_DEFINE_TYPE (P2vBarRow, p2v_bar_row, GTK_TYPE_BOX)

static void
p2v_bar_row_class_init (P2vBarRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vBarRow, name);
  gtk_widget_class_bind_template_child (widget_class, P2vBarRow, bar);
  gtk_widget_class_bind_template_child (widget_class, P2vBarRow, figures);
}

static void
p2v_bar_row_init (P2vBarRow *row)
{
  gtk_widget_init_template (GTK_WIDGET (row));
}

GtkWidget *
p2v_bar_row_new (const char *name)
{
  P2vBarRow *row = g_object_new (P2V_TYPE_BAR_ROW, NULL);
  gtk_label_set_label (row->name, name);
  atk_object_set_name (gtk_widget_get_accessible (GTK_WIDGET (row->bar)), name);
  return GTK_WIDGET (row);
}

void
p2v_bar_row_show (P2vBarRow *row, gint64 done, gint64 size)
{
  g_autofree char *done_text = p2v_size_format (done);
  g_autofree char *size_text = p2v_size_format (size);
  g_autofree char *text = g_strdup_printf (_ ("%s of %s"), done_text, size_text);
  gtk_progress_bar_set_fraction (row->bar, size > 0 ? (double)done / (double)size : 0);
  gtk_label_set_label (row->figures, text);
}
