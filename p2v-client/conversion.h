/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONVERSION_H
#define P2V_CONVERSION_H

#include "common/bad-range.h"
#include "common/event.h"
#include "common/verified.h"
#include "p2v-client/config.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* One conversion, from the first connection to the server's last word. It blocks; a front end with
 * a main loop runs it in a GTask's thread and hands the updates over. */

/* How far one disk is. All in bytes. */
typedef struct
{
  const char *name;
  gint64 size;
  gint64 skipped; /* holes and free space: never read */
  gint64 zero;    /* read, found to be zero, not sent */
  gint64 sent;    /* chunks with data that have landed durably */
  gint64 done;    /* skipped + zero + sent: reaches size */
  gint64 bad;     /* could not be read: zeroes instead; a part of all these */
} P2vDiskProgress;

typedef enum
{
  P2V_UPDATE_CONNECTED, /* text: the server's greeting */
  P2V_UPDATE_MAPPING,   /* the filesystems are asked what is in use */
  P2V_UPDATE_MAP,       /* text: what is read of a part of a disk, and why */
  P2V_UPDATE_CREATED,   /* text: the job's id */
  P2V_UPDATE_PROGRESS,  /* disks, n_disks, rate, time_left */
  P2V_UPDATE_LANDED,    /* the physical machine has nothing left to do; text: why it is to stay on
                           all the same, NULL when it need not */
  P2V_UPDATE_LOST,      /* text: the connection is lost, and what is being done about it */
  P2V_UPDATE_RESTORED,  /* text: it is back */
  P2V_UPDATE_PAUSED,    /* text: the transfer waits, and for what */
  P2V_UPDATE_EVENT,     /* event: from the server's job */
  P2V_UPDATE_WARNING,   /* text */
  P2V_UPDATE_BAD,       /* bad has changed; the server's event says so to people */
  P2V_UPDATE_DONE,      /* text: where the guest is; verified */
} P2vUpdateKind;

/* What a front end is told; valid during the call only. */
typedef struct
{
  P2vUpdateKind kind;
  const char *text;
  const P2vEvent *event;
  const P2vVerified *verified; /* NULL when the server does not say */
  const P2vDiskProgress *disks;
  gsize n_disks;
  const GPtrArray *bad; /* of P2vBadRange: all that is known not to have been read */
  gint64 wire;          /* bytes that all lanes have sent over the network, SSH's own not counted */
  double rate;          /* bytes of disk done a second, over the last seconds */
  gint64 time_left;     /* seconds, -1 when not known */
} P2vUpdate;

/* Called in the thread that runs the conversion. */
typedef void (*P2vUpdateFunc) (const P2vUpdate *update, gpointer user_data);

/* An unfinished job of this machine that the server has. */
typedef struct
{
  char *job;
  gint64 created; /* milliseconds since the epoch */
  gint64 landed;  /* bytes of the disks */
  gint64 total;
} P2vUnfinished;

/* Asks whether to go on with it, instead of beginning anew; called in a thread of its own, and may
 * take its time: the connection is kept meanwhile. It is to return soon when cancellable says so,
 * because the conversion is stopped or the connection lost; what it returns does not matter then.
 */
typedef gboolean (*P2vUnfinishedFunc) (const P2vUnfinished *unfinished, GCancellable *cancellable,
                                       gpointer user_data);

/* Cancels a conversion without giving its job up: the machine can go on with it later. For a
 * program that is told to end, as when the machine is being switched off. Any thread. */
void p2v_conversion_leave (GCancellable *cancellable);

/* Stops sending, or goes on with it. The connections are kept meanwhile, however long that is. What
 * the server does by itself is not stopped. Any thread. */
void p2v_conversion_hold (GCancellable *cancellable, gboolean held);

/* Converts. The disks are opened read-only, and block devices set read-only in the kernel, before
 * anything else happens. A connection that is lost is brought back for as long as p2v.retry_for
 * says, and nothing that has landed is sent again. Ends when what p2v.wait names has been reached.
 *
 * ask: NULL to go on with an unfinished job of this machine as p2v.resume says.
 * Fails with the P2vErrorCode of the part that failed (p2v_error_code_of() tells). */
gboolean p2v_conversion_run (const P2vConfig *config, const P2vRequest *request,
                             GCancellable *cancellable, P2vUpdateFunc update, P2vUnfinishedFunc ask,
                             gpointer user_data, GError **error);

G_END_DECLS

#endif
