/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_UNFINISHED_H
#define P2V_UNFINISHED_H

#include <glib.h>

G_BEGIN_DECLS

/* Files that must not stay when this process fails or is ended by SIGINT, SIGTERM or SIGHUP. Not
 * for several threads. */

/* A new directory for this user alone, below $TMPDIR, to be removed at the end. Fails with
 * P2V_ERROR_FAILED (transfer full). */
char *p2v_unfinished_directory (GError **error);

/* A new file, mode 0600, next to `place` and with a name like it, to be removed at the end unless
 * p2v_unfinished_finish() gives it its place. fd: open for writing, to be closed by the caller. */
char *p2v_unfinished_file (const char *place, int *fd, GError **error);

/* A new file in a directory, mode 0600, with contents, to be removed at the end (transfer full). */
char *p2v_unfinished_write (const char *directory, const char *name, GBytes *contents,
                            GError **error);

/* Makes what p2v_unfinished_file() made durable and puts it in its place. */
gboolean p2v_unfinished_finish (const char *file, const char *place, GError **error);

/* Removes what is left. To be called in any case. */
void p2v_unfinished_remove (void);

/* Writes all of the bytes to a descriptor. name: for the message. */
gboolean p2v_bytes_write (GBytes *bytes, int fd, const char *name, GError **error);

G_END_DECLS

#endif
