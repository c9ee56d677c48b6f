/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_STATE_H
#define P2V_KIOSK_STATE_H

#include "p2v-client/question.h"

G_BEGIN_DECLS

/* How a running conversion stands, as its updates tell. */

typedef struct
{
  char *name;
  gint64 size, done; /* bytes */
} P2vKioskDisk;

/* The rate at some time. */
typedef struct
{
  gint64 time; /* monotonic time */
  double rate; /* bytes a second */
} P2vKioskRate;

/* How long rates are remembered, seconds. */
#define P2V_KIOSK_RATE_SECONDS 120

typedef struct
{
  char *activity; /* what is being done: "Sending the disks" */
  gint64 percent; /* of the server's stage, -1 when not known */
  char *pause; /* what is waited for meanwhile, "Reconnecting to the server"; NULL: for nothing */
  char *pause_why;
  gboolean lost;             /* the connection is what is waited for: the server hears nothing */
  P2vUnfinished *unfinished; /* whether to go on with it is what the person is asked; NULL: nothing
                                is asked */
  char *program;             /* the server's greeting, NULL before it */
  char *job;                 /* NULL before there is one */
  char *place;               /* where the guest is; NULL before it is done */
  P2vVerified *verified;     /* what the server has compared; NULL when it does not say */
  char *failed; /* the activity during which the server's job failed, NULL when it did not */

  GPtrArray *disks; /* of P2vKioskDisk; empty before the first is sent */
  double rate;      /* bytes a second */
  GArray *rates;    /* of P2vKioskRate: the last ones, one a second */
  gint64 time_left; /* seconds, -1 when not known */
  gboolean landed;  /* the server has everything */
  char *stay;       /* why the machine is to stay on all the same, NULL when it need not */

  GPtrArray *bad;      /* of P2vBadRange: what of the disks could not be read */
  GPtrArray *warnings; /* of char *, each once */
  GQueue log;          /* of char *: what has happened, a line each, the last P2V_KIOSK_LOG_LINES */
  guint64 logged;      /* lines so far, those that are gone included */
} P2vKioskState;

#define P2V_KIOSK_LOG_LINES 1000

P2vKioskState *p2v_kiosk_state_new (const char *activity);
void p2v_kiosk_state_free (P2vKioskState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vKioskState, p2v_kiosk_state_free)

/* What the server keeps when the conversion is stopped now, since it cannot be told, and how to
 * have that removed; NULL when it can, or has everything. (transfer full) */
char *p2v_kiosk_state_kept (const P2vKioskState *state);

/* Takes in what the engine reports. */
void p2v_kiosk_state_update (P2vKioskState *state, const P2vUpdate *update);

/* The person is asked (transfer full), or not any more (NULL). */
void p2v_kiosk_state_ask (P2vKioskState *state, P2vUnfinished *unfinished);

/* The log as one text, a line each. (transfer full) */
char *p2v_kiosk_state_log_text (const P2vKioskState *state);

/* Done and size of all disks, bytes. */
void p2v_kiosk_state_totals (const P2vKioskState *state, gint64 *done, gint64 *size);

/* An update as something that can be handed to another thread. */
P2vUpdate *p2v_update_copy (const P2vUpdate *update);
void p2v_update_free (P2vUpdate *update);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vUpdate, p2v_update_free)

G_END_DECLS

#endif
