/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/reader.h"

#include "common/error.h"

#include <stdatomic.h>
#include <string.h>

/* How often a reader that waits for a free buffer looks whether it was stopped, microseconds. */
#define STOP_POLL (200 * 1000)

struct _P2vReader
{
  P2vSource *source;
  GAsyncQueue *free;   /* of buffers of P2V_CHUNK_SIZE bytes */
  GAsyncQueue *chunks; /* of P2vChunk, and the end mark */
  P2vChunk end;        /* the end mark */
  P2vChunk *zeroes;    /* a run of zero chunks that may still grow */
  guint hint;          /* into the block map */
  atomic_bool stopped;
  atomic_llong skipped, zero;
};

gboolean
p2v_is_zero (const void *data, gsize length)
{
  const guint8 *bytes = data;
  /* Comparing the data with itself, one byte further, runs at the speed of memcmp(). */
  return length == 0 || (bytes[0] == 0 && memcmp (bytes, bytes + 1, length - 1) == 0);
}

P2vReader *
p2v_reader_new (P2vSource *source)
{
  P2vReader *reader = g_new0 (P2vReader, 1);
  reader->source = source;
  reader->free = g_async_queue_new_full (g_free);
  reader->chunks = g_async_queue_new ();
  for (int i = 0; i < P2V_READER_BUFFERS; i++)
    g_async_queue_push (reader->free, g_malloc (P2V_CHUNK_SIZE));
  return reader;
}

void
p2v_reader_release (P2vReader *reader, P2vChunk *chunk)
{
  if (chunk->data != NULL)
    g_async_queue_push (reader->free, chunk->data);
  g_free (chunk);
}

void
p2v_reader_free (P2vReader *reader)
{
  if (reader == NULL)
    return;
  P2vChunk *chunk;
  while ((chunk = g_async_queue_try_pop (reader->chunks)) != NULL)
    if (chunk != &reader->end)
      p2v_reader_release (reader, chunk);
  g_free (reader->zeroes);
  g_async_queue_unref (reader->chunks);
  g_async_queue_unref (reader->free);
  g_free (reader);
}

void
p2v_reader_stop (P2vReader *reader)
{
  atomic_store (&reader->stopped, TRUE);
}

void
p2v_reader_get_counts (P2vReader *reader, gint64 *skipped, gint64 *zero)
{
  *skipped = atomic_load (&reader->skipped);
  *zero = atomic_load (&reader->zero);
}

P2vChunk *
p2v_reader_next (P2vReader *reader, guint64 timeout, gboolean *ended)
{
  P2vChunk *chunk = g_async_queue_timeout_pop (reader->chunks, timeout);
  *ended = chunk == &reader->end;
  return *ended ? NULL : chunk;
}

static void
push_zeroes (P2vReader *reader)
{
  if (reader->zeroes != NULL)
    g_async_queue_push (reader->chunks, g_steal_pointer (&reader->zeroes));
}

static void
add_zero_chunks (P2vReader *reader, guint64 first, guint64 count)
{
  if (reader->zeroes == NULL)
    {
      reader->zeroes = g_new0 (P2vChunk, 1);
      reader->zeroes->first = first;
      reader->zeroes->state = P2V_CHUNK_ZERO;
    }
  reader->zeroes->count += count;
}

/* A free buffer, NULL when stopped while waiting for one. */
static guint8 *
take_buffer (P2vReader *reader)
{
  guint8 *buffer = NULL;
  while (buffer == NULL && !atomic_load (&reader->stopped))
    buffer = g_async_queue_timeout_pop (reader->free, STOP_POLL);
  return buffer;
}

/* Fills buffer with one chunk: data extents are read, holes are zeroes. Returns in *holes the bytes
 * that were holes. */
static gboolean
fill (P2vReader *reader, guint8 *buffer, gint64 start, gsize length, gint64 *holes, GError **error)
{
  *holes = 0;
  for (gint64 at = start, end = start + (gint64)length; at < end;)
    {
      P2vExtent extent = p2v_block_map_at (reader->source->map, at, &reader->hint);
      gint64 part = MIN (extent.length, end - at);
      guint8 *target = buffer + (at - start);
      if (extent.kind == P2V_EXTENT_HOLE)
        {
          memset (target, 0, (gsize)part);
          *holes += part;
        }
      else if (!p2v_source_read (reader->source, target, (gsize)part, at, error))
        return FALSE;
      at += part;
    }
  return TRUE;
}

static gboolean
read_chunk (P2vReader *reader, guint64 index, GError **error)
{
  gint64 start = (gint64)(index * P2V_CHUNK_SIZE);
  gsize length = p2v_chunk_length (reader->source->size, index);
  gint64 holes;
  guint8 *buffer = take_buffer (reader);
  if (buffer == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
  if (!fill (reader, buffer, start, length, &holes, error))
    {
      g_async_queue_push (reader->free, buffer);
      return FALSE;
    }
  if (p2v_is_zero (buffer, length))
    {
      g_async_queue_push (reader->free, buffer);
      atomic_fetch_add (&reader->skipped, holes);
      atomic_fetch_add (&reader->zero, (gint64)length - holes);
      add_zero_chunks (reader, index, 1);
      return TRUE;
    }
  push_zeroes (reader);
  P2vChunk *chunk = g_new0 (P2vChunk, 1);
  chunk->first = index;
  chunk->count = 1;
  chunk->state = P2V_CHUNK_DATA;
  chunk->data = buffer;
  chunk->length = length;
  p2v_chunk_hash (buffer, length, &chunk->hash);
  g_async_queue_push (reader->chunks, chunk);
  return TRUE;
}

/* How many whole chunks from index on lie in one hole. */
static guint64
hole_chunks (P2vReader *reader, guint64 index, guint64 total)
{
  gint64 start = (gint64)(index * P2V_CHUNK_SIZE);
  P2vExtent extent = p2v_block_map_at (reader->source->map, start, &reader->hint);
  if (extent.kind != P2V_EXTENT_HOLE)
    return 0;
  if (start + extent.length == reader->source->size)
    return total - index;
  return (guint64)extent.length / P2V_CHUNK_SIZE;
}

static gboolean
read_all (P2vReader *reader, GError **error)
{
  guint64 total = p2v_chunk_count (reader->source->size);
  for (guint64 index = 0; index < total;)
    {
      guint64 holes = hole_chunks (reader, index, total);
      if (holes > 0)
        {
          gint64 end
              = (gint64)MIN ((index + holes) * P2V_CHUNK_SIZE, (guint64)reader->source->size);
          atomic_fetch_add (&reader->skipped, end - (gint64)(index * P2V_CHUNK_SIZE));
          add_zero_chunks (reader, index, holes);
          index += holes;
        }
      else if (!read_chunk (reader, index++, error))
        return FALSE;
    }
  push_zeroes (reader);
  return TRUE;
}

gboolean
p2v_reader_run (P2vReader *reader, GError **error)
{
  gboolean ok = read_all (reader, error);
  g_async_queue_push (reader->chunks, &reader->end);
  return ok;
}
