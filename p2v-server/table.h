/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_TABLE_H
#define P2V_TABLE_H

#include <glib.h>

G_BEGIN_DECLS

/* Text for the administrator's terminal. Much of it comes from strangers, so nothing here lets a
 * control character through. */

/* A copy of text on one line, valid UTF-8 and without control characters (transfer full). */
char *p2v_text_clean (const char *text);

/* Local date and time of milliseconds since the epoch, "2026-11-23 18:15:00"; "" for 0
 * (transfer full). */
char *p2v_text_time (gint64 milliseconds);

/* A length of time: "0:42", "3:05", "1:02:03" (transfer full). */
char *p2v_text_duration (gint64 milliseconds);

/* A size for people, in powers of 1024: "40.0 GiB" (transfer full). */
char *p2v_text_size (gint64 bytes);

/* A table with aligned columns and a line of titles. */
typedef struct _P2vTable P2vTable;

/* titles: NULL-terminated, kept by the caller. */
P2vTable *p2v_table_new (const char *const *titles);
void p2v_table_free (P2vTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vTable, p2v_table_free)

/* Adds a row: as many strings as there are titles; NULL stands for "-". */
void p2v_table_add (P2vTable *table, ...);

/* Prints it on standard output. */
void p2v_table_print (const P2vTable *table);

/* Prints "name:  value" with names padded to a common width; nothing when value is NULL or "". */
void p2v_text_print_field (const char *name, const char *value);

G_END_DECLS

#endif
