/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/ssh-pump.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How much moves at a time, bytes: large enough that system calls do not count. */
#define BUFFER_SIZE (256 * 1024)

/* What is kept of the command's standard error, bytes. */
#define LAST_WORDS_MAX 2048

/* A pause after which we look at libssh and at the stop flag again though no descriptor called,
 * milliseconds. No data waits for it: the loop below asks libssh for everything it holds before it
 * sleeps. */
#define IDLE_MS 500

typedef struct
{
  guint8 *data;
  gsize start, end; /* bytes [start, end) are waiting */
} Buffer;

typedef struct
{
  ssh_session session;
  ssh_channel channel;
  int local;
  GString *last_words;
  Buffer out;          /* local socket to channel */
  Buffer in;           /* channel to local socket */
  gboolean local_eof;  /* nothing more comes from the local socket */
  gboolean local_gone; /* nobody reads what we would write to it */
  gboolean eof_sent;
  gboolean remote_eof; /* nothing more comes from the channel */
} Pump;

static gsize
waiting (const Buffer *buffer)
{
  return buffer->end - buffer->start;
}

static void
keep_last_words (Pump *pump)
{
  char text[1024];
  int n;
  while ((n = ssh_channel_read_nonblocking (pump->channel, text, sizeof text, 1)) > 0)
    {
      g_string_append_len (pump->last_words, text, n);
      if (pump->last_words->len > LAST_WORDS_MAX)
        g_string_erase (pump->last_words, 0, (gssize)(pump->last_words->len - LAST_WORDS_MAX));
    }
}

/* Channel to local socket. Returns how many bytes moved, -1 when the connection is lost. */
static gssize
pump_in (Pump *pump)
{
  Buffer *in = &pump->in;
  gssize moved = 0;
  if (waiting (in) == 0 && !pump->remote_eof)
    {
      int n = ssh_channel_read_nonblocking (pump->channel, in->data, BUFFER_SIZE, 0);
      if (n == SSH_ERROR)
        return -1;
      in->start = 0;
      in->end = n > 0 ? (gsize)n : 0;
      moved += n > 0 ? n : 0;
      keep_last_words (pump);
      if (n == SSH_EOF || (n <= 0 && ssh_channel_is_eof (pump->channel)))
        pump->remote_eof = TRUE;
    }
  if (waiting (in) > 0 && pump->local_gone)
    in->start = in->end;
  if (waiting (in) > 0)
    {
      ssize_t n
          = send (pump->local, in->data + in->start, waiting (in), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0)
        in->start += (gsize)n;
      else if (n < 0 && errno != EAGAIN && errno != EINTR)
        pump->local_gone = TRUE;
      moved += MAX (n, 0);
    }
  return moved;
}

/* Local socket to channel. Returns how many bytes moved, -1 when the connection is lost. */
static gssize
pump_out (Pump *pump)
{
  Buffer *out = &pump->out;
  gssize moved = 0;
  if (waiting (out) == 0 && !pump->local_eof)
    {
      ssize_t n = recv (pump->local, out->data, BUFFER_SIZE, MSG_DONTWAIT);
      out->start = 0;
      out->end = n > 0 ? (gsize)n : 0;
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        pump->local_eof = TRUE;
      moved += MAX (n, 0);
    }
  /* Never offer more than the window holds: ssh_channel_write() would wait for more of it. */
  gsize room = ssh_channel_window_size (pump->channel);
  if (waiting (out) > 0 && room > 0)
    {
      int n = ssh_channel_write (pump->channel, out->data + out->start,
                                 (uint32_t)MIN (waiting (out), room));
      if (n == SSH_ERROR)
        return -1;
      if (n > 0)
        out->start += (gsize)n;
      moved += MAX (n, 0);
    }
  if (waiting (out) == 0 && pump->local_eof && !pump->eof_sent)
    {
      if (ssh_channel_send_eof (pump->channel) == SSH_ERROR)
        return -1;
      pump->eof_sent = TRUE;
    }
  return moved;
}

static void
wait_for_either (Pump *pump)
{
  struct pollfd fds[2] = {
    { .fd = ssh_get_fd (pump->session), .events = POLLIN },
    { .fd = pump->local },
  };
  if (ssh_get_poll_flags (pump->session) & SSH_WRITE_PENDING)
    fds[0].events |= POLLOUT;
  if (waiting (&pump->out) == 0 && !pump->local_eof)
    fds[1].events |= POLLIN;
  if (waiting (&pump->in) > 0)
    fds[1].events |= POLLOUT;
  /* A descriptor that only reports its hang-up would make poll() return at once, again and again.
   */
  if (fds[1].events == 0)
    fds[1].fd = -1;
  poll (fds, G_N_ELEMENTS (fds), IDLE_MS);
}

static gboolean
is_over (const Pump *pump)
{
  return pump->remote_eof && waiting (&pump->in) == 0;
}

char *
p2v_ssh_pump (ssh_session session, ssh_channel channel, int local, const gint *stop,
              GString *last_words)
{
  g_autofree guint8 *out_data = g_malloc (BUFFER_SIZE);
  g_autofree guint8 *in_data = g_malloc (BUFFER_SIZE);
  Pump pump = {
    .session = session,
    .channel = channel,
    .local = local,
    .last_words = last_words,
    .out = { .data = out_data },
    .in = { .data = in_data },
  };
  char *failure = NULL;
  while (!is_over (&pump) && failure == NULL && !g_atomic_int_get (stop))
    {
      gssize in = pump_in (&pump);
      gssize out = in < 0 ? 0 : pump_out (&pump);
      if (in < 0 || out < 0 || !ssh_is_connected (session))
        failure = g_strdup (ssh_get_error (session));
      else if (in == 0 && out == 0 && !is_over (&pump))
        wait_for_either (&pump);
    }
  keep_last_words (&pump);
  shutdown (local, SHUT_RDWR);
  return failure;
}
