/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CMDLINE_H
#define P2V_CMDLINE_H

#include "p2v-client/config.h"

G_BEGIN_DECLS

/* An argument as manuals and --help show it. */
typedef struct
{
  const char *name;  /* "p2v.remote.server" */
  const char *alias; /* "p2v.server"; NULL when there is only one spelling */
  const char *value; /* "SERVER"; NULL for a switch */
  const char *help;  /* one line */
} P2vArgument;

/* The argument at an index from 0, NULL after the last. Owned by the program. */
const P2vArgument *p2v_cmdline_argument (guint index);

/* Reads the p2v.* arguments of a kernel command line (virt-p2v(1), "KERNEL COMMAND LINE
 * CONFIGURATION", and ours) into a configuration. Words are split as the kernel does it
 * (Documentation/admin-guide/kernel-parameters.rst): double quotes around a value or around the
 * whole argument protect spaces. Words without "p2v." are not ours and ignored; a p2v.* argument
 * that is unknown, malformed, given twice with different values or cannot be honoured fails with
 * P2V_ERROR_USAGE and its name, secrets never quoted. */
P2vConfig *p2v_cmdline_parse (const char *cmdline, GError **error);

/* The kernel's command line, and what was put into the live image as defaults for it. */
#define P2V_KERNEL_CMDLINE "/proc/cmdline"
#define P2V_DEFAULTS_FILE P2V_SYSCONFDIR "/p2v/defaults"

/* Reads a file of defaults and then a command line. Both are written alike; in the file there may
 * be several lines, a word that begins with "#" starts a comment that ends with its line, and every
 * other word must be one of ours. What the command line gives replaces what the file gives,
 * argument by argument; its p2v.password also replaces the file's p2v.identity, which would go
 * first. The configuration's "unattended" says whether the command line itself names the server.
 * defaults: the file's path; NULL, or a file that is not there: none.
 * Fails as p2v_cmdline_parse() does, with the file and the line when it is the file's mistake. */
P2vConfig *p2v_cmdline_load (const char *defaults, const char *cmdline, GError **error);

/* p2v_cmdline_load() of P2V_DEFAULTS_FILE and P2V_KERNEL_CMDLINE: what every program of the live
 * image starts from. */
P2vConfig *p2v_cmdline_load_kernel (GError **error);

G_END_DECLS

#endif
