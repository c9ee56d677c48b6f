/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/control.h"

#include "common/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How often a blocked send looks whether it was cancelled, milliseconds. */
#define CANCEL_POLL_MS 200

/* The longest line that is read before the channel is listened to, bytes. */
#define FIRST_LINE_MAX 65536

struct _P2vControl
{
  P2vSsh *ssh;
  GThread *thread;
  P2vControlFunc func;
  gpointer user_data;
};

/* Hands over every whole line. */
static gboolean
deliver (P2vControl *control, P2vLineBuffer *buffer, GError **error)
{
  char *next;
  while ((next = p2v_line_buffer_pop (buffer)) != NULL)
    {
      g_autofree char *line = next;
      JsonObject *message = p2v_message_parse (line, -1, error);
      if (message == NULL)
        return FALSE;
      control->func (message, NULL, control->user_data);
    }
  return TRUE;
}

static gboolean
listen_until_end (P2vControl *control, GError **error)
{
  g_autoptr (P2vLineBuffer) buffer = p2v_line_buffer_new ();
  char data[16384];
  for (;;)
    {
      ssize_t n = read (p2v_ssh_get_fd (control->ssh), data, sizeof data);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return TRUE;
      if (!p2v_line_buffer_push (buffer, data, (gsize)n, error)
          || !deliver (control, buffer, error))
        return FALSE;
    }
}

static gpointer
control_thread (gpointer data)
{
  P2vControl *control = data;
  GError *error = NULL;
  if (listen_until_end (control, &error))
    {
      g_autofree char *why = p2v_ssh_explain_end (control->ssh);
      g_set_error (&error, P2V_ERROR, P2V_ERROR_TRANSFER, "the server ended the session: %s", why);
    }
  control->func (NULL, error, control->user_data);
  return NULL;
}

P2vControl *
p2v_control_new (P2vSsh *ssh, P2vControlFunc func, gpointer user_data)
{
  P2vControl *control = g_new0 (P2vControl, 1);
  control->ssh = ssh;
  control->func = func;
  control->user_data = user_data;
  control->thread = g_thread_new ("control", control_thread, control);
  return control;
}

static gboolean
send_message (P2vSsh *ssh, JsonObject *message, GCancellable *cancellable, GError **error)
{
  g_autofree char *line = p2v_message_to_line (message);
  json_object_unref (message);
  const char *at = line;
  gsize left = strlen (line);
  struct pollfd writable = { .fd = p2v_ssh_get_fd (ssh), .events = POLLOUT };
  while (left > 0)
    {
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
          return FALSE;
        }
      ssize_t n = send (writable.fd, at, left, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0)
        {
          at += n;
          left -= (gsize)n;
        }
      else if (n < 0 && errno != EAGAIN && errno != EINTR)
        {
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_TRANSFER,
                               "the connection to the server is gone");
          return FALSE;
        }
      else
        poll (&writable, 1, CANCEL_POLL_MS);
    }
  return TRUE;
}

gboolean
p2v_control_send (P2vControl *control, JsonObject *message, GCancellable *cancellable,
                  GError **error)
{
  return send_message (control->ssh, message, cancellable, error);
}

/* Reads up to the first newline and no further: what follows is NBD. */
static char *
read_line (int fd, GCancellable *cancellable, GError **error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  struct pollfd readable = { .fd = fd, .events = POLLIN };
  gint64 deadline = g_get_monotonic_time () + P2V_ANSWER_SECONDS * G_USEC_PER_SEC;
  while (line->len < FIRST_LINE_MAX && g_get_monotonic_time () < deadline)
    {
      char c;
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
          return NULL;
        }
      if (poll (&readable, 1, CANCEL_POLL_MS) <= 0)
        continue;
      if (read (fd, &c, 1) != 1)
        break;
      if (c == '\n')
        return g_string_free (g_steal_pointer (&line), FALSE);
      g_string_append_c (line, c);
    }
  if (g_get_monotonic_time () >= deadline)
    g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER, "it has said nothing for %d seconds",
                 P2V_ANSWER_SECONDS);
  else
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_TRANSFER, "the channel has ended");
  return NULL;
}

JsonObject *
p2v_control_ask (P2vSsh *ssh, JsonObject *message, const char *expected, GCancellable *cancellable,
                 GError **error)
{
  if (!send_message (ssh, message, cancellable, error))
    return NULL;
  g_autofree char *line = read_line (p2v_ssh_get_fd (ssh), cancellable, error);
  if (line == NULL)
    return NULL;
  g_autoptr (JsonObject) answer = p2v_message_parse (line, -1, error);
  if (answer == NULL)
    return NULL;
  if (g_str_equal (p2v_message_type (answer), expected))
    return g_steal_pointer (&answer);
  p2v_message_to_error (answer, error);
  return NULL;
}

static JsonObject *
ask_hello (P2vSsh *ssh, const P2vConfig *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  JsonObject *hello = p2v_message_new (P2V_MESSAGE_HELLO);
  json_object_set_int_member (hello, "version", P2V_PROTOCOL_VERSION);
  json_object_set_string_member (hello, "program", "p2v-client " P2V_VERSION);
  JsonObject *answer = p2v_control_ask (ssh, hello, P2V_MESSAGE_HELLO, cancellable, &failure);
  if (g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER))
    {
      g_autofree char *why = p2v_ssh_explain_end (ssh);
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "p2v-server does not answer on %s (is it installed, and is it what this account "
                   "runs?): %s: %s",
                   config->server, failure->message, why);
    }
  else if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return answer;
}

gboolean
p2v_control_greet (P2vSsh *ssh, const P2vConfig *config, char **program, GCancellable *cancellable,
                   GError **error)
{
  gint64 version;
  g_autoptr (JsonObject) answer = ask_hello (ssh, config, cancellable, error);
  if (answer == NULL
      || !p2v_message_get_int (answer, "version", P2V_PROTOCOL_VERSION, G_MAXINT32, &version,
                               error))
    return FALSE;
  const char *said = p2v_message_get_string (answer, "program");
  *program = g_strdup (said != NULL ? said : "p2v-server");
  return TRUE;
}

void
p2v_control_free (P2vControl *control)
{
  if (control == NULL)
    return;
  /* Not a mere shutdown(): the thread would wait for a server that may never end. */
  p2v_ssh_stop (control->ssh);
  g_thread_join (control->thread);
  g_free (control);
}
