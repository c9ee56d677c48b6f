/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_COMMAND_H
#define P2V_COMMAND_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* The commands of p2v-server: a file each, with its option table at the top. */

typedef struct _P2vCommand P2vCommand;

/* A command line after its options were taken out. */
typedef struct
{
  const P2vCommand *command;
  P2vServerConfig *config;
  char **arguments; /* as many as the command takes; NULL after the last */
} P2vInvocation;

struct _P2vCommand
{
  const char *name;
  const char *argument; /* what it is about, e.g. "ID"; NULL for nothing */
  gboolean optional;    /* the argument may be left out */
  const char *summary;  /* one line for the list of commands */
  const char *details;  /* more for --help, may be NULL */
  gboolean internal;    /* run by sshd or by p2v-server itself: listed last */

  /* config_file: what a --config before the command's name said, or NULL. argv[0] is the command's
   * name. Returns the exit status: 0 or a P2vErrorCode. */
  int (*run) (const P2vCommand *command, const char *config_file, int argc, char **argv);
};

extern const P2vCommand p2v_command_jobs;
extern const P2vCommand p2v_command_show;
extern const P2vCommand p2v_command_log;
extern const P2vCommand p2v_command_verify;
extern const P2vCommand p2v_command_retry;
extern const P2vCommand p2v_command_cancel;
extern const P2vCommand p2v_command_remove;
extern const P2vCommand p2v_command_recover;
extern const P2vCommand p2v_command_report;
extern const P2vCommand p2v_command_profiles;
extern const P2vCommand p2v_command_check;
extern const P2vCommand p2v_command_setup;
extern const P2vCommand p2v_command_media;
extern const P2vCommand p2v_command_session;
extern const P2vCommand p2v_command_lane;
extern const P2vCommand p2v_command_forced;
extern const P2vCommand p2v_command_work;

/* Parses a command's options (its own, may be NULL, and --config), checks the number of arguments
 * and loads the configuration. Prints help and exits for --help. Fails with P2V_ERROR_USAGE. */
P2vInvocation *p2v_invocation_new (const P2vCommand *command, const GOptionEntry *entries,
                                   const char *config_file, int argc, char **argv, GError **error);

void p2v_invocation_free (P2vInvocation *invocation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vInvocation, p2v_invocation_free)

/* Prints an error for the administrator and returns the exit status for it. */
int p2v_command_fail (const GError *error);

/* The whole program but main(). Returns the exit status. */
int p2v_server_main (int argc, char **argv);

/* Runs what SSH_ORIGINAL_COMMAND, or the command of a login shell ("-c COMMAND"), asks for, if it
 * is one of the four strings of protocol.h. asked: NULL when nothing was asked for.
 * config_file: NULL for the default. Returns the exit status, P2V_ERROR_USAGE for a refusal. */
int p2v_forced_run (const char *asked, const char *config_file);

/* When this process is root and path belongs to somebody else, becomes that user, with his groups,
 * for good: so that what is written there stays his. */
gboolean p2v_account_become_owner (const char *path, GError **error);

G_END_DECLS

#endif
