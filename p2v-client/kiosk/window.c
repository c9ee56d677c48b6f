/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/window.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/appearance.h"
#include "p2v-client/kiosk/keyboard-panel.h"
#include "p2v-client/kiosk/logs-panel.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/shell-window.h"

#include <string.h>

#define TEMPLATE P2V_KIOSK_RESOURCES "window.ui"

struct _P2vKioskWindow
{
  GtkWindow parent_instance;
  P2vKioskModel *model;
  P2vKioskEngine *engine;

  GtkLabel *title;
  GtkLabel *host;
  GtkLabel *hint;
  GtkStack *stack;
  GtkBox *steps;
  GtkButton *back;
  GtkButton *next;
  GtkWidget *look;
  GtkCheckMenuItem *large_text;
  GtkCheckMenuItem *high_contrast;
  GtkWidget *pages[P2V_KIOSK_N_PAGES];
  P2vKioskPageId current;
  char *disks; /* those there were when they began to be looked for again */
};

G_DEFINE_TYPE (P2vKioskWindow, p2v_kiosk_window, GTK_TYPE_WINDOW)

static P2vKioskPage *
current_page (P2vKioskWindow *window)
{
  return P2V_KIOSK_PAGE (window->pages[window->current]);
}

static void
mark_step (GtkWidget *label, gpointer user_data)
{
  P2vKioskWindow *window = user_data;
  GtkStyleContext *style = gtk_widget_get_style_context (label);
  /* How it ended belongs to the last step. */
  P2vKioskPageId step = MIN (window->current, P2V_KIOSK_PAGE_CONVERT);
  if (g_strcmp0 (gtk_widget_get_name (label), p2v_kiosk_page_names[step]) == 0)
    gtk_style_context_add_class (style, "current");
  else
    gtk_style_context_remove_class (style, "current");
}

static void
set_button (GtkButton *button, const char *label)
{
  gtk_widget_set_visible (GTK_WIDGET (button), label != NULL && label[0] != '\0');
  if (label != NULL)
    gtk_button_set_label (button, label);
}

/* The button that has the focus when nothing else has. */
static GtkWidget *
main_button (P2vKioskWindow *window)
{
  GtkWidget *next = GTK_WIDGET (window->next);
  return gtk_widget_get_visible (next) ? next : GTK_WIDGET (window->back);
}

static void
show_buttons (P2vKioskWindow *window)
{
  P2vKioskPage *page = current_page (window);
  const char *title = p2v_kiosk_page_get_title (page);
  g_autofree char *window_title = g_strdup_printf ("p2v: %s", title);
  gtk_label_set_label (window->title, title);
  gtk_window_set_title (GTK_WINDOW (window), window_title);
  set_button (window->back, p2v_kiosk_page_get_back_label (page));
  set_button (window->next, p2v_kiosk_page_get_next_label (page));
  gtk_widget_set_sensitive (GTK_WIDGET (window->next), p2v_kiosk_page_get_ready (page));
  /* A button that cannot be pressed loses the focus, and nothing has it then. */
  if (gtk_window_get_focus (GTK_WINDOW (window)) == NULL)
    gtk_widget_grab_focus (main_button (window));
}

static void
on_page_changed (P2vKioskWindow *window, GParamSpec *spec G_GNUC_UNUSED, GtkWidget *page)
{
  if (page == GTK_WIDGET (current_page (window)))
    show_buttons (window);
}

static void
show_page (P2vKioskWindow *window, P2vKioskPageId id)
{
  window->current = id;
  gtk_label_set_label (window->hint, _ ("Tab: next    Alt + letter: what is underlined"));
  P2vKioskPage *page = current_page (window);
  gtk_stack_set_visible_child (window->stack, GTK_WIDGET (page));
  GtkWidget *focus = p2v_kiosk_page_enter (page);
  show_buttons (window);
  gtk_container_foreach (GTK_CONTAINER (window->steps), mark_step, window);
  gtk_widget_grab_default (GTK_WIDGET (window->next));
  if (focus == NULL)
    focus = main_button (window);
  gtk_widget_grab_focus (focus);
}

static void
go_on (P2vKioskWindow *window)
{
  if (window->current < P2V_KIOSK_PAGE_REVIEW)
    show_page (window, window->current + 1);
}

static void
on_advance (P2vKioskWindow *window, GtkWidget *page)
{
  if (page == GTK_WIDGET (current_page (window)))
    go_on (window);
}

static void
on_next (P2vKioskWindow *window)
{
  if (p2v_kiosk_page_commit (current_page (window)))
    go_on (window);
}

static void
on_back (P2vKioskWindow *window)
{
  if (!gtk_widget_get_visible (GTK_WIDGET (window->back))
      || p2v_kiosk_page_retreat (current_page (window)))
    return;
  if (window->current > P2V_KIOSK_PAGE_WELCOME && window->current <= P2V_KIOSK_PAGE_REVIEW)
    show_page (window, window->current - 1);
}

/* The page that a phase asks for, wherever the person was. */
static P2vKioskPageId
page_of_phase (P2vKioskWindow *window)
{
  switch (window->model->phase)
    {
    case P2V_KIOSK_RUNNING:
    case P2V_KIOSK_STOPPING:
      return P2V_KIOSK_PAGE_CONVERT;
    case P2V_KIOSK_DONE:
      return P2V_KIOSK_PAGE_DONE;
    case P2V_KIOSK_FAILED:
      return P2V_KIOSK_PAGE_FAILED;
    case P2V_KIOSK_SETUP:
      break;
    }
  if (window->current == P2V_KIOSK_PAGE_DONE)
    return P2V_KIOSK_PAGE_WELCOME;
  return MIN (window->current, P2V_KIOSK_PAGE_REVIEW);
}

static void
on_conversion_changed (P2vKioskWindow *window)
{
  P2vKioskPageId id = page_of_phase (window);
  gtk_widget_set_sensitive (window->look, window->model->phase == P2V_KIOSK_SETUP);
  if (id != window->current)
    show_page (window, id);
}

/* What a look for disks, wherever it was begun, has come to. */
static void
say_disks (P2vKioskWindow *window)
{
  const P2vKioskModel *model = window->model;
  g_autofree char *text = NULL;
  if (model->looking)
    text = g_strdup (_ ("Looking at the disks\xe2\x80\xa6"));
  else if (model->machine_error != NULL)
    text = p2v_kiosk_sentence (model->machine_error->message);
  else if (model->machine != NULL)
    text = g_strdup_printf (ngettext ("This machine has %u disk", "This machine has %u disks",
                                      model->machine->disks->len),
                            model->machine->disks->len);
  if (text != NULL)
    gtk_label_set_label (window->hint, text);
}

/* What a choice of disks has been made from. (transfer full) */
static char *
list_disks (const P2vMachine *machine)
{
  GString *list = g_string_new (NULL);
  for (guint i = 0; machine != NULL && i < machine->disks->len; i++)
    {
      const P2vDisk *disk = machine->disks->pdata[i];
      g_string_append_printf (list, "%s %" G_GINT64_FORMAT " %s\n", disk->path, disk->size,
                              disk->serial != NULL ? disk->serial : "");
    }
  return g_string_free (list, FALSE);
}

/* Who has chosen from other disks than there are now chooses again. */
static void
check_choice (P2vKioskWindow *window)
{
  g_autofree char *now = list_disks (window->model->machine);
  if (window->model->looking)
    {
      g_free (window->disks);
      window->disks = g_steal_pointer (&now);
      return;
    }
  g_autofree char *before = g_steal_pointer (&window->disks);
  if (window->model->phase == P2V_KIOSK_SETUP && window->current > P2V_KIOSK_PAGE_MACHINE
      && before != NULL && strcmp (before, now) != 0)
    show_page (window, P2V_KIOSK_PAGE_MACHINE);
}

static void
on_machine_changed (P2vKioskWindow *window)
{
  const P2vMachine *machine = window->model->machine;
  const char *name = machine != NULL ? machine->hostname : NULL;
  gtk_label_set_label (window->host, name != NULL ? name : "");
  check_choice (window);
  if (window->current != P2V_KIOSK_PAGE_WELCOME)
    say_disks (window);
}

/* GTK hides the mnemonics' lines until Alt is pressed; here the keyboard is all there may be. */
static void
on_mnemonics_visible (GtkWindow *window)
{
  if (!gtk_window_get_mnemonics_visible (window))
    gtk_window_set_mnemonics_visible (window, TRUE);
}

static gboolean
scroll_page (P2vKioskWindow *window, guint key)
{
  gboolean done = FALSE;
  GtkScrollType type = key == GDK_KEY_Page_Up     ? GTK_SCROLL_PAGE_UP
                       : key == GDK_KEY_Page_Down ? GTK_SCROLL_PAGE_DOWN
                       : key == GDK_KEY_Up        ? GTK_SCROLL_STEP_UP
                                                  : GTK_SCROLL_STEP_DOWN;
  g_signal_emit_by_name (current_page (window), "scroll-child", type, FALSE, &done);
  return done;
}

/* The keys up and down choose another one there. */
static gboolean
is_choice (GtkWidget *focus)
{
  return focus != NULL
         && (GTK_IS_RADIO_BUTTON (focus)
             || gtk_widget_get_ancestor (focus, GTK_TYPE_COMBO_BOX) != NULL);
}

/* What no widget has taken. */
static gboolean
key_press_event (GtkWidget *widget, GdkEventKey *event)
{
  P2vKioskWindow *window = P2V_KIOSK_WINDOW (widget);
  gboolean pages = event->keyval == GDK_KEY_Page_Up || event->keyval == GDK_KEY_Page_Down;
  /* GtkWindow would move the focus with these two; there is Tab for that. */
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (widget));
  gboolean lines = (event->keyval == GDK_KEY_Up || event->keyval == GDK_KEY_Down)
                   && (focus == NULL || GTK_IS_BUTTON (focus)) && !is_choice (focus);
  if (lines && scroll_page (window, event->keyval))
    return TRUE;
  if (GTK_WIDGET_CLASS (p2v_kiosk_window_parent_class)->key_press_event (widget, event))
    return TRUE;
  if (event->keyval == GDK_KEY_Escape)
    {
      on_back (window);
      return TRUE;
    }
  return pages && scroll_page (window, event->keyval);
}

static void
on_large_text (GtkCheckMenuItem *item)
{
  p2v_kiosk_set_large_text (gtk_check_menu_item_get_active (item));
}

static void
on_high_contrast (GtkCheckMenuItem *item)
{
  p2v_kiosk_set_high_contrast (gtk_check_menu_item_get_active (item));
}

/* A conversion has its disks already. */
static void
on_look (P2vKioskWindow *window)
{
  if (window->model->phase == P2V_KIOSK_SETUP)
    p2v_kiosk_engine_look (window->engine);
}

/* Something may have been done in the shell that makes disks appear. */
static void
on_shell (P2vKioskWindow *window)
{
  P2vShellWindow *shell = p2v_shell_window_open (GTK_WINDOW (window));
  g_signal_connect_object (shell, "destroy", G_CALLBACK (on_look), window, G_CONNECT_SWAPPED);
}

static void
open_tool (P2vKioskWindow *window, const char *title, const char *hint, GtkWidget *panel)
{
  P2vToolWindow *tool = g_object_new (P2V_TYPE_TOOL_WINDOW, NULL);
  p2v_tool_window_fill (tool, title, hint, panel);
  p2v_tool_window_open (tool, GTK_WINDOW (window));
}

static void
on_logs (P2vKioskWindow *window)
{
  open_tool (window, _ ("Logs"), _ ("Page Up, Page Down in the text: scroll    Escape: close"),
             p2v_logs_panel_new (window->model));
}

static void
on_keyboard (P2vKioskWindow *window)
{
  open_tool (window, _ ("Keyboard layout"),
             _ ("Typing finds a layout    Enter: use it    Escape: close"),
             p2v_keyboard_panel_new ());
}

static void
on_about (P2vKioskWindow *window)
{
  gtk_show_about_dialog (GTK_WINDOW (window), "program-name", "p2v", "version", P2V_VERSION,
                         "comments", _ ("Turns a physical machine into a KVM virtual machine."),
                         "license-type", GTK_LICENSE_GPL_2_0, NULL);
}

/* A conversion is not lost by a window that is closed: it asks as the Cancel button does. */
static gboolean
delete_event (GtkWidget *widget, GdkEventAny *event G_GNUC_UNUSED)
{
  P2vKioskWindow *window = P2V_KIOSK_WINDOW (widget);
  if (!p2v_kiosk_model_is_converting (window->model))
    return FALSE;
  on_back (window);
  return TRUE;
}

static void
dispose (GObject *object)
{
  P2vKioskWindow *window = P2V_KIOSK_WINDOW (object);
  if (window->model != NULL)
    g_signal_handlers_disconnect_by_data (window->model, window);
  /* They tell of themselves while they are taken apart, one after the other. */
  for (P2vKioskPageId id = 0; id < P2V_KIOSK_N_PAGES && window->pages[id] != NULL; id++)
    {
      g_signal_handlers_disconnect_by_data (window->pages[id], window);
      window->pages[id] = NULL;
    }
  g_clear_object (&window->model);
  g_clear_object (&window->engine);
  G_OBJECT_CLASS (p2v_kiosk_window_parent_class)->dispose (object);
}

static void
finalize (GObject *object)
{
  g_free (P2V_KIOSK_WINDOW (object)->disks);
  G_OBJECT_CLASS (p2v_kiosk_window_parent_class)->finalize (object);
}

static void
p2v_kiosk_window_class_init (P2vKioskWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  G_OBJECT_CLASS (class)->finalize = finalize;
  widget_class->key_press_event = key_press_event;
  widget_class->delete_event = delete_event;
  p2v_kiosk_pages_ensure_types ();
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, title);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, host);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, hint);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, steps);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, back);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, next);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, look);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, large_text);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskWindow, high_contrast);
  gtk_widget_class_bind_template_callback (widget_class, on_next);
  gtk_widget_class_bind_template_callback (widget_class, on_back);
  gtk_widget_class_bind_template_callback (widget_class, on_large_text);
  gtk_widget_class_bind_template_callback (widget_class, on_high_contrast);
  gtk_widget_class_bind_template_callback (widget_class, on_about);
  gtk_widget_class_bind_template_callback (widget_class, on_look);
  gtk_widget_class_bind_template_callback (widget_class, on_shell);
  gtk_widget_class_bind_template_callback (widget_class, on_logs);
  gtk_widget_class_bind_template_callback (widget_class, on_keyboard);
}

static void
p2v_kiosk_window_init (P2vKioskWindow *window)
{
  gtk_widget_init_template (GTK_WIDGET (window));
  /* Another window may have been there before. */
  gtk_check_menu_item_set_active (window->large_text, p2v_kiosk_get_large_text ());
  gtk_check_menu_item_set_active (window->high_contrast, p2v_kiosk_get_high_contrast ());
  gtk_window_set_mnemonics_visible (GTK_WINDOW (window), TRUE);
  g_signal_connect (window, "notify::mnemonics-visible", G_CALLBACK (on_mnemonics_visible), NULL);
}

P2vKioskWindow *
p2v_kiosk_window_new (P2vKioskModel *model, P2vKioskEngine *engine)
{
  P2vKioskWindow *window = g_object_new (P2V_TYPE_KIOSK_WINDOW, NULL);
  window->model = g_object_ref (model);
  window->engine = g_object_ref (engine);
  for (P2vKioskPageId id = 0; id < P2V_KIOSK_N_PAGES; id++)
    {
      GtkWidget *page = gtk_stack_get_child_by_name (window->stack, p2v_kiosk_page_names[id]);
      window->pages[id] = page;
      p2v_kiosk_page_bind (P2V_KIOSK_PAGE (page), model, engine);
      g_signal_connect_swapped (page, "advance", G_CALLBACK (on_advance), window);
      g_signal_connect_swapped (page, "notify", G_CALLBACK (on_page_changed), window);
    }
  g_signal_connect_swapped (model, "conversion-changed", G_CALLBACK (on_conversion_changed),
                            window);
  g_signal_connect_swapped (model, "machine-changed", G_CALLBACK (on_machine_changed), window);
  show_page (window, P2V_KIOSK_PAGE_WELCOME);
  return window;
}
