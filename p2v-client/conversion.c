/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/conversion.h"

#include "common/error.h"
#include "p2v-client/control.h"
#include "p2v-client/identity.h"
#include "p2v-client/rate.h"
#include "p2v-client/source.h"
#include "p2v-client/transfer.h"

#include <poll.h>
#include <sys/socket.h>

/* How often a front end hears of progress, and a cancellation is noticed, microseconds. */
#define TICK (250 * 1000)

/* How long a final word to the server may take when we give up, seconds. */
#define FAREWELL_SECONDS 5

/* How long the server may take to say why a lane was lost, before we only say that it was; it looks
 * after its exports four times a second. Microseconds. */
#define REASON_WAIT (2 * G_USEC_PER_SEC)

/* One thing that a thread tells the thread that runs the conversion. */
typedef struct
{
  P2vTransferReport *report;
  JsonObject *message;
  GError *closed; /* the control channel has ended, and why */
} Notice;

typedef struct
{
  const P2vConfig *config;
  const P2vRequest *request;
  GCancellable *cancellable;
  P2vUpdateFunc update;
  gpointer user_data;

  char *identity;
  GPtrArray *sources; /* of P2vSource, in the guest's order */
  P2vSsh *ssh;        /* of the control channel */
  P2vControl *control;
  GAsyncQueue *inbox; /* of Notice */
  char *job;
  char *token;
  JsonArray *job_disks;      /* "disks" of the created message */
  P2vDiskProgress *progress; /* one for each source */
  P2vRate *rate;
  gboolean landed; /* the server has accepted every disk, and goes on without us */
} Conversion;

static void
free_notice (Notice *notice)
{
  g_clear_pointer (&notice->report, p2v_transfer_report_free);
  g_clear_pointer (&notice->message, json_object_unref);
  g_clear_error (&notice->closed);
  g_free (notice);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Notice, free_notice)

static void
on_transfer (P2vTransferReport *report, gpointer user_data)
{
  Conversion *self = user_data;
  Notice notice = { .report = report };
  g_async_queue_push (self->inbox, g_memdup2 (&notice, sizeof notice));
}

static void
on_control (JsonObject *message, GError *error, gpointer user_data)
{
  Conversion *self = user_data;
  Notice notice = { .message = message, .closed = error };
  g_async_queue_push (self->inbox, g_memdup2 (&notice, sizeof notice));
}

static void
tell (Conversion *self, P2vUpdateKind kind, const char *text)
{
  P2vUpdate update = { .kind = kind, .text = text, .time_left = -1 };
  self->update (&update, self->user_data);
}

static void
tell_event (Conversion *self, JsonObject *message)
{
  JsonObject *object = p2v_message_get_object (message, "event");
  g_autoptr (P2vEvent) event = object == NULL ? NULL : p2v_event_from_json (object, NULL);
  if (event == NULL)
    return;
  P2vUpdate update = { .kind = P2V_UPDATE_EVENT, .event = event, .time_left = -1 };
  self->update (&update, self->user_data);
}

static void
tell_progress (Conversion *self)
{
  gint64 moved = 0;
  gint64 remaining = 0;
  for (guint i = 0; i < self->sources->len; i++)
    {
      const P2vSource *source = self->sources->pdata[i];
      const P2vDiskProgress *disk = &self->progress[i];
      gint64 data = p2v_block_map_bytes (source->map, P2V_EXTENT_DATA);
      moved += disk->zero + disk->sent;
      remaining += MAX (data - disk->zero - disk->sent, 0);
    }
  p2v_rate_add (self->rate, g_get_monotonic_time (), moved);
  P2vUpdate update = {
    .kind = P2V_UPDATE_PROGRESS,
    .disks = self->progress,
    .n_disks = self->sources->len,
    .rate = p2v_rate_get (self->rate),
    .time_left = p2v_rate_time_left (self->rate, remaining),
  };
  self->update (&update, self->user_data);
}

/* The next notice, NULL with an error when cancelled or the channel has ended, NULL without one
 * when a tick has passed. Events are handed on here, so that nobody waits for them. */
static Notice *
next_notice (Conversion *self, GError **error)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
      return NULL;
    }
  g_autoptr (Notice) notice = g_async_queue_timeout_pop (self->inbox, TICK);
  if (notice == NULL)
    return NULL;
  if (notice->closed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&notice->closed));
      return NULL;
    }
  if (notice->message == NULL)
    return g_steal_pointer (&notice);
  const char *type = p2v_message_type (notice->message);
  if (g_str_equal (type, P2V_MESSAGE_ERROR))
    p2v_message_to_error (notice->message, error);
  else if (g_str_equal (type, P2V_MESSAGE_EVENT))
    tell_event (self, notice->message);
  else
    return g_steal_pointer (&notice);
  return NULL;
}

/* Waits for a message of one type; others are ignored (transfer full). seconds: at most, 0 for as
 * long as it takes. */
static JsonObject *
wait_for (Conversion *self, const char *type, gint64 seconds, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  for (;;)
    {
      if (seconds > 0 && g_get_monotonic_time () > deadline)
        {
          g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER,
                       "it has said nothing for %" G_GINT64_FORMAT " seconds", seconds);
          return NULL;
        }
      GError *failure = NULL;
      g_autoptr (Notice) notice = next_notice (self, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, failure);
          return NULL;
        }
      if (notice != NULL && notice->message != NULL
          && g_str_equal (p2v_message_type (notice->message), type))
        return g_steal_pointer (&notice->message);
    }
}

static gboolean
open_sources (Conversion *self, GError **error)
{
  char **disks = self->request->guest->disks;
  guint count = g_strv_length (disks);
  self->progress = g_new0 (P2vDiskProgress, count);
  for (guint i = 0; i < count; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (self->request->machine, disks[i]);
      P2vSource *source = p2v_source_open (disk, error);
      if (source == NULL)
        return FALSE;
      g_ptr_array_add (self->sources, source);
      self->progress[i].name = source->name;
      self->progress[i].size = source->size;
    }
  return TRUE;
}

static gboolean
connect_control (Conversion *self, GError **error)
{
  P2vHostKey hostkey = { 0 };
  g_autofree char *program = NULL;
  if (self->config->identity_url != NULL)
    {
      self->identity = p2v_identity_fetch (self->config->identity_url, self->cancellable, error);
      if (self->identity == NULL)
        return FALSE;
    }
  self->ssh = p2v_ssh_open (self->config, self->identity, P2V_COMMAND_SESSION, self->cancellable,
                            &hostkey, error);
  g_autofree char *warning = p2v_hostkey_warning (&hostkey, self->config);
  if (self->ssh == NULL
      && (hostkey.trust == P2V_HOSTKEY_UNKNOWN || hostkey.trust == P2V_HOSTKEY_MISMATCH))
    p2v_error_recode (error, P2V_ERROR_CONNECTION_FINAL);
  p2v_hostkey_clear (&hostkey);
  if (self->ssh == NULL)
    return FALSE;
  if (warning != NULL)
    tell (self, P2V_UPDATE_WARNING, warning);
  if (!p2v_control_greet (self->ssh, self->config, &program, self->cancellable, error))
    return FALSE;
  self->control = p2v_control_new (self->ssh, on_control, self);
  tell (self, P2V_UPDATE_CONNECTED, program);
  return TRUE;
}

static gboolean
read_created (Conversion *self, JsonObject *created, GError **error)
{
  JsonNode *disks = json_object_get_member (created, "disks");
  self->job = g_strdup (p2v_message_get_string (created, "job"));
  self->token = g_strdup (p2v_message_get_string (created, "token"));
  if (self->job == NULL || self->token == NULL || disks == NULL || !JSON_NODE_HOLDS_ARRAY (disks)
      || json_array_get_length (json_node_get_array (disks)) != self->sources->len)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED,
                           "the server's answer to the request makes no sense");
      return FALSE;
    }
  self->job_disks = json_array_ref (json_node_get_array (disks));
  tell (self, P2V_UPDATE_CREATED, self->job);
  return TRUE;
}

static gboolean
create_job (Conversion *self, GError **error)
{
  gint64 needed = 0;
  for (guint i = 0; i < self->sources->len; i++)
    {
      const P2vSource *source = self->sources->pdata[i];
      needed += p2v_block_map_bytes (source->map, P2V_EXTENT_DATA);
    }
  JsonObject *create = p2v_message_new (P2V_MESSAGE_CREATE);
  json_object_set_object_member (create, "request", p2v_request_to_json (self->request));
  json_object_set_int_member (create, "needed", needed);
  if (!p2v_control_send (self->control, create, self->cancellable, error))
    return FALSE;
  g_autoptr (JsonObject) created = wait_for (self, P2V_MESSAGE_CREATED, 0, error);
  return created != NULL && read_created (self, created, error);
}

/* TRUE when the server says that the image for disk i reads as zeroes already. */
static gboolean
is_zeroed (Conversion *self, guint i)
{
  JsonNode *disk = json_array_get_element (self->job_disks, i);
  if (!JSON_NODE_HOLDS_OBJECT (disk))
    return FALSE;
  JsonNode *zeroed = json_object_get_member (json_node_get_object (disk), "zeroed");
  return zeroed != NULL && JSON_NODE_HOLDS_VALUE (zeroed) && json_node_get_boolean (zeroed);
}

/* Opens a lane for a disk: a connection of its own, and a line each way before NBD begins. */
static P2vSsh *
open_lane (Conversion *self, const P2vSource *source, GError **error)
{
  g_autoptr (P2vSsh) ssh = p2v_ssh_open (self->config, self->identity, P2V_COMMAND_LANE,
                                         self->cancellable, NULL, error);
  if (ssh == NULL)
    return NULL;
  JsonObject *hello = p2v_message_new (P2V_MESSAGE_LANE);
  json_object_set_int_member (hello, "version", P2V_PROTOCOL_VERSION);
  json_object_set_string_member (hello, "job", self->job);
  json_object_set_string_member (hello, "token", self->token);
  json_object_set_string_member (hello, "disk", source->name);
  if (p2v_control_open_lane (ssh, hello, self->cancellable, error))
    return g_steal_pointer (&ssh);
  if (g_error_matches (*error, P2V_ERROR, P2V_ERROR_TRANSFER))
    {
      g_autofree char *why = p2v_ssh_explain_end (ssh);
      g_prefix_error (error, "no lane for disk %s: %s: ", source->name, why);
    }
  return NULL;
}

/* The message that tells the server which chunks are durable. */
static JsonObject *
new_chunks_message (const P2vSource *source, GArray *runs)
{
  JsonObject *message = p2v_message_new (P2V_MESSAGE_CHUNKS);
  json_object_set_string_member (message, "disk", source->name);
  JsonArray *array = json_array_sized_new (runs->len);
  for (guint i = 0; i < runs->len; i++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, i);
      JsonObject *object = json_object_new ();
      json_object_set_int_member (object, "first", (gint64)run->first);
      json_object_set_int_member (object, "count", (gint64)run->count);
      json_object_set_string_member (object, "state", p2v_chunk_state_name (run->state));
      if (run->hashes != NULL)
        {
          g_autofree char *hex = p2v_chunk_hash_to_hex (run->hashes);
          json_object_set_string_member (object, "hash", hex);
        }
      json_array_add_object_element (array, object);
    }
  json_object_set_array_member (message, "chunks", array);
  return message;
}

static void
count_progress (P2vTransfer *transfer, P2vDiskProgress *progress)
{
  P2vTransferCounts counts;
  p2v_transfer_get_counts (transfer, &counts);
  progress->skipped = counts.skipped;
  progress->zero = counts.zero;
  progress->sent = counts.sent;
  /* A chunk with data counts as a whole, the holes in it included; never more than there is. */
  progress->done = MIN (counts.skipped + counts.zero + counts.sent, progress->size);
}

/* Follows a running transfer to its end. */
static gboolean
follow_transfer (Conversion *self, P2vTransfer *transfer, guint i, GError **error)
{
  gint64 last_told = 0;
  for (;;)
    {
      GError *failure = NULL;
      g_autoptr (Notice) notice = next_notice (self, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      P2vTransferReport *report = notice != NULL ? notice->report : NULL;
      if (report != NULL && report->runs != NULL
          && !p2v_control_send (self->control,
                                new_chunks_message (self->sources->pdata[i], report->runs),
                                self->cancellable, error))
        return FALSE;
      count_progress (transfer, &self->progress[i]);
      gboolean ended = report != NULL && report->ended;
      if (ended || g_get_monotonic_time () - last_told >= TICK)
        {
          tell_progress (self);
          last_told = g_get_monotonic_time ();
        }
      if (ended && report->error != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&report->error));
          return FALSE;
        }
      if (ended)
        return TRUE;
    }
}

/* Carries one disk over a lane of its own. */
static gboolean
send_disk (Conversion *self, guint i, GError **error)
{
  P2vSource *source = self->sources->pdata[i];
  g_autoptr (P2vSsh) lane = open_lane (self, source, error);
  if (lane == NULL)
    return FALSE;
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, p2v_ssh_get_fd (lane), is_zeroed (self, i), on_transfer, self);
  return follow_transfer (self, transfer, i, error);
}

static gboolean
send_disks (Conversion *self, GError **error)
{
  for (guint i = 0; i < self->sources->len; i++)
    if (!send_disk (self, i, error))
      return FALSE;
  if (!p2v_control_send (self->control, p2v_message_new (P2V_MESSAGE_LANDED), self->cancellable,
                         error))
    return FALSE;
  g_autoptr (JsonObject) accepted = wait_for (self, P2V_MESSAGE_ACCEPTED, 0, error);
  if (accepted == NULL)
    return FALSE;
  self->landed = TRUE;
  tell (self, P2V_UPDATE_LANDED, NULL);
  return TRUE;
}

static gboolean
follow_job (Conversion *self, GError **error)
{
  g_autoptr (JsonObject) done = wait_for (self, P2V_MESSAGE_DONE, 0, error);
  if (done == NULL)
    {
      /* The data is safe there; only our view of it has ended. */
      gboolean lost = g_error_matches (*error, P2V_ERROR, P2V_ERROR_TRANSFER);
      if (lost)
        p2v_error_recode (error, P2V_ERROR_CONVERT);
      if (lost || g_error_matches (*error, P2V_ERROR, P2V_ERROR_CANCELLED))
        g_prefix_error (
            error,
            "the disks have landed and the server goes on by itself, but how it ends is "
            "not seen here; see `p2v-server show %s` on %s: ",
            self->job, self->config->server);
      return FALSE;
    }
  const char *place = p2v_message_get_string (done, "place");
  tell (self, P2V_UPDATE_DONE, place != NULL ? place : self->config->server);
  return TRUE;
}

/* When the data could not be carried, the server may know why (its qemu-nbd has died, the time is
 * up) and be about to say so; our end only sees that it was. */
static void
hear_reason (Conversion *self, GError **failure)
{
  if (self->control == NULL || !g_error_matches (*failure, P2V_ERROR, P2V_ERROR_TRANSFER))
    return;
  gint64 deadline = g_get_monotonic_time () + REASON_WAIT;
  for (gboolean over = FALSE; !over && g_get_monotonic_time () < deadline;)
    {
      g_autoptr (Notice) notice = g_async_queue_timeout_pop (self->inbox, TICK);
      JsonObject *message = notice != NULL ? notice->message : NULL;
      over = notice != NULL && notice->closed != NULL;
      if (message == NULL || !g_str_equal (p2v_message_type (message), P2V_MESSAGE_ERROR))
        continue;
      over = TRUE;
      g_clear_error (failure);
      p2v_message_to_error (message, failure);
    }
}

/* A failure on our side is the job's failure: the server is told why, if it still listens. */
static void
say_farewell (Conversion *self, const GError *failure)
{
  if (self->control == NULL || self->job == NULL || self->landed)
    return;
  struct pollfd writable = { .fd = p2v_ssh_get_fd (self->ssh), .events = POLLOUT };
  if (poll (&writable, 1, FAREWELL_SECONDS * 1000) <= 0)
    return; /* it has long stopped to take anything */
  JsonObject *cancel = p2v_message_new_error (failure);
  json_object_set_string_member (cancel, "type", P2V_MESSAGE_CANCEL);
  if (!p2v_control_send (self->control, cancel, NULL, NULL))
    return;
  gint64 deadline = g_get_monotonic_time () + FAREWELL_SECONDS * G_USEC_PER_SEC;
  shutdown (p2v_ssh_get_fd (self->ssh), SHUT_WR);
  /* The session ends when it has tidied up. */
  for (gboolean closed = FALSE; !closed && g_get_monotonic_time () < deadline;)
    {
      g_autoptr (Notice) notice = g_async_queue_timeout_pop (self->inbox, TICK);
      closed = notice != NULL && notice->closed != NULL;
    }
}

static void
clear_conversion (Conversion *self)
{
  g_clear_pointer (&self->control, p2v_control_free);
  g_clear_pointer (&self->ssh, p2v_ssh_free);
  g_clear_pointer (&self->inbox, g_async_queue_unref);
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  g_clear_pointer (&self->job_disks, json_array_unref);
  g_clear_pointer (&self->rate, p2v_rate_free);
  p2v_secret_free (self->identity);
  p2v_secret_free (self->token);
  g_free (self->job);
  g_free (self->progress);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Conversion, clear_conversion)

gboolean
p2v_conversion_run (const P2vConfig *config, const P2vRequest *request, GCancellable *cancellable,
                    P2vUpdateFunc update, gpointer user_data, GError **error)
{
  g_auto (Conversion) self = {
    .config = config,
    .request = request,
    .cancellable = cancellable,
    .update = update,
    .user_data = user_data,
    .sources = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_source_free),
    .inbox = g_async_queue_new_full ((GDestroyNotify)free_notice),
    .rate = p2v_rate_new (),
  };
  GError *failure = NULL;
  if (!p2v_request_check (request, error))
    return FALSE;
  if (open_sources (&self, &failure) && connect_control (&self, &failure)
      && create_job (&self, &failure) && send_disks (&self, &failure)
      && follow_job (&self, &failure))
    return TRUE;
  hear_reason (&self, &failure);
  say_farewell (&self, failure);
  g_propagate_error (error, failure);
  return FALSE;
}
