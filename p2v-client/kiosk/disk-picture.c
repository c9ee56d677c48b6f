/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/disk-picture.h"

#include "p2v-client/disk-layout.h"
#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <math.h>

/* Pixels. The narrowest is what a screen of 800 has room for beside everything else. */
#define NARROWEST 480
#define LEAST_WIDTH 8
#define STRIP_HEIGHT 12
#define MARGIN 5
#define HATCH 6

struct _P2vDiskPicture
{
  GtkDrawingArea parent_instance;
  GPtrArray *layout; /* of P2vDiskStretch */
};

G_DEFINE_TYPE (P2vDiskPicture, p2v_disk_picture, GTK_TYPE_DRAWING_AREA)

/* What is written into a stretch: its name and its size below. */
static PangoLayout *
write_label (P2vDiskPicture *picture, const P2vDiskStretch *stretch)
{
  g_autofree char *size = p2v_size_format (stretch->size);
  g_autofree char *text
      = g_strdup_printf ("%s\n%s", stretch->gap ? _ ("unused") : stretch->name, size);
  return gtk_widget_create_pango_layout (GTK_WIDGET (picture), text);
}

static gboolean
label_fits (P2vDiskPicture *picture, const P2vDiskStretch *stretch, double width)
{
  g_autoptr (PangoLayout) label = write_label (picture, stretch);
  int label_width;
  pango_layout_get_pixel_size (label, &label_width, NULL);
  return label_width + 2 * MARGIN <= width;
}

static void
hatch (cairo_t *cr, double x, double y, double width, double height)
{
  cairo_save (cr);
  cairo_rectangle (cr, x, y, width, height);
  cairo_clip (cr);
  for (double at = x - height; at < x + width; at += HATCH)
    {
      cairo_move_to (cr, at, y + height);
      cairo_line_to (cr, at + height, y);
    }
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* The strip that shows how much is in use. */
static void
draw_strip (cairo_t *cr, const P2vDiskStretch *stretch, double x, double y, double width)
{
  double filled = stretch->used < 0 ? 0 : width * (double)stretch->used / (double)stretch->size;
  if (stretch->used > 0)
    filled = MAX (filled, 1);
  if (stretch->used < 0)
    hatch (cr, x, y, width, STRIP_HEIGHT);
  cairo_rectangle (cr, x, y, filled, STRIP_HEIGHT);
  cairo_fill (cr);
  cairo_move_to (cr, x, y);
  cairo_line_to (cr, x + width, y);
  cairo_stroke (cr);
}

static void
draw_stretch (P2vDiskPicture *picture, cairo_t *cr, const P2vDiskStretch *stretch,
              cairo_rectangle_t box)
{
  static const double dashes[] = { 3, 3 };
  /* On the middle of the pixels, so that lines are sharp. */
  double x = floor (box.x) + 0.5, y = box.y + 0.5;
  double width = floor (box.x + box.width) - floor (box.x) - 2, height = box.height - 1;
  cairo_set_line_width (cr, 1);
  cairo_set_dash (cr, dashes, stretch->gap ? 2 : 0, 0);
  cairo_rectangle (cr, x, y, width, height);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
  if (!stretch->gap)
    draw_strip (cr, stretch, x, y + height - STRIP_HEIGHT, width);
  if (!label_fits (picture, stretch, width))
    return;
  g_autoptr (PangoLayout) label = write_label (picture, stretch);
  cairo_move_to (cr, x + MARGIN, y + 2);
  pango_cairo_show_layout (cr, label);
}

static gboolean
draw (GtkWidget *widget, cairo_t *cr)
{
  P2vDiskPicture *picture = P2V_DISK_PICTURE (widget);
  GtkStyleContext *style = gtk_widget_get_style_context (widget);
  g_autofree double *widths = g_new0 (double, picture->layout->len + 1);
  cairo_rectangle_t box = { .height = gtk_widget_get_allocated_height (widget) };
  GdkRGBA colour;
  gtk_style_context_get_color (style, gtk_style_context_get_state (style), &colour);
  gdk_cairo_set_source_rgba (cr, &colour);
  p2v_disk_layout_share (picture->layout, gtk_widget_get_allocated_width (widget), LEAST_WIDTH,
                         widths);
  for (guint i = 0; i < picture->layout->len; i++)
    {
      box.width = widths[i];
      draw_stretch (picture, cr, picture->layout->pdata[i], box);
      box.x += widths[i];
    }
  return FALSE;
}

/* Two lines of text and the strip. */
static void
get_height (GtkWidget *widget, int *minimum, int *natural)
{
  g_autoptr (PangoLayout) text = gtk_widget_create_pango_layout (widget, "Ag\nAg");
  int height;
  pango_layout_get_pixel_size (text, NULL, &height);
  *minimum = *natural = height + STRIP_HEIGHT + 8;
}

void
p2v_disk_picture_show_disk (P2vDiskPicture *picture, const P2vDisk *disk)
{
  AtkObject *accessible = gtk_widget_get_accessible (GTK_WIDGET (picture));
  g_ptr_array_unref (picture->layout);
  picture->layout = p2v_disk_layout_new (disk);
  g_autofree char *name = g_strdup_printf (_ ("Partitions of %s"), disk->name);
  g_autofree char *description = p2v_disk_picture_describe (picture);
  atk_object_set_name (accessible, name);
  atk_object_set_description (accessible, description);
  gtk_widget_set_visible (GTK_WIDGET (picture), picture->layout->len > 0);
  gtk_widget_queue_draw (GTK_WIDGET (picture));
}

char *
p2v_disk_picture_get_legend (P2vDiskPicture *picture)
{
  GString *legend = g_string_new (NULL);
  g_autofree double *widths = g_new0 (double, picture->layout->len + 1);
  p2v_disk_layout_share (picture->layout, NARROWEST, LEAST_WIDTH, widths);
  for (guint i = 0; i < picture->layout->len; i++)
    {
      const P2vDiskStretch *stretch = picture->layout->pdata[i];
      /* How much is in use is only told here. */
      if (!stretch->gap || !label_fits (picture, stretch, widths[i] - 2))
        g_string_append_printf (legend, "%s%s", legend->len > 0 ? "; " : "", stretch->text);
    }
  return g_string_free (legend, FALSE);
}

char *
p2v_disk_picture_describe (P2vDiskPicture *picture)
{
  return p2v_disk_layout_describe (picture->layout);
}

static void
finalize (GObject *object)
{
  g_ptr_array_unref (P2V_DISK_PICTURE (object)->layout);
  G_OBJECT_CLASS (p2v_disk_picture_parent_class)->finalize (object);
}

static void
p2v_disk_picture_class_init (P2vDiskPictureClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  widget_class->draw = draw;
  widget_class->get_preferred_height = get_height;
  gtk_widget_class_set_accessible_role (widget_class, ATK_ROLE_IMAGE);
}

static void
p2v_disk_picture_init (P2vDiskPicture *picture)
{
  picture->layout = g_ptr_array_new ();
}
