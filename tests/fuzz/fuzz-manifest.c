/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A manifest's file after whatever happened to the disk that it is on. The first byte says which
 * checksums are made right, so that what lies behind them is reached. */
#include "common/manifest.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <xxhash.h>

#define HEADER 64
#define RECORD 32
#define CHUNKS 512

static void
seal (guint8 *block, gsize size)
{
  guint64 sum = GUINT64_TO_LE (XXH3_64bits (block, size - sizeof sum));
  memcpy (block + size - sizeof sum, &sum, sizeof sum);
}

/* How many chunks are looked at one by one: all, unless somebody claims a disk of petabytes. */
static guint64
look_at_all (P2vManifest *manifest)
{
  guint64 count = p2v_chunk_count (p2v_manifest_size (manifest));
  guint64 seen = MIN (count, CHUNKS);
  for (guint64 i = 0; i < seen; i++)
    {
      P2vChunkHash hash;
      P2vChunkState state = p2v_manifest_get (manifest, i, &hash);
      g_assert (state <= P2V_CHUNK_DATA && p2v_chunk_state_name (state) != NULL);
      gsize length = p2v_chunk_length (p2v_manifest_size (manifest), i);
      g_assert (length > 0 && length <= P2V_CHUNK_SIZE);
    }
  return seen;
}

static void
check_recording (P2vManifest *manifest)
{
  guint64 count = p2v_chunk_count (p2v_manifest_size (manifest));
  guint64 index = count - 1;
  P2vChunkHash hash = { { 1, 2, 3 } }, found;
  g_assert (!p2v_manifest_record (manifest, count, 1, P2V_CHUNK_ZERO, NULL, NULL));
  g_assert (p2v_manifest_record (manifest, index, 1, P2V_CHUNK_DATA, &hash, NULL));
  g_assert (p2v_manifest_get (manifest, index, &found) == P2V_CHUNK_DATA);
  g_assert (memcmp (&hash, &found, sizeof hash) == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 1)
    return 0;
  guint8 flags = data[0];
  gsize length = size - 1;
  g_autofree guint8 *bytes = g_memdup2 (data + 1, length);
  if ((flags & 1) != 0 && length >= HEADER)
    seal (bytes, HEADER);
  for (gsize at = HEADER; (flags & 2) != 0 && at + RECORD <= length; at += RECORD)
    seal (bytes + at, RECORD);
  const char *path = fuzz_file (bytes, length);

  g_autoptr (GError) error = NULL;
  g_autoptr (P2vManifest) manifest = p2v_manifest_open (path, FALSE, &error);
  g_assert ((manifest == NULL) == (error != NULL));
  if (manifest == NULL)
    return 0;
  guint64 seen = look_at_all (manifest), counted = 0;
  for (P2vChunkState state = P2V_CHUNK_UNKNOWN; state <= P2V_CHUNK_DATA; state++)
    counted += p2v_manifest_count (manifest, state);
  g_assert (counted == p2v_chunk_count (p2v_manifest_size (manifest)) && seen <= counted);
  /* Opened for writing, a manifest that was cut off gets all of its length: 16 GiB of the memory
   * that the file is in, where the disk has a petabyte. */
  if (counted > CHUNKS)
    return 0;
  g_autoptr (P2vManifest) writable = p2v_manifest_open (path, TRUE, NULL);
  if (writable != NULL)
    check_recording (writable);
  return 0;
}
