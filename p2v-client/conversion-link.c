/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control channel of a conversion, which is brought back when it is lost. */
#include "p2v-client/conversion-parts.h"

#include "common/error.h"
#include "p2v-client/identity.h"

/* Before there is a job the server may be silent for as long: it waits itself for what others have
 * left. Seconds. */
#define PATIENCE_SECONDS 180

/* A connection that has lasted so long counts as mended, seconds. */
#define STEADY_SECONDS 60

/* Who a channel's thread reports for. */
typedef struct
{
  P2vConversion *conversion;
  guint generation;
} Listener;

static void
on_control (JsonObject *message, GError *error, gpointer user_data)
{
  Listener *listener = user_data;
  P2vNotice notice = { .message = message, .closed = error, .generation = listener->generation };
  p2v_conversion_notify (listener->conversion, &notice);
  if (error != NULL)
    g_free (listener); /* the last call */
}

/* Listens to a connection on which greetings have been exchanged (transfer full). */
static void
adopt (P2vConversion *self, P2vSsh *ssh)
{
  Listener *listener = g_new0 (Listener, 1);
  listener->conversion = self;
  listener->generation = ++self->generation;
  self->ssh = ssh;
  self->heard = self->pinged = g_get_monotonic_time ();
  self->control = p2v_control_new (ssh, on_control, listener);
}

static void
hang_up (P2vConversion *self)
{
  g_clear_pointer (&self->control, p2v_control_free);
  g_clear_pointer (&self->ssh, p2v_ssh_free);
}

gboolean
p2v_conversion_connect (P2vConversion *self, GError **error)
{
  P2vHostKey hostkey = { 0 };
  g_autofree char *program = NULL;
  if (self->config->identity_url != NULL)
    {
      self->identity = p2v_identity_fetch (self->config->identity_url, self->cancellable, error);
      if (self->identity == NULL)
        return FALSE;
    }
  g_autoptr (P2vSsh) ssh = p2v_ssh_open (self->config, self->identity, P2V_COMMAND_SESSION, NULL,
                                         self->cancellable, &hostkey, error);
  g_autofree char *warning = p2v_hostkey_warning (&hostkey, self->config);
  if (ssh == NULL
      && (hostkey.trust == P2V_HOSTKEY_UNKNOWN || hostkey.trust == P2V_HOSTKEY_MISMATCH))
    p2v_error_recode (error, P2V_ERROR_CONNECTION_FINAL);
  p2v_hostkey_clear (&hostkey);
  if (ssh == NULL)
    return FALSE;
  if (warning != NULL)
    p2v_conversion_tell (self, P2V_UPDATE_WARNING, warning);
  if (!p2v_control_greet (ssh, self->config, &program, self->cancellable, error))
    return FALSE;
  adopt (self, g_steal_pointer (&ssh));
  p2v_conversion_tell (self, P2V_UPDATE_CONNECTED, program);
  return TRUE;
}

/* Another attempt to connect, in a thread of its own: lanes that still work go on meanwhile. */
static gpointer
open_thread (gpointer data)
{
  P2vConversion *self = data;
  P2vNotice notice = { 0 };
  P2vHostKey hostkey = { 0 };
  g_autofree char *program = NULL;
  P2vSsh *ssh = p2v_ssh_open (self->config, self->identity, P2V_COMMAND_SESSION, NULL, self->hangup,
                              &hostkey, &notice.no_control);
  if (ssh == NULL && hostkey.trust == P2V_HOSTKEY_MISMATCH)
    p2v_error_recode (&notice.no_control, P2V_ERROR_CONNECTION_FINAL);
  p2v_hostkey_clear (&hostkey);
  if (ssh != NULL
      && !p2v_control_greet (ssh, self->config, &program, self->hangup, &notice.no_control))
    g_clear_pointer (&ssh, p2v_ssh_free);
  notice.control = ssh;
  p2v_conversion_notify (self, &notice);
  return NULL;
}

static void
end_opening (P2vConversion *self)
{
  if (self->opening == NULL)
    return;
  g_cancellable_cancel (self->hangup);
  g_thread_join (self->opening);
  self->opening = NULL;
  g_clear_object (&self->hangup);
}

/* A server that is being restarted refuses in many ways; it let us in before. */
static gboolean
may_pass (const GError *failure)
{
  return !g_error_matches (failure, P2V_ERROR, P2V_ERROR_CONNECTION_FINAL)
         && !g_error_matches (failure, P2V_ERROR, P2V_ERROR_CANCELLED)
         && !g_error_matches (failure, P2V_ERROR, P2V_ERROR_USAGE);
}

static void
tell_lost (P2vConversion *self, const GError *failure, gint64 pause)
{
  g_autofree char *text = g_strdup_printf (
      "The connection to the server is lost (attempt %u): %s Trying again in %" G_GINT64_FORMAT
      " s; what has landed is kept.",
      self->outage.tries, failure->message, pause);
  p2v_conversion_tell (self, P2V_UPDATE_LOST, text);
}

gboolean
p2v_conversion_lose_link (P2vConversion *self, GError *failure, GError **error)
{
  g_autoptr (GError) lost = failure;
  gint64 now = g_get_monotonic_time ();
  hang_up (self);
  end_opening (self);
  self->generation++;
  self->link = P2V_LINK_DOWN;
  if (self->token == NULL || !may_pass (lost) || g_cancellable_is_cancelled (self->cancellable))
    {
      g_propagate_error (error, g_steal_pointer (&lost));
      return FALSE;
    }
  p2v_error_recode (&lost, P2V_ERROR_TRANSFER);
  gint64 pause = p2v_retry_after (&self->outage, lost, now);
  if (pause == 0)
    {
      g_propagate_prefixed_error (
          error, g_steal_pointer (&lost),
          "given up after %u attempts to reach the server again: ", self->outage.tries);
      return FALSE;
    }
  self->next_try = now + pause * G_USEC_PER_SEC;
  tell_lost (self, lost, pause);
  return TRUE;
}

/* Sends on the channel as it is. */
static gboolean
send_now (P2vConversion *self, JsonObject *message, GError **error)
{
  GError *failure = NULL;
  if (p2v_control_send (self->control, message, self->cancellable, &failure))
    return TRUE;
  if (!g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  return p2v_conversion_lose_link (self, failure, error);
}

gboolean
p2v_conversion_send (P2vConversion *self, JsonObject *message, GError **error)
{
  if (self->link == P2V_LINK_UP)
    return send_now (self, message, error);
  json_object_unref (message);
  return TRUE;
}

/* Loses a server that says nothing any more. */
static gboolean
check_silence (P2vConversion *self, gint64 now, GError **error)
{
  int limit = self->job != NULL ? P2V_SILENCE_SECONDS : PATIENCE_SECONDS;
  /* A server that makes large images has nothing to say; TCP notices when it is gone. */
  if (self->creating || now - self->heard <= limit * G_USEC_PER_SEC)
    return TRUE;
  return p2v_conversion_lose_link (
      self,
      g_error_new (P2V_ERROR, P2V_ERROR_TRANSFER, "it has said nothing for %d seconds.", limit),
      error);
}

gboolean
p2v_conversion_tend_link (P2vConversion *self, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  if (self->link == P2V_LINK_DOWN && now >= self->next_try)
    {
      self->link = P2V_LINK_OPENING;
      self->hangup = g_cancellable_new ();
      self->opening = g_thread_new ("connect", open_thread, self);
    }
  if (self->link != P2V_LINK_UP && self->link != P2V_LINK_RESUMING)
    return TRUE;
  /* A connection that only comes back to break again is still the same outage; what lands ends it
   * too. */
  if (self->outage.tries > 0 && self->link == P2V_LINK_UP
      && now - self->up_since > STEADY_SECONDS * G_USEC_PER_SEC)
    self->outage = (P2vRetry){ .seconds = self->outage.seconds };
  if (!check_silence (self, now, error))
    return FALSE;
  gboolean up = self->link == P2V_LINK_UP || self->link == P2V_LINK_RESUMING;
  if (!up || now - self->pinged < P2V_PING_SECONDS * G_USEC_PER_SEC)
    return TRUE;
  self->pinged = now;
  return send_now (self, p2v_message_new (P2V_MESSAGE_PING), error);
}

/* Connected again: asks for the job. */
static gboolean
ask_to_resume (P2vConversion *self, P2vSsh *ssh, GError **error)
{
  end_opening (self);
  adopt (self, ssh);
  self->link = P2V_LINK_RESUMING;
  g_clear_pointer (&self->server_has, g_ptr_array_unref);
  self->server_has = p2v_conversion_new_tables (self);
  JsonObject *resume = p2v_message_new (P2V_MESSAGE_RESUME);
  json_object_set_string_member (resume, "job", self->job);
  json_object_set_string_member (resume, "token", self->token);
  return send_now (self, resume, error);
}

/* What the server has of a disk. */
static gboolean
read_manifest (P2vConversion *self, JsonObject *message, GError **error)
{
  const char *name = p2v_message_get_string (message, "disk");
  for (guint i = 0; self->server_has != NULL && i < self->sources->len; i++)
    {
      P2vChunkTable *table = self->server_has->pdata[i];
      if (g_strcmp0 (self->names != NULL ? self->names[i] : NULL, name) != 0)
        continue;
      g_autoptr (GArray) runs
          = p2v_chunk_runs_from_message (message, p2v_chunk_table_count (table), FALSE, error);
      for (guint k = 0; runs != NULL && k < runs->len; k++)
        p2v_chunk_table_set (table, &g_array_index (runs, P2vChunkRun, k));
      return runs != NULL;
    }
  return TRUE;
}

/* The server asks for chunks again, unasked: its tables come first, as after our own asking. */
static gboolean
expect_manifest (P2vConversion *self, JsonObject *message, GError **error)
{
  if (self->server_has == NULL)
    self->server_has = p2v_conversion_new_tables (self);
  return read_manifest (self, message, error);
}

static void
come_back (P2vConversion *self)
{
  if (self->link == P2V_LINK_RESUMING)
    p2v_conversion_tell (self, P2V_UPDATE_RESTORED, "Connected to the server again; going on");
  self->link = P2V_LINK_UP;
  self->up_since = g_get_monotonic_time ();
}

gboolean
p2v_conversion_handle_link (P2vConversion *self, P2vNotice *notice, GError **error)
{
  if (notice->control != NULL)
    return ask_to_resume (self, g_steal_pointer (&notice->control), error);
  if (notice->no_control != NULL)
    return p2v_conversion_lose_link (self, g_steal_pointer (&notice->no_control), error);
  if (notice->closed != NULL)
    return p2v_conversion_lose_link (self, g_steal_pointer (&notice->closed), error);
  const char *type = p2v_message_type (notice->message);
  if (g_str_equal (type, P2V_MESSAGE_MANIFEST))
    return expect_manifest (self, notice->message, error);
  if (g_str_equal (type, P2V_MESSAGE_RESUMED))
    come_back (self);
  return TRUE;
}

void
p2v_conversion_clear_link (P2vConversion *self)
{
  end_opening (self);
  hang_up (self);
}
