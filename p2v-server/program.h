/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PROGRAM_H
#define P2V_PROGRAM_H

#include <glib.h>

G_BEGIN_DECLS

/* Programs of others that answer within seconds: ssh-keygen, useradd, xorriso. */

/* Runs argv[0], looked up in PATH and in the sbin directories, to its end, with LC_ALL=C. package:
 * the Debian package it comes from. secret: what it reads as /proc/self/fd/3, a file that exists in
 * memory alone and has mode 0600; NULL for none. output: its standard output (transfer full), NULL
 * when that is of no interest. Fails with P2V_ERROR_FAILED: it is not installed, or ended with
 * another status than 0; the message has its name and the last of what it said. If this process
 * dies, the program gets SIGTERM. */
gboolean p2v_program_run (const char *const *argv, const char *package, GBytes *secret,
                          char **output, GError **error);

/* Bytes that are overwritten when they are freed (transfer full). */
GBytes *p2v_secret_bytes_new (gconstpointer data, gsize size);

G_END_DECLS

#endif
