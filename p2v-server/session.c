/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/session.h"

#include "common/error.h"
#include "common/protocol.h"
#include "p2v-server/export.h"
#include "p2v-server/job.h"
#include "p2v-server/signals.h"
#include "p2v-server/storage.h"
#include "p2v-server/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the job's events are looked at, and the exports' health, milliseconds. */
#define TICK_MS 250

/* How long a job may have no process after its worker was started, before the client is told that
 * the worker is gone, microseconds. */
#define WORKER_GRACE (10 * G_USEC_PER_SEC)

/* A disk that is being received. */
typedef struct
{
  const P2vImage *image; /* the plan's */
  P2vExport *export;
  P2vManifest *manifest;
} Receiver;

typedef struct
{
  const P2vServerConfig *config;
  int input, output;
  gboolean greeted;
  gboolean ended;
  int status;              /* of the process */
  P2vJob *job;             /* locked while receiving, a mere view afterwards */
  GPtrArray *receivers;    /* of Receiver; empty when not receiving */
  gboolean following;      /* a worker has the job now */
  gint64 busy_seen;        /* when the worker was last seen alive, monotonic microseconds */
  gint64 receive_deadline; /* monotonic microseconds, 0 for none */
  goffset events_offset;
} Session;

static void
free_receiver (Receiver *receiver)
{
  g_clear_pointer (&receiver->export, p2v_export_free);
  g_clear_pointer (&receiver->manifest, p2v_manifest_free);
  g_free (receiver);
}

static void
send_message (Session *self, JsonObject *message)
{
  g_autofree char *line = p2v_message_to_line (message);
  json_object_unref (message);
  const char *at = line;
  gsize left = strlen (line);
  while (left > 0)
    {
      ssize_t n = write (self->output, at, left);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return; /* the client is gone; its input says so in a moment */
      at += n;
      left -= (gsize)n;
    }
}

static void
send_error (Session *self, const GError *error)
{
  send_message (self, p2v_message_new_error (error));
}

/* Passes on what has been added to the job's event log. */
static void
relay_events (Session *self)
{
  if (self->job == NULL)
    return;
  g_autoptr (GPtrArray) events = p2v_job_read_events (self->job, &self->events_offset, NULL);
  for (guint i = 0; events != NULL && i < events->len; i++)
    {
      JsonObject *message = p2v_message_new (P2V_MESSAGE_EVENT);
      json_object_set_object_member (message, "event", p2v_event_to_json (events->pdata[i]));
      send_message (self, message);
    }
}

/* Ends the reception without a guest. Incomplete images are of no use to anybody, and would stand
 * in the way of the next attempt. */
static void
abandon (Session *self, const GError *reason)
{
  g_autoptr (GError) error = NULL;
  g_ptr_array_set_size (self->receivers, 0);
  if (self->job == NULL || self->following)
    return;
  if (self->job->plan != NULL && !p2v_storage_remove (self->config, self->job->plan, &error))
    p2v_job_event (self->job, "warning", P2V_STAGE_RECEIVE,
                   "incomplete images could not be removed: %s", error->message);
  else
    p2v_job_event (self->job, "info", P2V_STAGE_RECEIVE, "the incomplete images were removed");
  if (reason->code == P2V_ERROR_CANCELLED)
    p2v_job_set_state (self->job, P2V_JOB_CANCELLED, NULL);
  else
    p2v_job_fail (self->job, P2V_STAGE_RECEIVE, reason);
}

static gboolean
handle_hello (Session *self, JsonObject *message, GError **error)
{
  gint64 version;
  if (!p2v_message_get_int (message, "version", 1, G_MAXINT32, &version, error))
    return FALSE;
  self->greeted = TRUE;
  JsonObject *answer = p2v_message_new (P2V_MESSAGE_HELLO);
  json_object_set_int_member (answer, "version", MIN (version, P2V_PROTOCOL_VERSION));
  json_object_set_string_member (answer, "program", "p2v-server " P2V_VERSION);
  send_message (self, answer);
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
start_receiver (Session *self, const P2vImage *image, GError **error)
{
  Receiver *receiver = g_new0 (Receiver, 1);
  g_ptr_array_add (self->receivers, receiver);
  g_autofree char *manifest_path = p2v_job_manifest_path (self->job, image->disk);
  receiver->image = image;
  receiver->manifest = p2v_manifest_create (manifest_path, image->size, error);
  if (receiver->manifest == NULL)
    return FALSE;
  receiver->export = p2v_export_start (self->job, image, error);
  return receiver->export != NULL;
}

/* Makes images, manifests and exports. */
static gboolean
start_receiving (Session *self, gint64 needed, GError **error)
{
  P2vPlan *plan = self->job->plan;
  if (!p2v_job_stage_begin (self->job, P2V_STAGE_PREPARE, P2V_JOB_PREPARING, error))
    return FALSE;
  for (gsize i = 0; plan->warnings != NULL && plan->warnings[i] != NULL; i++)
    p2v_job_event (self->job, "warning", P2V_STAGE_PREPARE, "%s", plan->warnings[i]);
  if (!p2v_storage_create (self->config, plan, needed, error))
    return FALSE;
  gboolean ok = p2v_job_save (self->job, error);
  for (guint i = 0; ok && i < plan->images->len; i++)
    ok = start_receiver (self, plan->images->pdata[i], error);
  if (ok && p2v_job_stage_end (self->job, P2V_STAGE_PREPARE, P2V_JOB_RECEIVING, error)
      && p2v_job_stage_begin (self->job, P2V_STAGE_RECEIVE, P2V_JOB_RECEIVING, error))
    return TRUE;
  g_ptr_array_set_size (self->receivers, 0);
  p2v_storage_remove (self->config, plan, NULL);
  return FALSE;
}

/* A new image file reads as zeroes; a logical volume holds what was there before. */
static gboolean
is_zeroed (const P2vImage *image)
{
  struct stat st;
  return stat (image->path, &st) == 0 && S_ISREG (st.st_mode);
}

static void
send_created (Session *self)
{
  JsonObject *message = p2v_message_new (P2V_MESSAGE_CREATED);
  json_object_set_string_member (message, "job", self->job->id);
  json_object_set_string_member (message, "token", self->job->token);
  JsonArray *disks = json_array_new ();
  for (guint i = 0; i < self->receivers->len; i++)
    {
      const Receiver *receiver = self->receivers->pdata[i];
      JsonObject *disk = json_object_new ();
      json_object_set_string_member (disk, "disk", receiver->image->disk);
      json_object_set_boolean_member (disk, "zeroed", is_zeroed (receiver->image));
      json_array_add_object_element (disks, disk);
    }
  json_object_set_array_member (message, "disks", disks);
  send_message (self, message);
}

static gboolean
handle_create (Session *self, JsonObject *message, GError **error)
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
  if (job->plan == NULL || !start_receiving (self, needed, error))
    {
      /* Nothing has been received, nothing was left behind: the client is told, and that is all. */
      self->job = NULL;
      p2v_job_delete (job, NULL);
      return FALSE;
    }
  g_steal_pointer (&job);
  if (self->config->receive_timeout > 0)
    self->receive_deadline
        = g_get_monotonic_time () + self->config->receive_timeout * G_USEC_PER_SEC;
  send_created (self);
  return TRUE;
}

/* A machine that cannot be converted, whose administrator is to find that out here. */
static gboolean
handle_failed (Session *self, JsonObject *message, GError **error)
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
  send_message (self, noted);
  self->ended = TRUE;
  return TRUE;
}

static Receiver *
find_receiver (Session *self, const char *disk, GError **error)
{
  for (guint i = 0; i < self->receivers->len; i++)
    {
      Receiver *receiver = self->receivers->pdata[i];
      if (g_strcmp0 (receiver->image->disk, disk) == 0)
        return receiver;
    }
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "no such disk is being received");
  return NULL;
}

/* Records one run of chunks: {"first", "count", "state", "hash"}. */
static gboolean
record_run (P2vManifest *manifest, JsonObject *run, GError **error)
{
  gint64 total = (gint64)p2v_chunk_count (p2v_manifest_size (manifest));
  gint64 first, count;
  P2vChunkState state;
  P2vChunkHash hash;
  json_object_set_string_member (run, "type", "chunks");
  if (!p2v_message_get_int (run, "first", 0, total - 1, &first, error)
      || !p2v_message_get_int (run, "count", 1, total - first, &count, error))
    return FALSE;
  gboolean known = p2v_chunk_state_from_name (p2v_message_get_string (run, "state"), &state);
  gboolean hashed = p2v_chunk_hash_from_hex (p2v_message_get_string (run, "hash"), &hash);
  if (!known || state == P2V_CHUNK_UNKNOWN || (state == P2V_CHUNK_DATA && (!hashed || count != 1)))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "a run of chunks has no such state, or data without its hash");
      return FALSE;
    }
  for (gint64 i = 0; i < count; i++)
    if (!p2v_manifest_record (manifest, (guint64)(first + i), state, hashed ? &hash : NULL, error))
      return FALSE;
  return TRUE;
}

static gboolean
handle_chunks (Session *self, JsonObject *message, GError **error)
{
  Receiver *receiver = find_receiver (self, p2v_message_get_string (message, "disk"), error);
  if (receiver == NULL)
    return FALSE;
  JsonNode *node = json_object_get_member (message, "chunks");
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "\"chunks\" lacks its chunks");
      return FALSE;
    }
  JsonArray *runs = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (runs); i++)
    {
      JsonNode *run = json_array_get_element (runs, i);
      if (!JSON_NODE_HOLDS_OBJECT (run))
        {
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "a run of chunks is no object");
          return FALSE;
        }
      if (!record_run (receiver->manifest, json_node_get_object (run), error))
        return FALSE;
    }
  return p2v_manifest_sync (receiver->manifest, error);
}

/* Every chunk is accounted for and qemu-nbd has written everything. */
static gboolean
finish_receivers (Session *self, GError **error)
{
  for (guint i = 0; i < self->receivers->len; i++)
    {
      Receiver *receiver = self->receivers->pdata[i];
      guint64 unknown = p2v_manifest_count (receiver->manifest, P2V_CHUNK_UNKNOWN);
      if (unknown > 0)
        {
          g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER,
                       "disk %s is not complete: %" G_GUINT64_FORMAT " chunks are missing",
                       receiver->image->disk, unknown);
          return FALSE;
        }
      if (!p2v_export_stop (receiver->export, error))
        return FALSE;
    }
  g_ptr_array_set_size (self->receivers, 0);
  return TRUE;
}

static gboolean
handle_landed (Session *self, JsonObject *message G_GNUC_UNUSED, GError **error)
{
  if (self->receivers->len == 0)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "nothing is being received");
      return FALSE;
    }
  if (!finish_receivers (self, error)
      || !p2v_job_stage_end (self->job, P2V_STAGE_RECEIVE, P2V_JOB_RECEIVED, error))
    return FALSE;
  send_message (self, p2v_message_new (P2V_MESSAGE_ACCEPTED));

  /* The worker takes the job's lock; ours has to be gone before it tries. */
  g_autofree char *id = g_strdup (self->job->id);
  g_clear_pointer (&self->job, p2v_job_free);
  self->following = TRUE;
  self->busy_seen = g_get_monotonic_time ();
  if (!p2v_worker_spawn (self->config, id, error))
    return FALSE;
  self->job = p2v_job_load (self->config, id, error);
  return self->job != NULL;
}

static gboolean
handle_cancel (Session *self, JsonObject *message, GError **error)
{
  g_autoptr (GError) reason = NULL;
  p2v_message_to_error (message, &reason);
  g_prefix_error_literal (&reason, "the client gave up: ");
  abandon (self, reason);
  self->ended = TRUE;
  (void)error;
  return TRUE;
}

static const struct
{
  const char *type;
  gboolean (*handle) (Session *self, JsonObject *message, GError **error);
} handlers[] = {
  { P2V_MESSAGE_HELLO, handle_hello },   { P2V_MESSAGE_CREATE, handle_create },
  { P2V_MESSAGE_CHUNKS, handle_chunks }, { P2V_MESSAGE_LANDED, handle_landed },
  { P2V_MESSAGE_CANCEL, handle_cancel }, { P2V_MESSAGE_FAILED, handle_failed },
};

/* A message that cannot be carried out ends the session, except one of an unknown type: a newer
 * client learns that this server does not know it, and goes on without. */
static void
handle_line (Session *self, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) message = p2v_message_parse (line, -1, &error);
  gboolean known = message == NULL;
  for (gsize i = 0; message != NULL && i < G_N_ELEMENTS (handlers); i++)
    if (g_str_equal (handlers[i].type, p2v_message_type (message)))
      {
        known = TRUE;
        handlers[i].handle (self, message, &error);
        break;
      }
  if (!known)
    g_set_error_literal (&error, P2V_ERROR, P2V_ERROR_REFUSED, "this message type is not known");
  relay_events (self);
  if (error == NULL)
    return;
  send_error (self, error);
  if (known)
    {
      abandon (self, error);
      self->status = (int)p2v_error_code_of (error);
      self->ended = TRUE;
    }
}

static void
send_done (Session *self)
{
  JsonObject *message = p2v_message_new (P2V_MESSAGE_DONE);
  json_object_set_string_member (message, "job", self->job->id);
  json_object_set_string_member (message, "guest", self->job->request->guest->name);
  if (self->job->guest_place != NULL)
    json_object_set_string_member (message, "place", self->job->guest_place);
  if (self->job->guest_uuid != NULL)
    json_object_set_string_member (message, "uuid", self->job->guest_uuid);
  send_message (self, message);
  self->ended = TRUE;
}

static void
fail_followed (Session *self, P2vErrorCode code, const char *why)
{
  /* Some messages are sentences already. */
  const char *stop = g_str_has_suffix (why, ".") ? "" : ".";
  g_autoptr (GError) error = g_error_new (
      P2V_ERROR, (gint)code,
      "%s%s The received disks are kept on the server: see `p2v-server show %s` there, "
      "then `p2v-server retry %s`; the machine is not needed for that.",
      why, stop, self->job->id, self->job->id);
  send_error (self, error);
  self->status = (int)code;
  self->ended = TRUE;
}

/* Looks at the job that a worker has. */
static void
follow (Session *self)
{
  g_autoptr (P2vJob) now = p2v_job_load (self->config, self->job->id, NULL);
  relay_events (self);
  if (now == NULL)
    {
      fail_followed (self, P2V_ERROR_CONVERT, "the job was removed on the server");
      return;
    }
  g_clear_pointer (&self->job, p2v_job_free);
  self->job = g_steal_pointer (&now);
  if (g_str_equal (self->job->state, P2V_JOB_DONE))
    send_done (self);
  else if (g_str_equal (self->job->state, P2V_JOB_FAILED))
    fail_followed (self, P2V_ERROR_CONVERT,
                   self->job->error_message != NULL ? self->job->error_message : "it failed");
  else if (p2v_job_is_busy (self->job))
    self->busy_seen = g_get_monotonic_time ();
  else if (g_get_monotonic_time () - self->busy_seen > WORKER_GRACE)
    fail_followed (self, P2V_ERROR_CONVERT, "the process that converts the job is gone");
}

/* What has to be looked at though the client says nothing. */
static void
tick (Session *self)
{
  g_autoptr (GError) error = NULL;
  if (self->following)
    {
      follow (self);
      return;
    }
  relay_events (self);
  for (guint i = 0; i < self->receivers->len && error == NULL; i++)
    {
      Receiver *receiver = self->receivers->pdata[i];
      if (!p2v_export_is_running (receiver->export) && p2v_export_stop (receiver->export, &error))
        g_set_error (&error, P2V_ERROR, P2V_ERROR_TRANSFER, "the export of disk %s has ended",
                     receiver->image->disk);
    }
  if (error == NULL && self->receivers->len > 0 && self->receive_deadline > 0
      && g_get_monotonic_time () > self->receive_deadline)
    g_set_error (&error, P2V_ERROR, P2V_ERROR_TRANSFER,
                 "the transfer took longer than %" G_GINT64_FORMAT
                 " seconds. Raise [receive] timeout= in %s.",
                 self->config->receive_timeout, self->config->file);
  if (error == NULL)
    return;
  send_error (self, error);
  abandon (self, error);
  self->status = (int)p2v_error_code_of (error);
  self->ended = TRUE;
}

/* Reads what the client has sent. */
static void
listen (Session *self, P2vLineBuffer *buffer)
{
  g_autoptr (GError) error = NULL;
  char data[65536];
  ssize_t n = read (self->input, data, sizeof data);
  if (n < 0 && errno == EINTR)
    return;
  if (n <= 0)
    g_set_error_literal (&error, P2V_ERROR, P2V_ERROR_TRANSFER,
                         "the client went away before all disks had landed");
  else if (p2v_line_buffer_push (buffer, data, (gsize)n, &error))
    {
      char *next;
      while (!self->ended && (next = p2v_line_buffer_pop (buffer)) != NULL)
        {
          g_autofree char *line = next;
          handle_line (self, line);
        }
    }
  if (error == NULL)
    return;
  /* After the landing the client is free to go: the job goes on without it. */
  abandon (self, error);
  self->ended = TRUE;
}

static void
end_on_signal (Session *self)
{
  g_autoptr (GError) error
      = g_error_new_literal (P2V_ERROR, P2V_ERROR_CANCELLED, "the session was ended on the server");
  send_error (self, error);
  abandon (self, error);
  self->status = (int)P2V_ERROR_CANCELLED;
  self->ended = TRUE;
}

int
p2v_session_run (const P2vServerConfig *config, int input, int output)
{
  g_autoptr (GPtrArray) receivers = g_ptr_array_new_with_free_func ((GDestroyNotify)free_receiver);
  g_autoptr (P2vLineBuffer) buffer = p2v_line_buffer_new ();
  Session self = {
    .config = config,
    .input = input,
    .output = output,
    .receivers = receivers,
  };
  struct pollfd readable = { .fd = input, .events = POLLIN };
  p2v_signals_catch ();
  while (!self.ended)
    {
      int ready = poll (&readable, 1, TICK_MS);
      if (p2v_signals_caught ())
        end_on_signal (&self);
      else if (ready > 0)
        listen (&self, buffer);
      if (!self.ended && (ready == 0 || self.following))
        tick (&self);
    }
  g_clear_pointer (&self.job, p2v_job_free);
  return self.status;
}
