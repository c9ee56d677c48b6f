/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/appearance.h"

#include "p2v-client/kiosk/pages.h"

#include <gdk/gdkx.h>

/* GtkSettings:gtk-xft-dpi has 1024ths; 96 is what points mean where nobody has said otherwise. */
#define USUAL_DPI (96 * 1024)
#define LARGE_DPI (120 * 1024)

/* What a page is made for. A screen that is a multiple of it in both directions shows all of it so
 * many times larger: whoever stands before 3840×2160 pixels could read nothing else. */
#define PAGE_WIDTH 1600
#define PAGE_HEIGHT 900

/* As they were set last. */
static gboolean large_text, high_contrast;

static void
fit_to_screen (GdkDisplay *display)
{
  GdkMonitor *monitor = gdk_display_get_primary_monitor (display);
  GdkRectangle area;
  if (monitor == NULL || !GDK_IS_X11_DISPLAY (display) || g_getenv ("GDK_SCALE") != NULL)
    return;
  gdk_monitor_get_geometry (monitor, &area);
  int scale = MIN (area.width / PAGE_WIDTH, area.height / PAGE_HEIGHT);
  if (scale > 1)
    gdk_x11_display_set_window_scale (display, scale);
}

static GtkCssProvider *
load (const char *resource)
{
  GtkCssProvider *provider = gtk_css_provider_new ();
  gtk_css_provider_load_from_resource (provider, resource);
  return provider;
}

void
p2v_kiosk_load_style (void)
{
  g_autoptr (GtkCssProvider) provider = load (P2V_KIOSK_RESOURCES "kiosk.css");
  fit_to_screen (gdk_display_get_default ());
  /* Without a mouse a scroll bar that hides until it is needed says nothing of what is below. */
  g_object_set (gtk_settings_get_default (), "gtk-overlay-scrolling", FALSE, NULL);
  gtk_style_context_add_provider_for_screen (gdk_screen_get_default (),
                                             GTK_STYLE_PROVIDER (provider),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

void
p2v_kiosk_set_large_text (gboolean large)
{
  large_text = large;
  g_object_set (gtk_settings_get_default (), "gtk-xft-dpi", large ? LARGE_DPI : USUAL_DPI, NULL);
}

gboolean
p2v_kiosk_get_large_text (void)
{
  return large_text;
}

void
p2v_kiosk_set_high_contrast (gboolean high)
{
  static GtkCssProvider *contrast;
  GdkScreen *screen = gdk_screen_get_default ();
  high_contrast = high;
  if (contrast == NULL)
    contrast = load (P2V_KIOSK_RESOURCES "contrast.css");
  if (high)
    gtk_style_context_add_provider_for_screen (screen, GTK_STYLE_PROVIDER (contrast),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
  else
    gtk_style_context_remove_provider_for_screen (screen, GTK_STYLE_PROVIDER (contrast));
  g_object_set (gtk_settings_get_default (), "gtk-theme-name", high ? "HighContrast" : "Adwaita",
                NULL);
}

gboolean
p2v_kiosk_get_high_contrast (void)
{
  return high_contrast;
}
