/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/transfer.h"

#include "common/error.h"
#include "p2v-client/lane.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* When written data is flushed and reported: whichever comes first. A flush costs the server's
 * disk a pause; without one nothing counts as landed. Bytes, microseconds. */
#define FLUSH_BYTES (1024 * 1024 * 1024)
#define FLUSH_INTERVAL (5 * G_USEC_PER_SEC)

/* How long a lane may have nothing to say; the server's patience is several times that. */
#define KEEP_ALIVE (60 * G_USEC_PER_SEC)

/* How often a lane with nothing to do looks whether a flush is due, milliseconds. */
#define POLL_MS 250

struct _P2vTransfer
{
  P2vSource *source;
  P2vReader *reader;
  gboolean zeroed;
  P2vTransferFunc func;
  gpointer user_data;
  atomic_bool stopped;
  atomic_bool held;

  GMutex lock;
  GCond changed;
  GPtrArray *lanes;  /* of LaneThread */
  guint running;     /* lanes whose thread has not ended */
  guint working;     /* lanes that may still have something in flight */
  GArray *written;   /* of P2vChunkRun: written, not yet part of a flush */
  GArray *bad;       /* of P2vBadPart in them; NULL for none */
  gint64 unflushed;  /* bytes of data in them */
  gint64 last_flush; /* monotonic time */
  gboolean flushing;
  gboolean finishing; /* a lane does the last flush */
  gboolean complete;  /* every chunk is durable */
};

typedef struct
{
  P2vTransfer *transfer;
  int fd;
  gboolean first;
  gboolean working; /* counted as such */
  gboolean stale;   /* its export is not the one that counts any more; with the transfer's lock */
  gboolean failed;  /* the server could not flush what it had been sent */
  GThread *thread;
} LaneThread;

/* Chunks on their way through a flush. */
typedef struct
{
  LaneThread *lane;
  GArray *runs;
  GArray *bad; /* NULL for none */
} Batch;

void
p2v_transfer_report_free (P2vTransferReport *report)
{
  if (report == NULL)
    return;
  g_clear_pointer (&report->runs, g_array_unref);
  g_clear_pointer (&report->bad, g_array_unref);
  g_clear_error (&report->error);
  g_free (report);
}

static P2vTransferReport *
new_report (P2vTransfer *transfer)
{
  P2vTransferReport *report = g_new0 (P2vTransferReport, 1);
  report->transfer = transfer;
  report->lane = -1;
  return report;
}

static void
report_runs (P2vTransfer *transfer, GArray *runs, GArray *bad)
{
  p2v_chunk_runs_merge (runs);
  P2vTransferReport *report = new_report (transfer);
  report->runs = runs;
  report->bad = bad;
  transfer->func (report, transfer->user_data);
}

/* Has runs sent once more (transfer full). */
static void
send_again (P2vTransfer *transfer, GArray *runs)
{
  for (guint i = 0; i < runs->len; i++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, i);
      p2v_reader_again (transfer->reader, run->first, run->count);
    }
  g_array_unref (runs);
}

/* What of a written chunk could not be read is told together with it; with the lock held. */
static void
note_bad_locked (P2vTransfer *transfer, const P2vChunk *chunk)
{
  if (chunk->bad == NULL)
    return;
  if (transfer->bad == NULL)
    transfer->bad = g_array_new (FALSE, FALSE, sizeof (P2vBadPart));
  g_array_append_vals (transfer->bad, chunk->bad->data, chunk->bad->len);
}

static void
on_written (P2vChunk *chunk, gboolean ok, gpointer user_data)
{
  LaneThread *self = user_data;
  P2vTransfer *transfer = self->transfer;
  P2vChunkRun run = { chunk->first, chunk->count, chunk->state, chunk->hash };
  g_mutex_lock (&transfer->lock);
  ok &= !self->stale;
  if (ok)
    {
      g_array_append_val (transfer->written, run);
      transfer->unflushed += (gint64)chunk->length;
      note_bad_locked (transfer, chunk);
    }
  g_mutex_unlock (&transfer->lock);
  /* Also what never got as far as the server: it is read again, in order that no buffer waits for
   * a lane. */
  if (!ok)
    p2v_reader_again (transfer->reader, chunk->first, chunk->count);
  p2v_reader_release (transfer->reader, chunk);
}

static void
on_flushed (int error, gpointer user_data)
{
  g_autofree Batch *batch = user_data;
  P2vTransfer *transfer = batch->lane->transfer;
  if (error == 0)
    report_runs (transfer, batch->runs, batch->bad);
  else
    {
      send_again (transfer, batch->runs);
      g_clear_pointer (&batch->bad, g_array_unref);
    }
  /* Storage that fails may have lost whatever was not durable, what was written meanwhile too, and
   * says so once: a later flush that succeeds vouches for none of it. */
  if (error != 0 && error != ENOTCONN)
    {
      batch->lane->failed = TRUE;
      p2v_transfer_distrust (transfer);
    }
  g_mutex_lock (&transfer->lock);
  transfer->flushing = FALSE;
  transfer->last_flush = g_get_monotonic_time ();
  g_cond_broadcast (&transfer->changed);
  g_mutex_unlock (&transfer->lock);
}

/* Starts a flush when one is due, or in any case (at the end), if there is something to flush. */
static gboolean
flush (LaneThread *self, P2vLane *lane, gboolean in_any_case, GError **error)
{
  P2vTransfer *transfer = self->transfer;
  Batch *batch = NULL;
  gint64 now = g_get_monotonic_time ();
  g_mutex_lock (&transfer->lock);
  gboolean due = in_any_case || transfer->unflushed >= FLUSH_BYTES
                 || now - transfer->last_flush >= FLUSH_INTERVAL;
  gboolean stale = self->stale;
  if (due && !stale && !transfer->flushing && transfer->written->len > 0)
    {
      batch = g_new0 (Batch, 1);
      batch->lane = self;
      batch->runs = transfer->written;
      batch->bad = g_steal_pointer (&transfer->bad);
      transfer->written = g_array_new (FALSE, FALSE, sizeof (P2vChunkRun));
      transfer->unflushed = 0;
      transfer->flushing = TRUE;
    }
  g_mutex_unlock (&transfer->lock);
  if (stale)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_TRANSFER, "the server's export was replaced");
  return !stale && (batch == NULL || p2v_lane_flush (lane, on_flushed, batch, error));
}

static gboolean
check_stopped (P2vTransfer *transfer, GError **error)
{
  if (!atomic_load (&transfer->stopped))
    return TRUE;
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
  return FALSE;
}

/* Writes chunks until the reader has no more and all are written. */
static gboolean
carry (LaneThread *self, P2vLane *lane, GError **error)
{
  P2vTransfer *transfer = self->transfer;
  gboolean ended = FALSE;
  while (!ended || p2v_lane_is_busy (lane))
    {
      gboolean room = !ended && p2v_lane_has_room (lane) && !atomic_load (&transfer->held);
      P2vChunk *chunk = room ? p2v_reader_next (transfer->reader, &ended) : NULL;
      if (!check_stopped (transfer, error))
        {
          if (chunk != NULL)
            p2v_reader_release (transfer->reader, chunk);
          return FALSE;
        }
      if (chunk != NULL && chunk->landed)
        on_written (chunk, TRUE, self);
      else if (chunk != NULL && !p2v_lane_write (lane, chunk, error))
        return FALSE;
      /* With more to write at once, the server's answers are only looked at. */
      int also = room && !ended ? p2v_reader_get_fd (transfer->reader) : -1;
      gboolean at_once = chunk != NULL || (ended && !p2v_lane_is_busy (lane));
      if (!p2v_lane_poll (lane, also, at_once ? 0 : POLL_MS, error)
          || !flush (self, lane, FALSE, error) || !p2v_lane_keep_alive (lane, KEEP_ALIVE, error))
        return FALSE;
    }
  return TRUE;
}

typedef enum
{
  END_FAILED,
  END_MORE, /* there is something to be sent again */
  END_COMPLETE,
} End;

/* With the lock held: others may still come to something. */
static gboolean
must_wait (P2vTransfer *transfer)
{
  return !transfer->complete && !atomic_load (&transfer->stopped)
         && p2v_reader_is_ended (transfer->reader)
         && (transfer->working > 0 || transfer->finishing || transfer->flushing);
}

/* Waits for the answers to all requests of a lane. */
static gboolean
drain (P2vTransfer *transfer, P2vLane *lane, GError **error)
{
  while (p2v_lane_is_busy (lane))
    if (!check_stopped (transfer, error) || !p2v_lane_poll (lane, -1, POLL_MS, error))
      return FALSE;
  return check_stopped (transfer, error);
}

/* Waits until there is more to send, until everything is durable, or until all lanes are through:
 * then it is this one (ours) that flushes for all. What others wait for long becomes durable
 * meanwhile. */
static gboolean
wait_for_others (LaneThread *self, P2vLane *lane, gboolean *ours, GError **error)
{
  P2vTransfer *transfer = self->transfer;
  for (;;)
    {
      g_mutex_lock (&transfer->lock);
      gint64 until = g_get_monotonic_time () + POLL_MS * G_TIME_SPAN_MILLISECOND;
      if (must_wait (transfer))
        g_cond_wait_until (&transfer->changed, &transfer->lock, until);
      gboolean waiting = must_wait (transfer);
      *ours = !waiting && !transfer->complete && p2v_reader_is_ended (transfer->reader);
      transfer->finishing |= *ours;
      g_mutex_unlock (&transfer->lock);
      if (!waiting)
        return TRUE;
      if (!flush (self, lane, FALSE, error) || !p2v_lane_keep_alive (lane, KEEP_ALIVE, error)
          || !drain (transfer, lane, error))
        return FALSE;
    }
}

/* Waits until all lanes are through. One of them then flushes for all. */
static End
finish (LaneThread *self, P2vLane *lane, GError **error)
{
  P2vTransfer *transfer = self->transfer;
  gboolean ours = FALSE;
  g_mutex_lock (&transfer->lock);
  transfer->working--;
  self->working = FALSE;
  g_cond_broadcast (&transfer->changed);
  g_mutex_unlock (&transfer->lock);
  gboolean ok = wait_for_others (self, lane, &ours, error)
                && (!ours || flush (self, lane, TRUE, error)) && drain (transfer, lane, error);
  g_mutex_lock (&transfer->lock);
  if (ours)
    {
      transfer->finishing = FALSE;
      transfer->complete
          = ok && transfer->written->len == 0 && p2v_reader_is_ended (transfer->reader);
    }
  if (ok && !transfer->complete)
    {
      transfer->working++;
      self->working = TRUE;
    }
  End end = !ok ? END_FAILED : transfer->complete ? END_COMPLETE : END_MORE;
  g_cond_broadcast (&transfer->changed);
  g_mutex_unlock (&transfer->lock);
  return end;
}

static gboolean
run_lane (LaneThread *self, gboolean *full, GError **error)
{
  P2vTransfer *transfer = self->transfer;
  g_autoptr (P2vLane) lane
      = p2v_lane_new (self->fd, transfer->source, transfer->zeroed, on_written, self, error);
  if (lane == NULL)
    return FALSE;
  if (!self->first && !p2v_lane_is_shareable (lane))
    {
      g_debug ("the export of disk %s takes one lane only", transfer->source->name);
      return TRUE;
    }
  End end = END_MORE;
  while (end == END_MORE)
    end = carry (self, lane, error) ? finish (self, lane, error) : END_FAILED;
  *full = p2v_lane_is_full (lane);
  /* Everything is durable: how the connection ends does not matter any more. */
  if (end == END_COMPLETE)
    p2v_lane_close (lane, NULL);
  return end == END_COMPLETE;
}

/* Ends all threads; with the lock held. */
static void
stop_locked (P2vTransfer *transfer)
{
  atomic_store (&transfer->stopped, TRUE);
  p2v_reader_stop (transfer->reader);
  /* Whoever waits for the server in a lane wakes up. */
  for (guint i = 0; i < transfer->lanes->len; i++)
    shutdown (((LaneThread *)transfer->lanes->pdata[i])->fd, SHUT_RDWR);
  g_cond_broadcast (&transfer->changed);
}

/* The last thread to end says how it all ended. */
static void
report_end (P2vTransfer *transfer)
{
  P2vTransferReport *report = new_report (transfer);
  report->ended = TRUE;
  /* The lanes only know that the reader has ended; how, is its own to say. */
  p2v_reader_check (transfer->reader, &report->error);
  transfer->func (report, transfer->user_data);
}

/* The transfer goes on without this lane; what it had in flight is on its way back to the reader.
 */
static void
report_lane (const LaneThread *lane, gboolean full, gboolean replaced, GError *error)
{
  P2vTransfer *transfer = lane->transfer;
  P2vTransferReport *report = new_report (transfer);
  report->lane = lane->fd;
  report->full = full;
  report->replaced = replaced;
  report->error = error;
  transfer->func (report, transfer->user_data);
}

/* With the lock held: nothing more is to be carried, whatever the reason. */
static gboolean
is_over (P2vTransfer *transfer)
{
  return transfer->complete || atomic_load (&transfer->stopped)
         || !p2v_reader_check (transfer->reader, NULL);
}

static gpointer
lane_thread (gpointer data)
{
  LaneThread *self = data;
  P2vTransfer *transfer = self->transfer;
  GError *error = NULL;
  gboolean full = FALSE;
  gboolean ok = run_lane (self, &full, &error);
  g_mutex_lock (&transfer->lock);
  if (self->working)
    transfer->working--;
  self->working = FALSE;
  gboolean over = is_over (transfer);
  gboolean replaced = self->stale && !self->failed;
  g_cond_broadcast (&transfer->changed);
  g_mutex_unlock (&transfer->lock);
  /* Before this thread counts as ended: the end of the transfer is to be the last report. */
  if (!ok && !over)
    report_lane (self, full, replaced, error);
  else
    g_clear_error (&error);
  g_mutex_lock (&transfer->lock);
  gboolean last = --transfer->running == 0 && is_over (transfer);
  g_mutex_unlock (&transfer->lock);
  if (last)
    report_end (transfer);
  return NULL;
}

P2vTransfer *
p2v_transfer_start (P2vSource *source, P2vBufferPool *pool, const P2vReaderTask *task,
                    gboolean zeroed, P2vTransferFunc func, gpointer user_data)
{
  P2vTransfer *transfer = g_new0 (P2vTransfer, 1);
  transfer->source = source;
  transfer->zeroed = zeroed;
  transfer->func = func;
  transfer->user_data = user_data;
  g_mutex_init (&transfer->lock);
  g_cond_init (&transfer->changed);
  transfer->lanes = g_ptr_array_new_with_free_func (g_free);
  transfer->written = g_array_new (FALSE, FALSE, sizeof (P2vChunkRun));
  transfer->last_flush = g_get_monotonic_time ();
  transfer->reader = p2v_reader_new (source, pool, task);
  return transfer;
}

gboolean
p2v_transfer_add_lane (P2vTransfer *transfer, int fd)
{
  g_mutex_lock (&transfer->lock);
  gboolean needed = !transfer->complete && !atomic_load (&transfer->stopped);
  if (needed)
    {
      LaneThread *lane = g_new0 (LaneThread, 1);
      lane->transfer = transfer;
      lane->fd = fd;
      lane->first = transfer->running == 0;
      lane->working = TRUE;
      g_ptr_array_add (transfer->lanes, lane);
      transfer->running++;
      transfer->working++;
      lane->thread = g_thread_new ("lane", lane_thread, lane);
    }
  g_mutex_unlock (&transfer->lock);
  return needed;
}

void
p2v_transfer_remove_lane (P2vTransfer *transfer, int fd)
{
  LaneThread *lane = NULL;
  g_mutex_lock (&transfer->lock);
  for (guint i = 0; i < transfer->lanes->len && lane == NULL; i++)
    if (((LaneThread *)transfer->lanes->pdata[i])->fd == fd)
      lane = g_ptr_array_steal_index (transfer->lanes, i);
  g_mutex_unlock (&transfer->lock);
  g_return_if_fail (lane != NULL);
  g_thread_join (lane->thread);
  g_free (lane);
}

void
p2v_transfer_again (P2vTransfer *transfer, guint64 first, guint64 count)
{
  p2v_reader_again (transfer->reader, first, count);
  g_mutex_lock (&transfer->lock);
  g_cond_broadcast (&transfer->changed);
  g_mutex_unlock (&transfer->lock);
}

void
p2v_transfer_distrust (P2vTransfer *transfer)
{
  g_mutex_lock (&transfer->lock);
  GArray *runs = transfer->written;
  transfer->written = g_array_new (FALSE, FALSE, sizeof (P2vChunkRun));
  g_clear_pointer (&transfer->bad, g_array_unref);
  transfer->unflushed = 0;
  /* What they say from now on, and what they have been told already, is of the export before. */
  for (guint i = 0; i < transfer->lanes->len; i++)
    {
      LaneThread *lane = transfer->lanes->pdata[i];
      lane->stale = TRUE;
      shutdown (lane->fd, SHUT_RDWR);
    }
  g_mutex_unlock (&transfer->lock);
  send_again (transfer, runs);
}

void
p2v_transfer_get_counts (P2vTransfer *transfer, P2vTransferCounts *counts)
{
  p2v_reader_get_counts (transfer->reader, &counts->skipped, &counts->zero);
}

void
p2v_transfer_hold (P2vTransfer *transfer, gboolean held)
{
  atomic_store (&transfer->held, held);
}

void
p2v_transfer_stop (P2vTransfer *transfer)
{
  g_mutex_lock (&transfer->lock);
  stop_locked (transfer);
  g_mutex_unlock (&transfer->lock);
}

void
p2v_transfer_free (P2vTransfer *transfer)
{
  if (transfer == NULL)
    return;
  p2v_transfer_stop (transfer);
  /* Nobody adds a lane any more. */
  for (guint i = 0; i < transfer->lanes->len; i++)
    g_thread_join (((LaneThread *)transfer->lanes->pdata[i])->thread);
  g_ptr_array_unref (transfer->lanes);
  p2v_reader_free (transfer->reader);
  g_array_unref (transfer->written);
  g_clear_pointer (&transfer->bad, g_array_unref);
  g_cond_clear (&transfer->changed);
  g_mutex_clear (&transfer->lock);
  g_free (transfer);
}
