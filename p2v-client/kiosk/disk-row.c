/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/disk-row.h"

#include "p2v-client/disk-warnings.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/disk-picture.h"
#include "p2v-client/kiosk/disk-text.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "disk-row.ui"

struct _P2vDiskRow
{
  GtkBox parent_instance;
  GtkToggleButton *chosen;
  GtkLabel *title;
  GtkLabel *content;
  GtkLabel *obstacle;
  P2vDiskPicture *picture;
  GtkLabel *legend;
  GtkContainer *warnings;
  const P2vDisk *disk;
};

G_DEFINE_TYPE (P2vDiskRow, p2v_disk_row, GTK_TYPE_BOX)

static guint toggled_signal;

static void
on_toggled (P2vDiskRow *row)
{
  g_signal_emit (row, toggled_signal, 0);
}

static void
p2v_disk_row_class_init (P2vDiskRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  g_type_ensure (P2V_TYPE_DISK_PICTURE);
  toggled_signal = g_signal_new ("toggled", P2V_TYPE_DISK_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, chosen);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, title);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, content);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, obstacle);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, picture);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, legend);
  gtk_widget_class_bind_template_child (widget_class, P2vDiskRow, warnings);
  gtk_widget_class_bind_template_callback (widget_class, on_toggled);
}

static void
p2v_disk_row_init (P2vDiskRow *row)
{
  gtk_widget_init_template (GTK_WIDGET (row));
}

GtkWidget *
p2v_disk_row_new (const P2vDisk *disk)
{
  P2vDiskRow *row = g_object_new (P2V_TYPE_DISK_ROW, NULL);
  g_autofree char *title = p2v_disk_text_title (disk);
  g_autofree char *content = p2v_disk_text_content (disk);
  g_autofree char *obstacle = p2v_disk_text_obstacle (disk);
  gboolean convertible = p2v_disk_is_convertible (disk);
  row->disk = disk;
  gtk_label_set_label (row->title, title);
  gtk_label_set_label (row->content, content);
  gtk_widget_set_visible (GTK_WIDGET (row->content), convertible);
  gtk_label_set_label (row->obstacle, obstacle != NULL ? obstacle : "");
  gtk_widget_set_visible (GTK_WIDGET (row->obstacle), obstacle != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (row->chosen), convertible);
  atk_object_set_name (gtk_widget_get_accessible (GTK_WIDGET (row->chosen)), title);
  p2v_disk_row_show_details (row, disk, NULL);
  return GTK_WIDGET (row);
}

static GtkWidget *
new_label (const char *text, gboolean serious)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_line_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_line_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 62);
  gtk_style_context_add_class (gtk_widget_get_style_context (label), "caution");
  if (serious)
    gtk_style_context_add_class (gtk_widget_get_style_context (label), "strong");
  gtk_widget_show (label);
  return label;
}

GtkWidget *
p2v_disk_warning_new_label (const P2vDiskWarning *warning, const char *subject)
{
  /* Characters of the font, since there is no loader for pictures. */
  const char *sign = warning->severity == P2V_SEVERITY_NOTE ? "\xe2\x84\xb9" : "\xe2\x9a\xa0";
  g_autofree char *text = g_strdup_printf (
      "%s %s: %s%s%s %s", sign, p2v_severity_word (warning->severity),
      subject != NULL ? subject : "", subject != NULL ? ": " : "", warning->text, warning->advice);
  return new_label (text, warning->severity == P2V_SEVERITY_SERIOUS);
}

void
p2v_disk_row_show_details (P2vDiskRow *row, const P2vDisk *disk, const GPtrArray *warnings)
{
  g_autoptr (GString) description = g_string_new (gtk_label_get_label (row->content));
  p2v_container_clear (row->warnings);
  for (guint i = 0; warnings != NULL && i < warnings->len; i++)
    {
      const P2vDiskWarning *warning = warnings->pdata[i];
      if (g_strcmp0 (warning->disk, row->disk->name) != 0)
        continue;
      GtkWidget *label = p2v_disk_warning_new_label (warning, NULL);
      gtk_container_add (row->warnings, label);
      g_string_append_printf (description, " %s", gtk_label_get_label (GTK_LABEL (label)));
    }
  if (gtk_label_get_label (row->obstacle)[0] != '\0')
    g_string_append_printf (description, " %s", gtk_label_get_label (row->obstacle));
  p2v_disk_picture_show_disk (row->picture, disk);
  if (!p2v_disk_is_convertible (disk))
    gtk_widget_hide (GTK_WIDGET (row->picture));
  g_autofree char *legend = p2v_disk_picture_get_legend (row->picture);
  gtk_label_set_label (row->legend, legend);
  gtk_widget_set_visible (GTK_WIDGET (row->legend),
                          legend[0] != '\0' && p2v_disk_is_convertible (disk));
  atk_object_set_description (gtk_widget_get_accessible (GTK_WIDGET (row->chosen)),
                              description->str);
}

gboolean
p2v_kiosk_notice_say_gone (P2vKioskNotice *notice, const P2vKioskModel *model)
{
  const P2vDisk *gone
      = p2v_disk_warnings_find_gone (model->machine, (const char *const *)model->config->disks);
  g_autofree char *heading
      = gone == NULL ? NULL : g_strdup_printf (_ ("Disk %s is not there any more"), gone->name);
  p2v_kiosk_notice_say (notice, P2V_KIOSK_NOTICE_ERROR, heading,
                        _ ("Connect it again. Or, on the page Machine, look again and choose from "
                           "those there are."));
  return gone == NULL;
}

const P2vDisk *
p2v_disk_row_get_disk (P2vDiskRow *row)
{
  return row->disk;
}

gboolean
p2v_disk_row_get_chosen (P2vDiskRow *row)
{
  return gtk_toggle_button_get_active (row->chosen);
}

void
p2v_disk_row_set_chosen (P2vDiskRow *row, gboolean chosen)
{
  gtk_toggle_button_set_active (row->chosen, chosen && p2v_disk_is_convertible (row->disk));
}
