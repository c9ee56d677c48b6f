/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PROTOCOL_H
#define P2V_PROTOCOL_H

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The control protocol: one JSON object a line each way, each with a "type"; docs/PROTOCOL.md has
 * every message. Data lanes speak one line of it each way and then NBD. */

#define P2V_PROTOCOL_VERSION 1

/* The commands that the client asks sshd to run, and the only ones the server's forced command
 * accepts (with or without P2V_SUDO_PREFIX). */
#define P2V_COMMAND_SESSION "p2v-server session"
#define P2V_COMMAND_LANE "p2v-server lane"
#define P2V_SUDO_PREFIX "sudo -n "

/* How often a client says that it is there, and after how long without a word either side takes the
 * other for dead, seconds. Together with the tick that notices it this stays below a minute. */
#define P2V_PING_SECONDS 10
#define P2V_SILENCE_SECONDS 45

/* The most runs of chunks in one message: with P2V_LINE_MAX in mind, 120 bytes each. */
#define P2V_RUNS_MAX 16384

/* The longest line either side accepts, bytes. A machine with hundreds of disks stays well below
 * it; a peer that never ends its line cannot take more memory than this. */
#define P2V_LINE_MAX (4 * 1024 * 1024)

/* The most bytes that one "measure" announces. */
#define P2V_MEASURE_MAX (64 * 1024 * 1024)

/* Message types. Client to server: */
#define P2V_MESSAGE_HELLO "hello"       /* both ways: version, program */
#define P2V_MESSAGE_DESCRIBE "describe" /* output: what does the server offer for that? */
#define P2V_MESSAGE_MEASURE "measure"   /* bytes: so many follow, to be thrown away */
#define P2V_MESSAGE_CREATE "create"     /* request */
#define P2V_MESSAGE_FAILED                                                                         \
  "failed" /* in the place of create: request (its outline), code, message */
#define P2V_MESSAGE_CHUNKS "chunks" /* disk, runs of chunks that are durable */
#define P2V_MESSAGE_BAD "bad"       /* disk, ranges of it that could not be read; all: these only */
#define P2V_MESSAGE_LANDED "landed" /* every chunk of every disk is recorded */
#define P2V_MESSAGE_CANCEL "cancel" /* give up the job */
#define P2V_MESSAGE_FIND "find"     /* request: is there an unfinished job of this machine? */
#define P2V_MESSAGE_RESUME                                                                         \
  "resume" /* job, and token (the same client) or request (the same machine) */
#define P2V_MESSAGE_DISCARD                                                                        \
  "discard"                     /* job, request: give up that unfinished job; answer: noted        \
                                 */
#define P2V_MESSAGE_NOTE "note" /* kind, message: what the job's log is to say */
#define P2V_MESSAGE_PING "ping" /* I am there; answered by pong */
/* Server to client: */
#define P2V_MESSAGE_OFFERS "offers"       /* the answer to describe: offers, see offers.h */
#define P2V_MESSAGE_MEASURING "measuring" /* the answer to measure: go on */
#define P2V_MESSAGE_MEASURED "measured"   /* all of its bytes have come */
#define P2V_MESSAGE_CREATED "created"     /* job, token, disks */
#define P2V_MESSAGE_NOTED "noted"         /* the answer to failed: job */
#define P2V_MESSAGE_FOUND "found" /* the answer to find: the newest unfinished job, or none */
#define P2V_MESSAGE_MANIFEST                                                                       \
  "manifest" /* disk, runs of chunks that the server has; before resumed */
#define P2V_MESSAGE_RESUMED                                                                        \
  "resumed" /* the answer to resume, and when the server needs chunks again: as created */
#define P2V_MESSAGE_PONG "pong"
#define P2V_MESSAGE_EVENT "event" /* what happened in the job, see event.h */
#define P2V_MESSAGE_ACCEPTED                                                                       \
  "accepted"                      /* the answer to landed: the machine may be switched off         \
                                   */
#define P2V_MESSAGE_DONE "done"   /* the job's outcome */
#define P2V_MESSAGE_ERROR "error" /* code, message */
/* First line on a lane, each way: */
#define P2V_LANE_ZSTD "zstd"      /* "compress" of lane and ready: one zstd stream to the server */
#define P2V_MESSAGE_LANE "lane"   /* job, token, disk, compress */
#define P2V_MESSAGE_READY "ready" /* NBD follows */

/* A new message of a type (transfer full). */
JsonObject *p2v_message_new (const char *type);

/* The error message for a GError (transfer full). */
JsonObject *p2v_message_new_error (const GError *error);

/* One line, ending in a newline (transfer full). */
char *p2v_message_to_line (JsonObject *message);

/* Parses one line without its newline. Fails with P2V_ERROR_REFUSED when it is not an object with
 * a "type" that is a string. */
JsonObject *p2v_message_parse (const char *line, gssize length, GError **error);

/* The type of a message that p2v_message_parse() accepted. Owned by the message. */
const char *p2v_message_type (JsonObject *message);

/* A string member, NULL when it is absent or no string. Owned by the message. */
const char *p2v_message_get_string (JsonObject *message, const char *name);

/* A whole-number member within [min, max]; fails with P2V_ERROR_REFUSED naming the member. */
gboolean p2v_message_get_int (JsonObject *message, const char *name, gint64 min, gint64 max,
                              gint64 *value, GError **error);

/* An object member, NULL when it is absent or no object. Owned by the message. */
JsonObject *p2v_message_get_object (JsonObject *message, const char *name);

/* Sets *error to what an "error" message says, with its code; message may come from a stranger. */
void p2v_message_to_error (JsonObject *message, GError **error);

/* Collects bytes as they arrive and hands out whole lines. */
typedef struct _P2vLineBuffer P2vLineBuffer;

P2vLineBuffer *p2v_line_buffer_new (void);
void p2v_line_buffer_free (P2vLineBuffer *buffer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vLineBuffer, p2v_line_buffer_free)

/* Adds bytes. Fails with P2V_ERROR_REFUSED when a line grows beyond P2V_LINE_MAX. */
gboolean p2v_line_buffer_push (P2vLineBuffer *buffer, const void *data, gsize length,
                               GError **error);

/* The next whole line without its newline (transfer full), or NULL when there is none yet. */
char *p2v_line_buffer_pop (P2vLineBuffer *buffer);

/* Bytes that have arrived and belong to no popped line: what followed the last newline. Used when
 * a lane turns from lines to NBD. (transfer full) */
GBytes *p2v_line_buffer_steal_rest (P2vLineBuffer *buffer);

G_END_DECLS

#endif
