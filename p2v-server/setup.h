/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SETUP_H
#define P2V_SETUP_H

#include "p2v-server/config.h"
#include "p2v-server/ssh-key.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* `p2v-server setup`: the account that machines log in as. Every step looks first, says what it
 * found or is going to do, and does that unless it is only asked for. */

typedef struct
{
  const P2vServerConfig *config;
  const char *user;
  const char *home;     /* NULL: the account's, or the state directory */
  const char *key_file; /* a public key of the administrator's own; NULL: a pair is made */
  const char *identity; /* where the private key is put */
  gboolean new_key;
  gboolean dry_run;

  char *program;  /* absolute path of this program, which is the login shell */
  char *home_dir; /* the account's, once that is known */
  uid_t uid;      /* (uid_t)-1: there is no account yet, in a dry run */
  gid_t gid;
  P2vSshKey *key; /* that machines log in with; NULL: not made, in a dry run */
  gboolean fresh; /* the key is made, and not at its place yet */
  guint changes;
  guint warnings;
} P2vSetup;

void p2v_setup_clear (P2vSetup *setup);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2vSetup, p2v_setup_clear)

/* Announces a change, and says whether it is to be made. */
gboolean p2v_setup_change (P2vSetup *setup, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Says that something is as it should be. */
void p2v_setup_keep (P2vSetup *setup, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Says what the administrator has to look at. */
void p2v_setup_warn (P2vSetup *setup, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The steps, in their order. Each fails with P2V_ERROR_FAILED or P2V_ERROR_USAGE. */
gboolean p2v_setup_program (P2vSetup *setup, GError **error); /* that it can be a login shell */
gboolean p2v_setup_account (P2vSetup *setup, GError **error); /* user, groups, /etc/shells */
gboolean p2v_setup_directories (P2vSetup *setup, GError **error);
gboolean p2v_setup_key (P2vSetup *setup, GError **error);       /* the key pair */
gboolean p2v_setup_authorize (P2vSetup *setup, GError **error); /* authorized_keys */
/* Puts a new pair in the place of the old one, last: whatever ends setup before this leaves a pair
 * that the next run lets in (again), and a new key that nobody has. */
gboolean p2v_setup_install_key (P2vSetup *setup, GError **error);
void p2v_setup_discard_key (const P2vSetup *setup); /* instead, after a failure */

/* Lets systemd run "p2v-server recover" at boot, where its unit is installed. */
gboolean p2v_setup_recover (P2vSetup *setup, GError **error);

/* Warns of what keeps sshd from letting the account in, as far as `sshd -T` tells. port: the first
 * one that sshd listens on. */
void p2v_setup_check_sshd (P2vSetup *setup, guint16 *port);

/* What ends the line of a key that setup has made, by which a later one finds it. */
#define P2V_SETUP_MARK "(made by p2v-server setup)"

typedef enum
{
  P2V_KEY_GIVEN, /* by the administrator */
  P2V_KEY_KEPT,  /* made before */
  P2V_KEY_NEW,   /* every other one that setup has made is let in no more */
} P2vKeyOrigin;

/* The contents of authorized_keys with one line for a key, in the place of the first line that it
 * replaces, or at the end. options: what stands before the key. unrestricted: how many other keys
 * have no command= (transfer full). */
char *p2v_authorized_keys_update (const char *old, const char *options, const P2vSshKey *key,
                                  P2vKeyOrigin origin, guint *unrestricted);

/* What in the output of `sshd -T` is in the way of a user who is in groups: a list of sentences
 * (GPtrArray of char *, transfer full). */
GPtrArray *p2v_sshd_find_problems (const char *settings, const char *user,
                                   const char *const *groups, guint16 *port);

G_END_DECLS

#endif
