/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONVERSION_PARTS_H
#define P2V_CONVERSION_PARTS_H

/* The parts of one conversion, known only to conversion*.c. */

#include "p2v-client/chunk-table.h"
#include "p2v-client/control.h"
#include "p2v-client/conversion.h"
#include "p2v-client/rate.h"
#include "p2v-client/retry.h"
#include "p2v-client/source.h"
#include "p2v-client/transfer.h"

G_BEGIN_DECLS

/* How often a front end hears of progress, and a cancellation is noticed, microseconds. */
#define P2V_CONVERSION_TICK (250 * 1000)

/* One thing that a thread tells the thread that runs the conversion. */
typedef struct
{
  P2vTransferReport *report;
  JsonObject *message;
  GError *closed;     /* the control channel has ended, and why */
  guint generation;   /* of the control channel, with message and closed */
  P2vSsh *control;    /* a new control channel is open, greeted */
  GError *no_control; /* it could not be opened, and why */
  P2vSsh *lane;       /* a lane to disk is open */
  GError *no_lane;    /* a lane to disk could not be opened, and why */
  guint disk;
} P2vNotice;

void p2v_notice_free (P2vNotice *notice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vNotice, p2v_notice_free)

/* The control channel, as it is now. */
typedef enum
{
  P2V_LINK_UP,
  P2V_LINK_DOWN,     /* until the next attempt */
  P2V_LINK_OPENING,  /* a thread connects and logs in */
  P2V_LINK_RESUMING, /* connected, the job has been asked for again */
} P2vLinkState;

/* Sends the disks; conversion-send.c. */
typedef struct _P2vSending P2vSending;

typedef struct
{
  const P2vConfig *config;
  const P2vRequest *request; /* the caller's, then mapped */
  GCancellable *cancellable;
  P2vUpdateFunc update;
  P2vUnfinishedFunc ask; /* NULL: do not */
  gpointer user_data;

  P2vRequest *mapped; /* the request with what is in use of the machine's disks */
  char *identity;
  GPtrArray *sources; /* of P2vSource, in the guest's order */
  GAsyncQueue *inbox; /* of P2vNotice */

  /* The control channel. */
  P2vLinkState link;
  P2vSsh *ssh; /* NULL unless up or resuming */
  P2vControl *control;
  guint generation;     /* of the control channel: what an earlier one said does not count */
  GThread *opening;     /* NULL unless opening */
  GCancellable *hangup; /* ends the opening */
  P2vRetry outage;      /* since it was lost */
  gint64 next_try;      /* monotonic time; while down */
  gint64 heard, pinged; /* monotonic time */
  gint64 up_since;      /* monotonic time; while up */

  /* The job. */
  gboolean creating; /* the server has been asked for a job */
  char *job;
  char *token;           /* NULL also while only looking on at what an earlier run has sent */
  char *exports;         /* names one start of the server's exports */
  char **names;          /* the job's names of the disks, in the order of sources */
  GArray *zeroed;        /* of gboolean: the image of that disk reads as zeroes at first */
  GPtrArray *tables;     /* of P2vChunkTable: what has landed, by our own knowledge */
  GPtrArray *server_has; /* of P2vChunkTable: what the server says it has; while resuming */
  GPtrArray *earlier;    /* of P2vChunkTable: what had landed before this program was started, or
                            NULL */
  gboolean verified;     /* the server has compared its images with what we have sent */
  P2vDiskProgress *progress; /* one for each source */
  P2vRate *rate;
  P2vSending *sending;
  GPtrArray *bad;       /* of P2vBadRange: what could not be read, so far */
  gboolean told_landed; /* on this control channel, that everything has been sent */
  gboolean landed;      /* the server has accepted every disk, and goes on without us */
} P2vConversion;

/* Puts a notice into the inbox; its contents are taken over. Any thread. */
void p2v_conversion_notify (P2vConversion *self, const P2vNotice *notice);

/* The next notice, NULL with an error when cancelled or when the server is lost for good, NULL
 * without one when a tick has passed. Events are handed on by it, so that nobody waits for them,
 * and the control channel is brought back by it, so that nobody else has to care: after a "resumed"
 * the server's view is in server_has. */
P2vNotice *p2v_conversion_next_notice (P2vConversion *self, GError **error);

/* Whether somebody has asked for a pause. */
gboolean p2v_conversion_is_held (const P2vConversion *self);

/* Sends a message (transfer full). While the control channel is down it is dropped: what matters is
 * told again after "resumed". Fails only when cancelled or when the server is lost for good. */
gboolean p2v_conversion_send (P2vConversion *self, JsonObject *message, GError **error);

/* Waits for a message of one type; others are ignored (transfer full). */
JsonObject *p2v_conversion_wait_for (P2vConversion *self, const char *type, GError **error);

/* Tells the front end a text. */
void p2v_conversion_tell (P2vConversion *self, P2vUpdateKind kind, const char *text);

/* conversion-link.c */

/* Makes the first connection, and greets. */
gboolean p2v_conversion_connect (P2vConversion *self, GError **error);

/* What the passing of time asks for: pings, attempts to connect. FALSE with an error when the
 * server is lost for good. */
gboolean p2v_conversion_tend_link (P2vConversion *self, GError **error);

/* The control channel has ended (failure: transfer full). FALSE with an error when it is not to be
 * brought back: there is no job yet, it is of no use, or the time is up. */
gboolean p2v_conversion_lose_link (P2vConversion *self, GError *failure, GError **error);

/* A notice about the control channel or a message that belongs to its coming back. */
gboolean p2v_conversion_handle_link (P2vConversion *self, P2vNotice *notice, GError **error);

/* Ends everything about the control channel. */
void p2v_conversion_clear_link (P2vConversion *self);

/* conversion-job.c */

/* Makes a job on the server, or goes on with an unfinished one of this machine. */
gboolean p2v_conversion_begin_job (P2vConversion *self, GError **error);

/* Takes over what "created" or the first "resumed" says. */
gboolean p2v_conversion_read_job (P2vConversion *self, JsonObject *message, GError **error);

/* New tables for all sources (transfer full). */
GPtrArray *p2v_conversion_new_tables (P2vConversion *self);

/* Does what "resumed" asks for when the job has been going on: all of it has landed, or the server
 * says what it has. */
gboolean p2v_conversion_take_up (P2vConversion *self, JsonObject *resumed, GError **error);

/* Whether "resumed" says that all of the job has landed; and takes that in. */
gboolean p2v_conversion_says_landed (JsonObject *resumed);
void p2v_conversion_hear_landed (P2vConversion *self, JsonObject *resumed);

/* Asks the filesystems what of the sources is in use, and makes the request tell of it. Fails only
 * when cancelled. */
gboolean p2v_conversion_map_sources (P2vConversion *self, GError **error);

/* conversion-bad.c */

/* Tells the server and the front end what of a disk could not be read. parts: of P2vBadPart, may be
 * NULL. To be called before the chunks are told of in which the parts are: the server must never
 * know of a chunk, and not of its loss. */
gboolean p2v_conversion_report_bad (P2vConversion *self, const P2vSource *source,
                                    const GArray *parts, GError **error);

/* Chunks of a disk have landed: what of them could not be read before, but can be now, is not lost
 * any more. runs: of P2vChunkRun; parts: as above, what still cannot. To be called after the chunks
 * are told of. */
gboolean p2v_conversion_withdraw_bad (P2vConversion *self, const P2vSource *source,
                                      const GArray *runs, const GArray *parts, GError **error);

/* Takes in what the server knows to have been lost (by "resumed", "accepted" and "done"): also what
 * an earlier run has told it. */
void p2v_conversion_hear_bad (P2vConversion *self, JsonObject *message);

/* Bytes of a disk that could not be read, so far. */
gint64 p2v_conversion_count_bad (const P2vConversion *self, const P2vSource *source);

/* Tells the server once more, which may not have heard all on an earlier channel. resumed: what it
 * has said on this one. */
gboolean p2v_conversion_report_bad_again (P2vConversion *self, JsonObject *resumed, GError **error);

/* conversion-send.c */

/* Gets ready to send all disks at once. */
P2vSending *p2v_sending_new (P2vConversion *conversion);
void p2v_sending_free (P2vSending *sending);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vSending, p2v_sending_free)

/* Sends until everything is durable on the server, and recorded there as such, or until the server
 * says that it was before the connection broke. */
gboolean p2v_sending_run (P2vSending *sending, GError **error);

/* The server has said what it has (server_has): tells it what it does not know, and has what it may
 * have lost sent again. exports: the name of the exports now. */
gboolean p2v_sending_resume (P2vSending *sending, const char *exports, GError **error);

G_END_DECLS

#endif
