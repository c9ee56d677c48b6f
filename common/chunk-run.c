/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/chunk-run.h"

#include "common/error.h"
#include "common/protocol.h"

#include <string.h>

static int
compare_runs (gconstpointer a, gconstpointer b)
{
  guint64 first = ((const P2vChunkRun *)a)->first;
  guint64 second = ((const P2vChunkRun *)b)->first;
  return first < second ? -1 : first > second;
}

static gboolean
is_continued_by (const P2vChunkRun *run, const P2vChunkRun *next)
{
  return next->state == run->state && next->first == run->first + run->count
         && memcmp (&run->hash, &next->hash, sizeof run->hash) == 0
         && (run->state != P2V_CHUNK_DATA
             || memcmp (&run->hash, &(P2vChunkHash){ 0 }, sizeof run->hash) == 0);
}

void
p2v_chunk_runs_merge (GArray *runs)
{
  guint kept = 0;
  g_array_sort (runs, compare_runs);
  for (guint i = 1; i < runs->len; i++)
    {
      P2vChunkRun *last = &g_array_index (runs, P2vChunkRun, kept);
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, i);
      if (is_continued_by (last, run))
        last->count += run->count;
      else
        g_array_index (runs, P2vChunkRun, ++kept) = *run;
    }
  g_array_set_size (runs, MIN (runs->len, kept + 1));
}

JsonArray *
p2v_chunk_runs_to_json (const GArray *runs, gboolean hashes)
{
  JsonArray *array = json_array_sized_new (runs->len);
  for (guint i = 0; i < runs->len; i++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, i);
      JsonObject *object = json_object_new ();
      json_object_set_int_member (object, "first", (gint64)run->first);
      json_object_set_int_member (object, "count", (gint64)run->count);
      json_object_set_string_member (object, "state", p2v_chunk_state_name (run->state));
      if (run->state == P2V_CHUNK_DATA && hashes)
        {
          g_autofree char *hex = p2v_chunk_hash_to_hex (&run->hash);
          json_object_set_string_member (object, "hash", hex);
        }
      json_array_add_object_element (array, object);
    }
  return array;
}

static gboolean
read_run (JsonNode *node, guint64 total, gboolean hashes, P2vChunkRun *run, GError **error)
{
  gint64 first, count;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "a run of chunks is no object");
      return FALSE;
    }
  JsonObject *object = json_node_get_object (node);
  json_object_set_string_member (object, "type", P2V_MESSAGE_CHUNKS); /* for messages of errors */
  if (!p2v_message_get_int (object, "first", 0, (gint64)total - 1, &first, error)
      || !p2v_message_get_int (object, "count", 1, (gint64)total - first, &count, error))
    return FALSE;
  gboolean known
      = p2v_chunk_state_from_name (p2v_message_get_string (object, "state"), &run->state);
  gboolean hashed = p2v_chunk_hash_from_hex (p2v_message_get_string (object, "hash"), &run->hash);
  if (!known || run->state == P2V_CHUNK_UNKNOWN
      || (run->state == P2V_CHUNK_DATA && hashes && (!hashed || count != 1)))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "a run of chunks has no such state, or data without its hash");
      return FALSE;
    }
  if (!hashed || run->state != P2V_CHUNK_DATA)
    memset (&run->hash, 0, sizeof run->hash);
  run->first = (guint64)first;
  run->count = (guint64)count;
  return TRUE;
}

GArray *
p2v_chunk_runs_from_message (JsonObject *message, guint64 total, gboolean hashes, GError **error)
{
  JsonNode *node = json_object_get_member (message, "chunks");
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "\"%s\" lacks its chunks",
                   p2v_message_type (message));
      return NULL;
    }
  JsonArray *array = json_node_get_array (node);
  g_autoptr (GArray) runs = g_array_new (FALSE, TRUE, sizeof (P2vChunkRun));
  g_array_set_size (runs, json_array_get_length (array));
  for (guint i = 0; i < runs->len; i++)
    if (!read_run (json_array_get_element (array, i), total, hashes,
                   &g_array_index (runs, P2vChunkRun, i), error))
      return NULL;
  return g_steal_pointer (&runs);
}
