/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/notice.h"

#include "p2v-client/kiosk/pages.h"

#include <string.h>

#define TEMPLATE P2V_KIOSK_RESOURCES "notice.ui"

struct _P2vKioskNotice
{
  GtkBox parent_instance;
  GtkLabel *heading;
  GtkLabel *text;
};

G_DEFINE_TYPE (P2vKioskNotice, p2v_kiosk_notice, GTK_TYPE_BOX)

char *
p2v_kiosk_sentence (const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  g_strstrip (valid);
  if (valid[0] == '\0')
    return g_strdup ("");
  /* A word such as "p2v.disks=sda:" or "127.0.0.1" is written as it is. */
  g_autofree char *word = g_strndup (valid, strcspn (valid, " "));
  if (word[strlen (word) - 1] == ':')
    word[strlen (word) - 1] = '\0';
  if (word[strcspn (word, "./=0123456789")] == '\0')
    valid[0] = g_ascii_toupper (valid[0]);
  char last = valid[strlen (valid) - 1];
  return g_strconcat (valid, strchr (".!?", last) != NULL ? "" : ".", NULL);
}

static void
set_class (P2vKioskNotice *notice, P2vKioskNoticeKind kind)
{
  static const char *const classes[] = {
    [P2V_KIOSK_NOTICE_GOOD] = "good",
    [P2V_KIOSK_NOTICE_WARNING] = "warning",
    [P2V_KIOSK_NOTICE_ERROR] = "error",
  };
  GtkStyleContext *style = gtk_widget_get_style_context (GTK_WIDGET (notice));
  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    if (i == kind)
      gtk_style_context_add_class (style, classes[i]);
    else
      gtk_style_context_remove_class (style, classes[i]);
}

void
p2v_kiosk_notice_say (P2vKioskNotice *notice, P2vKioskNoticeKind kind, const char *heading,
                      const char *text)
{
  set_class (notice, kind);
  if (heading != NULL)
    gtk_label_set_label (notice->heading, heading);
  gtk_label_set_label (notice->text, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (notice->text), text != NULL && text[0] != '\0');
  gtk_widget_set_visible (GTK_WIDGET (notice), heading != NULL);
  g_autofree char *spoken
      = g_strdup_printf ("%s. %s", heading != NULL ? heading : "", text != NULL ? text : "");
  atk_object_set_name (gtk_widget_get_accessible (GTK_WIDGET (notice)), spoken);
}

void
p2v_kiosk_notice_say_error (P2vKioskNotice *notice, const char *heading, const GError *error)
{
  g_autofree char *text = error != NULL ? p2v_kiosk_sentence (error->message) : NULL;
  p2v_kiosk_notice_say (notice, P2V_KIOSK_NOTICE_ERROR, error != NULL ? heading : NULL, text);
}

static gboolean
key_press_event (GtkWidget *widget, GdkEventKey *event)
{
  gboolean enter = event->keyval == GDK_KEY_Return || event->keyval == GDK_KEY_KP_Enter
                   || event->keyval == GDK_KEY_ISO_Enter;
  return enter || GTK_WIDGET_CLASS (p2v_kiosk_notice_parent_class)->key_press_event (widget, event);
}

static void
p2v_kiosk_notice_class_init (P2vKioskNoticeClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  widget_class->key_press_event = key_press_event;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_set_accessible_role (widget_class, ATK_ROLE_ALERT);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskNotice, heading);
  gtk_widget_class_bind_template_child (widget_class, P2vKioskNotice, text);
}

static void
p2v_kiosk_notice_init (P2vKioskNotice *notice)
{
  gtk_widget_init_template (GTK_WIDGET (notice));
}
