/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_IDENTITY_H
#define P2V_IDENTITY_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* Fetches an SSH private key from a URL through libcurl (https, http, file, ftp, tftp …), bounded
 * in size (64 KiB) and time. Returns its text; free with p2v_secret_free(). Nothing of what was
 * fetched, and no password in the URL, is quoted in an error.
 * Fails with P2V_ERROR_CANCELLED, else P2V_ERROR_AUTH: it cannot be fetched, is too large, is no
 * private key, or has a passphrase, which nobody is there to type. */
char *p2v_identity_fetch (const char *url, GCancellable *cancellable, GError **error);

/* Overwrites a secret and frees it. secret may be NULL. */
void p2v_secret_free (char *secret);

G_END_DECLS

#endif
