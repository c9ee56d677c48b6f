/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/disk-row.h"

#include "p2v-client/kiosk/disk-text.h"
#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "disk-row.ui"

struct _P2vDiskRow
{
  GtkBox parent_instance;
  GtkToggleButton *chosen;
  GtkLabel *title;
  GtkLabel *content;
  GtkLabel *warning;
  const P2vDisk *disk;
};

G_DEFINE_TYPE (P2vDiskRow, p2v_disk_row, GTK_TYPE_BOX)

static guint toggled_signal;

static void
on_toggled (P2vDiskRow *row)
{
  g_signal_emit (row, toggled_signal, 0);
}

static void
p2v_disk_row_class_init (P2vDiskRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  toggled_signal = g_signal_new ("toggled", P2V_TYPE_DISK_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, chosen);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, title);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, content);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, warning);
  gtk_widget_class_bind_template_callback (widget_class, on_toggled);
}

static void
p2v_disk_row_init (P2vDiskRow *row)
{
  gtk_widget_init_template (GTK_WIDGET (row));
}

GtkWidget *
p2v_disk_row_new (const P2vDisk *disk)
{
  P2vDiskRow *row = g_object_new (P2V_TYPE_DISK_ROW, NULL);
  g_autofree char *title = p2v_disk_text_title (disk);
  g_autofree char *content = p2v_disk_text_content (disk);
  g_autofree char *warning = p2v_disk_text_warning (disk);
  AtkObject *accessible = gtk_widget_get_accessible (GTK_WIDGET (row->chosen));
  g_autofree char *description = g_strjoin (" ", content, warning, NULL);
  gboolean convertible = p2v_disk_is_convertible (disk);
  row->disk = disk;
  gtk_label_set_label (row->title, title);
  gtk_label_set_label (row->content, content);
  gtk_widget_set_visible (GTK_WIDGET (row->content), convertible);
  gtk_label_set_label (row->warning, warning != NULL ? warning : "");
  gtk_widget_set_visible (GTK_WIDGET (row->warning), warning != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (row->chosen), convertible);
  atk_object_set_name (accessible, title);
  atk_object_set_description (accessible, description);
  return GTK_WIDGET (row);
}

const P2vDisk *
p2v_disk_row_get_disk (P2vDiskRow *row)
{
  return row->disk;
}

gboolean
p2v_disk_row_get_chosen (P2vDiskRow *row)
{
  return gtk_toggle_button_get_active (row->chosen);
}

void
p2v_disk_row_set_chosen (P2vDiskRow *row, gboolean chosen)
{
  gtk_toggle_button_set_active (row->chosen, chosen && p2v_disk_is_convertible (row->disk));
}
