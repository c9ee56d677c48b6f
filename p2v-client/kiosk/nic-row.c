/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/nic-row.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/field.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/nic-light.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "nic-row.ui"

struct _P2vNicRow
{
  GtkBox parent_instance;
  GtkToggleButton *connect;
  GtkLabel *details;
  GtkLabel *caption;
  GtkWidget *choices;
  GtkEntry *network;
  GtkWidget *blink;
  GtkLabel *error;
  char *name;
};

G_DEFINE_TYPE (P2vNicRow, p2v_nic_row, GTK_TYPE_BOX)

static void
on_toggled (P2vNicRow *row)
{
  gboolean active = gtk_toggle_button_get_active (row->connect);
  gtk_widget_set_sensitive (row->choices, active);
  gtk_widget_set_sensitive (GTK_WIDGET (row->caption), active);
}

static void
run_blink (GTask *task, gpointer source, gpointer data G_GNUC_UNUSED, GCancellable *cancellable)
{
  GError *error = NULL;
  if (p2v_nic_light_blink (P2V_NIC_ROW (source)->name, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_blinked (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vNicRow *row = P2V_NIC_ROW (source);
  g_autoptr (GError) error = NULL;
  gtk_widget_set_sensitive (row->blink, TRUE);
  if (g_task_propagate_boolean (G_TASK (result), &error))
    return;
  gtk_label_set_label (row->error, error->message);
  gtk_widget_show (GTK_WIDGET (row->error));
}

static void
on_blink (P2vNicRow *row)
{
  g_autoptr (GTask) task = g_task_new (row, NULL, on_blinked, NULL);
  gtk_widget_hide (GTK_WIDGET (row->error));
  gtk_widget_set_sensitive (row->blink, FALSE);
  g_task_run_in_thread (task, run_blink);
}

static void
finalize (GObject *object)
{
  g_free (P2V_NIC_ROW (object)->name);
  G_OBJECT_CLASS (p2v_nic_row_parent_class)->finalize (object);
}

static void
p2v_nic_row_class_init (P2vNicRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vNicRow, connect);
  gtk_widget_class_bind_template_child (widget_class, P2vNicRow, details);
  gtk_widget_class_bind_template_child (widget_class, P2vNicRow, caption);
  gtk_widget_class_bind_template_child (widget_class, P2vNicRow, choices);
  gtk_widget_class_bind_template_child (widget_class, P2vNicRow, network);
  gtk_widget_class_bind_template_child (widget_class, P2vNicRow, blink);
  gtk_widget_class_bind_template_child (widget_class, P2vNicRow, error);
  gtk_widget_class_bind_template_callback (widget_class, on_toggled);
  gtk_widget_class_bind_template_callback (widget_class, on_blink);
}

static void
p2v_nic_row_init (P2vNicRow *row)
{
  gtk_widget_init_template (GTK_WIDGET (row));
}

/* "52:54:00:12:34:56, Intel Corporation I350, connected". */
static char *
describe (const P2vNic *nic)
{
  g_autofree char *vendor = p2v_text_printable (nic->vendor);
  g_autofree char *model = p2v_text_printable (nic->model);
  GString *text = g_string_new (nic->mac);
  if (vendor[0] != '\0' || model[0] != '\0')
    g_string_append_printf (text, "%s%s%s%s", text->len > 0 ? ", " : "", vendor,
                            vendor[0] != '\0' ? " " : "", model);
  g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "",
                          nic->link ? _ ("connected") : _ ("no link"));
  return g_string_free (text, FALSE);
}

static void
add_choices (P2vNicRow *row, char **names)
{
  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autofree char *name = p2v_text_printable (names[i]);
      gtk_combo_box_text_append_text (GTK_COMBO_BOX_TEXT (row->choices), name);
    }
}

GtkWidget *
p2v_nic_row_new (const P2vNic *nic, const char *network, const char *fallback,
                 const P2vOffers *offers)
{
  P2vNicRow *row = g_object_new (P2V_TYPE_NIC_ROW, NULL);
  g_autofree char *details = describe (nic);
  g_autofree char *spoken = g_strdup_printf (_ ("Network of %s"), nic->name);
  g_autofree char *chooser = g_strdup_printf (_ ("Networks for %s"), nic->name);
  g_autofree char *blinker = g_strdup_printf (_ ("Blink the light of %s"), nic->name);
  AtkObject *check = gtk_widget_get_accessible (GTK_WIDGET (row->connect));
  row->name = g_strdup (nic->name);
  gtk_button_set_label (GTK_BUTTON (row->connect), nic->name);
  gtk_label_set_label (row->details, details);
  atk_object_set_description (check, details);
  atk_object_set_name (gtk_widget_get_accessible (GTK_WIDGET (row->network)), spoken);
  atk_object_set_name (gtk_widget_get_accessible (row->choices), chooser);
  atk_object_set_name (gtk_widget_get_accessible (row->blink), blinker);
  if (offers != NULL)
    {
      add_choices (row, offers->networks);
      add_choices (row, offers->bridges);
    }
  gtk_entry_set_text (row->network, network != NULL ? network : fallback);
  gtk_toggle_button_set_active (row->connect, network != NULL);
  on_toggled (row);
  return GTK_WIDGET (row);
}

const char *
p2v_nic_row_get_name (P2vNicRow *row)
{
  return row->name;
}

gboolean
p2v_nic_row_read (P2vNicRow *row, char **network)
{
  GError *error = NULL;
  *network = NULL;
  if (gtk_toggle_button_get_active (row->connect))
    *network = p2v_field_read_name (gtk_entry_get_text (row->network), _ ("the network"), &error);
  return p2v_field_judge (row->network, row->error, error);
}

void
p2v_nic_row_focus (P2vNicRow *row)
{
  gtk_widget_grab_focus (GTK_WIDGET (row->network));
}
