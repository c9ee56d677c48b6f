/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/manifest.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC "P2VMANI1"
#define HEADER_SIZE 64
#define RECORD_SIZE 32
#define RECORDS_AT_ONCE 1024
#define CHECKSUM_SIZE 8

/* Offsets within the header: magic, chunk size (32 bits), 4 reserved, disk size (64), reserved,
 * checksum in the last 8 bytes. Within a record: chunk index (64 bits, low 56 used), its state in
 * the top byte, the hash, the checksum. A record of zeroes is a chunk never recorded. */
#define HEADER_CHUNK_SIZE 8
#define HEADER_DISK_SIZE 16
#define RECORD_HASH 8
#define RECORD_STATE_SHIFT 56

struct _P2vManifest
{
  char *path;
  int fd;
  gint64 size;
  guint64 count;    /* of chunks */
  guint8 *map;      /* the file as it is, read only; pwrite() and the map share the page cache */
  gsize map_length; /* bytes */
};

static const char *const state_names[] = {
  [P2V_CHUNK_UNKNOWN] = "unknown",
  [P2V_CHUNK_SKIPPED] = "skipped",
  [P2V_CHUNK_ZERO] = "zero",
  [P2V_CHUNK_DATA] = "data",
};

const char *
p2v_chunk_state_name (P2vChunkState state)
{
  return state_names[state];
}

gboolean
p2v_chunk_state_from_name (const char *name, P2vChunkState *state)
{
  for (guint i = 0; i < G_N_ELEMENTS (state_names); i++)
    if (g_strcmp0 (name, state_names[i]) == 0)
      {
        *state = (P2vChunkState)i;
        return TRUE;
      }
  return FALSE;
}

char *
p2v_chunk_hash_to_hex (const P2vChunkHash *hash)
{
  GString *hex = g_string_new (NULL);
  for (gsize i = 0; i < sizeof hash->bytes; i++)
    g_string_append_printf (hex, "%02x", hash->bytes[i]);
  return g_string_free (hex, FALSE);
}

gboolean
p2v_chunk_hash_from_hex (const char *text, P2vChunkHash *hash)
{
  if (text == NULL || strlen (text) != 2 * sizeof hash->bytes)
    return FALSE;
  for (gsize i = 0; i < sizeof hash->bytes; i++)
    {
      int high = g_ascii_xdigit_value (text[2 * i]);
      int low = g_ascii_xdigit_value (text[2 * i + 1]);
      if (high < 0 || low < 0)
        return FALSE;
      hash->bytes[i] = (guint8)(high << 4 | low);
    }
  return TRUE;
}

guint64
p2v_chunk_count (gint64 size)
{
  return ((guint64)size + P2V_CHUNK_SIZE - 1) / P2V_CHUNK_SIZE;
}

gsize
p2v_chunk_length (gint64 size, guint64 index)
{
  guint64 start = index * P2V_CHUNK_SIZE;
  return (gsize)MIN ((guint64)size - start, P2V_CHUNK_SIZE);
}

void
p2v_chunk_hash (const void *data, gsize length, P2vChunkHash *hash)
{
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash (&canonical, XXH3_128bits (data, length));
  G_STATIC_ASSERT (sizeof canonical.digest == sizeof hash->bytes);
  memcpy (hash->bytes, canonical.digest, sizeof hash->bytes);
}

static void
put_le64 (guint8 *at, guint64 value)
{
  value = GUINT64_TO_LE (value);
  memcpy (at, &value, sizeof value);
}

static guint64
get_le64 (const guint8 *at)
{
  guint64 value;
  memcpy (&value, at, sizeof value);
  return GUINT64_FROM_LE (value);
}

static void
seal (guint8 *block, gsize size)
{
  put_le64 (block + size - CHECKSUM_SIZE, XXH3_64bits (block, size - CHECKSUM_SIZE));
}

static gboolean
is_sealed (const guint8 *block, gsize size)
{
  return get_le64 (block + size - CHECKSUM_SIZE) == XXH3_64bits (block, size - CHECKSUM_SIZE);
}

static gboolean
set_errno (GError **error, const P2vManifest *manifest, const char *verb)
{
  int saved = errno;
  /* A quota that is used up is no space left, which GLib does not know. */
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved == EDQUOT ? ENOSPC : saved),
               "cannot %s manifest %s: %s", verb, manifest->path, g_strerror (saved));
  return FALSE;
}

static gboolean
write_all (P2vManifest *manifest, const guint8 *data, gsize length, off_t offset, GError **error)
{
  while (length > 0)
    {
      ssize_t written = pwrite (manifest->fd, data, length, offset);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return set_errno (error, manifest, "write");
      data += written;
      offset += written;
      length -= (gsize)written;
    }
  return TRUE;
}

static P2vManifest *
manifest_new (const char *path)
{
  P2vManifest *manifest = g_new0 (P2vManifest, 1);
  manifest->path = g_strdup (path);
  manifest->fd = -1;
  return manifest;
}

void
p2v_manifest_free (P2vManifest *manifest)
{
  if (manifest == NULL)
    return;
  if (manifest->map != NULL)
    munmap (manifest->map, manifest->map_length);
  if (manifest->fd >= 0)
    close (manifest->fd);
  g_free (manifest->path);
  g_free (manifest);
}

/* Maps the file's current length: the manifest of a petabyte is large, and mostly never touched. */
static gboolean
map_file (P2vManifest *manifest, GError **error)
{
  struct stat st;
  if (fstat (manifest->fd, &st) < 0)
    return set_errno (error, manifest, "read");
  if (st.st_size == 0)
    return TRUE;
  void *map = mmap (NULL, (gsize)st.st_size, PROT_READ, MAP_SHARED, manifest->fd, 0);
  if (map == MAP_FAILED)
    return set_errno (error, manifest, "map");
  manifest->map = map;
  manifest->map_length = (gsize)st.st_size;
  return TRUE;
}

static gboolean
set_length (P2vManifest *manifest, GError **error)
{
  off_t length = (off_t)(HEADER_SIZE + manifest->count * RECORD_SIZE);
  if (ftruncate (manifest->fd, length) < 0)
    return set_errno (error, manifest, "allocate");
  /* So that a full disk is met here, and not while chunks are recorded. */
  int failure = posix_fallocate (manifest->fd, 0, length);
  if (failure != 0 && failure != EOPNOTSUPP && failure != EINVAL)
    {
      errno = failure;
      return set_errno (error, manifest, "allocate");
    }
  return TRUE;
}

/* Opens the file for writing and gives it its length and header; records that are there stay.
 * flags: of open(2) besides. */
static P2vManifest *
open_for_size (const char *path, gint64 size, int flags, GError **error)
{
  g_autoptr (P2vManifest) manifest = manifest_new (path);
  guint8 header[HEADER_SIZE] = MAGIC;
  put_le64 (header + HEADER_CHUNK_SIZE, P2V_CHUNK_SIZE);
  put_le64 (header + HEADER_DISK_SIZE, (guint64)size);
  seal (header, sizeof header);

  manifest->size = size;
  manifest->count = p2v_chunk_count (size);
  manifest->fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
  if (manifest->fd < 0)
    {
      set_errno (error, manifest, "create");
      return NULL;
    }
  if (!set_length (manifest, error) || !write_all (manifest, header, sizeof header, 0, error)
      || !p2v_manifest_sync (manifest, error) || !map_file (manifest, error))
    return NULL;
  return g_steal_pointer (&manifest);
}

P2vManifest *
p2v_manifest_create (const char *path, gint64 size, GError **error)
{
  g_return_val_if_fail (size > 0, NULL);
  return open_for_size (path, size, O_EXCL, error);
}

P2vManifest *
p2v_manifest_take_up (const char *path, gint64 size, GError **error)
{
  g_return_val_if_fail (size > 0, NULL);
  return open_for_size (path, size, 0, error);
}

static gboolean
read_header (P2vManifest *manifest, GError **error)
{
  const guint8 *header = manifest->map;
  if (manifest->map_length < HEADER_SIZE || memcmp (header, MAGIC, strlen (MAGIC)) != 0
      || !is_sealed (header, HEADER_SIZE) || get_le64 (header + HEADER_CHUNK_SIZE) != P2V_CHUNK_SIZE
      || get_le64 (header + HEADER_DISK_SIZE) == 0
      || get_le64 (header + HEADER_DISK_SIZE) > (G_GUINT64_CONSTANT (1) << RECORD_STATE_SHIFT))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "%s is not a manifest, or is damaged",
                   manifest->path);
      return FALSE;
    }
  manifest->size = (gint64)get_le64 (header + HEADER_DISK_SIZE);
  manifest->count = p2v_chunk_count (manifest->size);
  return TRUE;
}

P2vManifest *
p2v_manifest_open (const char *path, gboolean writable, GError **error)
{
  g_autoptr (P2vManifest) manifest = manifest_new (path);
  manifest->fd = open (path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (manifest->fd < 0)
    {
      set_errno (error, manifest, "open");
      return NULL;
    }
  if (!map_file (manifest, error) || !read_header (manifest, error))
    return NULL;
  /* A truncated file vouches for the records that it still holds; the rest are unknown again. */
  if (writable && manifest->map_length < HEADER_SIZE + manifest->count * RECORD_SIZE)
    {
      munmap (manifest->map, manifest->map_length);
      manifest->map = NULL;
      if (!set_length (manifest, error) || !map_file (manifest, error))
        return NULL;
    }
  return g_steal_pointer (&manifest);
}

gint64
p2v_manifest_size (P2vManifest *manifest)
{
  return manifest->size;
}

static gboolean
refuse_chunk (const P2vManifest *manifest, guint64 index, GError **error)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "chunk %" G_GUINT64_FORMAT " is not one of the disk's %" G_GUINT64_FORMAT
               ", or lacks its hash",
               index, manifest->count);
  return FALSE;
}

static void
fill_record (guint8 *record, guint64 index, P2vChunkState state, const P2vChunkHash *hash)
{
  memset (record, 0, RECORD_SIZE);
  put_le64 (record, index | ((guint64)state << RECORD_STATE_SHIFT));
  if (state == P2V_CHUNK_DATA)
    memcpy (record + RECORD_HASH, hash->bytes, sizeof hash->bytes);
  seal (record, RECORD_SIZE);
}

gboolean
p2v_manifest_record (P2vManifest *manifest, guint64 first, guint64 count, P2vChunkState state,
                     const P2vChunkHash *hash, GError **error)
{
  if (first >= manifest->count || count > manifest->count - first
      || (state == P2V_CHUNK_DATA && hash == NULL))
    return refuse_chunk (manifest, first, error);
  /* A disk that is mostly free has long runs. */
  guint8 records[RECORDS_AT_ONCE * RECORD_SIZE];
  while (count > 0)
    {
      guint64 here = MIN (count, RECORDS_AT_ONCE);
      for (guint64 i = 0; i < here; i++)
        fill_record (records + i * RECORD_SIZE, first + i, state, hash);
      if (!write_all (manifest, records, here * RECORD_SIZE,
                      (off_t)(HEADER_SIZE + first * RECORD_SIZE), error))
        return FALSE;
      first += here;
      count -= here;
    }
  return TRUE;
}

gboolean
p2v_manifest_forget (P2vManifest *manifest, guint64 index, GError **error)
{
  static const guint8 never_recorded[RECORD_SIZE] = { 0 };
  if (index >= manifest->count)
    return refuse_chunk (manifest, index, error);
  return write_all (manifest, never_recorded, RECORD_SIZE,
                    (off_t)(HEADER_SIZE + index * RECORD_SIZE), error);
}

gboolean
p2v_manifest_sync (P2vManifest *manifest, GError **error)
{
  if (fdatasync (manifest->fd) < 0)
    return set_errno (error, manifest, "flush");
  return TRUE;
}

P2vChunkState
p2v_manifest_get (P2vManifest *manifest, guint64 index, P2vChunkHash *hash)
{
  g_return_val_if_fail (index < manifest->count, P2V_CHUNK_UNKNOWN);
  if (hash != NULL)
    memset (hash, 0, sizeof *hash);
  gsize offset = HEADER_SIZE + index * RECORD_SIZE;
  if (offset + RECORD_SIZE > manifest->map_length)
    return P2V_CHUNK_UNKNOWN;
  const guint8 *record = manifest->map + offset;
  guint64 word = get_le64 (record);
  guint64 state = word >> RECORD_STATE_SHIFT;
  if (!is_sealed (record, RECORD_SIZE) || state > P2V_CHUNK_DATA
      || (word & ((G_GUINT64_CONSTANT (1) << RECORD_STATE_SHIFT) - 1)) != index)
    return P2V_CHUNK_UNKNOWN;
  if (hash != NULL && state == P2V_CHUNK_DATA)
    memcpy (hash->bytes, record + RECORD_HASH, sizeof hash->bytes);
  return (P2vChunkState)state;
}

guint64
p2v_manifest_count (P2vManifest *manifest, P2vChunkState state)
{
  /* Of a file that was cut off only the records that are left are looked at. */
  guint64 left = manifest->map_length / RECORD_SIZE;
  guint64 seen = MIN (manifest->count, left), count = 0;
  for (guint64 i = 0; i < seen; i++)
    count += p2v_manifest_get (manifest, i, NULL) == state;
  return state == P2V_CHUNK_UNKNOWN ? count + manifest->count - seen : count;
}
