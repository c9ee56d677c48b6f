/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/log-view.h"

#include "p2v-client/i18n.h"

/* Pixels. */
#define HEIGHT 180
#define MARGIN 6

struct _P2vLogView
{
  GtkScrolledWindow parent_instance;
  GtkTextView *text;
  guint64 shown; /* lines of the log, from its beginning */
  gboolean at_end;
};

G_DEFINE_TYPE (P2vLogView, p2v_log_view, GTK_TYPE_SCROLLED_WINDOW)

static void
fill (P2vLogView *view, const P2vKioskState *state)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (view->text);
  g_autoptr (GString) text = g_string_new (NULL);
  for (GList *line = state->log.head; line != NULL; line = line->next)
    g_string_append_printf (text, "%s%s", (const char *)line->data, line->next != NULL ? "\n" : "");
  gtk_text_buffer_set_text (buffer, text->str, (int)text->len);
}

void
p2v_log_view_show (P2vLogView *view, const P2vKioskState *state)
{
  if (view->shown == state->logged)
    return;
  GtkAdjustment *place = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (view));
  view->at_end = gtk_adjustment_get_value (place)
                 >= gtk_adjustment_get_upper (place) - gtk_adjustment_get_page_size (place) - 1;
  fill (view, state);
  view->shown = state->logged;
}

void
p2v_log_view_show_text (P2vLogView *view, const char *text)
{
  view->at_end = TRUE;
  view->shown = 0;
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (view->text), text, -1);
}

/* The text has got its new size. */
static void
on_size (P2vLogView *view)
{
  GtkAdjustment *place = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (view));
  if (view->at_end)
    gtk_adjustment_set_value (place, gtk_adjustment_get_upper (place));
}

static void
p2v_log_view_class_init (P2vLogViewClass *class)
{
  (void)class;
}

static void
p2v_log_view_init (P2vLogView *view)
{
  GtkWidget *text = gtk_text_view_new ();
  view->text = GTK_TEXT_VIEW (text);
  view->at_end = TRUE;
  gtk_text_view_set_editable (view->text, FALSE);
  gtk_text_view_set_cursor_visible (view->text, FALSE);
  gtk_text_view_set_left_margin (view->text, MARGIN);
  gtk_text_view_set_right_margin (view->text, MARGIN);
  gtk_text_view_set_monospace (view->text, TRUE);
  gtk_text_view_set_wrap_mode (view->text, GTK_WRAP_WORD_CHAR);
  /* Tab leaves it. */
  gtk_text_view_set_accepts_tab (view->text, FALSE);
  gtk_style_context_add_class (gtk_widget_get_style_context (text), "log");
  atk_object_set_name (gtk_widget_get_accessible (text), _ ("Log"));
  g_signal_connect_swapped (text, "size-allocate", G_CALLBACK (on_size), view);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (view), HEIGHT);
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (view), GTK_SHADOW_IN);
  gtk_container_add (GTK_CONTAINER (view), text);
  gtk_widget_show (text);
}
