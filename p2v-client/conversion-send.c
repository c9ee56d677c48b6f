/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/conversion-parts.h"

#include "common/error.h"
#include "p2v-client/lane-opener.h"

/* One core can encrypt and compress about what one lane carries; more lanes than cores only share
 * them. Beyond eight the link or the server is full. */
#define LANES_BY_CORES_MAX 8

/* How long a server whose storage is full is left alone before one lane tries again, seconds. */
#define FULL_PAUSE 10

/* A disk on its way. */
typedef struct
{
  P2vTransfer *transfer; /* NULL until the first lane was asked for, and when it has ended */
  GPtrArray *lanes;      /* of P2vSsh, open */
  guint asked;           /* lanes that are being opened */
  gboolean ended;
  gboolean only_again; /* the transfer sends only what was lost */
} Carriage;

struct _P2vSending
{
  P2vConversion *conversion;
  P2vBufferPool *pool;
  P2vBandwidth *bandwidth;
  P2vLaneOpener *opener;
  Carriage *disks; /* one for each source */
  guint n_disks;
  guint limit; /* lanes open at once */
  guint to_go; /* disks that have not ended */
  gint64 wire; /* bytes that lanes have sent which are closed by now */
  gint64 told; /* when the front end last heard of progress */

  P2vRetry trouble; /* with lanes, since something last landed */
  gint64 next_ask;  /* no lane is asked for before; monotonic time */
  gboolean full;    /* the server's storage */
};

static void
on_transfer (P2vTransferReport *report, gpointer user_data)
{
  P2vNotice notice = { .report = report };
  p2v_conversion_notify (user_data, &notice);
}

static void
on_lane (guint tag, P2vSsh *ssh, GError *error, gpointer user_data)
{
  P2vNotice notice = { .lane = ssh, .no_lane = error, .disk = tag };
  p2v_conversion_notify (user_data, &notice);
}

static void
count_progress (P2vSending *self, guint i)
{
  P2vConversion *conversion = self->conversion;
  P2vDiskProgress *progress = &conversion->progress[i];
  if (self->disks[i].transfer != NULL && !self->disks[i].only_again)
    {
      P2vTransferCounts counts;
      p2v_transfer_get_counts (self->disks[i].transfer, &counts);
      progress->skipped = counts.skipped;
      progress->zero = counts.zero;
    }
  progress->sent = p2v_chunk_table_bytes (conversion->tables->pdata[i], P2V_CHUNK_DATA);
  progress->bad = p2v_conversion_count_bad (conversion, conversion->sources->pdata[i]);
  /* A chunk with data counts as a whole, the holes in it included; never more than there is. */
  progress->done = MIN (progress->skipped + progress->zero + progress->sent, progress->size);
}

/* Bytes that the open lanes of a disk have sent. */
static gint64
count_wire (const Carriage *disk)
{
  gint64 bytes = 0;
  for (guint i = 0; i < disk->lanes->len; i++)
    bytes += p2v_ssh_get_sent (disk->lanes->pdata[i]);
  return bytes;
}

static void
tell_progress (P2vSending *self)
{
  P2vConversion *conversion = self->conversion;
  gint64 now = g_get_monotonic_time ();
  gint64 moved = 0;
  gint64 wire = self->wire;
  gint64 remaining = 0;
  if (self->to_go > 0 && now - self->told < P2V_CONVERSION_TICK)
    return;
  self->told = now;
  for (guint i = 0; i < self->n_disks; i++)
    {
      const P2vSource *source = conversion->sources->pdata[i];
      const P2vDiskProgress *disk = &conversion->progress[i];
      gint64 data = p2v_block_map_bytes (source->map, P2V_EXTENT_DATA);
      count_progress (self, i);
      wire += count_wire (&self->disks[i]);
      moved += disk->zero + disk->sent;
      remaining += MAX (data - disk->zero - disk->sent, 0);
    }
  p2v_rate_add (conversion->rate, now, moved);
  P2vUpdate update = {
    .kind = P2V_UPDATE_PROGRESS,
    .disks = conversion->progress,
    .n_disks = self->n_disks,
    .wire = wire,
    .rate = p2v_rate_get (conversion->rate),
    .time_left = p2v_rate_time_left (conversion->rate, remaining),
  };
  conversion->update (&update, conversion->user_data);
}

/* The disk that has the fewest lanes, NULL when all have ended. */
static Carriage *
find_neediest (P2vSending *self)
{
  Carriage *neediest = NULL;
  for (guint i = 0; i < self->n_disks; i++)
    {
      Carriage *disk = &self->disks[i];
      if (!disk->ended
          && (neediest == NULL
              || disk->lanes->len + disk->asked < neediest->lanes->len + neediest->asked))
        neediest = disk;
    }
  return neediest;
}

/* Starts to read a disk. only_again: what is asked for, not all of it. */
static void
start_transfer (P2vSending *self, guint i, gboolean only_again)
{
  P2vConversion *conversion = self->conversion;
  P2vReaderTask task = { .only_again = only_again };
  if (conversion->earlier != NULL)
    task.landed = conversion->earlier->pdata[i];
  self->disks[i].only_again = only_again;
  self->disks[i].transfer = p2v_transfer_start (conversion->sources->pdata[i], self->pool, &task,
                                                g_array_index (conversion->zeroed, gboolean, i),
                                                on_transfer, conversion);
}

/* Lanes open or on their way to disks that have not ended. */
static guint
count_lanes (const P2vSending *self, gboolean asked_too)
{
  guint lanes = 0;
  for (guint i = 0; i < self->n_disks; i++)
    if (!self->disks[i].ended)
      lanes += self->disks[i].lanes->len + (asked_too ? self->disks[i].asked : 0);
  return lanes;
}

/* Asks for as many lanes as there may be, evenly over the disks that are still on their way. */
static void
ask_for_lanes (P2vSending *self)
{
  guint limit = self->full ? 1 : self->limit;
  if (self->conversion->link != P2V_LINK_UP || g_get_monotonic_time () < self->next_ask)
    return;
  Carriage *disk;
  for (guint lanes = count_lanes (self, TRUE);
       lanes < limit && (disk = find_neediest (self)) != NULL; lanes++)
    {
      guint i = (guint)(disk - self->disks);
      /* Reading ahead begins while we log in. */
      if (disk->transfer == NULL)
        start_transfer (self, i, FALSE);
      p2v_lane_opener_request (self->opener, self->conversion->names[i], i);
      disk->asked++;
    }
}

static void
add_lane (P2vSending *self, P2vNotice *notice)
{
  Carriage *disk = &self->disks[notice->disk];
  disk->asked--;
  /* While the control channel is down nobody knows whether the exports are still the same. */
  if (self->conversion->link == P2V_LINK_UP && disk->transfer != NULL
      && p2v_transfer_add_lane (disk->transfer, p2v_ssh_get_fd (notice->lane)))
    g_ptr_array_add (disk->lanes, g_steal_pointer (&notice->lane));
}

/* The server's administrator is to see what only we know. */
static gboolean
note (P2vSending *self, const char *kind, const char *text, GError **error)
{
  JsonObject *message = p2v_message_new (P2V_MESSAGE_NOTE);
  json_object_set_string_member (message, "kind", kind);
  json_object_set_string_member (message, "message", text);
  return p2v_conversion_send (self->conversion, message, error);
}

/* Waits for space; how long is for people to decide, who are told on both sides. */
static gboolean
wait_for_space (P2vSending *self, const GError *failure, GError **error)
{
  self->next_ask = g_get_monotonic_time () + FULL_PAUSE * G_USEC_PER_SEC;
  /* What was wrong before does not count: it may be long until there is space. */
  self->trouble = (P2vRetry){ .seconds = self->trouble.seconds };
  if (self->full)
    return TRUE;
  self->full = TRUE;
  g_autofree char *text
      = g_strdup_printf ("the transfer waits until there is space again: %s", failure->message);
  p2v_conversion_tell (self->conversion, P2V_UPDATE_PAUSED, text);
  return note (self, "warning", text, error);
}

/* A lane was lost, or could not be opened: others go on, and it is tried again after a while.
 * failure: transfer full. */
static gboolean
bear_trouble (P2vSending *self, GError *failure, GError **error)
{
  g_autoptr (GError) trouble = failure;
  /* Then it is the control channel's to say what is wrong, and to come back first. */
  if (self->conversion->link != P2V_LINK_UP)
    return TRUE;
  if (g_error_matches (trouble, P2V_ERROR, P2V_ERROR_CANCELLED)
      || g_error_matches (trouble, P2V_ERROR, P2V_ERROR_REFUSED))
    {
      g_propagate_error (error, g_steal_pointer (&trouble));
      return FALSE;
    }
  p2v_error_recode (&trouble, P2V_ERROR_TRANSFER);
  gint64 now = g_get_monotonic_time ();
  gint64 pause = p2v_retry_after (&self->trouble, trouble, now);
  guint open = count_lanes (self, FALSE);
  if (pause == 0 && open == 0)
    {
      g_propagate_error (error, g_steal_pointer (&trouble));
      return FALSE;
    }
  self->next_ask = now + MAX (pause, 1) * G_USEC_PER_SEC;
  if (self->trouble.tries > 1)
    return TRUE;
  g_autofree char *text
      = g_strdup_printf ("a connection for data is missing, going on with %u and trying again: %s",
                         open, trouble->message);
  p2v_conversion_tell (self->conversion, P2V_UPDATE_WARNING, text);
  return TRUE;
}

static gboolean
do_without_lane (P2vSending *self, P2vNotice *notice, GError **error)
{
  self->disks[notice->disk].asked--;
  /* The server may have given the job up, which the control channel is about to say. */
  if (g_error_matches (notice->no_lane, P2V_ERROR, P2V_ERROR_REFUSED))
    p2v_error_recode (&notice->no_lane, P2V_ERROR_TRANSFER);
  return bear_trouble (self, g_steal_pointer (&notice->no_lane), error);
}

static gboolean
lose_lane (P2vSending *self, guint i, P2vTransferReport *report, GError **error)
{
  Carriage *disk = &self->disks[i];
  p2v_transfer_remove_lane (disk->transfer, report->lane);
  for (guint k = 0; k < disk->lanes->len; k++)
    if (p2v_ssh_get_fd (disk->lanes->pdata[k]) == report->lane)
      {
        self->wire += p2v_ssh_get_sent (disk->lanes->pdata[k]);
        g_ptr_array_remove_index_fast (disk->lanes, k);
        break;
      }
  if (report->full)
    return wait_for_space (self, report->error, error);
  return report->replaced || bear_trouble (self, g_steal_pointer (&report->error), error);
}

/* Has what our table does not know of sent: all of that was lost after the transfer was complete.
 */
static void
begin_again (P2vSending *self, guint i)
{
  P2vChunkTable *table = self->conversion->tables->pdata[i];
  start_transfer (self, i, TRUE);
  for (guint64 k = 0; k < p2v_chunk_table_count (table); k++)
    if (p2v_chunk_table_get (table, k, NULL) == P2V_CHUNK_UNKNOWN)
      p2v_transfer_again (self->disks[i].transfer, k, 1);
}

static guint
find_disk (P2vSending *self, const P2vTransfer *transfer)
{
  guint i = 0;
  while (self->disks[i].transfer != transfer)
    i++;
  return i;
}

/* Tells the server which chunks are durable, in messages that are not too long. */
static gboolean
tell_runs (P2vSending *self, guint i, const GArray *runs, GError **error)
{
  for (guint at = 0; at < runs->len; at += P2V_RUNS_MAX)
    {
      g_autoptr (GArray) part = g_array_new (FALSE, FALSE, sizeof (P2vChunkRun));
      g_array_append_vals (part, &g_array_index (runs, P2vChunkRun, at),
                           MIN (runs->len - at, P2V_RUNS_MAX));
      JsonObject *message = p2v_message_new (P2V_MESSAGE_CHUNKS);
      json_object_set_string_member (message, "disk", self->conversion->names[i]);
      json_object_set_array_member (message, "chunks", p2v_chunk_runs_to_json (part, TRUE));
      if (!p2v_conversion_send (self->conversion, message, error))
        return FALSE;
    }
  return TRUE;
}

/* Something has landed: whatever was wrong is over. */
static gboolean
take_note_of_landing (P2vSending *self, GError **error)
{
  self->trouble = (P2vRetry){ .seconds = self->trouble.seconds };
  self->conversion->outage = (P2vRetry){ .seconds = self->conversion->outage.seconds };
  if (!self->full)
    return TRUE;
  self->full = FALSE;
  self->next_ask = 0;
  p2v_conversion_tell (self->conversion, P2V_UPDATE_RESTORED,
                       "There is space on the server again; going on");
  return note (self, "info", "there is space again, the transfer goes on", error);
}

static gboolean
land_runs (P2vSending *self, guint i, const GArray *runs, GError **error)
{
  P2vChunkTable *table = self->conversion->tables->pdata[i];
  gboolean data = FALSE;
  for (guint k = 0; k < runs->len; k++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, k);
      p2v_chunk_table_set (table, run);
      data |= run->state == P2V_CHUNK_DATA;
    }
  return tell_runs (self, i, runs, error) && (!data || take_note_of_landing (self, error));
}

static void
end_disk (P2vSending *self, guint i)
{
  Carriage *disk = &self->disks[i];
  count_progress (self, i);
  g_clear_pointer (&disk->transfer, p2v_transfer_free);
  /* Its lanes are of no use to another disk: an NBD connection is to one export. */
  self->wire += count_wire (disk);
  g_ptr_array_set_size (disk->lanes, 0);
  if (p2v_chunk_table_bytes (self->conversion->tables->pdata[i], P2V_CHUNK_UNKNOWN) > 0)
    {
      begin_again (self, i);
      return;
    }
  disk->ended = TRUE;
  self->to_go--;
}

static gboolean
handle_report (P2vSending *self, P2vTransferReport *report, GError **error)
{
  guint i = find_disk (self, report->transfer);
  if (!p2v_conversion_report_bad (self->conversion, self->conversion->sources->pdata[i],
                                  report->bad, error))
    return FALSE;
  if (report->runs != NULL)
    return land_runs (self, i, report->runs, error)
           && p2v_conversion_withdraw_bad (self->conversion, self->conversion->sources->pdata[i],
                                           report->runs, report->bad, error);
  if (report->lane >= 0)
    return lose_lane (self, i, report, error);
  if (report->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&report->error));
      return FALSE;
    }
  end_disk (self, i);
  return TRUE;
}

static gboolean
handle_notice (P2vSending *self, P2vNotice *notice, GError **error)
{
  if (notice->report != NULL)
    return handle_report (self, notice->report, error);
  if (notice->no_lane != NULL)
    return do_without_lane (self, notice, error);
  if (notice->lane != NULL)
    add_lane (self, notice);
  if (notice->message != NULL
      && g_str_equal (p2v_message_type (notice->message), P2V_MESSAGE_RESUMED))
    return p2v_conversion_take_up (self->conversion, notice->message, error);
  return TRUE;
}

/* What is on its way is held back, and nothing more is taken: a chunk that compresses to nearly
 * nothing would pass for what is not data. */
static void
hold (P2vSending *self, gboolean held)
{
  p2v_bandwidth_hold (self->bandwidth, held);
  for (guint i = 0; i < self->n_disks; i++)
    if (self->disks[i].transfer != NULL)
      p2v_transfer_hold (self->disks[i].transfer, held);
}

gboolean
p2v_sending_run (P2vSending *self, GError **error)
{
  while (!self->conversion->landed && (self->to_go > 0 || self->conversion->link != P2V_LINK_UP))
    {
      GError *failure = NULL;
      ask_for_lanes (self);
      hold (self, p2v_conversion_is_held (self->conversion));
      g_autoptr (P2vNotice) notice = p2v_conversion_next_notice (self->conversion, &failure);
      if (failure == NULL && notice != NULL)
        handle_notice (self, notice, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      tell_progress (self);
    }
  return TRUE;
}

/* The server may not have what we wrote. */
static void
send_again (P2vSending *self, guint i, const GArray *runs)
{
  Carriage *disk = &self->disks[i];
  if (disk->transfer != NULL)
    p2v_transfer_distrust (disk->transfer);
  if (runs->len > 0 && disk->ended)
    {
      disk->ended = FALSE;
      self->to_go++;
      start_transfer (self, i, TRUE);
    }
  for (guint k = 0; k < runs->len; k++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, k);
      p2v_chunk_table_forget (self->conversion->tables->pdata[i], run->first, run->count);
      p2v_transfer_again (disk->transfer, run->first, run->count);
    }
}

gboolean
p2v_sending_resume (P2vSending *self, const char *exports, GError **error)
{
  P2vConversion *conversion = self->conversion;
  g_autoptr (GPtrArray) server_has = g_steal_pointer (&conversion->server_has);
  gboolean same = exports != NULL && g_strcmp0 (exports, conversion->exports) == 0;
  if (server_has == NULL)
    server_has = p2v_conversion_new_tables (conversion);
  for (guint i = 0; i < self->n_disks; i++)
    {
      g_autoptr (GArray) missing
          = p2v_chunk_table_missing (conversion->tables->pdata[i], server_has->pdata[i]);
      if (!same)
        send_again (self, i, missing);
      else if (!tell_runs (self, i, missing, error))
        return FALSE;
    }
  g_free (conversion->exports);
  conversion->exports = g_strdup (exports);
  self->full = FALSE; /* to be said again, should it still be so */
  self->trouble = (P2vRetry){ .seconds = self->trouble.seconds };
  return TRUE;
}

void
p2v_sending_free (P2vSending *self)
{
  if (self == NULL)
    return;
  /* First who adds lanes, then who uses them, then the lanes. */
  g_clear_pointer (&self->opener, p2v_lane_opener_free);
  for (guint i = 0; i < self->n_disks; i++)
    {
      g_clear_pointer (&self->disks[i].transfer, p2v_transfer_free);
      g_ptr_array_unref (self->disks[i].lanes);
    }
  g_free (self->disks);
  g_clear_pointer (&self->pool, p2v_buffer_pool_free);
  g_clear_pointer (&self->bandwidth, p2v_bandwidth_free);
  g_free (self);
}

/* How many lanes there may be at once. */
static guint
choose_lanes (const P2vConfig *config, guint n_disks)
{
  guint lanes = (guint)config->lanes;
  if (lanes == 0)
    lanes = MIN (g_get_num_processors (), LANES_BY_CORES_MAX);
  return MIN (MAX (lanes, n_disks), P2V_LANES_MAX);
}

P2vSending *
p2v_sending_new (P2vConversion *conversion)
{
  P2vSending *self = g_new0 (P2vSending, 1);
  guint n_disks = conversion->sources->len;
  gint64 limit = conversion->config->bwlimit;
  self->conversion = conversion;
  self->pool = p2v_buffer_pool_new (p2v_buffer_pool_budget ());
  self->bandwidth = p2v_bandwidth_new (MAX (limit, 0));
  self->opener = p2v_lane_opener_new (conversion->config, conversion->identity, conversion->job,
                                      conversion->token, self->bandwidth, on_lane, conversion);
  self->n_disks = self->to_go = n_disks;
  self->limit = choose_lanes (conversion->config, n_disks);
  self->trouble.seconds = conversion->outage.seconds;
  self->disks = g_new0 (Carriage, n_disks);
  for (guint i = 0; i < n_disks; i++)
    self->disks[i].lanes = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_ssh_free);
  return self;
}
