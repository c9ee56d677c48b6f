/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/field.h"

#include "common/error.h"
#include "common/request.h"
#include "p2v-client/i18n.h"

#include <string.h>

static char *
strip (const char *text)
{
  char *copy = g_strdup (text);
  return g_strstrip (copy);
}

/* Always NULL. */
static gpointer
refuse (GError **error, const char *sentence)
{
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE, sentence);
  return NULL;
}

char *
p2v_field_read_server (const char *text, GError **error)
{
  g_autofree char *server = strip (text);
  gsize length = strlen (server);
  if (server[0] == '[' && server[length - 1] == ']')
    {
      memmove (server, server + 1, length - 2);
      server[length - 2] = '\0';
    }
  if (server[0] == '\0')
    return refuse (error, _ ("Type the name or address of the conversion server."));
  if (strchr (server, '@') != NULL)
    return refuse (error, _ ("Type the server alone; the user name has a field of its own."));
  const char *colon = strchr (server, ':');
  if (colon != NULL && strchr (colon + 1, ':') == NULL)
    return refuse (error, _ ("Type the server alone; the port has a field of its own."));
  gboolean good = server[0] != '-';
  for (const char *p = server; *p != '\0' && good; p++)
    /* "%" separates the zone of a link-local address: fe80::1%eth0. */
    good = g_ascii_isalnum (*p) || strchr (".-_:%", *p) != NULL;
  if (!good)
    return refuse (error, _ ("This is no host name or address."));
  return g_steal_pointer (&server);
}

gboolean
p2v_field_read_port (const char *text, guint16 *port, GError **error)
{
  gint64 number;
  if (!p2v_field_read_number (text, _ ("the port"), 1, G_MAXUINT16, &number, error))
    return FALSE;
  *port = (guint16)number;
  return TRUE;
}

char *
p2v_field_read_username (const char *text, GError **error)
{
  g_autofree char *name = strip (text);
  if (name[0] == '\0')
    return refuse (error, _ ("Type the name of the user to log in as on the server."));
  gboolean good = name[0] != '-';
  for (const char *p = name; *p != '\0' && good; p++)
    good = !g_ascii_iscntrl (*p) && !g_ascii_isspace (*p) && strchr ("/:\"'`$;|&<>", *p) == NULL;
  if (!good)
    return refuse (error, _ ("This is no user name."));
  return g_steal_pointer (&name);
}

char *
p2v_field_read_key (const char *text, GError **error)
{
  g_autofree char *key = strip (text);
  if (key[0] == '\0')
    return refuse (error, _ ("Type the path of the file with the SSH private key, or its URL."));
  if (strstr (key, "://") != NULL)
    return g_steal_pointer (&key);
  if (!g_path_is_absolute (key))
    return refuse (error,
                   _ ("Type the whole path of the file, as in /etc/p2v/identity, or a URL."));
  if (!g_file_test (key, G_FILE_TEST_IS_REGULAR))
    return refuse (error, _ ("There is no such file."));
  return g_filename_to_uri (key, NULL, error);
}

gboolean
p2v_field_read_number (const char *text, const char *what, gint64 min, gint64 max, gint64 *number,
                       GError **error)
{
  g_autofree char *stripped = strip (text);
  if (g_ascii_string_to_signed (stripped, 10, min, max, number, NULL))
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, _ ("Type %s as a number from %lld to %lld."),
               what, (long long)min, (long long)max);
  return FALSE;
}

char *
p2v_field_read_name (const char *text, const char *what, GError **error)
{
  g_autofree char *name = strip (text);
  if (p2v_name_is_plain (name) && p2v_guest_name_check (name, NULL))
    return g_steal_pointer (&name);
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_USAGE,
      _ ("Type %s: up to 64 letters, digits and - _ . +, beginning with a letter or digit."), what);
  return NULL;
}

/* It is being put right. */
static void
on_changed (GtkWidget *field, GtkWidget *label)
{
  gtk_widget_hide (label);
  atk_object_set_description (gtk_widget_get_accessible (field), "");
  g_signal_handlers_disconnect_by_func (field, on_changed, label);
}

gboolean
p2v_field_judge (gpointer field, GtkLabel *label, GError *error)
{
  AtkObject *accessible = gtk_widget_get_accessible (GTK_WIDGET (field));
  const char *message = error != NULL ? error->message : "";
  gboolean good = error == NULL;
  gtk_label_set_label (label, message);
  gtk_widget_set_visible (GTK_WIDGET (label), !good);
  if (!good && GTK_IS_EDITABLE (field))
    {
      g_signal_handlers_disconnect_by_func (field, on_changed, label);
      g_signal_connect_object (field, "changed", G_CALLBACK (on_changed), label, 0);
    }
  atk_object_set_description (accessible, message);
  g_clear_error (&error);
  return good;
}
