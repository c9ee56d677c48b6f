/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/session-parts.h"

#include "common/error.h"
#include "p2v-server/cancel.h"
#include "p2v-server/job-bad.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/offers.h"
#include "p2v-server/recover.h"
#include "p2v-server/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* How often the job's events are looked at, and the exports' health, milliseconds. */
#define TICK_MS 250

/* How long the exports stay for a client that is gone: lanes that still work go on, and a client
 * that comes back finds everything as it was. Afterwards the job waits without a process.
 * Microseconds. */
#define HOLD_USEC (120 * G_USEC_PER_SEC)

/* The longest text that a client may add to the job's log, characters. */
#define NOTE_MAX 500

void
p2v_session_send (P2vSession *self, JsonObject *message)
{
  g_autofree char *line = p2v_message_to_line (message);
  json_object_unref (message);
  const char *at = line;
  gsize left = strlen (line);
  while (left > 0 && self->output >= 0 && !self->deaf)
    {
      /* A client that is gone without a word takes nothing any more. */
      struct pollfd writable = { .fd = self->output, .events = POLLOUT };
      int ready = poll (&writable, 1, P2V_SILENCE_SECONDS * 1000);
      if (ready < 0 && errno == EINTR && !p2v_signals_caught ())
        continue;
      if (ready <= 0)
        {
          self->deaf = TRUE;
          return;
        }
      ssize_t n = write (self->output, at, MIN (left, PIPE_BUF));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return; /* the client is gone; its input says so in a moment */
      at += n;
      left -= (gsize)n;
    }
}

void
p2v_session_send_error (P2vSession *self, const GError *error)
{
  p2v_session_send (self, p2v_message_new_error (error));
}

void
p2v_session_relay_events (P2vSession *self)
{
  if (self->job == NULL || self->output < 0)
    return;
  g_autoptr (GPtrArray) events = p2v_job_read_events (self->job, &self->events_offset, NULL);
  for (guint i = 0; events != NULL && i < events->len; i++)
    {
      JsonObject *message = p2v_message_new (P2V_MESSAGE_EVENT);
      json_object_set_object_member (message, "event", p2v_event_to_json (events->pdata[i]));
      p2v_session_send (self, message);
    }
}

void
p2v_session_let_pass (GError **error)
{
  if (!g_error_matches (*error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
    return;
  g_autoptr (GError) full = *error;
  *error = g_error_new (P2V_ERROR, P2V_ERROR_TRANSFER,
                        "%s. Make room there on the server: the transfer goes on by itself",
                        full->message);
}

static gboolean
is_receiving (const P2vSession *self)
{
  return self->receivers != NULL;
}

void
p2v_session_give_up (P2vSession *self, const char *why)
{
  g_autoptr (GError) error = NULL;
  p2v_session_stop_receiving (self);
  p2v_job_event (self->job, "info", P2V_STAGE_RECEIVE, "%s", why);
  if (!p2v_cancel_carry_out (self->config, self->job, &error))
    g_warning ("job %s: %s", self->job->id, error->message);
  self->ended = TRUE;
}

/* Ends the reception with a failure; what has landed is kept for when its cause is mended. */
static void
fail_receiving (P2vSession *self, const GError *error)
{
  p2v_session_stop_receiving (self);
  p2v_job_fail (self->job, P2V_STAGE_RECEIVE, error);
}

void
p2v_session_fail (P2vSession *self, const GError *error)
{
  p2v_session_send_error (self, error);
  self->status = (int)p2v_error_code_of (error);
  self->ended = TRUE;
  if (self->job == NULL || self->following)
    return;
  /* What may pass is no failure of the job: its client tries again. */
  if (is_receiving (self) && p2v_error_code_of (error) == P2V_ERROR_TRANSFER)
    p2v_session_leave_waiting (self, error->message);
  else if (is_receiving (self))
    fail_receiving (self, error);
}

static gboolean
handle_hello (P2vSession *self, JsonObject *message, GError **error)
{
  gint64 version;
  if (!p2v_message_get_int (message, "version", 1, G_MAXINT32, &version, error))
    return FALSE;
  self->greeted = TRUE;
  JsonObject *answer = p2v_message_new (P2V_MESSAGE_HELLO);
  json_object_set_int_member (answer, "version", MIN (version, P2V_PROTOCOL_VERSION));
  json_object_set_string_member (answer, "program", "p2v-server " P2V_VERSION);
  p2v_session_send (self, answer);
  return TRUE;
}

/* Before there is a job: a person in front of the machine wants to know. */
static gboolean
handle_describe (P2vSession *self, JsonObject *message, GError **error)
{
  JsonObject *object = p2v_message_get_object (message, "output");
  if (self->job != NULL || !self->greeted || object == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "\"describe\" comes with an output, after \"hello\" and before a job");
      return FALSE;
    }
  g_autoptr (P2vOutput) output = p2v_output_from_json (object, error);
  if (output == NULL)
    return FALSE;
  g_autoptr (P2vOffers) offers = p2v_offers_make (self->config, output);
  JsonObject *answer = p2v_message_new (P2V_MESSAGE_OFFERS);
  json_object_set_object_member (answer, "offers", p2v_offers_to_json (offers));
  p2v_session_send (self, answer);
  return TRUE;
}

/* Before there is a job: how fast do bytes get here? */
static gboolean
handle_measure (P2vSession *self, JsonObject *message, GError **error)
{
  gint64 bytes;
  if (self->job != NULL || !self->greeted)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "\"measure\" comes after \"hello\" and before a job");
      return FALSE;
    }
  if (!p2v_message_get_int (message, "bytes", 1, P2V_MEASURE_MAX, &bytes, error))
    return FALSE;
  self->discard = bytes;
  p2v_session_send (self, p2v_message_new (P2V_MESSAGE_MEASURING));
  return TRUE;
}

static P2vRequest *
read_request (JsonObject *message, gint64 *needed, GError **error)
{
  JsonObject *object = p2v_message_get_object (message, "request");
  if (object == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "\"create\" lacks its request");
      return NULL;
    }
  if (!p2v_message_get_int (message, "needed", 0, G_MAXINT64 / 2, needed, error))
    return NULL;
  g_autoptr (P2vRequest) request = p2v_request_from_json (object, error);
  if (request == NULL || !p2v_request_check (request, error))
    return NULL;
  return g_steal_pointer (&request);
}

static gboolean
handle_create (P2vSession *self, JsonObject *message, GError **error)
{
  gint64 needed;
  if (self->job != NULL || !self->greeted)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "\"create\" comes once, after \"hello\"");
      return FALSE;
    }
  g_autoptr (P2vRequest) request = read_request (message, &needed, error);
  if (request == NULL)
    return FALSE;
  g_autoptr (P2vJob) job = p2v_job_create (self->config, request, error);
  if (job == NULL)
    return FALSE;
  self->job = job;
  job->plan = p2v_plan_make (self->config, job->request, job->dir, error);
  if (job->plan == NULL || !p2v_session_start_receiving (self, needed, error))
    {
      /* Nothing has been received, nothing was left behind: the client is told, and that is all. */
      self->job = NULL;
      p2v_job_delete (job, NULL);
      return FALSE;
    }
  g_steal_pointer (&job);
  p2v_session_send_created (self);
  return TRUE;
}

/* A machine that cannot be converted, whose administrator is to find that out here. */
static gboolean
handle_failed (P2vSession *self, JsonObject *message, GError **error)
{
  JsonObject *object = p2v_message_get_object (message, "request");
  if (self->job != NULL || !self->greeted || object == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "\"failed\" comes with a request, in the place of \"create\"");
      return FALSE;
    }
  g_autoptr (GError) failure = NULL;
  p2v_message_to_error (message, &failure);
  g_autoptr (P2vRequest) request = p2v_request_from_json (object, error);
  g_autoptr (P2vJob) job
      = request != NULL ? p2v_job_create_failed (self->config, request, failure, error) : NULL;
  if (job == NULL)
    return FALSE;
  JsonObject *noted = p2v_message_new (P2V_MESSAGE_NOTED);
  json_object_set_string_member (noted, "job", job->id);
  p2v_session_send (self, noted);
  self->ended = TRUE;
  return TRUE;
}

static gboolean
handle_chunks (P2vSession *self, JsonObject *message, GError **error)
{
  return p2v_session_record_chunks (self, message, error);
}

static gboolean
handle_landed (P2vSession *self, JsonObject *message G_GNUC_UNUSED, GError **error)
{
  if (!is_receiving (self))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "nothing is being received");
      return FALSE;
    }
  if (!p2v_session_finish_receiving (self, error)
      || !p2v_job_stage_end (self->job, P2V_STAGE_RECEIVE, P2V_JOB_RECEIVED, error))
    return FALSE;
  JsonObject *accepted = p2v_message_new (P2V_MESSAGE_ACCEPTED);
  p2v_job_add_bad (self->job, accepted);
  p2v_session_send (self, accepted);
  return p2v_session_hand_to_worker (self, error);
}

/* The client gives the job up: a person wants nothing more of it, or it cannot go on. */
static gboolean
handle_cancel (P2vSession *self, JsonObject *message, GError **error G_GNUC_UNUSED)
{
  g_autoptr (GError) reason = NULL;
  p2v_message_to_error (message, &reason);
  self->ended = TRUE;
  if (self->followed >= 0 && reason->code == P2V_ERROR_CANCELLED)
    return p2v_job_request_cancel (self->job, NULL);
  if (!is_receiving (self))
    return TRUE;
  g_prefix_error_literal (&reason, "the client gave up: ");
  if (reason->code == P2V_ERROR_CANCELLED)
    p2v_session_give_up (self, reason->message);
  else
    fail_receiving (self, reason);
  return TRUE;
}

static gboolean
handle_ping (P2vSession *self, JsonObject *message G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  p2v_session_send (self, p2v_message_new (P2V_MESSAGE_PONG));
  return TRUE;
}

/* What the client knows and the server's administrator is to see: an event of the job. */
static gboolean
handle_note (P2vSession *self, JsonObject *message, GError **error)
{
  const char *kind = p2v_message_get_string (message, "kind");
  const char *said = p2v_message_get_string (message, "message");
  if (!is_receiving (self) || said == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "\"note\" comes with a message, while a job receives");
      return FALSE;
    }
  g_autofree char *text = g_utf8_substring (said, 0, MIN (g_utf8_strlen (said, -1), NOTE_MAX));
  p2v_job_event (self->job, g_strcmp0 (kind, "warning") == 0 ? "warning" : "info",
                 P2V_STAGE_RECEIVE, "%s", text);
  return TRUE;
}

static const struct
{
  const char *type;
  gboolean (*handle) (P2vSession *self, JsonObject *message, GError **error);
} handlers[] = {
  { P2V_MESSAGE_HELLO, handle_hello },
  { P2V_MESSAGE_DESCRIBE, handle_describe },
  { P2V_MESSAGE_MEASURE, handle_measure },
  { P2V_MESSAGE_CREATE, handle_create },
  { P2V_MESSAGE_FIND, p2v_session_handle_find },
  { P2V_MESSAGE_RESUME, p2v_session_handle_resume },
  { P2V_MESSAGE_DISCARD, p2v_session_handle_discard },
  { P2V_MESSAGE_BAD, p2v_session_record_bad },
  { P2V_MESSAGE_CHUNKS, handle_chunks },
  { P2V_MESSAGE_LANDED, handle_landed },
  { P2V_MESSAGE_CANCEL, handle_cancel },
  { P2V_MESSAGE_FAILED, handle_failed },
  { P2V_MESSAGE_NOTE, handle_note },
  { P2V_MESSAGE_PING, handle_ping },
};

/* A message that cannot be carried out ends the session, except one of an unknown type: a newer
 * client learns that this server does not know it, and goes on without. */
static void
handle_line (P2vSession *self, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) message = p2v_message_parse (line, -1, &error);
  gboolean known = message == NULL;
  for (gsize i = 0; message != NULL && i < G_N_ELEMENTS (handlers); i++)
    if (g_str_equal (handlers[i].type, p2v_message_type (message)))
      {
        known = TRUE;
        /* A job that cannot even be made is refused. */
        if (!handlers[i].handle (self, message, &error) && handlers[i].handle != handle_create)
          p2v_session_let_pass (&error);
        break;
      }
  if (!known)
    g_set_error_literal (&error, P2V_ERROR, P2V_ERROR_REFUSED, "this message type is not known");
  p2v_session_relay_events (self);
  if (error != NULL && known)
    p2v_session_fail (self, error);
  else if (error != NULL)
    p2v_session_send_error (self, error);
}

/* Ends one direction of a connection. Standard input and output stay open, to nothing: the next
 * file that is opened must not become what something prints to. */
static void
let_go (int fd)
{
  int null = fd <= STDERR_FILENO ? open ("/dev/null", O_RDWR | O_CLOEXEC) : -1;
  if (null < 0)
    close (fd);
  else
    {
      dup2 (null, fd);
      close (null);
    }
}

static void
hang_up (P2vSession *self)
{
  if (self->input >= 0)
    let_go (self->input);
  if (self->output >= 0 && self->output != self->input)
    let_go (self->output);
  self->input = self->output = -1;
}

void
p2v_session_adopt (P2vSession *self, int input, int output)
{
  hang_up (self);
  self->input = input;
  self->output = output;
  self->alone = 0;
  self->deaf = FALSE;
  self->heard = g_get_monotonic_time ();
  p2v_line_buffer_free (self->lines);
  self->lines = p2v_line_buffer_new ();
}

/* After the landing the client is free to go: the job goes on without it. Before, it may come back.
 */
static void
lose_client (P2vSession *self, const char *why)
{
  hang_up (self);
  if (!is_receiving (self))
    {
      self->ended = TRUE;
      return;
    }
  self->alone = g_get_monotonic_time ();
  /* No warning: the client, which hears of it when it is back, has said it in its own words. */
  p2v_job_event (self->job, "info", P2V_STAGE_RECEIVE,
                 "%s; what has landed is kept until it is back", why);
}

/* What has to be looked at though the client says nothing. */
static void
tick (P2vSession *self)
{
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();
  self->ticked = now;
  /* Without a job a client may be asking its filesystems what is in use, which takes as long as it
   * takes; TCP notices when it is gone. */
  if (self->job != NULL && self->input >= 0
      && (self->deaf || now - self->heard > P2V_SILENCE_SECONDS * G_USEC_PER_SEC))
    lose_client (self, "the client has fallen silent");
  if (self->following && !self->ended)
    p2v_session_follow (self);
  if (self->ended || !is_receiving (self))
    return;
  p2v_session_relay_events (self);
  if (p2v_job_cancel_requested (self->job))
    {
      g_set_error_literal (&error, P2V_ERROR, P2V_ERROR_CANCELLED,
                           "the job was cancelled on the server");
      p2v_session_send_error (self, error);
      p2v_session_give_up (self, "cancelled on the server");
      return;
    }
  if (self->alone > 0 && now - self->alone > HOLD_USEC)
    {
      p2v_session_leave_waiting (self, "the client has not come back");
      return;
    }
  if (p2v_session_check_exports (self, &error) && self->receive_deadline > 0
      && now > self->receive_deadline)
    g_set_error (&error, P2V_ERROR, P2V_ERROR_REFUSED,
                 "the transfer took longer than %" G_GINT64_FORMAT
                 " seconds. Raise [receive] timeout= in %s.",
                 self->config->receive_timeout, self->config->file);
  if (error != NULL)
    p2v_session_fail (self, error);
}

/* Throws away what belongs to a measurement. Returns how many of the bytes that was. */
static gsize
discard (P2vSession *self, gsize length)
{
  gsize discarded = (gsize)MIN (self->discard, (gint64)length);
  self->discard -= (gint64)discarded;
  if (discarded > 0 && self->discard == 0)
    p2v_session_send (self, p2v_message_new (P2V_MESSAGE_MEASURED));
  return discarded;
}

/* Reads what the client has sent. */
static void
listen_to_client (P2vSession *self)
{
  g_autoptr (GError) error = NULL;
  char data[65536];
  char *next;
  ssize_t n = read (self->input, data, sizeof data);
  if (n < 0 && errno == EINTR)
    return;
  if (n <= 0)
    {
      lose_client (self, "the connection to the client is lost");
      return;
    }
  self->heard = g_get_monotonic_time ();
  gsize discarded = discard (self, (gsize)n);
  if (!p2v_line_buffer_push (self->lines, data + discarded, (gsize)n - discarded, &error))
    {
      p2v_session_fail (self, error);
      return;
    }
  while (!self->ended && self->input >= 0 && (next = p2v_line_buffer_pop (self->lines)) != NULL)
    {
      g_autofree char *line = next;
      handle_line (self, line);
    }
  self->heard = g_get_monotonic_time (); /* all that may have taken long */
}

/* The server is being shut down, or somebody ends this process: the machine can go on later. */
static void
end_on_signal (P2vSession *self)
{
  g_autoptr (GError) error
      = g_error_new_literal (P2V_ERROR, P2V_ERROR_TRANSFER, "the session was ended on the server");
  p2v_session_fail (self, error);
}

static void
clear_session (P2vSession *self)
{
  p2v_session_stop_receiving (self);
  hang_up (self);
  if (self->followed >= 0)
    close (self->followed);
  g_clear_pointer (&self->job, p2v_job_free);
  g_clear_pointer (&self->lines, p2v_line_buffer_free);
  g_strfreev (self->names);
  g_free (self->exports);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2vSession, clear_session)

/* Jobs whose process is gone are taken up by whoever comes by. */
static void
recover_others (const P2vServerConfig *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) recovered = p2v_recover (config, &error);
  if (recovered == NULL)
    g_warning ("cannot look after unfinished jobs: %s", error->message);
}

int
p2v_session_run (const P2vServerConfig *config, int input, int output)
{
  g_auto (P2vSession) self = {
    .config = config,
    .input = input,
    .output = output,
    .lines = p2v_line_buffer_new (),
    .door = -1,
    .followed = -1,
    .heard = g_get_monotonic_time (),
  };
  p2v_signals_catch ();
  recover_others (config);
  while (!self.ended)
    {
      struct pollfd fds[2] = {
        { .fd = self.input, .events = POLLIN },
        { .fd = self.door, .events = POLLIN },
      };
      int ready = poll (fds, G_N_ELEMENTS (fds), TICK_MS);
      if (p2v_signals_caught ())
        end_on_signal (&self);
      else if (ready > 0 && fds[1].revents != 0)
        p2v_session_admit (&self);
      else if (ready > 0 && fds[0].revents != 0)
        listen_to_client (&self);
      if (!self.ended && g_get_monotonic_time () - self.ticked >= TICK_MS * 1000)
        tick (&self);
    }
  return self.status;
}
