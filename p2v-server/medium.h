/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_MEDIUM_H
#define P2V_MEDIUM_H

#include "p2v-server/site.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* A medium of p2v: the image that `make iso` makes, or the directory that `make pxe` makes. What a
 * site changes in it are a handful of small files. */

#define P2V_MEDIUM_IMAGE "p2v/site.img"
#define P2V_MEDIUM_ARGUMENTS "p2v/arguments"
#define P2V_MEDIUM_SUMS "SHA256SUMS"

typedef struct
{
  char *path;        /* absolute */
  gboolean is_tree;  /* a directory for PXE, not an image */
  GHashTable *files; /* from name, such as P2V_MEDIUM_SUMS, to GBytes: the small files there are */
} P2vMedium;

void p2v_medium_free (P2vMedium *medium);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vMedium, p2v_medium_free)

/* Reads the small files of an image, or of a directory. Fails with P2V_ERROR_USAGE when it is no
 * medium of p2v. */
P2vMedium *p2v_medium_open (const char *path, GError **error);

/* A small file's contents, NULL when the medium has none of that name. Owned by the medium. */
GBytes *p2v_medium_get (const P2vMedium *medium, const char *name);

/* The files that a site replaces, from name to GBytes: site.img, the pieces of menu of the boot
 * loaders that the medium has, and the checksums (transfer full). */
GHashTable *p2v_medium_prepare (const P2vMedium *medium, const P2vSite *site, GError **error);

/* SHA256SUMS with the sums of files (from name to GBytes) in the place of their old ones. old: NULL
 * for none (transfer full). */
GBytes *p2v_medium_sums (GBytes *old, GHashTable *files);

/* Writes a copy of an image in which files are replaced, mode 0600; its boot records stay what they
 * are. Calls xorriso(1). output is replaced when everything has gone well; it may not be the image
 * itself. */
gboolean p2v_medium_write_image (const P2vMedium *medium, GHashTable *files, const char *output,
                                 GError **error);

/* Replaces files in a directory, each as a whole; site.img gets mode 0600. owner: whom site.img
 * belongs to then, (uid_t)-1 for whom it belongs to now. */
gboolean p2v_medium_write_tree (const P2vMedium *medium, GHashTable *files, uid_t owner,
                                GError **error);

G_END_DECLS

#endif
