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
  g_assert_true (p2v_manifest_record (manifest, 3, P2V_CHUNK_DATA, &hash, &error));
  g_assert_true (p2v_manifest_record (manifest, 10, P2V_CHUNK_ZERO, NULL, &error));
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
  g_assert_true (p2v_manifest_record (writer, 10, P2V_CHUNK_SKIPPED, NULL, NULL));
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

static void
test_a_chunk_outside_the_disk_is_refused (void)
{
  set_up ();
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vManifest) manifest = p2v_manifest_create (path, DISK_SIZE, NULL);
  g_assert_false (p2v_manifest_record (manifest, CHUNKS, P2V_CHUNK_ZERO, NULL, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  g_assert_false (p2v_manifest_record (manifest, 0, P2V_CHUNK_DATA, NULL, NULL));
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
  g_test_add_func ("/manifest/a-chunk-outside-the-disk-is-refused",
                   test_a_chunk_outside_the_disk_is_refused);
  g_test_add_func ("/manifest/hash-is-xxh3-128", test_hash_is_xxh3_128);
  g_test_add_func ("/manifest/last-chunk-is-shorter", test_last_chunk_is_shorter);
  return g_test_run ();
}
