/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made of a disk that fails here and there. The faults are in the place of pread(2): bad
 * sectors, accidents that pass, a disk that is gone. */
#include "p2v-client/reader.h"

#include "common/error.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512
#define MIB (1024 * 1024)
#define SIZE (10 * MIB + 1000) /* ends within a sector */
#define N_SECTORS (SIZE / SECTOR + 1)

/* The faults; the readers' threads see them. */
static gboolean bad_sectors[N_SECTORS];
static gint fails_until;  /* reads that fail wherever they are, then pass */
static gint gone_after;   /* reads after which there is no disk any more; -1: never */
static gint reads_failed; /* counted */
static int fault;         /* errno */
static unsigned slow;     /* microseconds that a failing read takes */

typedef struct
{
  char *dir, *file;
  guint8 *expected;
  P2vSource *source;
} Fixture;

static gboolean
is_hit (off_t offset, size_t length)
{
  if (g_atomic_int_add (&fails_until, -1) > 0)
    return TRUE;
  for (off_t at = offset / SECTOR; at * SECTOR < offset + (off_t)length && at < N_SECTORS; at++)
    if (bad_sectors[at])
      return TRUE;
  return FALSE;
}

static ssize_t
faulty_read (int fd, void *buffer, size_t length, off_t offset)
{
  int after = g_atomic_int_get (&gone_after);
  gboolean gone = after == 0;
  if (after > 0)
    g_atomic_int_add (&gone_after, -1);
  if (!gone && !is_hit (offset, length))
    return pread (fd, buffer, length, offset);
  g_atomic_int_inc (&reads_failed);
  if (slow > 0)
    g_usleep (slow);
  /* What a failing read leaves in memory is anybody's guess. */
  memset (buffer, 0xEE, length);
  errno = fault;
  return -1;
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("p2v-errors-XXXXXX", NULL);
  f->file = g_build_filename (f->dir, "disk", NULL);
  f->expected = g_malloc (SIZE);
  for (gint64 i = 0; i < SIZE; i++)
    f->expected[i] = (guint8)(1 + (i % 251 + i / 4096) % 255);
  g_assert_true (g_file_set_contents (f->file, (char *)f->expected, SIZE, NULL));
  P2vDisk disk = { .name = (char *)"sda", .path = f->file, .size = SIZE };
  f->source = p2v_source_open (&disk, &error);
  g_assert_no_error (error);
  f->source->read = faulty_read;
  memset (bad_sectors, 0, sizeof bad_sectors);
  fails_until = reads_failed = 0;
  gone_after = -1;
  fault = EIO;
  slow = 0;
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  p2v_source_free (f->source);
  g_unlink (f->file);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->expected);
  g_free (f->file);
  g_free (f->dir);
}

static void
break_sectors (Fixture *f, gint64 first, gint64 count)
{
  for (gint64 i = first; i < first + count; i++)
    {
      gint64 start = i * SECTOR;
      bad_sectors[i] = TRUE;
      memset (f->expected + start, 0, (gsize)MIN (SECTOR, SIZE - start));
    }
}

static gint
compare_parts (gconstpointer a, gconstpointer b)
{
  const P2vBadPart *left = a, *right = b;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Reads all of it, and compares what could be read. Returns what could not, in order, joined. */
static GArray *
read_disk (Fixture *f, GError **error)
{
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (8 * P2V_CHUNK_SIZE);
  g_autoptr (P2vReader) reader = p2v_reader_new (f->source, pool, &(P2vReaderTask){ 0 });
  g_autoptr (GArray) bad = g_array_new (FALSE, FALSE, sizeof (P2vBadPart));
  static const guint8 zeroes[P2V_CHUNK_SIZE];
  for (gboolean ended = FALSE; !ended;)
    {
      struct pollfd ready = { .fd = p2v_reader_get_fd (reader), .events = POLLIN };
      g_assert_cmpint (poll (&ready, 1, 60000), ==, 1);
      P2vChunk *chunk = p2v_reader_next (reader, &ended);
      if (chunk == NULL)
        continue;
      for (guint64 i = chunk->first; i < chunk->first + chunk->count; i++)
        g_assert_cmpmem (chunk->state == P2V_CHUNK_DATA ? chunk->data : zeroes,
                         p2v_chunk_length (SIZE, i), f->expected + i * P2V_CHUNK_SIZE,
                         p2v_chunk_length (SIZE, i));
      if (chunk->bad != NULL)
        g_array_append_vals (bad, chunk->bad->data, chunk->bad->len);
      p2v_reader_release (reader, chunk);
    }
  if (!p2v_reader_check (reader, error))
    return NULL;
  g_array_sort (bad, compare_parts);
  for (guint i = 1; i < bad->len;)
    {
      P2vBadPart *before = &g_array_index (bad, P2vBadPart, i - 1);
      const P2vBadPart *part = &g_array_index (bad, P2vBadPart, i);
      if (before->offset + before->length != part->offset)
        {
          i++;
          continue;
        }
      before->length += part->length;
      g_array_remove_index (bad, i);
    }
  return g_steal_pointer (&bad);
}

static void
assert_lost (const GArray *bad, guint index, gint64 offset, gint64 length)
{
  g_assert_cmpuint (index, <, bad->len);
  const P2vBadPart *part = &g_array_index (bad, P2vBadPart, index);
  g_assert_cmpint (part->offset, ==, offset);
  g_assert_cmpint (part->length, ==, length);
}

static void
test_sectors (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fault = GPOINTER_TO_INT (data);
  break_sectors (f, 1, 1);
  break_sectors (f, 100, 3);
  break_sectors (f, 8191, 2); /* the last of one chunk, the first of the next */
  break_sectors (f, N_SECTORS - 1, 1);
  g_autoptr (GArray) bad = read_disk (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bad->len, ==, 4);
  assert_lost (bad, 0, 512, 512);
  assert_lost (bad, 1, 51200, 1536);
  assert_lost (bad, 2, 8191 * 512, 1024);
  assert_lost (bad, 3, (N_SECTORS - 1) * 512, SIZE - (N_SECTORS - 1) * 512);
  g_assert_cmpint (p2v_source_bad_bytes (f->source), ==, 512 + 1536 + 1024 + SIZE % 512);
}

/* More of them than are tried once more at the end. */
static void
test_scattered (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  for (gint64 i = 0; i < 40; i++)
    break_sectors (f, 1000 + 3 * i, 1);
  g_autoptr (GArray) bad = read_disk (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bad->len, ==, 40);
  for (guint i = 0; i < bad->len; i++)
    assert_lost (bad, i, (1000 + 3 * (gint64)i) * SECTOR, SECTOR);
}

/* A physical sector is lost as a whole when its ends are, and told apart when not. */
static void
test_physical (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  f->source->physical_sector_size = 4096;
  break_sectors (f, 16, 8);
  break_sectors (f, 42, 1);
  g_autoptr (GArray) bad = read_disk (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bad->len, ==, 2);
  assert_lost (bad, 0, 8192, 4096);
  assert_lost (bad, 1, 42 * 512, 512);
}

/* What is free is not read because data is near; a bad sector there is no loss. */
static void
test_free_space (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  p2v_block_map_set_free (f->source->map, 8192, 8192);
  memset (f->expected + 8192, 0, 8192);
  bad_sectors[20] = TRUE;
  g_autoptr (GArray) bad = read_disk (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bad->len, ==, 0);
  g_assert_cmpint (p2v_source_bad_bytes (f->source), ==, 0);
}

static void
test_passing (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  fails_until = 5;
  g_autoptr (GArray) bad = read_disk (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bad->len, ==, 0);
  g_assert_cmpint (reads_failed, >=, 4);
}

static void
test_stop (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  f->source->stop_on_error = TRUE;
  break_sectors (f, 100, 1);
  g_assert_null (read_disk (f, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  g_assert_nonnull (strstr (error->message, "Input/output error"));
}

/* A disk that has been taken out ends the reading at once, whatever the policy. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fault = GPOINTER_TO_INT (data);
  gone_after = 1;
  gint64 began = g_get_monotonic_time ();
  g_assert_null (read_disk (f, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 2 * G_USEC_PER_SEC);
}

/* A disk that answers every read with EIO is found to be dead after its first chunk. */
static void
test_dead (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  gone_after = 0;
  gint64 began = g_get_monotonic_time ();
  g_assert_null (read_disk (f, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  g_assert_nonnull (strstr (error->message, "does not answer any more"));
  g_assert_cmpint (g_get_monotonic_time () - began, <, 20 * G_USEC_PER_SEC);
}

/* A dead region costs two reads for each of its sectors at most, and no pauses but the first. */
static void
test_dead_region (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  gint64 first = 3 * MIB / SECTOR + 5, count = 6 * MIB / SECTOR;
  break_sectors (f, first, count);
  gint64 began = g_get_monotonic_time ();
  g_autoptr (GArray) bad = read_disk (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bad->len, ==, 1);
  assert_lost (bad, 0, first * SECTOR, count * SECTOR);
  g_assert_cmpint (reads_failed, <, 2 * count + 100);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 20 * G_USEC_PER_SEC);
}

/* When failing reads have taken long, stretches are given up as a whole; when they have taken very
 * long, the disk. */
static void
test_time (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  f->source->health.time = P2V_ERRORS_NARROW_TIME + 1;
  bad_sectors[100] = TRUE;
  memset (f->expected, 0, P2V_ERRORS_COARSE);
  g_autoptr (GArray) bad = read_disk (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bad->len, ==, 1);
  assert_lost (bad, 0, 0, P2V_ERRORS_COARSE);
  f->source->health.time = P2V_ERRORS_STOP_TIME;
  slow = 10;
  g_assert_null (read_disk (f, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  g_assert_nonnull (strstr (error->message, "take too long"));
}

static void
test_too_much (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  for (gint64 i = 0; i < N_SECTORS; i += 4)
    break_sectors (f, i, 1);
  g_assert_null (read_disk (f, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  g_assert_nonnull (strstr (error->message, "too much"));
}

/* Stopping does not wait until all of a disk's sectors have failed. */
static void
test_cancel (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (8 * P2V_CHUNK_SIZE);
  break_sectors (f, 0, N_SECTORS);
  slow = 50 * 1000;
  gint64 began = g_get_monotonic_time ();
  g_autoptr (P2vReader) reader = p2v_reader_new (f->source, pool, &(P2vReaderTask){ 0 });
  g_usleep (300 * 1000);
  p2v_reader_stop (reader);
  p2v_reader_free (g_steal_pointer (&reader));
  g_assert_cmpint (g_get_monotonic_time () - began, <, 2 * G_USEC_PER_SEC);
}

#define ADD(path, data, test)                                                                      \
  g_test_add ("/source-errors/" path, Fixture, GINT_TO_POINTER (data), set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("sectors", EIO, test_sectors);
  ADD ("sectors-medium", ENODATA, test_sectors);
  ADD ("scattered", 0, test_scattered);
  ADD ("physical-sectors", 0, test_physical);
  ADD ("free-space", 0, test_free_space);
  ADD ("passing", 0, test_passing);
  ADD ("stop", 0, test_stop);
  ADD ("gone/nodev", ENODEV, test_gone);
  ADD ("gone/nxio", ENXIO, test_gone);
  ADD ("gone/nomedium", ENOMEDIUM, test_gone);
  ADD ("dead", 0, test_dead);
  ADD ("dead-region", 0, test_dead_region);
  ADD ("time", 0, test_time);
  ADD ("too-much", 0, test_too_much);
  ADD ("cancel", 0, test_cancel);
  return g_test_run ();
}
