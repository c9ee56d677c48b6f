/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/shell-window.h"

#include "p2v-client/i18n.h"

#include <unistd.h>
#include <vte/vte.h>

#define SCROLLBACK_LINES 10000
#define FONT "DejaVu Sans Mono 11"

struct _P2vShellWindow
{
  P2vToolWindow parent_instance;
  VteTerminal *terminal;
  GPid pid; /* 0: not started yet, or ended */
};

G_DEFINE_TYPE (P2vShellWindow, p2v_shell_window, P2V_TYPE_TOOL_WINDOW)

static void
on_exited (P2vShellWindow *window)
{
  window->pid = 0;
  gtk_widget_destroy (GTK_WIDGET (window));
}

/* terminal: NULL when that is gone. */
static void
on_spawned (VteTerminal *terminal, GPid pid, GError *error, gpointer user_data)
{
  if (terminal == NULL)
    return;
  if (error == NULL)
    {
      P2V_SHELL_WINDOW (user_data)->pid = pid;
      return;
    }
  g_autofree char *text = g_strdup_printf (_ ("There is no shell: %s"), error->message);
  vte_terminal_feed (terminal, text, -1);
}

static void
start (P2vShellWindow *window)
{
  const char *shell = g_getenv ("SHELL");
  const char *argv[] = { shell != NULL ? shell : "/bin/sh", "-l", NULL };
  vte_terminal_spawn_async (window->terminal, VTE_PTY_DEFAULT, g_get_home_dir (), (char **)argv,
                            NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, -1, NULL, on_spawned, window);
}

/* Whether something runs in the foreground of the shell. */
static gboolean
is_busy (P2vShellWindow *window)
{
  VtePty *pty = vte_terminal_get_pty (window->terminal);
  if (window->pid == 0 || pty == NULL)
    return FALSE;
  pid_t foreground = tcgetpgrp (vte_pty_get_fd (pty));
  return foreground > 0 && foreground != window->pid;
}

static gboolean
ask_to_close (P2vShellWindow *window)
{
  GtkWidget *dialog = gtk_message_dialog_new (
      GTK_WINDOW (window), GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s",
      _ ("A program runs in the shell. It is ended when the window is closed."));
  gtk_dialog_add_buttons (GTK_DIALOG (dialog), _ ("_Keep it"), GTK_RESPONSE_CANCEL, _ ("_Close"),
                          GTK_RESPONSE_CLOSE, NULL);
  gtk_window_set_mnemonics_visible (GTK_WINDOW (dialog), TRUE);
  int response = gtk_dialog_run (GTK_DIALOG (dialog));
  gtk_widget_destroy (dialog);
  return response == GTK_RESPONSE_CLOSE;
}

static gboolean
delete_event (GtkWidget *widget, GdkEventAny *event G_GNUC_UNUSED)
{
  P2vShellWindow *window = P2V_SHELL_WINDOW (widget);
  /* The shell may end while the question is asked. */
  g_autoptr (GtkWidget) alive = g_object_ref (widget);
  return is_busy (window) && !ask_to_close (window);
}

/* The shell gets every key but these. */
static gboolean
key_press_event (GtkWidget *widget, GdkEventKey *event)
{
  P2vShellWindow *window = P2V_SHELL_WINDOW (widget);
  const GdkModifierType both = GDK_CONTROL_MASK | GDK_SHIFT_MASK;
  guint key = (event->state & both) == both ? gdk_keyval_to_upper (event->keyval) : 0;
  if (key == GDK_KEY_W)
    gtk_window_close (GTK_WINDOW (widget));
  else if (key == GDK_KEY_C)
    vte_terminal_copy_clipboard_format (window->terminal, VTE_FORMAT_TEXT);
  else if (key == GDK_KEY_V)
    vte_terminal_paste_clipboard (window->terminal);
  else
    return gtk_window_propagate_key_event (GTK_WINDOW (widget), event);
  return TRUE;
}

static void
p2v_shell_window_class_init (P2vShellWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  widget_class->delete_event = delete_event;
  widget_class->key_press_event = key_press_event;
}

static void
p2v_shell_window_init (P2vShellWindow *window)
{
  static const GdkRGBA black = { 0, 0, 0, 1 };
  static const GdkRGBA white = { 1, 1, 1, 1 };
  PangoFontDescription *font = pango_font_description_from_string (FONT);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  GtkWidget *terminal = vte_terminal_new ();
  window->terminal = VTE_TERMINAL (terminal);
  vte_terminal_set_font (window->terminal, font);
  pango_font_description_free (font);
  vte_terminal_set_scrollback_lines (window->terminal, SCROLLBACK_LINES);
  vte_terminal_set_colors (window->terminal, &white, &black, NULL, 0);
  atk_object_set_name (gtk_widget_get_accessible (terminal), _ ("Shell"));
  g_signal_connect_swapped (terminal, "child-exited", G_CALLBACK (on_exited), window);
  GtkAdjustment *place = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (terminal));
  GtkWidget *bar = gtk_scrollbar_new (GTK_ORIENTATION_VERTICAL, place);
  gtk_box_pack_start (GTK_BOX (box), terminal, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), bar, FALSE, FALSE, 0);
  gtk_widget_set_vexpand (box, TRUE);
  gtk_widget_show_all (box);
  p2v_tool_window_fill (P2V_TOOL_WINDOW (window), _ ("Shell"),
                        _ ("Ctrl+Shift+W, or exit: close    Ctrl+Shift+C, V: copy, paste    "
                           "Shift+Page Up: scroll"),
                        box);
}

P2vShellWindow *
p2v_shell_window_open (GtkWindow *parent)
{
  P2vShellWindow *window = g_object_new (P2V_TYPE_SHELL_WINDOW, NULL);
  start (window);
  p2v_tool_window_open (P2V_TOOL_WINDOW (window), parent);
  return window;
}
