/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/conversion.h"

#include "common/error.h"
#include "p2v-client/conversion-parts.h"
#include "p2v-client/identity.h"

#include <poll.h>
#include <sys/socket.h>

/* How long a final word to the server may take when we give up, seconds. */
#define FAREWELL_SECONDS 5

void
p2v_notice_free (P2vNotice *notice)
{
  if (notice == NULL)
    return;
  g_clear_pointer (&notice->report, p2v_transfer_report_free);
  g_clear_pointer (&notice->message, json_object_unref);
  g_clear_error (&notice->closed);
  g_clear_pointer (&notice->control, p2v_ssh_free);
  g_clear_error (&notice->no_control);
  g_clear_pointer (&notice->lane, p2v_ssh_free);
  g_clear_error (&notice->no_lane);
  g_free (notice);
}

void
p2v_conversion_notify (P2vConversion *self, const P2vNotice *notice)
{
  g_async_queue_push (self->inbox, g_memdup2 (notice, sizeof *notice));
}

void
p2v_conversion_tell (P2vConversion *self, P2vUpdateKind kind, const char *text)
{
  P2vUpdate update = { .kind = kind, .text = text, .time_left = -1 };
  self->update (&update, self->user_data);
}

static void
tell_event (P2vConversion *self, JsonObject *message)
{
  JsonObject *object = p2v_message_get_object (message, "event");
  g_autoptr (P2vEvent) event = object == NULL ? NULL : p2v_event_from_json (object, NULL);
  if (event == NULL)
    return;
  if (g_strcmp0 (event->stage, P2V_STAGE_VERIFY) == 0 && g_strcmp0 (event->kind, "finished") == 0)
    self->verified = TRUE;
  P2vUpdate update = { .kind = P2V_UPDATE_EVENT, .event = event, .time_left = -1 };
  self->update (&update, self->user_data);
}

/* TRUE for what is of no use any more: said by a control channel that was given up since. */
static gboolean
is_stale (P2vConversion *self, const P2vNotice *notice)
{
  return (notice->message != NULL || notice->closed != NULL)
         && notice->generation != self->generation;
}

/* What the server said and no part of the conversion waits for. TRUE when that was all. */
static gboolean
handle_message (P2vConversion *self, JsonObject *message, GError **error)
{
  const char *type = p2v_message_type (message);
  self->heard = g_get_monotonic_time ();
  if (g_str_equal (type, P2V_MESSAGE_EVENT))
    tell_event (self, message);
  else if (g_str_equal (type, P2V_MESSAGE_ERROR))
    {
      GError *failure = NULL;
      p2v_message_to_error (message, &failure);
      /* It may be no more than the server's side of a connection that breaks. */
      if (g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER))
        return p2v_conversion_lose_link (self, failure, error);
      g_propagate_error (error, failure);
    }
  else
    return g_str_equal (type, P2V_MESSAGE_PONG);
  return TRUE;
}

P2vNotice *
p2v_conversion_next_notice (P2vConversion *self, GError **error)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
      return NULL;
    }
  if (!p2v_conversion_tend_link (self, error))
    return NULL;
  g_autoptr (P2vNotice) notice = g_async_queue_timeout_pop (self->inbox, P2V_CONVERSION_TICK);
  if (notice == NULL || is_stale (self, notice))
    return NULL;
  if (notice->message != NULL && handle_message (self, notice->message, error))
    return NULL;
  gboolean about_link = notice->control != NULL || notice->no_control != NULL
                        || notice->closed != NULL || (notice->message != NULL && self->job != NULL);
  if (about_link && !p2v_conversion_handle_link (self, notice, error))
    return NULL;
  return g_steal_pointer (&notice);
}

JsonObject *
p2v_conversion_wait_for (P2vConversion *self, const char *type, GError **error)
{
  for (;;)
    {
      GError *failure = NULL;
      g_autoptr (P2vNotice) notice = p2v_conversion_next_notice (self, &failure);
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
open_sources (P2vConversion *self, GError **error)
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
      source->stop_on_error = g_strcmp0 (self->config->read_errors, "stop") == 0;
      g_ptr_array_add (self->sources, source);
      self->progress[i].name = source->name;
      self->progress[i].size = source->size;
    }
  self->tables = p2v_conversion_new_tables (self);
  return TRUE;
}

/* The machine stays until the server has compared what has landed with what was read. */
static gboolean
stays_for_verification (const P2vConversion *self)
{
  return g_strcmp0 (self->config->wait, P2V_WAIT_VERIFIED) == 0
         && g_strcmp0 (self->request->output->verify, "off") != 0;
}

static void
land (P2vConversion *self)
{
  if (self->landed)
    return;
  self->landed = TRUE;
  p2v_conversion_tell (self, P2V_UPDATE_LANDED,
                       stays_for_verification (self)
                           ? "Keep this machine on until it has been compared with what was read."
                           : NULL);
}

gboolean
p2v_conversion_says_landed (JsonObject *resumed)
{
  JsonNode *landed = json_object_get_member (resumed, "landed");
  return landed != NULL && JSON_NODE_HOLDS_VALUE (landed) && json_node_get_boolean (landed);
}

void
p2v_conversion_hear_landed (P2vConversion *self, JsonObject *resumed)
{
  p2v_conversion_hear_bad (self, resumed);
  land (self);
}

gboolean
p2v_conversion_take_up (P2vConversion *self, JsonObject *resumed, GError **error)
{
  if (p2v_conversion_says_landed (resumed))
    {
      p2v_conversion_hear_landed (self, resumed);
      return TRUE;
    }
  if (self->sending == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED,
                           "the server asks for what was never sent to it");
      return FALSE;
    }
  /* The server may want again what it had: its images are not what we sent. */
  self->landed = self->told_landed = FALSE;
  if (!p2v_conversion_report_bad_again (self, resumed, error))
    return FALSE;
  return p2v_sending_resume (self->sending, p2v_message_get_string (resumed, "exports"), error);
}

static void
tell_done (P2vConversion *self, JsonObject *done)
{
  p2v_conversion_hear_bad (self, done);
  const char *place = p2v_message_get_string (done, "place");
  JsonObject *object = p2v_message_get_object (done, "verified");
  g_autoptr (P2vVerified) verified = object != NULL ? p2v_verified_from_json (object, NULL) : NULL;
  P2vUpdate update = { .kind = P2V_UPDATE_DONE,
                       .text = place != NULL ? place : self->config->server,
                       .verified = verified,
                       .time_left = -1 };
  self->update (&update, self->user_data);
}

/* TRUE when the machine is free to go, as far as p2v.wait is concerned. */
static gboolean
may_leave (const P2vConversion *self)
{
  const char *until = self->config->wait;
  if (!self->landed || until == NULL)
    return FALSE;
  return g_str_equal (until, P2V_WAIT_LANDED)
         || (g_str_equal (until, P2V_WAIT_VERIFIED)
             && (self->verified || !stays_for_verification (self)));
}

/* Sends what is not there yet, and follows the job until the machine may leave it, or until done.
 */
static gboolean
see_through (P2vConversion *self, GError **error)
{
  while (!may_leave (self))
    {
      if (!self->landed && !self->told_landed)
        {
          if (self->sending == NULL)
            self->sending = p2v_sending_new (self);
          if (!p2v_sending_run (self->sending, error))
            return FALSE;
          if (self->landed)
            continue; /* the server knew it already */
          self->told_landed = TRUE;
          if (!p2v_conversion_send (self, p2v_message_new (P2V_MESSAGE_LANDED), error))
            return FALSE;
        }
      GError *failure = NULL;
      g_autoptr (P2vNotice) notice = p2v_conversion_next_notice (self, &failure);
      JsonObject *message = notice != NULL ? notice->message : NULL;
      const char *type = message != NULL ? p2v_message_type (message) : "";
      if (g_str_equal (type, P2V_MESSAGE_ACCEPTED))
        {
          p2v_conversion_hear_bad (self, message);
          land (self);
        }
      else if (g_str_equal (type, P2V_MESSAGE_RESUMED))
        p2v_conversion_take_up (self, message, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      if (!g_str_equal (type, P2V_MESSAGE_DONE))
        continue;
      tell_done (self, message);
      return TRUE;
    }
  return TRUE;
}

/* After the landing the data is safe on the server; only our view of it can end. */
static void
explain_view (P2vConversion *self, GError **failure)
{
  gboolean lost = g_error_matches (*failure, P2V_ERROR, P2V_ERROR_TRANSFER);
  if (!self->landed || (!lost && !g_error_matches (*failure, P2V_ERROR, P2V_ERROR_CANCELLED)))
    return;
  if (lost)
    p2v_error_recode (failure, P2V_ERROR_CONVERT);
  g_prefix_error (failure,
                  "the disks have landed and the server goes on by itself, but how it ends is "
                  "not seen here; see `p2v-server show %s` on %s: ",
                  self->job, self->config->server);
}

/* Marks a cancellable. */
static GQuark
leave_quark (void)
{
  return g_quark_from_static_string ("p2v-leave");
}

void
p2v_conversion_leave (GCancellable *cancellable)
{
  g_object_set_qdata (G_OBJECT (cancellable), leave_quark (), GINT_TO_POINTER (TRUE));
  g_cancellable_cancel (cancellable);
}

/* The connection just ends then, and the server keeps what has landed. */
static gboolean
is_leaving (const P2vConversion *self)
{
  return self->cancellable != NULL
         && g_object_get_qdata (G_OBJECT (self->cancellable), leave_quark ()) != NULL;
}

static GQuark
hold_quark (void)
{
  return g_quark_from_static_string ("p2v-hold");
}

void
p2v_conversion_hold (GCancellable *cancellable, gboolean held)
{
  g_object_set_qdata (G_OBJECT (cancellable), hold_quark (), GINT_TO_POINTER (held));
}

gboolean
p2v_conversion_is_held (const P2vConversion *self)
{
  return self->cancellable != NULL
         && g_object_get_qdata (G_OBJECT (self->cancellable), hold_quark ()) != NULL;
}

/* A failure on our side is the job's failure: the server is told why, if it still listens. */
static void
say_farewell (P2vConversion *self, const GError *failure)
{
  if (self->control == NULL || self->job == NULL || self->landed || is_leaving (self))
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
      g_autoptr (P2vNotice) notice = g_async_queue_timeout_pop (self->inbox, P2V_CONVERSION_TICK);
      closed = notice != NULL && notice->closed != NULL;
    }
}

static void
clear_conversion (P2vConversion *self)
{
  g_clear_pointer (&self->sending, p2v_sending_free);
  p2v_conversion_clear_link (self);
  g_clear_pointer (&self->inbox, g_async_queue_unref);
  g_clear_pointer (&self->tables, g_ptr_array_unref);
  g_clear_pointer (&self->server_has, g_ptr_array_unref);
  g_clear_pointer (&self->earlier, g_ptr_array_unref);
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  g_clear_pointer (&self->zeroed, g_array_unref);
  g_clear_pointer (&self->rate, p2v_rate_free);
  g_clear_pointer (&self->mapped, p2v_request_free);
  g_clear_pointer (&self->bad, g_ptr_array_unref);
  p2v_secret_free (self->identity);
  p2v_secret_free (self->token);
  g_free (self->job);
  g_free (self->exports);
  g_strfreev (self->names);
  g_free (self->progress);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2vConversion, clear_conversion)

gboolean
p2v_conversion_run (const P2vConfig *config, const P2vRequest *request, GCancellable *cancellable,
                    P2vUpdateFunc update, P2vUnfinishedFunc ask, gpointer user_data, GError **error)
{
  g_auto (P2vConversion) self = {
    .config = config,
    .request = request,
    .cancellable = cancellable,
    .update = update,
    .ask = ask,
    .user_data = user_data,
    .outage = { .seconds = config->retry_for < 0 ? P2V_RETRY_FOR_DEFAULT : config->retry_for },
    .sources = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_source_free),
    .zeroed = g_array_new (FALSE, TRUE, sizeof (gboolean)),
    .inbox = g_async_queue_new_full ((GDestroyNotify)p2v_notice_free),
    .rate = p2v_rate_new (),
    .bad = p2v_bad_ranges_new (),
  };
  GError *failure = NULL;
  if (!p2v_request_check (request, error))
    return FALSE;
  if (open_sources (&self, &failure) && p2v_conversion_connect (&self, &failure)
      && p2v_conversion_map_sources (&self, &failure) && p2v_conversion_begin_job (&self, &failure)
      && see_through (&self, &failure))
    return TRUE;
  explain_view (&self, &failure);
  say_farewell (&self, failure);
  g_propagate_error (error, failure);
  return FALSE;
}
