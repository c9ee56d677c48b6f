/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/lane.h"

#include "common/error.h"
#include "p2v-client/transfer.h"

#include <errno.h>
#include <libnbd.h>
#include <string.h>
#include <unistd.h>

/* Requests in flight: enough to hide the round trip, few enough that their memory (a chunk each)
 * stays with the reader's buffers. */
#define MAX_IN_FLIGHT 8

/* Blocks of a chunk that are zero are left out of the writes; smaller blocks than this would only
 * make more requests, bytes. */
#define ZERO_BLOCK (64 * 1024)

/* The most that one NBD_CMD_WRITE_ZEROES covers, bytes (its length has 32 bits). */
#define MAX_ZERO_REQUEST (G_GINT64_CONSTANT (1) << 30)

/* How long one turn of p2v_lane_work() waits for the server, milliseconds. */
#define WORK_MS 100

struct _P2vLane
{
  struct nbd_handle *nbd;
  P2vReader *reader;
  char *disk;
  gint64 size;
  gboolean zeroed;
  GArray *written; /* of P2vChunkRun: written, not flushed */
  gint64 unflushed;
  int failed; /* errno of the first failed request */
};

/* One write in flight. */
typedef struct
{
  P2vLane *lane;
  P2vChunk *chunk;
} Write;

static gboolean
fail (P2vLane *lane, const char *what, int err, const char *detail, GError **error)
{
  const char *next = "See `p2v-server show` and sshd's log on the server, then start again.";
  if (err == ENOSPC)
    next = "The server's storage is full: free space there, or choose another with p2v.os=, then "
           "start again.";
  g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER, "cannot %s disk %s on the server: %s. %s",
               what, lane->disk, detail != NULL ? detail : g_strerror (err), next);
  return FALSE;
}

static gboolean
fail_nbd (P2vLane *lane, const char *what, GError **error)
{
  return fail (lane, what, nbd_get_errno (), nbd_get_error (), error);
}

P2vLane *
p2v_lane_new (int fd, const P2vSource *source, P2vReader *reader, gboolean zeroed, GError **error)
{
  g_autoptr (P2vLane) lane = g_new0 (P2vLane, 1);
  lane->reader = reader;
  lane->disk = g_strdup (source->name);
  lane->size = source->size;
  lane->zeroed = zeroed;
  lane->written = g_array_new (FALSE, FALSE, sizeof (P2vChunkRun));
  lane->nbd = nbd_create ();
  int own_fd = dup (fd); /* libnbd closes what it is given */
  if (lane->nbd == NULL || own_fd < 0 || nbd_connect_socket (lane->nbd, own_fd) < 0)
    {
      fail_nbd (lane, "open the export of", error);
      return NULL;
    }
  /* A logical volume is a whole number of extents: mostly a little larger than the disk. */
  if (nbd_get_size (lane->nbd) < source->size)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER,
                   "the server's image for disk %s has only %" G_GINT64_FORMAT
                   " bytes, the disk has %" G_GINT64_FORMAT,
                   lane->disk, nbd_get_size (lane->nbd), source->size);
      return NULL;
    }
  return g_steal_pointer (&lane);
}

static void
free_runs (GArray *runs)
{
  for (guint i = 0; i < runs->len; i++)
    g_free (g_array_index (runs, P2vChunkRun, i).hashes);
  g_array_unref (runs);
}

void
p2v_lane_free (P2vLane *lane)
{
  if (lane == NULL)
    return;
  /* Closing first retires the requests in flight, and with them the chunks they hold. */
  nbd_close (lane->nbd);
  g_clear_pointer (&lane->written, free_runs);
  g_free (lane->disk);
  g_free (lane);
}

/* One request of a chunk is over (or was never made): after the last one it has been written. */
static void
finish_write (P2vLane *lane, P2vChunk *chunk)
{
  if (--chunk->writes > 0)
    return;
  P2vChunkRun run = { chunk->first, chunk->count, chunk->state, NULL };
  if (chunk->state == P2V_CHUNK_DATA)
    run.hashes = g_memdup2 (&chunk->hash, sizeof chunk->hash);
  g_array_append_val (lane->written, run);
  lane->unflushed += (gint64)chunk->length;
  p2v_reader_release (lane->reader, chunk);
}

static int
on_complete (void *user_data, int *nbd_error)
{
  Write *write = user_data;
  if (*nbd_error != 0 && write->lane->failed == 0)
    write->lane->failed = *nbd_error;
  return 1; /* retire the request; finish_write() comes with free_write() */
}

static void
free_write (void *user_data)
{
  Write *write = user_data;
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
check_failed (P2vLane *lane, GError **error)
{
  return lane->failed == 0 || fail (lane, "write", lane->failed, NULL, error);
}

gboolean
p2v_lane_is_busy (P2vLane *lane)
{
  return nbd_aio_in_flight (lane->nbd) > 0;
}

gint64
p2v_lane_unflushed (P2vLane *lane)
{
  return lane->unflushed;
}

gboolean
p2v_lane_work (P2vLane *lane, GError **error)
{
  if (p2v_lane_is_busy (lane) && nbd_poll (lane->nbd, WORK_MS) < 0)
    return fail_nbd (lane, "write", error);
  return check_failed (lane, error);
}

static gboolean
make_room (P2vLane *lane, int in_flight, GError **error)
{
  while (nbd_aio_in_flight (lane->nbd) > in_flight)
    if (!p2v_lane_work (lane, error))
      return FALSE;
  return check_failed (lane, error);
}

static gboolean
write_range (P2vLane *lane, P2vChunk *chunk, gsize start, gsize end, GError **error)
{
  guint64 offset = chunk->first * P2V_CHUNK_SIZE + start;
  if (!make_room (lane, MAX_IN_FLIGHT - 1, error))
    return FALSE;
  if (nbd_aio_pwrite (lane->nbd, chunk->data + start, end - start, offset, track (lane, chunk), 0)
      < 0)
    return fail_nbd (lane, "write", error);
  return TRUE;
}

static gboolean
write_data (P2vLane *lane, P2vChunk *chunk, GError **error)
{
  gsize start = 0;
  while (start < chunk->length)
    {
      gsize block_end = MIN (start + ZERO_BLOCK, chunk->length);
      if (lane->zeroed && p2v_is_zero (chunk->data + start, block_end - start))
        {
          start = block_end;
          continue;
        }
      gsize end = block_end;
      while (end < chunk->length)
        {
          block_end = MIN (end + ZERO_BLOCK, chunk->length);
          if (lane->zeroed && p2v_is_zero (chunk->data + end, block_end - end))
            break;
          end = block_end;
        }
      if (!write_range (lane, chunk, start, end, error))
        return FALSE;
      start = end;
    }
  return TRUE;
}

static gboolean
write_zeroes (P2vLane *lane, P2vChunk *chunk, GError **error)
{
  if (lane->zeroed)
    return TRUE;
  gint64 at = (gint64)(chunk->first * P2V_CHUNK_SIZE);
  gint64 end = (gint64)MIN ((chunk->first + chunk->count) * P2V_CHUNK_SIZE, (guint64)lane->size);
  while (at < end)
    {
      gint64 length = MIN (end - at, MAX_ZERO_REQUEST);
      if (!make_room (lane, MAX_IN_FLIGHT - 1, error))
        return FALSE;
      if (nbd_aio_zero (lane->nbd, (guint64)length, (guint64)at, track (lane, chunk), 0) < 0)
        return fail_nbd (lane, "write", error);
      at += length;
    }
  return TRUE;
}

gboolean
p2v_lane_write (P2vLane *lane, P2vChunk *chunk, GError **error)
{
  /* The chunk is ours as long as we make requests for it, however fast they complete. */
  chunk->writes = 1;
  gboolean ok = chunk->state == P2V_CHUNK_DATA ? write_data (lane, chunk, error)
                                               : write_zeroes (lane, chunk, error);
  finish_write (lane, chunk);
  return ok;
}

GArray *
p2v_lane_flush (P2vLane *lane, GError **error)
{
  if (!make_room (lane, 0, error))
    return NULL;
  if (lane->written->len > 0 && nbd_flush (lane->nbd, 0) < 0)
    {
      fail_nbd (lane, "flush", error);
      return NULL;
    }
  GArray *durable = lane->written;
  lane->written = g_array_new (FALSE, FALSE, sizeof (P2vChunkRun));
  lane->unflushed = 0;
  return durable;
}

gboolean
p2v_lane_close (P2vLane *lane, GError **error)
{
  if (nbd_shutdown (lane->nbd, 0) < 0)
    return fail_nbd (lane, "finish", error);
  return TRUE;
}
