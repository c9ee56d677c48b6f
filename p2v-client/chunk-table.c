/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/chunk-table.h"

#include <string.h>

struct _P2vChunkTable
{
  gint64 size;
  guint64 count;
  guint8 *states; /* P2vChunkState of each chunk */
  P2vChunkHash *hashes;
  gint64 bytes[P2V_CHUNK_DATA + 1]; /* by state */
};

P2vChunkTable *
p2v_chunk_table_new (gint64 size)
{
  P2vChunkTable *table = g_new0 (P2vChunkTable, 1);
  table->size = size;
  table->count = p2v_chunk_count (size);
  table->states = g_new0 (guint8, table->count);
  table->hashes = g_new0 (P2vChunkHash, table->count);
  table->bytes[P2V_CHUNK_UNKNOWN] = size;
  return table;
}

void
p2v_chunk_table_free (P2vChunkTable *table)
{
  if (table == NULL)
    return;
  g_free (table->states);
  g_free (table->hashes);
  g_free (table);
}

guint64
p2v_chunk_table_count (const P2vChunkTable *table)
{
  return table->count;
}

void
p2v_chunk_table_set (P2vChunkTable *table, const P2vChunkRun *run)
{
  g_return_if_fail (run->first < table->count && run->count <= table->count - run->first);
  for (guint64 i = run->first; i < run->first + run->count; i++)
    {
      gint64 length = (gint64)p2v_chunk_length (table->size, i);
      table->bytes[table->states[i]] -= length;
      table->bytes[run->state] += length;
      table->states[i] = (guint8)run->state;
      table->hashes[i] = run->hash;
    }
}

void
p2v_chunk_table_forget (P2vChunkTable *table, guint64 first, guint64 count)
{
  P2vChunkRun run = { .first = first, .count = count, .state = P2V_CHUNK_UNKNOWN };
  p2v_chunk_table_set (table, &run);
}

P2vChunkState
p2v_chunk_table_get (const P2vChunkTable *table, guint64 index, P2vChunkHash *hash)
{
  g_return_val_if_fail (index < table->count, P2V_CHUNK_UNKNOWN);
  if (hash != NULL)
    *hash = table->hashes[index];
  return (P2vChunkState)table->states[index];
}

gint64
p2v_chunk_table_bytes (const P2vChunkTable *table, P2vChunkState state)
{
  return table->bytes[state];
}

GArray *
p2v_chunk_table_missing (const P2vChunkTable *table, const P2vChunkTable *other)
{
  GArray *runs = g_array_new (FALSE, TRUE, sizeof (P2vChunkRun));
  for (guint64 i = 0; i < table->count; i++)
    {
      P2vChunkState state = (P2vChunkState)table->states[i];
      if (state == P2V_CHUNK_UNKNOWN || other->states[i] != P2V_CHUNK_UNKNOWN)
        continue;
      P2vChunkRun *last = runs->len > 0 ? &g_array_index (runs, P2vChunkRun, runs->len - 1) : NULL;
      P2vChunkRun run = { .first = i, .count = 1, .state = state, .hash = table->hashes[i] };
      if (last != NULL && last->state == state && state != P2V_CHUNK_DATA
          && last->first + last->count == i)
        last->count++;
      else
        g_array_append_val (runs, run);
    }
  return runs;
}
