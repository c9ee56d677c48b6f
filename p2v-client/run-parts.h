/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_RUN_PARTS_H
#define P2V_RUN_PARTS_H

#include "p2v-client/run.h"

G_BEGIN_DECLS

/* For run*.c only. What the two threads of a run share: the main one has the loop (signals, ticks,
 * what commands print), the other one works. */
typedef struct
{
  const P2vRunOptions *options;
  const P2vConfig *config;   /* of the options */
  P2vProgress *progress;     /* has its own lock */
  GCancellable *cancellable; /* safe from any thread */
  GMainLoop *loop;
  int hook_output; /* what commands write to, -1: where our own output goes */

  gint closing;    /* atomic: the outcome is settled, p2v.post or p2v.fail runs */
  gint terminated; /* atomic: and the system has told us to end meanwhile */

  /* The worker's until it is joined. */
  gboolean online;     /* the network has been waited for */
  P2vMachine *machine; /* NULL until it has been looked at */
  P2vRequest *request;
  gboolean accepted; /* the server has made a job */
  char *job;         /* the last one's id, printable */
  GPtrArray *bad;    /* of P2vBadRange: what could not be read, and is zeroes in the guest */
  int status;
} P2vRun;

/* Says what is being done, or a line for people. */
void p2v_run_begin (P2vRun *run, const char *activity);
void p2v_run_note (const char *line, gpointer run);

/* Runs a command of p2v.pre, p2v.post or p2v.fail, if there is one. failure: what has failed. */
gboolean p2v_run_hook (P2vRun *run, const char *name, const char *command, const GError *failure,
                       GError **error);

/* Everything from p2v.pre to the server's last word, trying again where that may help. */
gboolean p2v_run_convert (P2vRun *run, GError **error);

/* Tells the server of a failure that it does not know of yet. */
void p2v_run_tell_server (P2vRun *run, const GError *failure);

G_END_DECLS

#endif
