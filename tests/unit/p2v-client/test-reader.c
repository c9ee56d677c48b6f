/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reader makes of a disk and its map: of files, and of block devices, which are read past
 * the page cache in whole sectors. */
#include "p2v-client/reader.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024 * 1024)

typedef struct
{
  char *dir, *file, *loop;
  guint8 *expected; /* the disk with its free space as zeroes */
  gint64 size;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->dir = g_dir_make_tmp ("p2v-reader-XXXXXX", NULL);
  f->file = g_build_filename (f->dir, "disk", NULL);
}

static void
run_losetup (const char *const *argv, char **output)
{
  g_autoptr (GError) error = NULL;
  int status;
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, output, NULL, &status,
                &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, NULL));
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  if (f->loop != NULL)
    {
      const char *set_writable[] = { "blockdev", "--setrw", f->loop, NULL };
      const char *detach[] = { "losetup", "-d", f->loop, NULL };
      run_losetup (set_writable, NULL);
      run_losetup (detach, NULL);
    }
  g_unlink (f->file);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->expected);
  g_free (f->loop);
  g_free (f->file);
  g_free (f->dir);
}

/* A disk of noise in which nothing is zero. Before there are threads: not for ThreadSanitizer,
 * which would take most of its time for it. */
__attribute__ ((no_sanitize ("thread"))) static void
make_disk (Fixture *f, gint64 size, guint32 seed)
{
  f->size = size;
  f->expected = g_malloc ((gsize)size);
  for (gint64 i = 0; i < size; i++)
    f->expected[i] = (guint8)(1 + (i % 251 + i / 4096 + (gint64)seed) % 255);
  g_assert_true (g_file_set_contents (f->file, (char *)f->expected, size, NULL));
}

static void
make_loop (Fixture *f, const char *sector_size)
{
  const char *argv[] = { "losetup",       "--find",    "--show", "--read-only",
                         "--sector-size", sector_size, f->file,  NULL };
  run_losetup (argv, &f->loop);
  g_strchomp (f->loop);
}

/* Frees stretches at random places, of random sizes, in multiples of unit. */
static void
free_at_random (Fixture *f, P2vSource *source, gint64 unit, guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  for (int i = 0; i < 60; i++)
    {
      gint64 longest = i % 10 == 0 ? 12 * MIB : i % 3 == 0 ? 600 * 1024 : 8192;
      gint64 offset = g_rand_int_range (random, 0, (gint32)(f->size / unit)) * unit;
      gint64 length = g_rand_int_range (random, 1, (gint32)(longest / unit) + 1) * unit;
      length = MIN (length, f->size - offset);
      p2v_block_map_set_free (source->map, offset, length);
      memset (f->expected + offset, 0, (gsize)length);
    }
}

/* Reads all of it and compares; every chunk has to come exactly once. */
static void
assert_reads_as_expected (Fixture *f, P2vSource *source)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (8 * P2V_CHUNK_SIZE);
  P2vReader *reader = p2v_reader_new (source, pool, NULL);
  guint64 total = p2v_chunk_count (f->size);
  g_autofree guint *seen = g_new0 (guint, total);
  static const guint8 zeroes[P2V_CHUNK_SIZE];
  for (gboolean ended = FALSE; !ended;)
    {
      struct pollfd ready = { .fd = p2v_reader_get_fd (reader), .events = POLLIN };
      g_assert_cmpint (poll (&ready, 1, 60000), ==, 1);
      P2vChunk *chunk = p2v_reader_next (reader, &ended);
      if (chunk == NULL)
        continue;
      for (guint64 i = chunk->first; i < chunk->first + chunk->count; i++)
        {
          gsize length = p2v_chunk_length (f->size, i);
          const guint8 *expected = f->expected + i * P2V_CHUNK_SIZE;
          seen[i]++;
          if (chunk->state == P2V_CHUNK_DATA)
            g_assert_cmpmem (chunk->data, chunk->length, expected, length);
          else
            g_assert_cmpmem (zeroes, length, expected, length);
        }
      p2v_reader_release (reader, chunk);
    }
  g_assert_true (p2v_reader_check (reader, &error));
  g_assert_no_error (error);
  for (guint64 i = 0; i < total; i++)
    g_assert_cmpuint (seen[i], ==, 1);
  p2v_reader_free (reader);
}

static void
try_disk (const char *sector_size, gint64 size, gint64 unit, gboolean rotational)
{
  for (guint32 seed = 1; seed <= 3; seed++)
    {
      g_autoptr (GError) error = NULL;
      Fixture f = { 0 };
      set_up (&f, NULL);
      make_disk (&f, size, seed);
      if (sector_size != NULL)
        make_loop (&f, sector_size);
      P2vDisk disk = {
        .name = (char *)"sda",
        .path = f.loop != NULL ? f.loop : f.file,
        .size = size,
        .rotational = rotational,
      };
      P2vSource *source = p2v_source_open (&disk, &error);
      g_assert_no_error (error);
      g_assert_cmpint (source->direct >= 0, ==, f.loop != NULL);
      free_at_random (&f, source, unit, seed);
      assert_reads_as_expected (&f, source);
      p2v_source_free (source);
      tear_down (&f, NULL);
    }
}

static void
test_a_file_of_odd_size (void)
{
  try_disk (NULL, 45 * MIB + 512 * 3, 512, FALSE);
}

static void
test_a_solid_disk (void)
{
  try_disk ("512", 45 * MIB + 512 * 5, 512, FALSE);
}

static void
test_a_rotating_disk (void)
{
  try_disk ("512", 33 * MIB + 512, 1024, TRUE);
}

static void
test_a_disk_with_large_sectors (void)
{
  try_disk ("4096", 41 * MIB + 4096, 4096, FALSE);
}

/* Filesystems count in blocks that need not be multiples of what we read. */
static void
test_free_space_that_no_sector_fits (void)
{
  try_disk ("4096", 41 * MIB + 4096, 512, FALSE);
}

/* In which order the chunks of a disk without free space come. */
static void
test_where_is_read (gconstpointer rotational)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (8 * P2V_CHUNK_SIZE);
  Fixture f = { 0 };
  set_up (&f, NULL);
  make_disk (&f, 16 * P2V_CHUNK_SIZE, 1);
  P2vDisk disk = { .name = (char *)"sda", .path = f.file, .size = f.size };
  disk.rotational = rotational != NULL;
  P2vSource *source = p2v_source_open (&disk, &error);
  g_assert_no_error (error);
  P2vReader *reader = p2v_reader_new (source, pool, NULL);
  guint64 last = 0;
  guint quarters = 0;
  for (guint got = 0; got < 8;)
    {
      gboolean ended;
      struct pollfd ready = { .fd = p2v_reader_get_fd (reader), .events = POLLIN };
      g_assert_cmpint (poll (&ready, 1, 60000), ==, 1);
      P2vChunk *chunk = p2v_reader_next (reader, &ended);
      if (chunk == NULL)
        continue;
      if (rotational != NULL)
        g_assert_cmpuint (chunk->first, ==, got == 0 ? 0 : last + 1);
      last = chunk->first;
      quarters |= 1u << (chunk->first / 4);
      p2v_reader_release (reader, chunk);
      got++;
    }
  /* One stream is in the first half then; of several some are in the second. */
  g_assert_true (((quarters & 0xc) == 0) == (rotational != NULL));
  p2v_reader_free (reader);
  p2v_source_free (source);
  tear_down (&f, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/reader/a-rotating-disk-is-read-in-order", "rotational",
                        test_where_is_read);
  g_test_add_data_func ("/reader/a-solid-disk-is-read-in-four-places", NULL, test_where_is_read);
  g_test_add_func ("/reader/a-file-of-odd-size", test_a_file_of_odd_size);
  g_test_add_func ("/reader/a-solid-disk", test_a_solid_disk);
  g_test_add_func ("/reader/a-rotating-disk", test_a_rotating_disk);
  g_test_add_func ("/reader/a-disk-with-large-sectors", test_a_disk_with_large_sectors);
  g_test_add_func ("/reader/free-space-that-no-sector-fits", test_free_space_that_no_sector_fits);
  return g_test_run ();
}
