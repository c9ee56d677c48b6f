/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/session-parts.h"

#include "common/error.h"
#include "p2v-server/job-bad.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-match.h"
#include "p2v-server/recover.h"
#include "p2v-server/worker.h"

#include <unistd.h>

/* How long a job may have no process after its worker was started, before another one is,
 * microseconds; and how often that is done. */
#define WORKER_GRACE (10 * G_USEC_PER_SEC)
#define REVIVALS_MAX 3

static void
begin (P2vSession *self)
{
  self->following = TRUE;
  self->busy_seen = g_get_monotonic_time ();
}

gboolean
p2v_session_hand_to_worker (P2vSession *self, GError **error)
{
  /* The mark before the worker: it may look for it at once. */
  self->followed = p2v_job_mark_followed (self->job);
  /* The worker takes the job's lock; ours has to be gone before it tries. */
  g_autofree char *id = g_strdup (self->job->id);
  g_clear_pointer (&self->job, p2v_job_free);
  begin (self);
  if (!p2v_worker_spawn (self->config, id, error))
    return FALSE;
  self->job = p2v_job_load (self->config, id, error);
  return self->job != NULL;
}

void
p2v_session_follow_job (P2vSession *self, P2vJob *job, gboolean sender)
{
  self->job = job;
  if (sender)
    self->followed = p2v_job_mark_followed (job);
  begin (self);
}

static void
add_verified (const P2vJob *job, JsonObject *message)
{
  const P2vVerification *verification = job->verification;
  if (verification == NULL)
    return;
  P2vVerified verified = { verification->state, verification->data, verification->zero };
  json_object_set_object_member (message, "verified", p2v_verified_to_json (&verified));
}

static void
send_done (P2vSession *self)
{
  JsonObject *message = p2v_message_new (P2V_MESSAGE_DONE);
  json_object_set_string_member (message, "job", self->job->id);
  json_object_set_string_member (message, "guest", self->job->request->guest->name);
  if (self->job->guest_place != NULL)
    json_object_set_string_member (message, "place", self->job->guest_place);
  if (self->job->guest_uuid != NULL)
    json_object_set_string_member (message, "uuid", self->job->guest_uuid);
  add_verified (self->job, message);
  p2v_job_add_bad (self->job, message);
  p2v_session_send (self, message);
  self->ended = TRUE;
}

static void
fail (P2vSession *self, P2vErrorCode code, const char *why, const char *next)
{
  /* Some messages are sentences already. */
  const char *stop = g_str_has_suffix (why, ".") ? "" : ".";
  g_autoptr (GError) error = g_error_new (P2V_ERROR, (gint)code, "%s%s%s", why, stop, next);
  p2v_session_send_error (self, error);
  self->status = (int)code;
  self->ended = TRUE;
}

static void
fail_kept (P2vSession *self, const char *why)
{
  g_autofree char *next = g_strdup_printf (
      " The received disks are kept on the server: see `p2v-server show %s` there, "
      "then `p2v-server retry %s`; the machine is not needed for that.",
      self->job->id, self->job->id);
  fail (self, P2V_ERROR_CONVERT, why, next);
}

/* Verification has failed, and this client is not the one that could be asked at once. */
static void
fail_wrong (P2vSession *self, const char *why)
{
  fail (self, P2V_ERROR_CONVERT, why,
        " Start the conversion of this machine again: only what was found to be wrong is sent.");
}

/* The server has found chunks that are not what the machine had sent: as long as the client is
 * there they can be had again. */
static void
take_up_again (P2vSession *self)
{
  g_autoptr (GError) error = NULL;
  /* The client may follow through another session by now, which must not wait for this one. */
  if (p2v_session_is_abandoned (self))
    return;
  g_autoptr (P2vJob) job = p2v_job_open (self->config, self->job->id, &error);
  if (job == NULL)
    return; /* the worker is about to let go of it */
  g_clear_pointer (&self->job, p2v_job_free);
  self->job = g_steal_pointer (&job);
  self->following = FALSE;
  close (self->followed);
  self->followed = -1;
  if (p2v_session_take_up (self, &error))
    {
      p2v_session_send_resumed (self, FALSE);
      return;
    }
  p2v_session_let_pass (&error);
  p2v_session_fail (self, error);
}

/* The worker was killed: as whoever comes by does, only sooner. */
static void
revive (P2vSession *self)
{
  g_autoptr (GError) error = NULL;
  if (self->revived++ == REVIVALS_MAX)
    {
      fail_kept (self, "the process that converts the job is gone");
      return;
    }
  if (p2v_job_goes_on (self->job))
    p2v_job_event (self->job, "warning", NULL,
                   "the process that worked on the job is gone; another one is started");
  g_autoptr (GPtrArray) recovered = p2v_recover (self->config, &error);
  if (recovered == NULL)
    g_warning ("job %s: %s", self->job->id, error->message);
  self->busy_seen = g_get_monotonic_time ();
}

void
p2v_session_follow (P2vSession *self)
{
  g_autoptr (P2vJob) now = p2v_job_load (self->config, self->job->id, NULL);
  p2v_session_relay_events (self);
  if (now == NULL)
    {
      fail (self, P2V_ERROR_CONVERT, "the job was removed on the server", "");
      return;
    }
  g_clear_pointer (&self->job, p2v_job_free);
  self->job = g_steal_pointer (&now);
  const char *state = self->job->state;
  const char *why = self->job->error_message != NULL ? self->job->error_message : "it failed";
  if (g_str_equal (state, P2V_JOB_DONE))
    send_done (self);
  else if (g_str_equal (state, P2V_JOB_CANCELLED))
    fail (self, P2V_ERROR_CANCELLED, "the job was cancelled on the server", "");
  else if (p2v_job_is_resumable (self->job) && g_str_equal (state, P2V_JOB_FAILED))
    fail_wrong (self, why);
  else if (g_str_equal (state, P2V_JOB_FAILED))
    fail_kept (self, why);
  else if (p2v_job_is_busy (self->job))
    self->busy_seen = g_get_monotonic_time ();
  else if (g_str_equal (state, P2V_JOB_WAITING) && self->followed >= 0)
    take_up_again (self);
  else if (g_str_equal (state, P2V_JOB_WAITING))
    fail_wrong (self, "the images are not what the machine has sent");
  else if (g_get_monotonic_time () - self->busy_seen > WORKER_GRACE)
    revive (self);
}
