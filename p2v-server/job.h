/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_JOB_H
#define P2V_JOB_H

#include "common/bad-range.h"
#include "common/event.h"
#include "common/manifest.h"
#include "common/request.h"
#include "p2v-server/config.h"
#include "p2v-server/plan.h"
#include "p2v-server/report.h"
#include "p2v-server/verification.h"

G_BEGIN_DECLS

/* States of a job, in their order. */
#define P2V_JOB_PREPARING "preparing"
#define P2V_JOB_RECEIVING "receiving"
#define P2V_JOB_WAITING "waiting" /* for its machine: a part has landed, nobody sends the rest */
#define P2V_JOB_RECEIVED "received"
#define P2V_JOB_CONVERTING "converting"
#define P2V_JOB_COMMITTING "committing"
#define P2V_JOB_CONVERTED "converted"
#define P2V_JOB_DEFINING "defining"
#define P2V_JOB_DONE "done"
#define P2V_JOB_FAILED "failed"
#define P2V_JOB_CANCELLED "cancelled"

/* When a stage ran; both in milliseconds since the epoch, 0 for not yet. */
typedef struct
{
  char *stage;
  gint64 started;
  gint64 finished;
} P2vStageTime;

/* A job is the directory STATE_DIR/jobs/ID: job.json (this struct), events.jsonl (a P2vEvent a
 * line), DISK.manifest for each disk, convert.log, lock, and the sockets and overlays of the stage
 * that runs. job.json is replaced as a whole (write, fsync, rename, fsync of the directory), so it
 * is readable after a crash at any instant. */
typedef struct
{
  char *id;
  char *state;
  char *failed_stage; /* when state is failed: the stage to retry */
  char *failed_state; /* and the state that the job was in, e.g. "committing" */
  char *error_code;   /* p2v_error_code_name() */
  char *error_message;
  gint64 created; /* milliseconds since the epoch */
  gint64 changed;
  char *token; /* what a lane must present: 32 random bytes in hexadecimal */
  P2vRequest *request;
  P2vPlan *plan;                 /* NULL until prepared */
  P2vReport *report;             /* NULL until converted */
  P2vVerification *verification; /* NULL until begun; the latest */
  GPtrArray *stages;             /* of P2vStageTime */
  GPtrArray *bad;    /* of P2vBadRange: what of the machine's disks could not be read; job-bad.h */
  char *guest_uuid;  /* when defined */
  char *guest_place; /* for people: the libvirt URI, or the XML file's path */

  /* Not in the file: */
  char *dir; /* absolute path of the job's directory */
  int lock;  /* file descriptor while this process holds the job, else -1 */
} P2vJob;

void p2v_job_free (P2vJob *job); /* drops the lock too */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vJob, p2v_job_free)

JsonObject *p2v_job_to_json (const P2vJob *job);

/* Makes a new job in state "preparing", holding its lock. The request is copied. The id is unique,
 * sorts by time and is plain: "20261123-181500-bios1". */
P2vJob *p2v_job_create (const P2vServerConfig *config, const P2vRequest *request, GError **error);

/* Makes the record of a machine that failed before it could ask for anything: a job in state
 * "failed" at stage "machine", holding its lock. Of the request only the machine and the guest's
 * name are kept. */
P2vJob *p2v_job_create_failed (const P2vServerConfig *config, const P2vRequest *request,
                               const GError *failure, GError **error);

/* TRUE for such a record: there is nothing but it. */
gboolean p2v_job_is_record (const P2vJob *job);

/* Loads a job for a look, without its lock. id is untrusted input. P2V_ERROR_REFUSED: no such job.
 */
P2vJob *p2v_job_load (const P2vServerConfig *config, const char *id, GError **error);

/* Loads a job and takes its lock without waiting; P2V_ERROR_REFUSED when another process has it. */
P2vJob *p2v_job_open (const P2vServerConfig *config, const char *id, GError **error);

/* TRUE while some process holds the job's lock. */
gboolean p2v_job_is_busy (const P2vJob *job);

/* All jobs, oldest first (GPtrArray of P2vJob, transfer full). Unreadable ones are skipped with a
 * g_warning(). */
GPtrArray *p2v_jobs_list (const P2vServerConfig *config, GError **error);

/* Writes job.json durably. Needs the lock. */
gboolean p2v_job_save (P2vJob *job, GError **error);

/* Compares in constant time, so that answers do not tell how much of a guess is right. */
gboolean p2v_job_token_matches (const P2vJob *job, const char *given);

/* Gives the job another token, so that who knew the old one is locked out; saved with the job. */
gboolean p2v_job_renew_token (P2vJob *job, GError **error);

/* Sets the state and saves. */
gboolean p2v_job_set_state (P2vJob *job, const char *state, GError **error);

/* Marks a stage as started / finished now: time, event, saved. */
gboolean p2v_job_stage_begin (P2vJob *job, const char *stage, const char *state, GError **error);
gboolean p2v_job_stage_end (P2vJob *job, const char *stage, const char *state, GError **error);

/* Records a failure: state failed, failed_stage, the error, an event. Best effort: it has no error
 * of its own, a failure to write is logged. */
void p2v_job_fail (P2vJob *job, const char *stage, const GError *failure);

/* Appends an event to events.jsonl (not synced for progress). kind as in P2vEvent. */
void p2v_job_event (P2vJob *job, const char *kind, const char *stage, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
void p2v_job_progress (P2vJob *job, const char *stage, gint64 percent, const char *message);

/* Absolute path of a file in the job's directory (transfer full). */
char *p2v_job_path (const P2vJob *job, const char *file);

/* Path of a disk's manifest (transfer full). */
char *p2v_job_manifest_path (const P2vJob *job, const char *disk);

/* Path of the Unix socket at which a disk's export listens while the job receives (transfer full).
 * It is in STATE_DIR/run, because the length of a socket's path is limited to 107 bytes. */
char *p2v_job_socket_path (const P2vJob *job, const char *disk);

/* Path of the Unix socket at which the session that receives the job takes its client back when
 * that comes through another session (transfer full). */
char *p2v_job_door_path (const P2vJob *job);

/* The same as p2v_job_socket_path() for the export through which a received image is read back. */
char *p2v_job_reading_socket_path (const P2vJob *job, const char *disk);

/* Every path at which a process of the job may listen, whether one does or not (transfer full). */
char **p2v_job_socket_paths (const P2vJob *job);

/* Reads events from events.jsonl from a byte offset on; *offset moves behind the last whole line.
 * Used to follow a job that another process runs. (GPtrArray of P2vEvent, transfer full) */
GPtrArray *p2v_job_read_events (const P2vJob *job, goffset *offset, GError **error);

/* Removes the job's directory and sockets. Images are not touched. */
gboolean p2v_job_delete (P2vJob *job, GError **error);

G_END_DECLS

#endif
