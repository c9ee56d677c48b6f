/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "common/manifest.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define DISK_SIZE (10 * (gint64)P2V_CHUNK_SIZE + 512)
#define CHUNKS 11
#define HEADER_SIZE 64
#define RECORD_SIZE 32

static char *dir;
static char *path;

static void
set_up (void)
{
  dir = g_dir_make_tmp ("p2v-manifest-XXXXXX", NULL);
  path = g_build_filename (dir, "sda.manifest", NULL);
}

static void
tear_down (void)
{
  g_unlink (path);
  g_rmdir (dir);
  g_clear_pointer (&path, g_free);
  g_clear_pointer (&dir, g_free);
}

static void
record_two (void)
{
  g_autoptr (GError) error = NULL;
  P2vChunkHash hash;
  p2v_chunk_hash ("x", 1, &hash);
  g_autoptr (P2vManifest) manifest = p2v_manifest_create (path, DISK_SIZE, &error);
  g_assert_no_error (error);
  g_assert_true (p2v_manifest_record (manifest, 3, 1, P2V_CHUNK_DATA, &hash, &error));
  g_assert_true (p2v_manifest_record (manifest, 10, 1, P2V_CHUNK_ZERO, NULL, &error));
  g_assert_true (p2v_manifest_sync (manifest, &error));
}

static void
test_records_survive_reopening (void)
{
  set_up ();
  record_two ();
  g_autoptr (P2vManifest) manifest = p2v_manifest_open (path, FALSE, NULL);
  P2vChunkHash expected, hash;
  p2v_chunk_hash ("x", 1, &expected);
  g_assert_cmpint (p2v_manifest_size (manifest), ==, DISK_SIZE);
  g_assert_cmpint (p2v_manifest_get (manifest, 3, &hash), ==, P2V_CHUNK_DATA);
  g_assert_cmpmem (hash.bytes, 16, expected.bytes, 16);
  g_assert_cmpint (p2v_manifest_get (manifest, 10, NULL), ==, P2V_CHUNK_ZERO);
  g_assert_cmpuint (p2v_manifest_count (manifest, P2V_CHUNK_UNKNOWN), ==, CHUNKS - 2);
  tear_down ();
}

static void
flip_byte (off_t offset)
{
  guint8 byte;
  int fd = open (path, O_RDWR);
  g_assert_cmpint (pread (fd, &byte, 1, offset), ==, 1);
  byte ^= 0x01;
  g_assert_cmpint (pwrite (fd, &byte, 1, offset), ==, 1);
  close (fd);
}

static void
test_any_flipped_bit_of_a_record_makes_it_unknown (void)
{
  set_up ();
  record_two ();
  for (off_t i = 0; i < RECORD_SIZE; i++)
    {
      flip_byte (HEADER_SIZE + 3 * RECORD_SIZE + i);
      g_autoptr (P2vManifest) damaged = p2v_manifest_open (path, FALSE, NULL);
      g_assert_cmpint (p2v_manifest_get (damaged, 3, NULL), ==, P2V_CHUNK_UNKNOWN);
      g_assert_cmpint (p2v_manifest_get (damaged, 10, NULL), ==, P2V_CHUNK_ZERO);
      flip_byte (HEADER_SIZE + 3 * RECORD_SIZE + i);
    }
  tear_down ();
}

static void
test_a_record_in_the_wrong_place_is_unknown (void)
{
  set_up ();
  record_two ();
  guint8 record[RECORD_SIZE];
  int fd = open (path, O_RDWR);
  g_assert_cmpint (pread (fd, record, RECORD_SIZE, HEADER_SIZE + 3 * RECORD_SIZE), ==, RECORD_SIZE);
  g_assert_cmpint (pwrite (fd, record, RECORD_SIZE, HEADER_SIZE + 4 * RECORD_SIZE), ==,
                   RECORD_SIZE);
  close (fd);
  g_autoptr (P2vManifest) manifest = p2v_manifest_open (path, FALSE, NULL);
  g_assert_cmpint (p2v_manifest_get (manifest, 4, NULL), ==, P2V_CHUNK_UNKNOWN);
  tear_down ();
}

static void
test_a_truncated_file_keeps_what_it_holds (void)
{
  set_up ();
  record_two ();
  g_assert_cmpint (truncate (path, HEADER_SIZE + 4 * RECORD_SIZE + 7), ==, 0);
  g_autoptr (P2vManifest) reader = p2v_manifest_open (path, FALSE, NULL);
  g_assert_cmpint (p2v_manifest_get (reader, 3, NULL), ==, P2V_CHUNK_DATA);
  g_assert_cmpint (p2v_manifest_get (reader, 10, NULL), ==, P2V_CHUNK_UNKNOWN);
  g_autoptr (P2vManifest) writer = p2v_manifest_open (path, TRUE, NULL);
  g_assert_true (p2v_manifest_record (writer, 10, 1, P2V_CHUNK_SKIPPED, NULL, NULL));
  g_assert_cmpint (p2v_manifest_get (writer, 10, NULL), ==, P2V_CHUNK_SKIPPED);
  g_assert_cmpint (p2v_manifest_get (writer, 3, NULL), ==, P2V_CHUNK_DATA);
  tear_down ();
}

static void
test_a_damaged_header_is_refused (void)
{
  for (off_t i = 0; i < HEADER_SIZE; i += 7)
    {
      g_autoptr (GError) error = NULL;
      set_up ();
      record_two ();
      flip_byte (i);
      g_assert_null (p2v_manifest_open (path, FALSE, &error));
      g_assert_error (error, P2V_ERROR, P2V_ERROR_FAILED);
      tear_down ();
    }
}

static void
test_an_existing_manifest_is_not_overwritten (void)
{
  set_up ();
  record_two ();
  g_autoptr (GError) error = NULL;
  g_assert_null (p2v_manifest_create (path, DISK_SIZE, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
  tear_down ();
}

/* More of them than are written at once. */
static void
test_a_long_run_is_recorded_chunk_by_chunk (void)
{
  enum
  {
    MANY = 5000
  };
  set_up ();
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vManifest) writer
      = p2v_manifest_create (path, (gint64)MANY * P2V_CHUNK_SIZE, &error);
  g_assert_no_error (error);
  g_assert_true (p2v_manifest_record (writer, 1, MANY - 2, P2V_CHUNK_SKIPPED, NULL, &error));
  g_assert_true (p2v_manifest_sync (writer, &error));
  g_autoptr (P2vManifest) manifest = p2v_manifest_open (path, FALSE, NULL);
  g_assert_cmpuint (p2v_manifest_count (manifest, P2V_CHUNK_SKIPPED), ==, MANY - 2);
  g_assert_cmpint (p2v_manifest_get (manifest, 0, NULL), ==, P2V_CHUNK_UNKNOWN);
  g_assert_cmpint (p2v_manifest_get (manifest, MANY - 1, NULL), ==, P2V_CHUNK_UNKNOWN);
  tear_down ();
}

static void
test_a_chunk_outside_the_disk_is_refused (void)
{
  set_up ();
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vManifest) manifest = p2v_manifest_create (path, DISK_SIZE, NULL);
  g_assert_false (p2v_manifest_record (manifest, CHUNKS - 1, 2, P2V_CHUNK_ZERO, NULL, NULL));
  g_assert_false (p2v_manifest_record (manifest, 1, G_MAXUINT64, P2V_CHUNK_ZERO, NULL, NULL));
  g_assert_cmpint (p2v_manifest_get (manifest, CHUNKS - 1, NULL), ==, P2V_CHUNK_UNKNOWN);
  g_assert_false (p2v_manifest_record (manifest, CHUNKS, 1, P2V_CHUNK_ZERO, NULL, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  g_assert_false (p2v_manifest_record (manifest, 0, 1, P2V_CHUNK_DATA, NULL, NULL));
  tear_down ();
}

static void
test_a_forgotten_chunk_is_unknown_and_may_land_again (void)
{
  set_up ();
  record_two ();
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vManifest) manifest = p2v_manifest_open (path, TRUE, NULL);
  g_assert_true (p2v_manifest_forget (manifest, 3, &error));
  g_assert_true (p2v_manifest_sync (manifest, &error));
  g_autoptr (P2vManifest) reader = p2v_manifest_open (path, FALSE, NULL);
  P2vChunkHash hash, none = { { 0 } };
  g_assert_cmpint (p2v_manifest_get (reader, 3, &hash), ==, P2V_CHUNK_UNKNOWN);
  g_assert_cmpmem (hash.bytes, 16, none.bytes, 16);
  g_assert_cmpint (p2v_manifest_get (reader, 10, NULL), ==, P2V_CHUNK_ZERO);
  g_assert_true (p2v_manifest_record (manifest, 3, 1, P2V_CHUNK_ZERO, NULL, &error));
  g_assert_cmpint (p2v_manifest_get (reader, 3, NULL), ==, P2V_CHUNK_ZERO);
  g_assert_false (p2v_manifest_forget (manifest, CHUNKS, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  tear_down ();
}

#define FILE_SIZE (HEADER_SIZE + CHUNKS * RECORD_SIZE)

/* How many files with random damage are looked at, and how many of their bits are flipped at most.
 */
#define DAMAGED_FILES 500
#define FLIPS_MAX 8

static P2vChunkState
recorded_state (guint64 index)
{
  static const P2vChunkState states[] = { P2V_CHUNK_DATA, P2V_CHUNK_ZERO, P2V_CHUNK_SKIPPED };
  return states[index % G_N_ELEMENTS (states)];
}

/* The file of a manifest that vouches for every chunk (transfer full). */
static char *
record_all (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vManifest) manifest = p2v_manifest_create (path, DISK_SIZE, &error);
  g_assert_no_error (error);
  for (guint64 i = 0; i < CHUNKS; i++)
    {
      P2vChunkHash hash;
      p2v_chunk_hash (&i, sizeof i, &hash);
      g_assert_true (p2v_manifest_record (manifest, i, 1, recorded_state (i), &hash, &error));
    }
  char *contents;
  gsize length;
  g_assert_true (g_file_get_contents (path, &contents, &length, &error));
  g_assert_cmpuint (length, ==, FILE_SIZE);
  return contents;
}

static void
write_file (const char *contents, gsize length)
{
  /* Without GLib's wait for the disk: there are many. */
  int fd = open (path, O_WRONLY | O_TRUNC);
  g_assert_cmpint (write (fd, contents, length), ==, (gssize)length);
  close (fd);
}

/* Records that are as they were written are vouched for, and no others. was, is: whole files. */
static void
assert_vouches (P2vManifest *manifest, const char *was, const char *is)
{
  guint64 vouched = 0;
  for (guint64 i = 0; i < CHUNKS; i++)
    {
      static const P2vChunkHash none = { { 0 } };
      gsize at = HEADER_SIZE + i * RECORD_SIZE;
      gboolean whole = memcmp (was + at, is + at, RECORD_SIZE) == 0;
      P2vChunkState expected = whole ? recorded_state (i) : P2V_CHUNK_UNKNOWN;
      P2vChunkHash written, hash;
      p2v_chunk_hash (&i, sizeof i, &written);
      g_assert_cmpint (p2v_manifest_get (manifest, i, &hash), ==, expected);
      g_assert_cmpmem (hash.bytes, 16, expected == P2V_CHUNK_DATA ? written.bytes : none.bytes, 16);
      vouched += whole;
    }
  g_assert_cmpint (p2v_manifest_size (manifest), ==, DISK_SIZE);
  g_assert_cmpuint (p2v_manifest_count (manifest, P2V_CHUNK_UNKNOWN), ==, CHUNKS - vouched);
}

/* Looks at the first length bytes of damaged as whoever opens a manifest would, and then as a
 * transfer that goes on does. */
static void
check_damaged (const char *was, const char *damaged, gsize length)
{
  g_autofree char *padded = g_malloc0 (FILE_SIZE);
  memcpy (padded, damaged, length);
  gboolean has_header = length >= HEADER_SIZE && memcmp (was, damaged, HEADER_SIZE) == 0;
  for (gboolean writable = FALSE; writable <= TRUE; writable++)
    {
      g_autoptr (GError) error = NULL;
      write_file (damaged, length);
      g_autoptr (P2vManifest) opened = p2v_manifest_open (path, writable, &error);
      g_assert_true ((opened != NULL) == has_header);
      if (opened != NULL)
        assert_vouches (opened, was, padded);
      else
        g_assert_error (error, P2V_ERROR, P2V_ERROR_FAILED);
    }

  g_autoptr (GError) error = NULL;
  write_file (damaged, length);
  g_autoptr (P2vManifest) taken_up = p2v_manifest_take_up (path, DISK_SIZE, &error);
  g_assert_no_error (error);
  assert_vouches (taken_up, was, padded);
  /* It is as good as a new one from now on. */
  g_assert_true (p2v_manifest_record (taken_up, CHUNKS - 1, 1, P2V_CHUNK_ZERO, NULL, &error));
  g_autoptr (P2vManifest) reader = p2v_manifest_open (path, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpint (p2v_manifest_get (reader, CHUNKS - 1, NULL), ==, P2V_CHUNK_ZERO);
}

static void
test_cut_off_at_any_length_it_vouches_for_what_is_whole (void)
{
  set_up ();
  g_autofree char *contents = record_all ();
  for (gsize length = 0; length <= FILE_SIZE; length++)
    check_damaged (contents, contents, length);
  tear_down ();
}

static void
test_with_bits_flipped_anywhere_it_vouches_for_what_is_whole (void)
{
  set_up ();
  g_autofree char *contents = record_all ();
  /* A seed of its own: the same files each time. */
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  for (guint i = 0; i < DAMAGED_FILES; i++)
    {
      g_autofree char *damaged = g_memdup2 (contents, FILE_SIZE);
      for (gint32 flips = g_rand_int_range (random, 1, FLIPS_MAX + 1); flips > 0; flips--)
        damaged[g_rand_int_range (random, 0, FILE_SIZE)]
            ^= (char)(1 << g_rand_int_range (random, 0, 8));
      /* Every other one is cut short as well. */
      gsize length = i % 2 == 0 ? FILE_SIZE : (gsize)g_rand_int_range (random, 0, FILE_SIZE);
      check_damaged (contents, damaged, length);
    }
  tear_down ();
}

static void
test_hash_is_xxh3_128 (void)
{
  P2vChunkHash hash, parsed;
  p2v_chunk_hash ("", 0, &hash);
  g_autofree char *hex = p2v_chunk_hash_to_hex (&hash);
  /* The published value for no input, seed 0. */
  g_assert_cmpstr (hex, ==, "99aa06d3014798d86001c324468d497f");
  g_assert_true (p2v_chunk_hash_from_hex (hex, &parsed));
  g_assert_cmpmem (hash.bytes, 16, parsed.bytes, 16);
  g_assert_false (p2v_chunk_hash_from_hex ("99aa", &parsed));
  g_assert_false (p2v_chunk_hash_from_hex ("zzaa06d3014798d86001c324468d497f", &parsed));
}

static void
test_last_chunk_is_shorter (void)
{
  g_assert_cmpuint (p2v_chunk_count (DISK_SIZE), ==, CHUNKS);
  g_assert_cmpuint (p2v_chunk_length (DISK_SIZE, 0), ==, P2V_CHUNK_SIZE);
  g_assert_cmpuint (p2v_chunk_length (DISK_SIZE, CHUNKS - 1), ==, 512);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/manifest/records-survive-reopening", test_records_survive_reopening);
  g_test_add_func ("/manifest/any-flipped-bit-of-a-record-makes-it-unknown",
                   test_any_flipped_bit_of_a_record_makes_it_unknown);
  g_test_add_func ("/manifest/a-record-in-the-wrong-place-is-unknown",
                   test_a_record_in_the_wrong_place_is_unknown);
  g_test_add_func ("/manifest/a-truncated-file-keeps-what-it-holds",
                   test_a_truncated_file_keeps_what_it_holds);
  g_test_add_func ("/manifest/a-damaged-header-is-refused", test_a_damaged_header_is_refused);
  g_test_add_func ("/manifest/an-existing-manifest-is-not-overwritten",
                   test_an_existing_manifest_is_not_overwritten);
  g_test_add_func ("/manifest/long-run", test_a_long_run_is_recorded_chunk_by_chunk);
  g_test_add_func ("/manifest/a-chunk-outside-the-disk-is-refused",
                   test_a_chunk_outside_the_disk_is_refused);
  g_test_add_func ("/manifest/a-forgotten-chunk-is-unknown-and-may-land-again",
                   test_a_forgotten_chunk_is_unknown_and_may_land_again);
  g_test_add_func ("/manifest/cut-off-at-any-length-it-vouches-for-what-is-whole",
                   test_cut_off_at_any_length_it_vouches_for_what_is_whole);
  g_test_add_func ("/manifest/with-bits-flipped-anywhere-it-vouches-for-what-is-whole",
                   test_with_bits_flipped_anywhere_it_vouches_for_what_is_whole);
  g_test_add_func ("/manifest/hash-is-xxh3-128", test_hash_is_xxh3_128);
  g_test_add_func ("/manifest/last-chunk-is-shorter", test_last_chunk_is_shorter);
  return g_test_run ();
}
