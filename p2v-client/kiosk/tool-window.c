/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/tool-window.h"

#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "tool-window.ui"

typedef struct
{
  GtkLabel *title;
  GtkLabel *hint;
  GtkContainer *content;
} P2vToolWindowPrivate;

G_DEFINE_TYPE_WITH_PRIVATE (P2vToolWindow, p2v_tool_window, GTK_TYPE_WINDOW)

static gboolean
key_press_event (GtkWidget *widget, GdkEventKey *event)
{
  if (GTK_WIDGET_CLASS (p2v_tool_window_parent_class)->key_press_event (widget, event))
    return TRUE;
  if (event->keyval != GDK_KEY_Escape)
    return FALSE;
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static void
p2v_tool_window_class_init (P2vToolWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  widget_class->key_press_event = key_press_event;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child_private (widget_class, P2vToolWindow, title);
  gtk_widget_class_bind_template_child_private (widget_class, P2vToolWindow, hint);
  gtk_widget_class_bind_template_child_private (widget_class, P2vToolWindow, content);
  gtk_widget_class_bind_template_callback (widget_class, gtk_window_close);
}

static void
p2v_tool_window_init (P2vToolWindow *window)
{
  gtk_widget_init_template (GTK_WIDGET (window));
  gtk_window_set_mnemonics_visible (GTK_WINDOW (window), TRUE);
}

void
p2v_tool_window_fill (P2vToolWindow *window, const char *title, const char *hint,
                      GtkWidget *content)
{
  P2vToolWindowPrivate *self = p2v_tool_window_get_instance_private (window);
  g_autofree char *window_title = g_strdup_printf ("p2v: %s", title);
  gtk_window_set_title (GTK_WINDOW (window), window_title);
  gtk_label_set_label (self->title, title);
  gtk_label_set_label (self->hint, hint);
  gtk_container_add (self->content, content);
}

void
p2v_tool_window_open (P2vToolWindow *window, GtkWindow *parent)
{
  P2vToolWindowPrivate *self = p2v_tool_window_get_instance_private (window);
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_fullscreen (GTK_WINDOW (window));
  gtk_window_present (GTK_WINDOW (window));
  gtk_widget_child_focus (GTK_WIDGET (self->content), GTK_DIR_TAB_FORWARD);
}
