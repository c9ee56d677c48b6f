/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_COMMON_SECRETS_H
#define P2V_COMMON_SECRETS_H

#include <glib.h>

G_BEGIN_DECLS

/* Secrets that are to be taken out of texts which others will read. (of char *, transfer full) */
GPtrArray *p2v_secrets_new (void);

/* Adds a secret; NULL, and what is too short to be told from ordinary words, is nothing. */
void p2v_secrets_add (GPtrArray *secrets, const char *secret);

/* Adds what is secret of output options ("key=value" each; may be NULL). */
void p2v_secrets_add_options (GPtrArray *secrets, char *const *options);

/* Adds the password within a URI (may be NULL). */
void p2v_secrets_add_uri (GPtrArray *secrets, const char *uri);

/* The text with *** in the place of each of the secrets, also as they are written in XML and JSON,
 * and of whatever else looks like a password. (transfer full) */
char *p2v_secrets_mask (GPtrArray *secrets, const char *text);

G_END_DECLS

#endif
