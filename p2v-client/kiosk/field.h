/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_FIELD_H
#define P2V_KIOSK_FIELD_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Reading what a person has typed. Each function checks one kind of field and fails with
 * P2V_ERROR_USAGE and a sentence that says what to type instead. Blanks around a value are nobody's
 * intention and ignored. */

/* A host name or address, without user and port; brackets around an IPv6 address are removed.
 * (transfer full) */
char *p2v_field_read_server (const char *text, GError **error);

gboolean p2v_field_read_port (const char *text, guint16 *port, GError **error);

/* (transfer full) */
char *p2v_field_read_username (const char *text, GError **error);

/* The absolute path of a file, or a URL: returns a URL (transfer full). */
char *p2v_field_read_key (const char *text, GError **error);

/* what: the thing that is counted, for messages: "processors". */
gboolean p2v_field_read_number (const char *text, const char *what, gint64 min, gint64 max,
                                gint64 *number, GError **error);

/* One word of letters, digits and "-_.+": a guest's or network's name. (transfer full) */
char *p2v_field_read_name (const char *text, const char *what, GError **error);

/* Shows below a field what is wrong with it, or hides the label when error is NULL. The error is
 * freed. field: the widget; as soon as something else is typed there the message goes. Returns TRUE
 * when there is none. */
gboolean p2v_field_judge (gpointer field, GtkLabel *label, GError *error);

G_END_DECLS

#endif
