/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_EVENT_H
#define P2V_EVENT_H

#include "common/schema.h"

G_BEGIN_DECLS

/* The stages of a job in their order, as they are named in events, job files and on screens. */
#define P2V_STAGE_MACHINE "machine" /* on the machine, before it asks for anything */
#define P2V_STAGE_PREPARE "prepare" /* images are made, exports started */
#define P2V_STAGE_RECEIVE "receive"
#define P2V_STAGE_VERIFY "verify" /* the image is compared with what was read */
#define P2V_STAGE_CONVERT "convert"
#define P2V_STAGE_DEFINE "define"

/* Something that happened in a job: one line of its event log, relayed to the client as it is. */
typedef struct
{
  gint64 time;    /* milliseconds since the epoch */
  char *kind;     /* "started", "progress", "finished", "failed", "info" or "warning" */
  char *stage;    /* one of the stages, NULL for the job as a whole */
  char *message;  /* for people; NULL for bare progress */
  gint64 percent; /* of the stage, for "progress"; 0 to 100, else 0 */
} P2vEvent;

P2V_SCHEMA_DECLARE (P2vEvent, p2v_event)

G_END_DECLS

#endif
