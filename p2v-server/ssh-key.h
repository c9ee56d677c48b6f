/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SSH_KEY_H
#define P2V_SSH_KEY_H

#include <glib.h>

G_BEGIN_DECLS

/* SSH keys as files have them: public keys are lines "TYPE BASE64 COMMENT" (sshd(8),
 * AUTHORIZED_KEYS FILE FORMAT). */

typedef struct
{
  char *type;        /* "ssh-ed25519" */
  char *base64;      /* what tells one key from another */
  char *comment;     /* "" for none */
  char *fingerprint; /* "SHA256:…", as ssh-keygen -l prints it */
} P2vSshKey;

void p2v_ssh_key_free (P2vSshKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vSshKey, p2v_ssh_key_free)

/* A public key's line, with or without its end. Options before the type are not accepted. Fails
 * with P2V_ERROR_USAGE. name: the file it is from, for the message. */
P2vSshKey *p2v_ssh_key_parse (const char *line, const char *name, GError **error);

/* Reads FILE.pub, which has one key. Fails with P2V_ERROR_USAGE, also for a private key. */
P2vSshKey *p2v_ssh_key_load_public (const char *file, GError **error);

/* Reads a private key in any format of ssh-keygen(1). Fails with P2V_ERROR_USAGE when it cannot be
 * read, is none, or needs a passphrase. text: the file's contents, wiped when freed. */
P2vSshKey *p2v_ssh_key_load_private (const char *file, GBytes **text, GError **error);

/* The key that a private key's text belongs to. name: for messages. */
P2vSshKey *p2v_ssh_key_of_private (GBytes *text, const char *name, GError **error);

/* "TYPE BASE64 COMMENT" without an end of line (transfer full). */
char *p2v_ssh_key_line (const P2vSshKey *key);

/* Checks and copies "SHA256:" and 43 characters of Base64 (a "=" after them is dropped), or "any".
 * Fails with P2V_ERROR_USAGE (transfer full). */
char *p2v_ssh_fingerprint_parse (const char *text, GError **error);

G_END_DECLS

#endif
