/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/ssh-pump.h"

#include "p2v-client/compression-level.h"
#include "p2v-client/compressor.h"

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
  P2vPumpControl *control;
  GString *last_words;
  guint8 *raw;         /* what was read from the local socket, to be compressed into out */
  Buffer out;          /* local socket to channel */
  Buffer in;           /* channel to local socket */
  gboolean local_eof;  /* nothing more comes from the local socket */
  gboolean local_gone; /* nobody reads what we would write to it */
  gboolean eof_sent;
  gboolean remote_eof; /* nothing more comes from the channel */
  int pause;           /* milliseconds until the bandwidth limit lets something out; -1: not held */

  P2vCompressor *compressor; /* NULL: plain */
  P2vCompressionLevel level; /* when it adapts */
  P2vLaneSample sample;      /* since sampled */
  gint64 sampled;
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

/* Looks how the last stretch of time went, and chooses the level for the next. */
static void
adapt (Pump *pump)
{
  gint64 now = g_get_monotonic_time ();
  P2vLaneSample *sample = &pump->sample;
  sample->seconds = (double)(now - pump->sampled) / G_USEC_PER_SEC;
  if (sample->seconds < P2V_LANE_SAMPLE_SECONDS || sample->in < P2V_LANE_SAMPLE_BYTES)
    return;
  int level = p2v_compression_level_next (&pump->level, sample);
  g_debug ("lane: %.1f MB/s, %.2f of it left, waited %.0f %% for the link, %.0f %% for data: "
           "level %d",
           (double)sample->in / sample->seconds / 1e6, (double)sample->out / (double)sample->in,
           100 * sample->blocked / sample->seconds, 100 * sample->starved / sample->seconds, level);
  p2v_compressor_set_level (pump->compressor, level);
  *sample = (P2vLaneSample){ 0 };
  pump->sampled = now;
}

static void
start_compression (Pump *pump, int how)
{
  p2v_compression_level_init (&pump->level);
  pump->compressor = p2v_compressor_new (how == P2V_PUMP_ADAPT ? pump->level.level : how);
  pump->raw = g_malloc (BUFFER_SIZE);
  pump->out.data = g_realloc (pump->out.data, p2v_compressor_bound (BUFFER_SIZE));
  pump->sampled = g_get_monotonic_time ();
}

/* Reads from the local socket into the empty buffer. Returns how many bytes. */
static gssize
take_local (Pump *pump)
{
  Buffer *out = &pump->out;
  int how = atomic_load (&pump->control->compress);
  if (how != P2V_PUMP_PLAIN && pump->compressor == NULL)
    start_compression (pump, how);
  guint8 *target = pump->compressor != NULL ? pump->raw : out->data;
  ssize_t n = recv (pump->local, target, BUFFER_SIZE, MSG_DONTWAIT);
  gsize got = n > 0 ? (gsize)n : 0;
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    pump->local_eof = TRUE;
  out->start = 0;
  out->end = got;
  if (pump->compressor == NULL)
    return (gssize)got;
  /* What is kept back gets on its way as soon as there is nothing that it could go with. */
  if (got > 0 || p2v_compressor_is_pending (pump->compressor))
    out->end = p2v_compressor_run (pump->compressor, target, got, got == 0, out->data);
  pump->sample.in += (gint64)got;
  pump->sample.out += (gint64)out->end;
  if (how == P2V_PUMP_ADAPT)
    adapt (pump);
  return (gssize)MAX (got, out->end);
}

/* Gives the channel as much of the buffer as it takes. Returns how many bytes, -1 when the
 * connection is lost. */
static gssize
give_channel (Pump *pump)
{
  Buffer *out = &pump->out;
  P2vBandwidth *bandwidth = pump->control->bandwidth;
  /* Never offer more than the window holds: ssh_channel_write() would wait for more of it. */
  gsize room = MIN (waiting (out), ssh_channel_window_size (pump->channel));
  if (room == 0)
    return 0;
  gsize allowed = room;
  if (bandwidth != NULL)
    {
      allowed = p2v_bandwidth_take (bandwidth, room, g_get_monotonic_time ());
      pump->pause = allowed > 0 ? -1 : p2v_bandwidth_pause (bandwidth);
    }
  if (allowed == 0)
    return 0;
  int n = ssh_channel_write (pump->channel, out->data + out->start, (uint32_t)allowed);
  if (n == SSH_ERROR)
    return -1;
  if (bandwidth != NULL)
    p2v_bandwidth_give_back (bandwidth, allowed - (gsize)MAX (n, 0));
  out->start += (gsize)MAX (n, 0);
  atomic_fetch_add (&pump->control->sent, MAX (n, 0));
  return MAX (n, 0);
}

/* Local socket to channel. Returns how many bytes moved, -1 when the connection is lost. */
static gssize
pump_out (Pump *pump)
{
  Buffer *out = &pump->out;
  gssize moved = 0;
  pump->pause = -1;
  if (waiting (out) == 0 && !pump->local_eof)
    moved += take_local (pump);
  gssize given = give_channel (pump);
  if (given < 0)
    return -1;
  moved += given;
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
  gint64 before = g_get_monotonic_time ();
  poll (fds, G_N_ELEMENTS (fds), pump->pause >= 0 ? MIN (pump->pause, IDLE_MS) : IDLE_MS);
  double seconds = (double)(g_get_monotonic_time () - before) / G_USEC_PER_SEC;
  if (waiting (&pump->out) > 0)
    pump->sample.blocked += seconds;
  else
    pump->sample.starved += seconds;
}

static gboolean
is_over (const Pump *pump)
{
  return pump->remote_eof && waiting (&pump->in) == 0;
}

char *
p2v_ssh_pump (ssh_session session, ssh_channel channel, int local, P2vPumpControl *control,
              GString *last_words)
{
  g_autofree guint8 *in_data = g_malloc (BUFFER_SIZE);
  Pump pump = {
    .session = session,
    .channel = channel,
    .local = local,
    .control = control,
    .last_words = last_words,
    .out = { .data = g_malloc (BUFFER_SIZE) },
    .in = { .data = in_data },
  };
  char *failure = NULL;
  while (!is_over (&pump) && failure == NULL && !atomic_load (&control->stop))
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
  p2v_compressor_free (pump.compressor);
  g_free (pump.raw);
  g_free (pump.out.data);
  return failure;
}
