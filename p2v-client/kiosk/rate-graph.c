/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/rate-graph.h"

#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

/* Pixels. */
#define HEIGHT 64

struct _P2vRateGraph
{
  GtkDrawingArea parent_instance;
  GArray *rates; /* of P2vKioskRate */
  gint64 now;
};

G_DEFINE_TYPE (P2vRateGraph, p2v_rate_graph, GTK_TYPE_DRAWING_AREA)

static double
greatest (const GArray *rates)
{
  double most = 0;
  for (guint i = 0; i < rates->len; i++)
    most = MAX (most, g_array_index (rates, P2vKioskRate, i).rate);
  return most;
}

void
p2v_rate_graph_show (P2vRateGraph *graph, const GArray *rates, gint64 now)
{
  g_array_set_size (graph->rates, 0);
  if (rates->len > 0)
    g_array_append_vals (graph->rates, rates->data, rates->len);
  graph->now = now;
  g_autofree char *most = p2v_rate_format (greatest (rates));
  g_autofree char *last = p2v_rate_format (
      rates->len > 0 ? g_array_index (rates, P2vKioskRate, rates->len - 1).rate : 0);
  g_autofree char *text
      = g_strdup_printf (_ ("%s now, at most %s in the last two minutes"), last, most);
  atk_object_set_description (gtk_widget_get_accessible (GTK_WIDGET (graph)), text);
  gtk_widget_queue_draw (GTK_WIDGET (graph));
}

/* The curve, from the oldest value on the left to now on the right edge. */
static void
trace (const P2vRateGraph *graph, cairo_t *cairo, double width, double most)
{
  const gint64 span = P2V_KIOSK_RATE_SECONDS * G_USEC_PER_SEC;
  for (guint i = 0; i < graph->rates->len; i++)
    {
      const P2vKioskRate *rate = &g_array_index (graph->rates, P2vKioskRate, i);
      double x = width * (1 - (double)(graph->now - rate->time) / (double)span);
      double y = HEIGHT - 1 - rate->rate / most * (HEIGHT - 2);
      if (i == 0)
        cairo_move_to (cairo, x, y);
      else
        cairo_line_to (cairo, x, y);
    }
}

static void
draw_curve (const P2vRateGraph *graph, cairo_t *cairo, double width, const GdkRGBA *color)
{
  double most = greatest (graph->rates);
  if (graph->rates->len < 2 || most < 1)
    return;
  trace (graph, cairo, width, most);
  cairo_set_source_rgba (cairo, color->red, color->green, color->blue, 1);
  cairo_set_line_width (cairo, 2);
  cairo_stroke (cairo);
  trace (graph, cairo, width, most);
  double first_x;
  const P2vKioskRate *first = &g_array_index (graph->rates, P2vKioskRate, 0);
  first_x = width
            * (1
               - (double)(graph->now - first->time)
                     / (double)(P2V_KIOSK_RATE_SECONDS * G_USEC_PER_SEC));
  cairo_line_to (cairo, width, HEIGHT);
  cairo_line_to (cairo, first_x, HEIGHT);
  cairo_close_path (cairo);
  cairo_set_source_rgba (cairo, color->red, color->green, color->blue, 0.18);
  cairo_fill (cairo);
}

static void
draw_scale (P2vRateGraph *graph, cairo_t *cairo, const GdkRGBA *color)
{
  double most = greatest (graph->rates);
  if (most < 1)
    return;
  g_autofree char *text = p2v_rate_format (most);
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (graph), text);
  cairo_set_source_rgba (cairo, color->red, color->green, color->blue, color->alpha);
  cairo_move_to (cairo, 4, 2);
  pango_cairo_show_layout (cairo, layout);
}

static gboolean
draw (GtkWidget *widget, cairo_t *cairo)
{
  P2vRateGraph *graph = P2V_RATE_GRAPH (widget);
  GtkStyleContext *style = gtk_widget_get_style_context (widget);
  double width = gtk_widget_get_allocated_width (widget);
  GdkRGBA text;
  GdkRGBA fill;
  gtk_style_context_get_color (style, gtk_style_context_get_state (style), &text);
  if (!gtk_style_context_lookup_color (style, "theme_selected_bg_color", &fill))
    fill = text;
  cairo_set_source_rgba (cairo, text.red, text.green, text.blue, 0.06);
  cairo_rectangle (cairo, 0, 0, width, HEIGHT);
  cairo_fill (cairo);
  draw_curve (graph, cairo, width, &fill);
  draw_scale (graph, cairo, &text);
  return FALSE;
}

static void
finalize (GObject *object)
{
  g_array_unref (P2V_RATE_GRAPH (object)->rates);
  G_OBJECT_CLASS (p2v_rate_graph_parent_class)->finalize (object);
}

static void
p2v_rate_graph_class_init (P2vRateGraphClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  widget_class->draw = draw;
  gtk_widget_class_set_accessible_role (widget_class, ATK_ROLE_IMAGE);
}

static void
p2v_rate_graph_init (P2vRateGraph *graph)
{
  graph->rates = g_array_new (FALSE, FALSE, sizeof (P2vKioskRate));
  gtk_widget_set_size_request (GTK_WIDGET (graph), -1, HEIGHT);
  atk_object_set_name (gtk_widget_get_accessible (GTK_WIDGET (graph)), _ ("Rate"));
}
