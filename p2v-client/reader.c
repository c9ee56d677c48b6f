/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/reader.h"

#include "common/error.h"
#include "p2v-client/section.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How often a thread that waits for a free buffer looks whether it was stopped, microseconds. */
#define STOP_POLL (200 * 1000)

/* In how many places a disk without moving parts is read at once. One request cannot keep its
 * channels busy; and what compresses well, for which the processor is the limit, and what does not,
 * for which the link is, mostly lie apart: sent side by side they keep both busy. A disk that
 * rotates is fastest when it is read in one go. */
#define STREAMS_ROTATIONAL 1
#define STREAMS_SOLID 4

/* Between two stretches of data that are this near to each other the gap is read as well: that
 * takes less time than another request, bytes. */
#define READ_THROUGH (256 * 1024)

struct _P2vReader
{
  P2vSource *source;
  P2vReaderTask task;
  P2vBufferShare share;
  GThread *threads[STREAMS_SOLID];
  guint n_threads;

  GMutex lock;
  GCond changed; /* there is something to read again, or the end has come */
  P2vSection sections[STREAMS_SOLID];
  guint n_sections;
  guint turn;      /* whose turn it is */
  GQueue again;    /* of Stretch: what is read before anything else */
  guint reading;   /* what was taken and is not in the queue yet */
  GQueue chunks;   /* of P2vChunk */
  GError *failure; /* the first one */
  int ready;       /* eventfd: not zero while there are chunks, or after the end */

  atomic_bool stopped;
  atomic_llong skipped, zero;
};

/* Chunks to be read again. */
typedef struct
{
  guint64 first, count;
} Stretch;

/* What a thread has taken to read: a run of chunks that need no reading, or (run is NULL) the chunk
 * at index. */
typedef struct
{
  guint64 index;
  guint hint; /* into the block map, for the start of index */
  P2vChunk *run;
  gboolean again;
} Task;

gboolean
p2v_is_zero (const void *data, gsize length)
{
  const guint8 *bytes = data;
  /* Comparing the data with itself, one byte further, runs at the speed of memcmp(). */
  return length == 0 || (bytes[0] == 0 && memcmp (bytes, bytes + 1, length - 1) == 0);
}

/* The section whose turn it is, of those that have something left; NULL when none has. With the
 * lock held. */
static P2vSection *
find_section (P2vReader *reader)
{
  for (guint i = 0; i < reader->n_sections; i++)
    {
      P2vSection *section = &reader->sections[(reader->turn + i) % reader->n_sections];
      if (section->next < section->end)
        return section;
    }
  return NULL;
}

/* With the lock held. */
static gboolean
is_ended (P2vReader *reader)
{
  gboolean more
      = find_section (reader) != NULL || reader->reading > 0 || !g_queue_is_empty (&reader->again);
  return g_queue_is_empty (&reader->chunks)
         && (!more || (reader->failure != NULL && reader->reading == 0));
}

/* Makes the descriptor readable when there is something to tell, and not otherwise; with the lock
 * held. */
static void
update_ready (P2vReader *reader)
{
  eventfd_t count;
  if (!g_queue_is_empty (&reader->chunks) || is_ended (reader))
    {
      if (eventfd_write (reader->ready, 1) < 0)
        g_error ("eventfd: %m");
    }
  else
    eventfd_read (reader->ready, &count);
}

P2vChunk *
p2v_reader_next (P2vReader *reader, gboolean *ended)
{
  g_mutex_lock (&reader->lock);
  P2vChunk *chunk = g_queue_pop_head (&reader->chunks);
  *ended = chunk == NULL && is_ended (reader);
  if (chunk != NULL && g_queue_is_empty (&reader->chunks))
    update_ready (reader);
  g_mutex_unlock (&reader->lock);
  return chunk;
}

gboolean
p2v_reader_is_ended (P2vReader *reader)
{
  g_mutex_lock (&reader->lock);
  gboolean ended = is_ended (reader);
  g_mutex_unlock (&reader->lock);
  return ended;
}

void
p2v_reader_again (P2vReader *reader, guint64 first, guint64 count)
{
  Stretch stretch = { first, count };
  g_mutex_lock (&reader->lock);
  g_queue_push_tail (&reader->again, g_memdup2 (&stretch, sizeof stretch));
  g_cond_broadcast (&reader->changed);
  update_ready (reader);
  g_mutex_unlock (&reader->lock);
}

int
p2v_reader_get_fd (P2vReader *reader)
{
  return reader->ready;
}

void
p2v_reader_release (P2vReader *reader, P2vChunk *chunk)
{
  if (chunk->data != NULL)
    p2v_buffer_share_give (&reader->share, chunk->data);
  g_clear_pointer (&chunk->bad, g_array_unref);
  g_free (chunk);
}

void
p2v_reader_stop (P2vReader *reader)
{
  g_mutex_lock (&reader->lock);
  atomic_store (&reader->stopped, TRUE);
  g_cond_broadcast (&reader->changed);
  g_mutex_unlock (&reader->lock);
}

void
p2v_reader_get_counts (P2vReader *reader, gint64 *skipped, gint64 *zero)
{
  *skipped = atomic_load (&reader->skipped);
  *zero = atomic_load (&reader->zero);
}

static P2vChunk *
new_chunk (guint64 first, guint64 count, P2vChunkState state)
{
  P2vChunk *chunk = g_new0 (P2vChunk, 1);
  chunk->first = first;
  chunk->count = count;
  chunk->state = state;
  return chunk;
}

/* A free buffer, NULL when stopped while waiting for one. */
static guint8 *
take_buffer (P2vReader *reader)
{
  guint8 *buffer = NULL;
  while (buffer == NULL && !atomic_load (&reader->stopped))
    buffer = p2v_buffer_share_take (&reader->share, STOP_POLL);
  return buffer;
}

/* A chunk that is being read. */
typedef struct
{
  guint8 *buffer;
  gint64 start, end; /* bytes from the start of the disk */
  guint hint;        /* into the map, for start */
  GArray *bad;       /* as in P2vChunk */
} Reading;

/* Adds what cannot be read, as far as it is data: a file system that says of a bad sector that it
 * is free loses nothing. */
static void
add_bad (Reading *self, const GArray *bad, gint64 from, gint64 to)
{
  for (guint i = 0; i < bad->len; i++)
    {
      P2vBadPart part = g_array_index (bad, P2vBadPart, i);
      gint64 end = MIN (part.offset + part.length, to);
      part.offset = MAX (part.offset, from);
      part.length = end - part.offset;
      if (part.length <= 0)
        continue;
      if (self->bad == NULL)
        self->bad = g_array_new (FALSE, FALSE, sizeof (P2vBadPart));
      g_array_append_val (self->bad, part);
    }
}

/* Reads what can be read of the data in [from, to), which has failed as a whole. */
static gboolean
rescue (P2vReader *reader, Reading *self, gint64 from, gint64 to, GError **error)
{
  P2vSource *source = reader->source;
  gint64 sector = (gint64)source->sector_size;
  g_autoptr (GArray) bad = g_array_new (FALSE, FALSE, sizeof (P2vBadPart));
  guint hint = self->hint;
  for (gint64 at = from; at < to;)
    {
      P2vExtent extent = p2v_block_map_at (source->map, at, &hint);
      gint64 end = MIN (at + extent.length, to);
      gint64 first = at - at % sector;
      gint64 last = MIN ((end + sector - 1) / sector * sector, to);
      g_array_set_size (bad, 0);
      if (extent.kind == P2V_EXTENT_DATA
          && !p2v_source_rescue (source, &reader->stopped, self->buffer + (first - self->start),
                                 (gsize)(last - first), first, bad, error))
        return FALSE;
      add_bad (self, bad, at, end);
      at = end;
    }
  return TRUE;
}

static gboolean
read_stretch (P2vReader *reader, Reading *self, gint64 from, gint64 to, GError **error)
{
  P2vSource *source = reader->source;
  int result = p2v_source_try (source, FALSE, self->buffer + (from - self->start),
                               (gsize)(to - from), from);
  if (result == P2V_SOURCE_OK)
    return TRUE;
  if (source->stop_on_error || !p2v_source_is_local (result))
    return p2v_source_fail (source, from, result, error);
  return rescue (reader, self, from, to, error);
}

/* Reads the data of one chunk in as few requests as possible. */
static gboolean
read_data (P2vReader *reader, Reading *self, GError **error)
{
  guint hint = self->hint;
  gint64 from = -1; /* what has to be read next: [from, to) */
  gint64 to = -1;
  for (gint64 at = self->start; at < self->end;)
    {
      P2vExtent extent = p2v_block_map_at (reader->source->map, at, &hint);
      gint64 part_end = MIN (at + extent.length, self->end);
      if (extent.kind == P2V_EXTENT_DATA)
        {
          if (from >= 0 && at - to > READ_THROUGH)
            {
              if (!read_stretch (reader, self, from, to, error))
                return FALSE;
              from = -1;
            }
          /* Whole sectors: a chunk begins with one, and ends with one or with the disk. */
          from = from < 0 ? at - at % P2V_SOURCE_ALIGNMENT : from;
          to = part_end + P2V_SOURCE_ALIGNMENT - 1;
          to = MIN (to - to % P2V_SOURCE_ALIGNMENT, self->end);
        }
      at = part_end;
    }
  return from < 0 || read_stretch (reader, self, from, to, error);
}

/* Clears what is not data, whatever was read there. Returns how many bytes that are. */
static gint64
clear_rest (P2vReader *reader, const Reading *self)
{
  gint64 cleared = 0;
  guint hint = self->hint;
  for (gint64 at = self->start; at < self->end;)
    {
      P2vExtent extent = p2v_block_map_at (reader->source->map, at, &hint);
      gint64 part = MIN (extent.length, self->end - at);
      if (extent.kind != P2V_EXTENT_DATA)
        {
          memset (self->buffer + (at - self->start), 0, (gsize)part);
          cleared += part;
        }
      at += part;
    }
  return cleared;
}

/* TRUE when the server has all of a run as it is now. */
static gboolean
has_landed (const P2vReader *reader, const P2vChunk *chunk)
{
  P2vChunkHash hash;
  if (reader->task.landed == NULL)
    return FALSE;
  for (guint64 i = chunk->first; i < chunk->first + chunk->count; i++)
    {
      P2vChunkState state = p2v_chunk_table_get (reader->task.landed, i, &hash);
      gboolean both_zero = (state == P2V_CHUNK_ZERO || state == P2V_CHUNK_SKIPPED)
                           && chunk->state != P2V_CHUNK_DATA;
      if (!both_zero && (state != chunk->state || memcmp (&hash, &chunk->hash, sizeof hash) != 0))
        return FALSE;
    }
  return TRUE;
}

/* Hands a chunk to the lanes: what a task has come to. */
static void
push (P2vReader *reader, P2vChunk *chunk, gboolean again)
{
  chunk->again = again;
  chunk->landed = !again && has_landed (reader, chunk);
  g_mutex_lock (&reader->lock);
  g_queue_push_tail (&reader->chunks, chunk);
  reader->reading--;
  update_ready (reader);
  g_mutex_unlock (&reader->lock);
}

static gboolean
read_chunk (P2vReader *reader, const Task *task, GError **error)
{
  guint64 index = task->index;
  gsize length = p2v_chunk_length (reader->source->size, index);
  Reading self = { .start = (gint64)(index * P2V_CHUNK_SIZE), .hint = task->hint };
  self.end = self.start + (gint64)length;
  self.buffer = take_buffer (reader);
  if (self.buffer == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
  if (!read_data (reader, &self, error))
    {
      p2v_buffer_share_give (&reader->share, self.buffer);
      g_clear_pointer (&self.bad, g_array_unref);
      return FALSE;
    }
  gint64 cleared = clear_rest (reader, &self);
  gboolean zero = p2v_is_zero (self.buffer, length);
  P2vChunk *chunk = new_chunk (index, 1, zero ? P2V_CHUNK_ZERO : P2V_CHUNK_DATA);
  chunk->bad = self.bad;
  if (zero)
    p2v_buffer_share_give (&reader->share, self.buffer);
  else
    {
      chunk->data = self.buffer;
      chunk->length = length;
      p2v_chunk_hash (self.buffer, length, &chunk->hash);
    }
  if (zero && !task->again)
    {
      atomic_fetch_add (&reader->skipped, cleared);
      atomic_fetch_add (&reader->zero, (gint64)length - cleared);
    }
  push (reader, chunk, task->again);
  return TRUE;
}

/* Looks how the chunk at index has to be treated; hint is for its start and stays there. */
static P2vChunkState
chunk_state (P2vReader *reader, guint64 index, guint hint)
{
  gint64 start = (gint64)(index * P2V_CHUNK_SIZE);
  gint64 end = start + (gint64)p2v_chunk_length (reader->source->size, index);
  P2vChunkState state = P2V_CHUNK_ZERO;
  for (gint64 at = start; at < end;)
    {
      P2vExtent extent = p2v_block_map_at (reader->source->map, at, &hint);
      if (extent.kind == P2V_EXTENT_DATA)
        return P2V_CHUNK_DATA;
      if (extent.kind == P2V_EXTENT_FREE)
        state = P2V_CHUNK_SKIPPED;
      at += extent.length;
    }
  return state;
}

/* How many chunks from index on, which is in this state, are in it too by the extent at its end
 * alone. */
static guint64
run_length (P2vReader *reader, guint64 index, guint hint, P2vChunkState state)
{
  guint64 total = p2v_chunk_count (reader->source->size);
  gint64 last = (gint64)(index * P2V_CHUNK_SIZE)
                + (gint64)p2v_chunk_length (reader->source->size, index) - 1;
  P2vExtent extent = p2v_block_map_at (reader->source->map, last, &hint);
  P2vChunkState at_end = extent.kind == P2V_EXTENT_FREE ? P2V_CHUNK_SKIPPED : P2V_CHUNK_ZERO;
  gint64 end = last + extent.length;
  if (at_end != state)
    return 1;
  return end == reader->source->size ? total - index
                                     : MAX ((guint64)end / P2V_CHUNK_SIZE - index, 1);
}

/* Looks what begins at index: a run of chunks in one state, at most limit of them, or a chunk to be
 * read. Returns how many chunks that are. */
static guint64
plan_task (P2vReader *reader, Task *task, guint64 limit)
{
  P2vChunkState state = chunk_state (reader, task->index, task->hint);
  if (state == P2V_CHUNK_DATA)
    return 1;
  guint64 count = MIN (run_length (reader, task->index, task->hint, state), limit);
  task->run = new_chunk (task->index, count, state);
  return count;
}

/* With the lock held: the first part of what has to be read again. */
static void
take_again (P2vReader *reader, Task *task)
{
  Stretch *stretch = g_queue_peek_head (&reader->again);
  task->again = TRUE;
  task->index = stretch->first;
  p2v_block_map_at (reader->source->map, (gint64)(task->index * P2V_CHUNK_SIZE), &task->hint);
  guint64 count = plan_task (reader, task, stretch->count);
  stretch->first += count;
  stretch->count -= count;
  if (stretch->count == 0)
    g_free (g_queue_pop_head (&reader->again));
}

/* With the lock held: what comes next in a section. */
static void
take_in_order (P2vReader *reader, P2vSection *section, Task *task)
{
  task->index = section->next;
  p2v_block_map_at (reader->source->map, (gint64)(task->index * P2V_CHUNK_SIZE), &section->hint);
  task->hint = section->hint;
  section->next += plan_task (reader, task, section->end - section->next);
  reader->turn = (guint)(section - reader->sections + 1) % reader->n_sections;
}

/* Takes what is to be read next, waiting for it. FALSE when reading has failed or was stopped. */
static gboolean
take_task (P2vReader *reader, Task *task)
{
  P2vSection *section = NULL;
  *task = (Task){ 0 };
  g_mutex_lock (&reader->lock);
  while (reader->failure == NULL && !atomic_load (&reader->stopped)
         && g_queue_is_empty (&reader->again) && (section = find_section (reader)) == NULL)
    g_cond_wait (&reader->changed, &reader->lock);
  gboolean taken = reader->failure == NULL && !atomic_load (&reader->stopped);
  if (taken)
    {
      reader->reading++;
      if (!g_queue_is_empty (&reader->again))
        take_again (reader, task);
      else
        take_in_order (reader, section, task);
    }
  g_mutex_unlock (&reader->lock);
  return taken;
}

static void
push_run (P2vReader *reader, const Task *task)
{
  P2vChunk *run = task->run;
  guint64 end = MIN ((run->first + run->count) * P2V_CHUNK_SIZE, (guint64)reader->source->size);
  if (!task->again)
    atomic_fetch_add (&reader->skipped, (gint64)(end - run->first * P2V_CHUNK_SIZE));
  push (reader, run, task->again);
}

/* The first failure ends all reading. */
static void
fail (P2vReader *reader, GError *failure)
{
  g_mutex_lock (&reader->lock);
  if (reader->failure == NULL)
    reader->failure = failure;
  else
    g_error_free (failure);
  reader->reading--;
  g_cond_broadcast (&reader->changed);
  update_ready (reader);
  g_mutex_unlock (&reader->lock);
}

static gpointer
run_thread (gpointer data)
{
  P2vReader *reader = data;
  Task task;
  while (take_task (reader, &task))
    {
      GError *failure = NULL;
      if (task.run != NULL)
        push_run (reader, &task);
      else if (!read_chunk (reader, &task, &failure))
        fail (reader, failure);
    }
  return NULL;
}

P2vReader *
p2v_reader_new (P2vSource *source, P2vBufferPool *pool, const P2vReaderTask *task)
{
  P2vReader *reader = g_new0 (P2vReader, 1);
  reader->source = source;
  if (task != NULL)
    reader->task = *task;
  g_mutex_init (&reader->lock);
  g_cond_init (&reader->changed);
  g_queue_init (&reader->chunks);
  g_queue_init (&reader->again);
  p2v_buffer_share_join (&reader->share, pool);
  reader->ready = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (reader->ready < 0)
    g_error ("eventfd: %m");
  reader->n_threads = source->rotational ? STREAMS_ROTATIONAL : STREAMS_SOLID;
  if (!reader->task.only_again)
    reader->n_sections = p2v_sections_make (source, reader->sections, reader->n_threads);
  update_ready (reader);
  for (guint i = 0; i < reader->n_threads; i++)
    reader->threads[i] = g_thread_new ("reader", run_thread, reader);
  return reader;
}

gboolean
p2v_reader_check (P2vReader *reader, GError **error)
{
  g_mutex_lock (&reader->lock);
  if (reader->failure != NULL)
    g_propagate_error (error, g_error_copy (reader->failure));
  else if (!is_ended (reader) && atomic_load (&reader->stopped))
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
  gboolean ok = reader->failure == NULL && (is_ended (reader) || !atomic_load (&reader->stopped));
  g_mutex_unlock (&reader->lock);
  return ok;
}

void
p2v_reader_free (P2vReader *reader)
{
  if (reader == NULL)
    return;
  P2vChunk *chunk;
  p2v_reader_stop (reader);
  for (guint i = 0; i < reader->n_threads; i++)
    g_thread_join (reader->threads[i]);
  while ((chunk = g_queue_pop_head (&reader->chunks)) != NULL)
    p2v_reader_release (reader, chunk);
  g_queue_clear_full (&reader->again, g_free);
  p2v_buffer_share_leave (&reader->share);
  close (reader->ready);
  g_clear_error (&reader->failure);
  g_cond_clear (&reader->changed);
  g_mutex_clear (&reader->lock);
  g_free (reader);
}
