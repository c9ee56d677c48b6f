/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_HOOKS_H
#define P2V_HOOKS_H

#include "p2v-client/config.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A hook is a command of p2v.pre, p2v.post or p2v.fail. It is split into words as a shell does it
 * (quotes, backslashes) and run without one: nobody's text is ever evaluated. */

/* Checks a command without running it: its quotes are balanced, and it uses nothing of a shell's
 * language outside quotes (";", "|", "$", "*", …), which would reach the program as plain text and
 * do something else than its author meant. An empty command is fine.
 * name: the argument, for messages. The command is not quoted in errors, it may hold a secret.
 * Fails with P2V_ERROR_USAGE. */
gboolean p2v_hook_check (const char *name, const char *command, GError **error);

/* Where the standard output and the standard error of a command go: descriptors, or -1 for where
 * ours go. */
typedef struct
{
  int out, err;
} P2vHookOutput;

/* Runs a command and waits for its end. Its input is empty. Cancelling kills it.
 * name: "p2v.pre", … for messages.
 * command: NULL or empty does nothing.
 * environment: "NAME=VALUE" strings added to its environment, or NULL.
 * output: NULL for where ours go.
 * Fails with P2V_ERROR_USAGE (no such program), P2V_ERROR_CANCELLED, else P2V_ERROR_FAILED. */
gboolean p2v_hook_run (const char *name, const char *command, const char *const *environment,
                       const P2vHookOutput *output, GCancellable *cancellable, GError **error);

/* The command to run after success: p2v.post when it is given (empty: nothing); else "poweroff"
 * for root when the configuration came from /proc/cmdline, as virt-p2v does; else NULL.
 * Owned by config, or static. */
const char *p2v_hook_post (const P2vConfig *config, gboolean from_kernel, gboolean is_root);

G_END_DECLS

#endif
