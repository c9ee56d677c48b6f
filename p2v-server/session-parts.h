/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SESSION_PARTS_H
#define P2V_SESSION_PARTS_H

/* The parts of one session, known only to session*.c. */

#include "common/protocol.h"
#include "p2v-server/export.h"
#include "p2v-server/job.h"
#include "p2v-server/session.h"

G_BEGIN_DECLS

/* A disk that is being received. */
typedef struct
{
  const P2vImage *image; /* the plan's */
  P2vExport *export;
  P2vManifest *manifest;
} P2vReceiver;

typedef struct
{
  const P2vServerConfig *config;
  int input, output; /* of the client; -1 while it is gone */
  P2vLineBuffer *lines;
  gboolean greeted;
  gint64 discard; /* bytes that are still to be thrown away: the client measures */
  gboolean ended;
  int status;  /* of the process */
  P2vJob *job; /* locked while receiving, a mere view afterwards */

  /* While receiving. */
  GPtrArray *receivers;    /* of P2vReceiver; empty when not receiving */
  char *exports;           /* names this start of the exports: another one may have lost writes */
  char **names;            /* the job's names of the disks, in the client's order */
  int door;                /* where another session hands its client over; -1 when not receiving */
  gint64 receive_deadline; /* monotonic microseconds, 0 for none */

  /* Afterwards. */
  gboolean following; /* a worker has the job now */
  int followed;       /* the mark that says so, p2v_job_mark_followed(); -1: the client cannot be
                         asked for anything again */
  gint64 busy_seen;   /* when the worker was last seen alive, monotonic microseconds */
  guint revived;      /* how often another one was started */

  gboolean deaf; /* the client takes nothing that is sent */
  gint64 heard;  /* when the client last said something, monotonic microseconds */
  gint64 ticked; /* when tick() last ran */
  gint64 alone;  /* since when the client is gone, 0 while it is there */
  goffset events_offset;
} P2vSession;

/* Sends a message (transfer full); to nobody while the client is gone. */
void p2v_session_send (P2vSession *self, JsonObject *message);
void p2v_session_send_error (P2vSession *self, const GError *error);

/* Passes on what has been added to the job's event log. */
void p2v_session_relay_events (P2vSession *self);

/* Ends the reception for good: who asked for that wants nothing of it to be left. */
void p2v_session_give_up (P2vSession *self, const char *why);

/* Want of space for the server's own records (manifests, job.json) passes, as that for images does:
 * the client, which is told so, tries again until there is some. Other errors stay what they are.
 */
void p2v_session_let_pass (GError **error);

/* Ends this session's part in the job with an error for the client. */
void p2v_session_fail (P2vSession *self, const GError *error);

/* Hears another client from now on; the one before is hung up on. */
void p2v_session_adopt (P2vSession *self, int input, int output);

/* session-receive.c */

/* Makes images, manifests and exports of a new job. When that fails nothing of it is left. */
gboolean p2v_session_start_receiving (P2vSession *self, gint64 needed, GError **error);

/* Exports the images of a job that has received a part, and opens its manifests. The job is in
 * state "receiving" then, or "waiting" when that fails. Needs the job's lock. */
gboolean p2v_session_take_up (P2vSession *self, GError **error);

/* Starts the exports anew, so that no lane of an earlier client writes any more. */
gboolean p2v_session_restart_exports (P2vSession *self, GError **error);

/* Ends the exports and forgets the receivers; what has landed stays. */
void p2v_session_stop_receiving (P2vSession *self);

/* Leaves the job to wait for its machine. why: for its log. */
void p2v_session_leave_waiting (P2vSession *self, const char *why);

/* Carries out "bad": what the machine could not read, before the chunks in which it is. */
gboolean p2v_session_record_bad (P2vSession *self, JsonObject *message, GError **error);

/* Records what a message says has landed. */
gboolean p2v_session_record_chunks (P2vSession *self, JsonObject *message, GError **error);

/* Every chunk is accounted for and qemu-nbd has written everything. */
gboolean p2v_session_finish_receiving (P2vSession *self, GError **error);

/* Fails when an export has ended by itself. */
gboolean p2v_session_check_exports (P2vSession *self, GError **error);

/* Tells the client of the job and, of one taken up, what it has. hashes: of data too. */
void p2v_session_send_created (P2vSession *self);
void p2v_session_send_resumed (P2vSession *self, gboolean hashes);

/* session-follow.c */

/* The worker has the job from now on: starts it and looks on. */
gboolean p2v_session_hand_to_worker (P2vSession *self, GError **error);

/* Looks on at a job whose disks have all landed, for a client that has come back. job: transfer
 * full. sender: it has sent them, and can be asked for chunks that turn out to be wrong. */
void p2v_session_follow_job (P2vSession *self, P2vJob *job, gboolean sender);

/* Looks at the job that a worker has. */
void p2v_session_follow (P2vSession *self);

/* session-resume.c */

gboolean p2v_session_handle_find (P2vSession *self, JsonObject *message, GError **error);
gboolean p2v_session_handle_discard (P2vSession *self, JsonObject *message, GError **error);
gboolean p2v_session_handle_resume (P2vSession *self, JsonObject *message, GError **error);

/* Opens the door for clients that come back; a failure only makes them wait longer. */
void p2v_session_open_door (P2vSession *self);
void p2v_session_close_door (P2vSession *self);

/* TRUE when the client has said nothing for so long, or its connection has ended, that another one
 * may have the job. */
gboolean p2v_session_is_abandoned (const P2vSession *self);

/* Somebody is at the door. */
void p2v_session_admit (P2vSession *self);

G_END_DECLS

#endif
