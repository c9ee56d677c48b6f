/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/lane.h"

#include "common/error.h"

#include <errno.h>
#include <libnbd.h>
#include <poll.h>
#include <unistd.h>

/* Chunks in flight on one lane: enough to hide the round trip of a long way (16 MiB are 130 ms of
 * 1 Gbit/s), few enough that a slow lane does not sit on what the others could send. */
#define MAX_IN_FLIGHT 4

/* Blocks of a chunk that are zero are left out of the writes; smaller blocks than this would only
 * make more requests, bytes. */
#define ZERO_BLOCK (64 * 1024)

/* How long an export may take to greet, seconds, and how often we look at the time meanwhile. */
#define GREETING_SECONDS 60
#define GREETING_POLL_MS 1000

/* The most that one NBD_CMD_WRITE_ZEROES covers, bytes (its length has 32 bits). */
#define MAX_ZERO_REQUEST (G_GINT64_CONSTANT (1) << 30)

/* What a lane reads that has nothing else to say, bytes. */
#define SECTOR 512

struct _P2vLane
{
  struct nbd_handle *nbd;
  char *disk;
  gint64 size;
  gboolean zeroed;
  P2vLaneWrittenFunc written;
  gpointer user_data;
  guint in_flight;     /* chunks */
  int failed;          /* errno of the first failed request */
  gint64 last_request; /* monotonic time */
  guint8 sector[SECTOR];
};

/* One write in flight. */
typedef struct
{
  P2vLane *lane;
  P2vChunk *chunk;
  gboolean ok;
} Write;

/* A flush in flight. */
typedef struct
{
  P2vLane *lane;
  P2vLaneFlushedFunc flushed;
  gpointer user_data;
  int error; /* errno */
} Flush;

static gboolean
fail (P2vLane *lane, const char *what, int err, const char *detail, GError **error)
{
  const char *next = "See `p2v-server show` and sshd's log on the server.";
  if (err == ENOSPC)
    next = "The server's storage is full: free space there.";
  g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER, "cannot %s disk %s on the server: %s. %s",
               what, lane->disk, detail != NULL ? detail : g_strerror (err), next);
  return FALSE;
}

static gboolean
fail_nbd (P2vLane *lane, const char *what, GError **error)
{
  return fail (lane, what, nbd_get_errno (), nbd_get_error (), error);
}

/* qemu-nbd greets at once, or has no place left. */
static gboolean
await_greeting (P2vLane *lane, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + GREETING_SECONDS * G_USEC_PER_SEC;
  while (!nbd_aio_is_ready (lane->nbd))
    {
      if (nbd_aio_is_dead (lane->nbd) || nbd_aio_is_closed (lane->nbd))
        return fail (lane, "open the export of", EPIPE, "the connection has ended", error);
      if (g_get_monotonic_time () > deadline)
        return fail (lane, "open the export of", ETIMEDOUT, NULL, error);
      if (nbd_poll (lane->nbd, GREETING_POLL_MS) < 0)
        return fail_nbd (lane, "open the export of", error);
    }
  return TRUE;
}

P2vLane *
p2v_lane_new (int fd, const P2vSource *source, gboolean zeroed, P2vLaneWrittenFunc written,
              gpointer user_data, GError **error)
{
  g_autoptr (P2vLane) lane = g_new0 (P2vLane, 1);
  lane->disk = g_strdup (source->name);
  lane->size = source->size;
  lane->zeroed = zeroed;
  lane->written = written;
  lane->user_data = user_data;
  lane->last_request = g_get_monotonic_time ();
  lane->nbd = nbd_create ();
  int own_fd = dup (fd); /* libnbd closes what it is given */
  if (lane->nbd == NULL || own_fd < 0 || nbd_aio_connect_socket (lane->nbd, own_fd) < 0)
    {
      fail_nbd (lane, "open the export of", error);
      return NULL;
    }
  if (!await_greeting (lane, error))
    return NULL;
  /* A logical volume is a whole number of extents: mostly a little larger than the disk. */
  if (nbd_get_size (lane->nbd) < source->size)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "the server's image for disk %s has only %" G_GINT64_FORMAT
                   " bytes, the disk has %" G_GINT64_FORMAT,
                   lane->disk, nbd_get_size (lane->nbd), source->size);
      return NULL;
    }
  return g_steal_pointer (&lane);
}

void
p2v_lane_free (P2vLane *lane)
{
  if (lane == NULL)
    return;
  /* Closing first retires the requests in flight, and with them the chunks they hold. */
  nbd_close (lane->nbd);
  g_free (lane->disk);
  g_free (lane);
}

gboolean
p2v_lane_is_shareable (P2vLane *lane)
{
  return nbd_can_multi_conn (lane->nbd) == 1;
}

gboolean
p2v_lane_has_room (P2vLane *lane)
{
  return lane->in_flight < MAX_IN_FLIGHT;
}

gboolean
p2v_lane_is_full (P2vLane *lane)
{
  return lane->failed == ENOSPC;
}

gboolean
p2v_lane_is_busy (P2vLane *lane)
{
  return nbd_aio_in_flight (lane->nbd) > 0;
}

/* One request of a chunk is over (or was never made): after the last one it has been written. */
static void
finish_write (P2vLane *lane, P2vChunk *chunk)
{
  if (--chunk->writes > 0)
    return;
  lane->in_flight--;
  lane->written (chunk, !chunk->failed, lane->user_data);
}

static int
on_complete (void *user_data, int *nbd_error)
{
  Write *write = user_data;
  write->ok = *nbd_error == 0;
  if (!write->ok && write->lane->failed == 0)
    write->lane->failed = *nbd_error;
  return 0; /* finish_write() comes with free_write(), by retire() */
}

static void
free_write (void *user_data)
{
  Write *write = user_data;
  write->chunk->failed |= !write->ok; /* also when the connection ended before the answer came */
  finish_write (write->lane, write->chunk);
  g_free (write);
}

static nbd_completion_callback
track (P2vLane *lane, P2vChunk *chunk)
{
  Write *write = g_new0 (Write, 1);
  write->lane = lane;
  write->chunk = chunk;
  chunk->writes++;
  return (nbd_completion_callback){
    .callback = on_complete,
    .user_data = write,
    .free = free_write,
  };
}

static gboolean
write_range (P2vLane *lane, P2vChunk *chunk, gsize start, gsize end, GError **error)
{
  guint64 offset = chunk->first * P2V_CHUNK_SIZE + start;
  if (nbd_aio_pwrite (lane->nbd, chunk->data + start, end - start, offset, track (lane, chunk), 0)
      < 0)
    return fail_nbd (lane, "write", error);
  return TRUE;
}

/* TRUE when the export already reads as zeroes where the chunk is. */
static gboolean
is_zeroed_at (const P2vLane *lane, const P2vChunk *chunk)
{
  return lane->zeroed && !chunk->again;
}

/* Where the blocks that are zero, or those that are not, end which begin at start. */
static gsize
find_end (const P2vChunk *chunk, gsize start, gboolean *zero)
{
  gsize end = MIN (start + ZERO_BLOCK, chunk->length);
  *zero = p2v_is_zero (chunk->data + start, end - start);
  while (end < chunk->length)
    {
      gsize block_end = MIN (end + ZERO_BLOCK, chunk->length);
      if (p2v_is_zero (chunk->data + end, block_end - end) != *zero)
        break;
      end = block_end;
    }
  return end;
}

static gboolean
zero_range (P2vLane *lane, P2vChunk *chunk, guint64 offset, guint64 length, GError **error)
{
  if (nbd_aio_zero (lane->nbd, length, offset, track (lane, chunk), 0) < 0)
    return fail_nbd (lane, "write", error);
  return TRUE;
}

static gboolean
write_data (P2vLane *lane, P2vChunk *chunk, GError **error)
{
  gboolean zeroed = is_zeroed_at (lane, chunk);
  for (gsize start = 0, end; start < chunk->length; start = end)
    {
      gboolean zero;
      end = find_end (chunk, start, &zero);
      if (zero && zeroed)
        continue;
      gboolean ok = zero ? zero_range (lane, chunk, chunk->first * P2V_CHUNK_SIZE + start,
                                       end - start, error)
                         : write_range (lane, chunk, start, end, error);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_zeroes (P2vLane *lane, P2vChunk *chunk, GError **error)
{
  if (is_zeroed_at (lane, chunk))
    return TRUE;
  gint64 at = (gint64)(chunk->first * P2V_CHUNK_SIZE);
  gint64 end = (gint64)MIN ((chunk->first + chunk->count) * P2V_CHUNK_SIZE, (guint64)lane->size);
  while (at < end)
    {
      gint64 length = MIN (end - at, MAX_ZERO_REQUEST);
      if (!zero_range (lane, chunk, (guint64)at, (guint64)length, error))
        return FALSE;
      at += length;
    }
  return TRUE;
}

gboolean
p2v_lane_write (P2vLane *lane, P2vChunk *chunk, GError **error)
{
  /* The chunk is ours as long as we make requests for it, however fast they complete. */
  chunk->writes = 1;
  lane->in_flight++;
  lane->last_request = g_get_monotonic_time ();
  gboolean ok = chunk->state == P2V_CHUNK_DATA ? write_data (lane, chunk, error)
                                               : write_zeroes (lane, chunk, error);
  chunk->failed |= !ok;
  finish_write (lane, chunk);
  return ok;
}

static int
on_flushed (void *user_data, int *nbd_error)
{
  Flush *flush = user_data;
  flush->error = *nbd_error;
  if (flush->error != 0 && flush->lane->failed == 0)
    flush->lane->failed = flush->error;
  return 0;
}

static void
free_flush (void *user_data)
{
  Flush *flush = user_data;
  flush->flushed (flush->error, flush->user_data);
  g_free (flush);
}

gboolean
p2v_lane_flush (P2vLane *lane, P2vLaneFlushedFunc flushed, gpointer user_data, GError **error)
{
  Flush *flush = g_new0 (Flush, 1);
  flush->lane = lane;
  flush->flushed = flushed;
  flush->user_data = user_data;
  flush->error = ENOTCONN; /* as libnbd has it when the connection ends before the answer */
  nbd_completion_callback done = NBD_NULL_COMPLETION;
  done.callback = on_flushed;
  done.user_data = flush;
  done.free = free_flush;
  return nbd_aio_flush (lane->nbd, done, 0) >= 0 || fail_nbd (lane, "flush", error);
}

/* Takes leave of the requests that are over. Had libnbd (1.14) to do so by itself, it would read
 * one that it has just freed when the connection ends. */
static void
retire (P2vLane *lane)
{
  for (gint64 cookie; (cookie = nbd_aio_peek_command_completed (lane->nbd)) > 0;)
    nbd_aio_command_completed (lane->nbd, (guint64)cookie);
}

static int
on_sector (void *user_data, int *nbd_error)
{
  P2vLane *lane = user_data;
  if (*nbd_error != 0 && lane->failed == 0)
    lane->failed = *nbd_error;
  return 0;
}

gboolean
p2v_lane_keep_alive (P2vLane *lane, gint64 silence, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  if (now - lane->last_request < silence || lane->size < SECTOR)
    return TRUE;
  lane->last_request = now;
  nbd_completion_callback done = NBD_NULL_COMPLETION;
  done.callback = on_sector;
  done.user_data = lane;
  return nbd_aio_pread (lane->nbd, lane->sector, SECTOR, 0, done, 0) >= 0
         || fail_nbd (lane, "read", error);
}

gboolean
p2v_lane_poll (P2vLane *lane, int also, int timeout, GError **error)
{
  unsigned direction = nbd_aio_get_direction (lane->nbd);
  struct pollfd fds[2] = { { .fd = nbd_aio_get_fd (lane->nbd) }, { .fd = also, .events = POLLIN } };
  int handled = 0;
  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fds[0].events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fds[0].events |= POLLOUT;
  if (poll (fds, G_N_ELEMENTS (fds), timeout) < 0 && errno != EINTR)
    return fail (lane, "write", errno, NULL, error);
  if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
    handled = nbd_aio_notify_read (lane->nbd);
  else if (fds[0].revents & POLLOUT)
    handled = nbd_aio_notify_write (lane->nbd);
  /* Before retire(), which has errors of its own. */
  gboolean ok = handled >= 0 || fail_nbd (lane, "write", error);
  retire (lane);
  if (!ok)
    return FALSE;
  if (nbd_aio_is_dead (lane->nbd) || nbd_aio_is_closed (lane->nbd))
    return fail (lane, "write", EPIPE, "the connection has ended", error);
  return lane->failed == 0 || fail (lane, "write", lane->failed, NULL, error);
}

gboolean
p2v_lane_close (P2vLane *lane, GError **error)
{
  if (nbd_shutdown (lane->nbd, 0) < 0)
    return fail_nbd (lane, "finish", error);
  return TRUE;
}
