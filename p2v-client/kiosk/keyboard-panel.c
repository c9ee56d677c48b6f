/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/keyboard-panel.h"

#include "p2v-client/i18n.h"
#include "p2v-client/keyboard.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"

#include <string.h>

#define TEMPLATE P2V_KIOSK_RESOURCES "keyboard-panel.ui"

enum
{
  COLUMN_NAME,
  COLUMN_CODE,
};

struct _P2vKeyboardPanel
{
  GtkBox parent_instance;
  GtkTreeView *list;
  GtkListStore *layouts;
  P2vKioskNotice *notice;
};

G_DEFINE_TYPE (P2vKeyboardPanel, p2v_keyboard_panel, GTK_TYPE_BOX)

/* Somebody did not wait for the answer: what the template had is gone. */
static gboolean
is_closed (P2vKeyboardPanel *panel)
{
  return panel->notice == NULL;
}

static void
on_set (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (P2vKeyboardPanel) panel = user_data;
  g_autoptr (GError) error = NULL;
  gboolean switches;
  gboolean done = p2v_keyboard_set_finish (result, &switches, &error);
  if (is_closed (panel))
    return;
  if (done)
    p2v_kiosk_notice_say (panel->notice, P2V_KIOSK_NOTICE_GOOD,
                          _ ("The keyboard has this layout now"),
                          switches ? _ ("It has no Latin letters: Alt+Shift switches between it "
                                        "and the US layout, which comes first.")
                                   : _ ("Try its keys in the field below the list."));
  else
    p2v_kiosk_notice_say_error (panel->notice, _ ("The layout cannot be used"), error);
}

/* Enter on a line, or a second click. */
static void
on_activated (P2vKeyboardPanel *panel, GtkTreePath *path)
{
  GtkTreeIter iter;
  g_autofree char *code = NULL;
  if (!gtk_tree_model_get_iter (GTK_TREE_MODEL (panel->layouts), &iter, path))
    return;
  gtk_tree_model_get (GTK_TREE_MODEL (panel->layouts), &iter, COLUMN_CODE, &code, -1);
  p2v_keyboard_set (code, on_set, g_object_ref (panel));
}

static void
on_use (P2vKeyboardPanel *panel)
{
  g_autoptr (GtkTreePath) path = NULL;
  gtk_tree_view_get_cursor (panel->list, &path, NULL);
  if (path != NULL)
    on_activated (panel, path);
}

/* The cursor goes to the layout that is used. */
static void
on_got (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (P2vKeyboardPanel) panel = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *used = p2v_keyboard_get_finish (result, &error);
  if (is_closed (panel))
    return;
  GtkTreeModel *model = GTK_TREE_MODEL (panel->layouts);
  GtkTreeIter iter;
  p2v_kiosk_notice_say_error (panel->notice, _ ("The layout in use is not known"), error);
  for (gboolean more = gtk_tree_model_get_iter_first (model, &iter); used != NULL && more;
       more = gtk_tree_model_iter_next (model, &iter))
    {
      g_autofree char *code = NULL;
      gtk_tree_model_get (model, &iter, COLUMN_CODE, &code, -1);
      if (g_strcmp0 (code, used) != 0)
        continue;
      g_autoptr (GtkTreePath) path = gtk_tree_model_get_path (model, &iter);
      gtk_tree_view_set_cursor (panel->list, path, NULL, FALSE);
      gtk_tree_view_scroll_to_cell (panel->list, path, NULL, TRUE, 0.5, 0);
      return;
    }
}

/* Any part of the name that is typed finds a layout. */
static gboolean
is_other (GtkTreeModel *model, int column, const char *typed, GtkTreeIter *iter,
          gpointer data G_GNUC_UNUSED)
{
  g_autofree char *name = NULL;
  gtk_tree_model_get (model, iter, column, &name, -1);
  g_autofree char *folded_name = g_utf8_casefold (name, -1);
  g_autofree char *folded_typed = g_utf8_casefold (typed, -1);
  return strstr (folded_name, folded_typed) == NULL;
}

static void
p2v_keyboard_panel_class_init (P2vKeyboardPanelClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  g_type_ensure (P2V_TYPE_KIOSK_NOTICE);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vKeyboardPanel, list);
  gtk_widget_class_bind_template_child (widget_class, P2vKeyboardPanel, layouts);
  gtk_widget_class_bind_template_child (widget_class, P2vKeyboardPanel, notice);
  gtk_widget_class_bind_template_callback (widget_class, on_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_use);
}

static void
p2v_keyboard_panel_init (P2vKeyboardPanel *panel)
{
  gtk_widget_init_template (GTK_WIDGET (panel));
  g_autoptr (GPtrArray) layouts = p2v_keyboard_layouts (P2V_KEYBOARD_RULES);
  for (guint i = 0; i < layouts->len; i++)
    {
      const P2vKeyboardLayout *layout = layouts->pdata[i];
      gtk_list_store_insert_with_values (panel->layouts, NULL, -1, COLUMN_NAME, layout->name,
                                         COLUMN_CODE, layout->code, -1);
    }
  gtk_tree_view_set_search_equal_func (panel->list, is_other, NULL, NULL);
  p2v_keyboard_get (on_got, g_object_ref (panel));
}

GtkWidget *
p2v_keyboard_panel_new (void)
{
  return g_object_new (P2V_TYPE_KEYBOARD_PANEL, NULL);
}
