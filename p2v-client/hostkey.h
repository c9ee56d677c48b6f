/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_HOSTKEY_H
#define P2V_HOSTKEY_H

#include "p2v-client/config.h"

G_BEGIN_DECLS

/* Host keys that the live image brings along, in the format of known_hosts (sshd(8)). */
#define P2V_KNOWN_HOSTS_FILE P2V_SYSCONFDIR "/p2v/known_hosts"

/* Whether a server is the one it should be. */
typedef enum
{
  P2V_HOSTKEY_UNSEEN,  /* no server has shown a key */
  P2V_HOSTKEY_TRUSTED, /* p2v.hostkey or the known_hosts file has it */
  P2V_HOSTKEY_ANY,     /* p2v.hostkey=any: whatever answers is accepted */
  P2V_HOSTKEY_UNKNOWN, /* nobody has said what the key should be: a person may compare and accept */
  P2V_HOSTKEY_MISMATCH, /* it should be another key: never to be waved through */
} P2vHostKeyTrust;

/* The key that a server has shown. */
typedef struct
{
  P2vHostKeyTrust trust;
  char *fingerprint; /* "SHA256:…" as `ssh-keygen -l` prints it, and p2v.hostkey= takes it */
  char *type;        /* "ssh-ed25519", … */
} P2vHostKey;

/* Frees what is in it and makes it unseen. */
void p2v_hostkey_clear (P2vHostKey *hostkey);

/* What to tell people of a key that was accepted unseen (P2V_HOSTKEY_ANY), else NULL.
 * (transfer full) */
char *p2v_hostkey_warning (const P2vHostKey *hostkey, const P2vConfig *config);

struct ssh_session_struct;

/* For ssh.c: looks at the key of a connected server and judges it.
 * Fails with P2V_ERROR_CONNECTION unless it is trusted, or accepted unseen; hostkey is filled in
 * all the same as far as it is known. */
gboolean p2v_hostkey_check (struct ssh_session_struct *session, const P2vConfig *config,
                            P2vHostKey *hostkey, GError **error);

G_END_DECLS

#endif
