/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_TOOL_H
#define P2V_TOOL_H

#include <glib.h>

G_BEGIN_DECLS

/* Programs of others that take long: started with an argument vector, in a process group of their
 * own, with everything they say in a log, watched and bounded. */

typedef struct
{
  const char *const *argv;  /* argv[0] is looked up in PATH */
  const char *package;      /* the Debian package it comes from, for the message when missing */
  char *const *environment; /* NULL: ours */
  const char *log;          /* file that standard output and error are appended to */
  const char *output;       /* file for standard output alone, replaced; NULL: the log */
  gint64 timeout;           /* seconds, 0 unlimited */
  const char *timeout_key;  /* what to raise, for people: "timeout= in [convert] of FILE" */

  /* Called for every line of the log as it appears, without its end; NULL for none. */
  void (*line) (const char *line, gpointer user_data);
  /* Called about once a second with the seconds since the start; NULL for none. */
  void (*tick) (gint64 elapsed, gpointer user_data);
  gpointer user_data;

  /* Asked several times a second whether the program is to be ended; NULL: it is left alone. */
  gboolean (*cancelled) (gpointer cancelled_data);
  gpointer cancelled_data;
} P2vTool;

/* Absolute path of a program in PATH. Fails with P2V_ERROR_CONVERT naming the Debian package to
 * install. */
char *p2v_tool_find (const char *program, const char *package, GError **error);

/* Runs a program to its end; standard input is /dev/null. When it has ended no process of its group
 * is left, whatever the outcome. If this process dies, the program gets SIGTERM (virt-v2v and qemu
 * then clean up after themselves); it writes to files, not to us, so nothing of what it says is
 * lost.
 * Fails with P2V_ERROR_CONVERT: it cannot be started, exits with another status than 0, is killed,
 * or takes too long; with P2V_ERROR_CANCELLED within seconds after cancelled() has said so. The
 * message names the program. */
gboolean p2v_tool_run (const P2vTool *tool, GError **error);

/* Runs a program that answers at once and returns its standard output. */
char *p2v_tool_ask (const char *const *argv, const char *package, GError **error);

/* Text of a stranger (a log line, a file's name) as one line that may be shown and stored: valid
 * UTF-8, no control characters, at most a few hundred characters. (transfer full) */
char *p2v_tool_printable (const char *text);

G_END_DECLS

#endif
