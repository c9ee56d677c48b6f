/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/transfer.h"

#include "common/error.h"
#include "p2v-client/lane.h"
#include "p2v-client/reader.h"

#include <stdatomic.h>
#include <sys/socket.h>

/* When written data is flushed and reported: whichever comes first. A flush costs the server's
 * disk a pause; without one nothing counts as landed. Bytes, microseconds. */
#define FLUSH_BYTES (256 * 1024 * 1024)
#define FLUSH_INTERVAL (2 * G_USEC_PER_SEC)

/* How long the lane waits for the reader before it looks after its requests, microseconds. */
#define READER_WAIT (20 * 1000)

struct _P2vTransfer
{
  P2vSource *source;
  P2vReader *reader;
  int fd;
  gboolean zeroed;
  P2vTransferFunc func;
  gpointer user_data;
  GThread *reader_thread;
  GThread *lane_thread;
  GError *reader_error; /* the reader thread's, read after it was joined */
  atomic_bool stopped;
  atomic_llong sent;
};

void
p2v_transfer_report_free (P2vTransferReport *report)
{
  if (report == NULL)
    return;
  for (guint i = 0; report->runs != NULL && i < report->runs->len; i++)
    g_free (g_array_index (report->runs, P2vChunkRun, i).hashes);
  g_clear_pointer (&report->runs, g_array_unref);
  g_clear_error (&report->error);
  g_free (report);
}

static void
report_runs (P2vTransfer *transfer, GArray *runs)
{
  if (runs->len == 0)
    {
      g_array_unref (runs);
      return;
    }
  gint64 sent = 0;
  for (guint i = 0; i < runs->len; i++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, i);
      if (run->state == P2V_CHUNK_DATA)
        sent += (gint64)p2v_chunk_length (transfer->source->size, run->first);
    }
  atomic_fetch_add (&transfer->sent, sent);
  P2vTransferReport *report = g_new0 (P2vTransferReport, 1);
  report->transfer = transfer;
  report->runs = runs;
  transfer->func (report, transfer->user_data);
}

static gboolean
flush (P2vTransfer *transfer, P2vLane *lane, GError **error)
{
  GArray *runs = p2v_lane_flush (lane, error);
  if (runs == NULL)
    return FALSE;
  report_runs (transfer, runs);
  return TRUE;
}

static gboolean
write_all (P2vTransfer *transfer, P2vLane *lane, GError **error)
{
  gboolean ended = FALSE;
  gint64 last_flush = g_get_monotonic_time ();
  while (!ended)
    {
      if (atomic_load (&transfer->stopped))
        {
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
          return FALSE;
        }
      P2vChunk *chunk = p2v_reader_next (transfer->reader, READER_WAIT, &ended);
      if (chunk != NULL ? !p2v_lane_write (lane, chunk, error) : !p2v_lane_work (lane, error))
        return FALSE;
      gint64 now = g_get_monotonic_time ();
      if (p2v_lane_unflushed (lane) >= FLUSH_BYTES || now - last_flush >= FLUSH_INTERVAL)
        {
          if (!flush (transfer, lane, error))
            return FALSE;
          last_flush = g_get_monotonic_time ();
        }
    }
  return flush (transfer, lane, error);
}

static gboolean
run_lane (P2vTransfer *transfer, GError **error)
{
  g_autoptr (P2vLane) lane
      = p2v_lane_new (transfer->fd, transfer->source, transfer->reader, transfer->zeroed, error);
  if (lane == NULL || !write_all (transfer, lane, error))
    return FALSE;
  /* The reader's end mark says only that it is over; how is known when its thread is joined. */
  g_thread_join (g_steal_pointer (&transfer->reader_thread));
  if (transfer->reader_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&transfer->reader_error));
      return FALSE;
    }
  return p2v_lane_close (lane, error);
}

static gpointer
lane_thread (gpointer data)
{
  P2vTransfer *transfer = data;
  P2vTransferReport *report = g_new0 (P2vTransferReport, 1);
  report->transfer = transfer;
  report->ended = TRUE;
  run_lane (transfer, &report->error);
  transfer->func (report, transfer->user_data);
  return NULL;
}

static gpointer
reader_thread (gpointer data)
{
  P2vTransfer *transfer = data;
  p2v_reader_run (transfer->reader, &transfer->reader_error);
  return NULL;
}

P2vTransfer *
p2v_transfer_start (P2vSource *source, int fd, gboolean zeroed, P2vTransferFunc func,
                    gpointer user_data)
{
  P2vTransfer *transfer = g_new0 (P2vTransfer, 1);
  transfer->source = source;
  transfer->reader = p2v_reader_new (source);
  transfer->fd = fd;
  transfer->zeroed = zeroed;
  transfer->func = func;
  transfer->user_data = user_data;
  transfer->reader_thread = g_thread_new ("reader", reader_thread, transfer);
  transfer->lane_thread = g_thread_new ("lane", lane_thread, transfer);
  return transfer;
}

void
p2v_transfer_get_counts (P2vTransfer *transfer, P2vTransferCounts *counts)
{
  p2v_reader_get_counts (transfer->reader, &counts->skipped, &counts->zero);
  counts->sent = atomic_load (&transfer->sent);
}

void
p2v_transfer_stop (P2vTransfer *transfer)
{
  atomic_store (&transfer->stopped, TRUE);
  p2v_reader_stop (transfer->reader);
  /* Whoever waits for the server in the lane wakes up. */
  shutdown (transfer->fd, SHUT_RDWR);
}

void
p2v_transfer_free (P2vTransfer *transfer)
{
  if (transfer == NULL)
    return;
  /* The lane's thread first: it may be the one that joins the reader's. */
  if (transfer->lane_thread != NULL)
    {
      p2v_transfer_stop (transfer);
      g_thread_join (transfer->lane_thread);
    }
  if (transfer->reader_thread != NULL)
    g_thread_join (transfer->reader_thread);
  p2v_reader_free (transfer->reader);
  g_clear_error (&transfer->reader_error);
  g_free (transfer);
}
