/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/bridge.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

/* What moves at a time in each direction, bytes; two or three of these and the decoder's window are
 * all the memory a lane takes. */
#define BUFFER_SIZE (64 * 1024)

/* What the kernel may hold of each direction, bytes. */
#define WIDE (1024 * 1024)

/* The largest window that a client's zstd stream may ask us to keep: 1 MiB, PROTOCOL.md. */
#define WINDOW_LOG_MAX 20

/* One direction of the bridge. */
typedef struct
{
  int from, to;
  guint8 *data;
  gsize start, end;
  gboolean eof;

  ZSTD_DCtx *decoder;   /* when what is read is a zstd stream; else NULL */
  guint8 *packed;       /* what was read of it, BUFFER_SIZE bytes */
  ZSTD_inBuffer unread; /* what has not been decoded of that */
  gboolean held;        /* the decoder has more to give without reading */
  gboolean damaged;
} Flow;

/* Reads into an empty buffer; returns how many bytes. */
static gsize
flow_read (Flow *flow, guint8 *buffer)
{
  ssize_t n = read (flow->from, buffer, BUFFER_SIZE);
  flow->eof = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  return n > 0 ? (gsize)n : 0;
}

/* Decodes from packed into data as much as fits. */
static void
flow_decode (Flow *flow)
{
  ZSTD_outBuffer out = { flow->data, BUFFER_SIZE, 0 };
  gsize left = ZSTD_decompressStream (flow->decoder, &out, &flow->unread);
  flow->damaged = ZSTD_isError (left) != 0;
  flow->end = flow->damaged ? 0 : out.pos;
  flow->held = out.pos == out.size;
}

static void
flow_fill (Flow *flow)
{
  flow->start = 0;
  if (flow->decoder == NULL)
    flow->end = flow_read (flow, flow->data);
  else
    {
      if (flow->unread.pos == flow->unread.size && !flow->held)
        flow->unread = (ZSTD_inBuffer){ flow->packed, flow_read (flow, flow->packed), 0 };
      flow_decode (flow);
    }
}

/* TRUE when flow_fill() has something to do without waiting for anybody. */
static gboolean
flow_has_more (const Flow *flow)
{
  return flow->end == flow->start && (flow->held || flow->unread.pos < flow->unread.size);
}

/* FALSE when the other side takes nothing any more. */
static gboolean
flow_drain (Flow *flow)
{
  ssize_t n = write (flow->to, flow->data + flow->start, flow->end - flow->start);
  if (n > 0)
    flow->start += (gsize)n;
  return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void
flow_prepare (const Flow *flow, struct pollfd *from, struct pollfd *to)
{
  gboolean full = flow->end > flow->start;
  *from = (struct pollfd){ .fd = full || flow->eof ? -1 : flow->from, .events = POLLIN };
  *to = (struct pollfd){ .fd = full ? flow->to : -1, .events = POLLOUT };
}

static gboolean
fail (const char *what, GError **error)
{
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_TRANSFER, what);
  return FALSE;
}

static gboolean
carry (int input, int output, int socket, ZSTD_DCtx *decoder, int patience, GError **error)
{
  g_autofree guint8 *up_data = g_malloc (BUFFER_SIZE);
  g_autofree guint8 *packed = decoder != NULL ? g_malloc (BUFFER_SIZE) : NULL;
  g_autofree guint8 *down_data = g_malloc (BUFFER_SIZE);
  Flow up = { .from = input, .to = socket, .data = up_data, .decoder = decoder, .packed = packed };
  Flow down = { .from = socket, .to = output, .data = down_data };
  gboolean told_end = FALSE;
  while (!down.eof || down.end > down.start)
    {
      struct pollfd fds[4];
      while (flow_has_more (&up) && !up.damaged)
        flow_fill (&up);
      if (up.damaged)
        return fail ("what came is not the zstd stream that it should be", error);
      flow_prepare (&up, &fds[0], &fds[1]);
      flow_prepare (&down, &fds[2], &fds[3]);
      if (up.eof && up.end == up.start && !told_end)
        {
          shutdown (socket, SHUT_WR);
          told_end = TRUE;
        }
      int ready = poll (fds, G_N_ELEMENTS (fds), patience);
      if (ready == 0)
        return fail ("nothing came for too long", error);
      if (ready < 0 && errno != EINTR)
        break;
      if (fds[0].revents != 0)
        flow_fill (&up);
      if (fds[1].revents != 0 && !flow_drain (&up))
        break;
      if (fds[2].revents != 0)
        flow_fill (&down);
      if (fds[3].revents != 0 && !flow_drain (&down))
        break;
    }
  return TRUE;
}

/* Larger steps, less often, where the kernel lets us; nothing depends on it. */
static void
widen (int input, int socket)
{
  int size = WIDE;
  fcntl (input, F_SETPIPE_SZ, size);
  setsockopt (socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static ZSTD_DCtx *
new_decoder (void)
{
  ZSTD_DCtx *decoder = ZSTD_createDCtx ();
  if (decoder == NULL
      || ZSTD_isError (ZSTD_DCtx_setParameter (decoder, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
    g_error ("no memory to decode a lane");
  return decoder;
}

gboolean
p2v_bridge_run (int input, int output, int socket, gboolean compressed, int patience,
                GError **error)
{
  ZSTD_DCtx *decoder = compressed ? new_decoder () : NULL;
  widen (input, socket);
  gboolean ok = carry (input, output, socket, decoder, patience, error);
  ZSTD_freeDCtx (decoder);
  return ok;
}
