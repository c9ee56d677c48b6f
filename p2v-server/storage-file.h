/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_STORAGE_FILE_H
#define P2V_STORAGE_FILE_H

#include "p2v-server/plan.h"

G_BEGIN_DECLS

/* Images as plain files. All failures are P2V_ERROR_REFUSED. */

/* Makes the directory of the image if it is not there, and checks what creating needs. */
gboolean p2v_file_prepare (const P2vImage *image, GError **error);

/* Bytes that an ordinary account may still write to the filesystem of a directory. */
gboolean p2v_file_available (const char *directory, guint64 *bytes, GError **error);

/* Creates image->path, which must not exist, reading as zeroes throughout. On failure nothing is
 * left of it. */
gboolean p2v_file_create (const P2vImage *image, gboolean preallocated, GError **error);

/* Removes image->path; a missing file is no error. */
gboolean p2v_file_remove (const P2vImage *image, GError **error);

G_END_DECLS

#endif
