/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONVERSION_H
#define P2V_CONVERSION_H

#include "common/event.h"
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
  gint64 skipped; /* holes: never read */
  gint64 zero;    /* read, found to be zero, not sent */
  gint64 sent;    /* chunks with data that have landed durably */
  gint64 done;    /* skipped + zero + sent: reaches size */
} P2vDiskProgress;

typedef enum
{
  P2V_UPDATE_CONNECTED, /* text: the server's greeting */
  P2V_UPDATE_CREATED,   /* text: the job's id */
  P2V_UPDATE_PROGRESS,  /* disks, n_disks, rate, time_left */
  P2V_UPDATE_LANDED,    /* the physical machine has nothing left to do */
  P2V_UPDATE_EVENT,     /* event: from the server's job */
  P2V_UPDATE_WARNING,   /* text */
  P2V_UPDATE_DONE,      /* text: where the guest is */
} P2vUpdateKind;

/* What a front end is told; valid during the call only. */
typedef struct
{
  P2vUpdateKind kind;
  const char *text;
  const P2vEvent *event;
  const P2vDiskProgress *disks;
  gsize n_disks;
  double rate;      /* bytes of disk done a second, over the last seconds */
  gint64 time_left; /* seconds, -1 when not known */
} P2vUpdate;

/* Called in the thread that runs the conversion. */
typedef void (*P2vUpdateFunc) (const P2vUpdate *update, gpointer user_data);

/* Converts. The disks are opened read-only, and block devices set read-only in the kernel, before
 * anything else happens. Fails with the P2vErrorCode of the part that failed (p2v_error_code_of()
 * tells). */
gboolean p2v_conversion_run (const P2vConfig *config, const P2vRequest *request,
                             GCancellable *cancellable, P2vUpdateFunc update, gpointer user_data,
                             GError **error);

G_END_DECLS

#endif
