/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_TARBALL_H
#define P2V_TARBALL_H

#include <glib.h>

G_BEGIN_DECLS

/* A gzip'ed tar archive of text files, all in one directory and only for their owner to read, as
 * it is written. */
typedef struct _P2vTarball P2vTarball;

/* fd: where it goes; it stays the caller's, and open. directory: the name of what everything is in.
 * Fails, as all below, with P2V_ERROR_FAILED: "cannot write the report: …" without a full stop. */
P2vTarball *p2v_tarball_new (int fd, const char *directory, GError **error);

/* Adds a file. */
gboolean p2v_tarball_add (P2vTarball *tarball, const char *name, const char *text, GError **error);

/* Writes the end of it. */
gboolean p2v_tarball_finish (P2vTarball *tarball, GError **error);

void p2v_tarball_free (P2vTarball *tarball);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vTarball, p2v_tarball_free)

G_END_DECLS

#endif
