/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/session-parts.h"

#include "common/error.h"
#include "p2v-server/bridge.h"
#include "p2v-server/job-bad.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-match.h"
#include "p2v-server/job-text.h"
#include "p2v-server/socket.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that has said something within this time is alive: nobody else gets its job.
 * Microseconds; it says something every P2V_PING_SECONDS. */
#define ALIVE_USEC (2 * P2V_PING_SECONDS * G_USEC_PER_SEC)

/* How long who came through the door may take to say what it wants, milliseconds: it is a session
 * of this server and says it at once. */
#define DOOR_LINE_MS 5000

/* How long a session may take to give up a job that is not wanted any more, milliseconds. */
#define DISCARD_MS 20000

static gboolean
refuse (GError **error, P2vErrorCode code, const char *why)
{
  g_set_error_literal (error, P2V_ERROR, (gint)code, why);
  return FALSE;
}

static P2vRequest *
read_request (JsonObject *message, GError **error)
{
  JsonObject *object = p2v_message_get_object (message, "request");
  if (object == NULL)
    {
      refuse (error, P2V_ERROR_REFUSED, "the message lacks its request, or its token");
      return NULL;
    }
  g_autoptr (P2vRequest) request = p2v_request_from_json (object, error);
  if (request == NULL || !p2v_request_check (request, error))
    return NULL;
  return g_steal_pointer (&request);
}

/* Bytes of a job's disks that have landed. */
static gint64
count_landed (const P2vJob *job)
{
  gint64 landed = 0;
  for (guint i = 0; i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      P2vChunkCounts counts;
      if (p2v_job_count_chunks (job, image->disk, &counts))
        landed += MIN ((gint64)(counts.total - counts.unknown) * P2V_CHUNK_SIZE, image->size);
    }
  return landed;
}

gboolean
p2v_session_handle_find (P2vSession *self, JsonObject *message, GError **error)
{
  if (self->job != NULL || !self->greeted)
    return refuse (error, P2V_ERROR_REFUSED, "\"find\" comes after \"hello\" and before a job");
  g_autoptr (P2vRequest) request = read_request (message, error);
  if (request == NULL)
    return FALSE;
  JsonObject *found = p2v_message_new (P2V_MESSAGE_FOUND);
  g_autoptr (P2vJob) job = p2v_job_find (self->config, request);
  if (job != NULL)
    {
      json_object_set_string_member (found, "job", job->id);
      json_object_set_int_member (found, "created", job->created);
      json_object_set_int_member (found, "changed", job->changed);
      json_object_set_int_member (found, "landed", count_landed (job));
      json_object_set_int_member (found, "total", p2v_job_total_size (job));
      json_object_set_boolean_member (found, "complete", p2v_job_goes_on (job));
    }
  p2v_session_send (self, found);
  return TRUE;
}

/* Who may go on with a job: the client that has its token, or the machine that it is of. names: the
 * job's names of its disks in the client's order (transfer full). same: it is the same client. */
static gboolean
may_resume (const P2vJob *job, JsonObject *message, char ***names, gboolean *same, GError **error)
{
  const char *token = p2v_message_get_string (message, "token");
  *same = token != NULL;
  if (token != NULL)
    {
      if (p2v_job_token_matches (job, token))
        return TRUE;
      return refuse (error, P2V_ERROR_REFUSED,
                     "there is no such job, or another client has taken it over");
    }
  g_autoptr (P2vRequest) request = read_request (message, error);
  if (request == NULL)
    return FALSE;
  if ((p2v_job_is_resumable (job) || p2v_job_goes_on (job)) && p2v_job_is_for (job, request, names))
    return TRUE;
  return refuse (error, P2V_ERROR_REFUSED, "there is no such unfinished job of this machine");
}

static void
set_names (P2vSession *self, char **names)
{
  if (names == NULL && self->names != NULL)
    return;
  g_strfreev (self->names);
  self->names = names != NULL ? names : g_strdupv (self->job->request->guest->disks);
}

/* Reads one line from another session of this server, which has so long for it. NULL when none
 * comes. */
static JsonObject *
read_line (int fd, int milliseconds)
{
  g_autoptr (P2vLineBuffer) lines = p2v_line_buffer_new ();
  g_autofree char *line = NULL;
  struct pollfd readable = { .fd = fd, .events = POLLIN };
  char data[65536];
  while (line == NULL && poll (&readable, 1, milliseconds) > 0)
    {
      ssize_t n = recv (fd, data, sizeof data, 0);
      if (n <= 0 || !p2v_line_buffer_push (lines, data, (gsize)n, NULL))
        return NULL;
      line = p2v_line_buffer_pop (lines);
    }
  return line != NULL ? p2v_message_parse (line, -1, NULL) : NULL;
}

static gboolean
send_line (int fd, JsonObject *message)
{
  g_autofree char *line = p2v_message_to_line (message);
  return send (fd, line, strlen (line), MSG_NOSIGNAL) == (gssize)strlen (line);
}

/* The job is no longer wanted by its machine. */
static void
discard (P2vSession *self)
{
  p2v_session_give_up (self, "the machine begins anew");
}

/* Has the session that holds a job give it up, unless its own client is alive. */
static gboolean
ask_holder_to_discard (const P2vJob *job, JsonObject *message, GError **error)
{
  g_autofree char *path = p2v_job_door_path (job);
  g_autoptr (JsonObject) answer = NULL;
  int fd = p2v_socket_connect (path, NULL);
  if (fd >= 0)
    {
      if (send_line (fd, message))
        answer = read_line (fd, DISCARD_MS);
      close (fd);
    }
  if (answer == NULL)
    return refuse (error, P2V_ERROR_TRANSFER,
                   "the job is just being worked on by another process on the server");
  if (g_str_equal (p2v_message_type (answer), P2V_MESSAGE_NOTED))
    return TRUE;
  p2v_message_to_error (answer, error);
  return FALSE;
}

gboolean
p2v_session_handle_discard (P2vSession *self, JsonObject *message, GError **error)
{
  const char *id = p2v_message_get_string (message, "job");
  if (self->job != NULL || !self->greeted)
    return refuse (error, P2V_ERROR_REFUSED, "\"discard\" comes after \"hello\", before a job");
  g_autoptr (P2vRequest) request = read_request (message, error);
  g_autoptr (P2vJob) job
      = request == NULL || id == NULL ? NULL : p2v_job_load (self->config, id, NULL);
  if (request == NULL)
    return FALSE;
  if (job == NULL || !p2v_job_is_resumable (job) || !p2v_job_is_for (job, request, NULL))
    return refuse (error, P2V_ERROR_REFUSED, "there is no such unfinished job of this machine");
  self->job = p2v_job_open (self->config, id, NULL);
  if (self->job == NULL && !ask_holder_to_discard (job, message, error))
    return FALSE;
  if (self->job != NULL && p2v_job_is_resumable (self->job))
    discard (self);
  g_clear_pointer (&self->job, p2v_job_free);
  self->ended = FALSE;
  JsonObject *noted = p2v_message_new (P2V_MESSAGE_NOTED);
  json_object_set_string_member (noted, "job", id);
  p2v_session_send (self, noted);
  return TRUE;
}

/* Nobody holds the job. */
static gboolean
take_up (P2vSession *self, P2vJob *job, char **names, gboolean same, GError **error)
{
  self->job = job;
  set_names (self, names);
  /* Whoever asked for it may just be waiting for the lock that we have got. */
  if (!p2v_job_check_cancelled (job, error))
    {
      p2v_session_give_up (self, "cancelled on the server");
      return FALSE;
    }
  /* Before the exports are there: whoever knows the old token gets to none of them. */
  if ((!same && !(p2v_job_renew_token (job, error) && p2v_job_save (job, error)))
      || !p2v_session_take_up (self, error))
    {
      g_clear_pointer (&self->job, p2v_job_free);
      return FALSE;
    }
  p2v_job_event (job, "info", P2V_STAGE_RECEIVE,
                 same ? "the client is connected again, and goes on"
                      : "the machine was started again, and goes on with what is missing");
  p2v_session_send_resumed (self, !same);
  return TRUE;
}

/* Another session has the job, whose own client has been lost: that one goes on, and this process
 * only carries what it and the client say. */
static gboolean
hand_over (P2vSession *self, const P2vJob *job, JsonObject *message, GError **error)
{
  g_autofree char *path = p2v_job_door_path (job);
  int fd = p2v_socket_connect (path, NULL);
  if (fd < 0)
    return refuse (error, P2V_ERROR_TRANSFER,
                   "the job is just being worked on by another process on the server");
  if (send_line (fd, message))
    p2v_bridge_run (self->input, self->output, fd, FALSE, -1, NULL);
  close (fd);
  self->ended = TRUE;
  return TRUE;
}

/* All of it has landed: the client looks on. Only the one that has sent it can be asked for a part
 * again, should the images turn out to be wrong, and is told no token: it has one. */
static gboolean
look_on (P2vSession *self, P2vJob *job, gboolean same)
{
  JsonObject *resumed = p2v_message_new (P2V_MESSAGE_RESUMED);
  json_object_set_string_member (resumed, "job", job->id);
  json_object_set_boolean_member (resumed, "landed", TRUE);
  p2v_job_add_bad (job, resumed);
  p2v_session_send (self, resumed);
  p2v_session_follow_job (self, job, same);
  set_names (self, NULL);
  return TRUE;
}

gboolean
p2v_session_handle_resume (P2vSession *self, JsonObject *message, GError **error)
{
  gboolean same;
  g_auto (GStrv) names = NULL;
  const char *id = p2v_message_get_string (message, "job");
  if (self->job != NULL || !self->greeted)
    return refuse (error, P2V_ERROR_REFUSED, "\"resume\" comes after \"hello\" and before a job");
  g_autoptr (P2vJob) job = id == NULL ? NULL : p2v_job_load (self->config, id, NULL);
  if (job == NULL)
    return refuse (error, P2V_ERROR_REFUSED,
                   "there is no such job, or another client has taken it over");
  if (!may_resume (job, message, &names, &same, error))
    return FALSE;
  if (g_strcmp0 (job->state, P2V_JOB_CANCELLED) == 0)
    return refuse (error, P2V_ERROR_CANCELLED, "the job was cancelled on the server");
  if (!p2v_job_is_resumable (job))
    return look_on (self, g_steal_pointer (&job), same);
  g_autoptr (P2vJob) held = p2v_job_open (self->config, id, NULL);
  if (held == NULL)
    return hand_over (self, job, message, error);
  /* What was read without the lock may have changed. */
  if (!p2v_job_is_resumable (held))
    return refuse (error, P2V_ERROR_TRANSFER, "the job has just changed its state");
  return take_up (self, g_steal_pointer (&held), g_steal_pointer (&names), same, error);
}

void
p2v_session_open_door (P2vSession *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = p2v_job_door_path (self->job);
  self->door = p2v_socket_listen (path, &error);
  if (self->door < 0)
    g_warning ("job %s: %s", self->job->id, error->message);
}

void
p2v_session_close_door (P2vSession *self)
{
  if (self->door < 0)
    return;
  g_autofree char *path = p2v_job_door_path (self->job);
  close (self->door);
  g_unlink (path);
  self->door = -1;
}

gboolean
p2v_session_is_abandoned (const P2vSession *self)
{
  return self->alone > 0 || g_get_monotonic_time () - self->heard >= ALIVE_USEC;
}

/* Nobody gets a job away from a client that is alive. */
static gboolean
check_abandoned (const P2vSession *self, GError **error)
{
  return p2v_session_is_abandoned (self)
         || refuse (error, P2V_ERROR_TRANSFER,
                    "the job's disks are being sent by another client, which is alive");
}

/* Whether who is at the door may have the job, and makes sure that nobody else writes to it. */
static gboolean
make_way (P2vSession *self, gboolean same, GError **error)
{
  if (same)
    return TRUE;
  if (!check_abandoned (self, error))
    return FALSE;
  /* The token first: a lane of the earlier client that is just being opened does not get in. */
  return p2v_job_renew_token (self->job, error) && p2v_job_save (self->job, error)
         && p2v_session_restart_exports (self, error);
}

static void
turn_away (int fd, const GError *error)
{
  g_autoptr (JsonObject) answer = p2v_message_new_error (error);
  if (!send_line (fd, answer))
    g_debug ("nobody at the door any more: %s", g_strerror (errno));
  close (fd);
}

/* Somebody wants the job to be given up. */
static void
admit_discard (P2vSession *self, int fd, JsonObject *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vRequest) request = read_request (message, &error);
  gboolean ours = request != NULL && p2v_job_is_for (self->job, request, NULL);
  if (request != NULL && !ours)
    refuse (&error, P2V_ERROR_REFUSED, "there is no such unfinished job of this machine");
  if (!ours || !check_abandoned (self, &error))
    {
      turn_away (fd, error);
      return;
    }
  discard (self);
  g_autoptr (JsonObject) noted = p2v_message_new (P2V_MESSAGE_NOTED);
  send_line (fd, noted);
  close (fd);
}

void
p2v_session_admit (P2vSession *self)
{
  gboolean same;
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  int fd = accept4 (self->door, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  /* Whatever follows comes after our answer. */
  g_autoptr (JsonObject) message = read_line (fd, DOOR_LINE_MS);
  if (message == NULL)
    {
      close (fd);
      return;
    }
  if (g_str_equal (p2v_message_type (message), P2V_MESSAGE_DISCARD))
    {
      admit_discard (self, fd, message);
      return;
    }
  if (!may_resume (self->job, message, &names, &same, &error) || !make_way (self, same, &error))
    {
      p2v_session_let_pass (&error);
      turn_away (fd, error);
      return;
    }
  p2v_session_adopt (self, fd, fd);
  set_names (self, g_steal_pointer (&names));
  p2v_job_event (self->job, "info", P2V_STAGE_RECEIVE,
                 same ? "the client is connected again, and goes on"
                      : "the machine was started again, and goes on with what is missing");
  p2v_session_send_resumed (self, !same);
  self->heard = g_get_monotonic_time (); /* all that may have taken long */
}
