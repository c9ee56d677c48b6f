/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/column.h"

/* At the usual text size; pixels. */
#define WIDTH 940

struct _P2vKioskColumn
{
  GtkBin parent_instance;
};

G_DEFINE_TYPE (P2vKioskColumn, p2v_kiosk_column, GTK_TYPE_BIN)

/* Larger text needs wider lines. width: what there is. */
static int
limit (GtkWidget *widget, int width)
{
  double dpi = gdk_screen_get_resolution (gtk_widget_get_screen (widget));
  int most = dpi > 0 ? (int)(WIDTH * dpi / 96) : WIDTH;
  GtkWidget *child = gtk_bin_get_child (GTK_BIN (widget));
  int least = 0;
  if (child != NULL)
    gtk_widget_get_preferred_width (child, &least, NULL);
  return MIN (width, MAX (most, least));
}

static void
get_preferred_height_for_width (GtkWidget *widget, int width, int *minimum, int *natural)
{
  GTK_WIDGET_CLASS (p2v_kiosk_column_parent_class)
      ->get_preferred_height_for_width (widget, limit (widget, width), minimum, natural);
}

static void
size_allocate (GtkWidget *widget, GtkAllocation *allocation)
{
  GtkAllocation narrow = *allocation;
  narrow.width = limit (widget, allocation->width);
  GTK_WIDGET_CLASS (p2v_kiosk_column_parent_class)->size_allocate (widget, &narrow);
}

static void
p2v_kiosk_column_class_init (P2vKioskColumnClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  widget_class->get_preferred_height_for_width = get_preferred_height_for_width;
  widget_class->size_allocate = size_allocate;
}

static void
p2v_kiosk_column_init (P2vKioskColumn *column G_GNUC_UNUSED)
{
}

GtkWidget *
p2v_kiosk_column_new (GtkWidget *child)
{
  GtkWidget *column = g_object_new (P2V_TYPE_KIOSK_COLUMN, "visible", TRUE, NULL);
  gtk_container_add (GTK_CONTAINER (column), child);
  return column;
}
