/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "convert-fixture.h"

#include "common/error.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-text.h"
#include "p2v-server/verify.h"
#include "p2v-server/worker.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Images that are files, with the manifests that a transfer would have left, and real qemu-nbd. */

#define CHUNK ((gint64)P2V_CHUNK_SIZE)

/* Data, zero, skipped, data, and a last one of 512 bytes of data. */
#define DISK_SIZE (4 * CHUNK + 512)
#define CHUNKS 5

#define RECORDS_START 64
#define RECORD_SIZE 32

typedef struct
{
  char *dir;
  char *paths[2];
  P2vServerConfig *config;
  P2vJob *job;
  char *path; /* of the environment */
} Fixture;

static void
run_program (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process
      = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (process, NULL, &error));
}

static void
write_at (const char *path, gint64 offset, const void *data, gsize length)
{
  int fd = open (path, O_WRONLY | O_CREAT, 0600);
  g_assert_cmpint (pwrite (fd, data, length, offset), ==, (gssize)length);
  close (fd);
}

static void
flip_byte (const char *path, gint64 offset)
{
  guint8 byte = 0;
  int fd = open (path, O_RDWR);
  g_assert_cmpint (pread (fd, &byte, 1, offset), ==, 1);
  byte ^= 0x10;
  g_assert_cmpint (pwrite (fd, &byte, 1, offset), ==, 1);
  close (fd);
}

static void
record (const Fixture *fixture)
{
  static const P2vChunkState states[CHUNKS]
      = { P2V_CHUNK_DATA, P2V_CHUNK_ZERO, P2V_CHUNK_SKIPPED, P2V_CHUNK_DATA, P2V_CHUNK_DATA };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = p2v_job_manifest_path (fixture->job, "sda");
  g_autoptr (P2vManifest) manifest = p2v_manifest_create (path, DISK_SIZE, &error);
  g_assert_no_error (error);
  g_autofree char *data = NULL;
  gsize length = 0;
  g_assert_true (g_file_get_contents (fixture->paths[0], &data, &length, &error));
  for (guint64 i = 0; i < CHUNKS; i++)
    {
      P2vChunkHash hash;
      p2v_chunk_hash (data + i * CHUNK, p2v_chunk_length (DISK_SIZE, i), &hash);
      g_assert_true (p2v_manifest_record (manifest, i, 1, states[i], &hash, &error));
    }
}

static P2vImage *
image_of (const Fixture *fixture)
{
  return fixture->job->plan->images->pdata[0];
}

static void
set_up (Fixture *fixture, gconstpointer format)
{
  g_autoptr (GError) error = NULL;
  fixture->dir = g_dir_make_tmp ("p2v verify-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_strdup (g_getenv ("PATH"));
  fixture->paths[0] = g_build_filename (fixture->dir, "one, two.raw", NULL);
  g_autofree char *data = g_malloc ((gsize)CHUNK);
  for (gint64 i = 0; i < CHUNK; i++)
    data[i] = (char)g_random_int ();
  write_at (fixture->paths[0], 0, data, (gsize)CHUNK);
  /* Half of a chunk: the rest of it is a hole. */
  write_at (fixture->paths[0], 3 * CHUNK, data, (gsize)CHUNK / 2);
  write_at (fixture->paths[0], DISK_SIZE - 512, data, 512);
  fixture->config = fixture_config (fixture->dir);
  fixture->job = fixture_job (fixture->config, "guest", NULL, fixture->paths, "raw");
  record (fixture);
  if (g_strcmp0 (format, "qcow2") != 0)
    return;
  g_autofree char *path = g_build_filename (fixture->dir, "image.qcow2", NULL);
  const char *const argv[]
      = { "qemu-img", "convert", "-f", "raw", "-O", "qcow2", fixture->paths[0], path, NULL };
  run_program (argv);
  fixture_set (&image_of (fixture)->path, path);
  fixture_set (&image_of (fixture)->format, "qcow2");
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const char *const argv[] = { "rm", "-rf", "--", fixture->dir, NULL };
  g_setenv ("PATH", fixture->path, TRUE);
  p2v_job_free (fixture->job);
  p2v_server_config_free (fixture->config);
  run_program (argv);
  g_free (fixture->paths[0]);
  g_free (fixture->path);
  g_free (fixture->dir);
}

/* Writes to the disk that the image holds, in whatever format. */
static void
change_disk (const Fixture *fixture, gint64 offset, guint8 byte)
{
  g_autofree char *command
      = g_strdup_printf ("write -P 0x%02x %" G_GINT64_FORMAT " 512", byte, offset);
  const char *const argv[] = { "qemu-io", "-f",    image_of (fixture)->format,
                               "-c",      command, image_of (fixture)->path,
                               NULL };
  run_program (argv);
}

static P2vChunkState
state_of (const Fixture *fixture, guint64 chunk)
{
  g_autofree char *path = p2v_job_manifest_path (fixture->job, "sda");
  g_autoptr (P2vManifest) manifest = p2v_manifest_open (path, FALSE, NULL);
  return p2v_manifest_get (manifest, chunk, NULL);
}

static gboolean
has_socket (const Fixture *fixture)
{
  g_autofree char *socket = p2v_job_reading_socket_path (fixture->job, "sda");
  return g_file_test (socket, G_FILE_TEST_EXISTS);
}

/* Compares, and returns what p2v_verify_wait() said. */
static gboolean
verify (Fixture *fixture, P2vVerifyKind kind, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (P2vVerify) comparison = p2v_verify_start (fixture->job, kind, &failure);
  g_assert_no_error (failure);
  g_assert_cmpstr (fixture->job->verification->state, ==, P2V_VERIFICATION_RUNNING);
  gboolean ok = p2v_verify_wait (comparison, error);
  g_assert_true (p2v_verify_is_over (comparison));
  g_assert_false (has_socket (fixture));
  return ok;
}

/* The job's file has the same. */
static void
assert_saved (const Fixture *fixture)
{
  g_autoptr (P2vJob) saved = p2v_job_load (fixture->config, fixture->job->id, NULL);
  g_autofree char *expected = p2v_verification_text (fixture->job->verification);
  g_autofree char *text = p2v_verification_text (saved->verification);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpint (saved->verification->bad, ==, fixture->job->verification->bad);
  g_assert_cmpint (saved->verification->finished, >=, saved->verification->started);
}

static void
assert_bad (Fixture *fixture, gint64 chunk, const char *problem)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (verify (fixture, P2V_VERIFY_STAGE, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_TRANSFER);
  const P2vVerification *result = fixture->job->verification;
  g_assert_cmpstr (result->state, ==, P2V_VERIFICATION_FAILED);
  g_assert_cmpstr (result->message, ==, error->message);
  g_assert_cmpint (result->bad, ==, 1);
  g_assert_cmpint (result->data + result->zero, ==, CHUNKS - 1);
  const P2vBadChunk *bad = result->bad_chunks->pdata[0];
  g_assert_cmpstr (bad->disk, ==, "sda");
  g_assert_cmpint (bad->chunk, ==, chunk);
  g_assert_cmpstr (bad->problem, ==, problem);
  g_autofree char *named
      = g_strdup_printf ("disk sda: chunk %" G_GINT64_FORMAT " (%s)", chunk, problem);
  g_assert_nonnull (strstr (error->message, named));
  for (guint64 i = 0; i < CHUNKS; i++)
    g_assert_cmpint (state_of (fixture, i) == P2V_CHUNK_UNKNOWN, ==, i == (guint64)chunk);
  assert_saved (fixture);
}

static void
test_right_images_pass_with_counts (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (verify (fixture, P2V_VERIFY_STAGE, &error));
  g_assert_no_error (error);
  const P2vVerification *result = fixture->job->verification;
  g_assert_cmpstr (result->state, ==, P2V_VERIFICATION_PASSED);
  g_assert_cmpint (result->chunks, ==, CHUNKS);
  g_assert_cmpint (result->data, ==, 3);
  g_assert_cmpint (result->zero, ==, 2);
  g_assert_cmpint (result->bad, ==, 0);
  g_assert_cmpint (result->left, ==, 0);
  assert_saved (fixture);
  g_assert_cmpstr (fixture->job->state, ==, P2V_JOB_RECEIVED);
}

static void
test_any_byte_of_data_counts (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  /* In the second half of chunk 3, which the image need not store. */
  change_disk (fixture, 3 * CHUNK + CHUNK - 512, 0x01);
  assert_bad (fixture, 3, P2V_BAD_DIFFERENT);
}

static void
test_the_last_short_chunk_counts (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  change_disk (fixture, DISK_SIZE - 512, 0x00);
  assert_bad (fixture, 4, P2V_BAD_DIFFERENT);
}

static void
test_a_zero_chunk_must_be_zero (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  change_disk (fixture, CHUNK + 1024 * 1024, 0x80);
  assert_bad (fixture, 1, P2V_BAD_NOT_ZERO);
}

static void
test_a_skipped_chunk_must_be_zero (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  change_disk (fixture, 3 * CHUNK - 512, 0x80);
  assert_bad (fixture, 2, P2V_BAD_NOT_ZERO);
}

/* Zeroes that occupy space are zeroes. */
static void
test_written_zeroes_are_zero (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  change_disk (fixture, CHUNK, 0x00);
  change_disk (fixture, 2 * CHUNK + 4096, 0x00);
  g_assert_true (verify (fixture, P2V_VERIFY_STAGE, &error));
  g_assert_no_error (error);
}

static void
test_a_damaged_record_vouches_for_nothing (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *path = p2v_job_manifest_path (fixture->job, "sda");
  flip_byte (path, RECORDS_START + 3 * RECORD_SIZE + 9);
  assert_bad (fixture, 3, P2V_BAD_UNRECORDED);
}

static void
test_a_look_counts_what_is_left (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *path = p2v_job_manifest_path (fixture->job, "sda");
  flip_byte (path, RECORDS_START + 3 * RECORD_SIZE + 9);
  g_autoptr (GError) error = NULL;
  g_assert_true (p2v_job_set_state (fixture->job, P2V_JOB_WAITING, &error));
  g_assert_true (verify (fixture, P2V_VERIFY_AGAIN, &error));
  const P2vVerification *result = fixture->job->verification;
  g_assert_cmpstr (result->state, ==, P2V_VERIFICATION_INCOMPLETE);
  g_assert_cmpint (result->left, ==, 1);
  g_assert_cmpint (result->data, ==, 2);
  g_assert_cmpstr (fixture->job->state, ==, P2V_JOB_WAITING);
  assert_saved (fixture);
}

static void
test_what_cannot_be_read_is_bad (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  /* QEMU's own way to make errors: every read that touches this sector of chunk 3. */
  g_autofree char *rules = g_build_filename (fixture->dir, "rules", NULL);
  g_autofree char *text = g_strdup_printf ("[inject-error]\nevent = \"read_aio\"\nerrno = \"5\"\n"
                                           "sector = \"%" G_GINT64_FORMAT "\"\n",
                                           3 * CHUNK / 512 + 8);
  g_assert_true (g_file_set_contents (rules, text, -1, NULL));
  g_autofree char *path = g_strdup_printf ("blkdebug:%s:%s", rules, fixture->paths[0]);
  fixture_set (&image_of (fixture)->path, path);
  assert_bad (fixture, 3, P2V_BAD_UNREADABLE);
}

/* Not even the start of the comparison is possible: nothing is wrong with the chunks for that. */
static void
assert_impossible (Fixture *fixture, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (verify (fixture, P2V_VERIFY_STAGE, &error));
  g_assert_false (g_error_matches (error, P2V_ERROR, P2V_ERROR_TRANSFER));
  if (strstr (error->message, expected) == NULL)
    g_error ("\"%s\" lacks \"%s\"", error->message, expected);
  const P2vVerification *result = fixture->job->verification;
  g_assert_cmpstr (result->state, ==, P2V_VERIFICATION_FAILED);
  g_assert_cmpint (result->bad, ==, 0);
  g_autofree char *shown = p2v_verification_text (result);
  g_assert_nonnull (strstr (shown, expected));
}

static void
test_an_image_cut_short_is_refused (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_assert_cmpint (truncate (image_of (fixture)->path, 2 * CHUNK), ==, 0);
  assert_impossible (fixture, "holds 8388608 bytes; the disk has 16777728");
  g_assert_cmpint (state_of (fixture, 3), ==, P2V_CHUNK_DATA);
}

static void
test_without_qemu_nbd_its_package_is_named (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_setenv ("PATH", fixture->dir, TRUE);
  assert_impossible (fixture, "qemu-utils");
  g_setenv ("PATH", fixture->path, TRUE);
}

static void
test_a_missing_image_is_named (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_unlink (image_of (fixture)->path);
  assert_impossible (fixture, image_of (fixture)->path);
}

/* The image is replaced by a hole so large that to read it takes minutes; of each chunk it is said
 * to be data that it is not. */
static void
make_endless (Fixture *fixture, guint64 chunks)
{
  g_autoptr (GError) error = NULL;
  P2vImage *image = image_of (fixture);
  image->size = (gint64)chunks * CHUNK;
  g_assert_cmpint (truncate (image->path, image->size), ==, 0);
  g_autofree char *path = p2v_job_manifest_path (fixture->job, "sda");
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_autoptr (P2vManifest) manifest = p2v_manifest_create (path, image->size, &error);
  P2vChunkHash hash;
  p2v_chunk_hash ("x", 1, &hash);
  for (guint64 i = 0; i < chunks; i++)
    g_assert_true (p2v_manifest_record (manifest, i, 1, P2V_CHUNK_DATA, &hash, &error));
}

static void
test_lists_are_bounded (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  make_endless (fixture, P2V_BAD_CHUNKS_MAX + 50);
  g_assert_false (verify (fixture, P2V_VERIFY_STAGE, &error));
  const P2vVerification *result = fixture->job->verification;
  g_assert_cmpint (result->bad, ==, P2V_BAD_CHUNKS_MAX + 50);
  g_assert_cmpuint (result->bad_chunks->len, ==, P2V_BAD_CHUNKS_MAX);
  g_assert_nonnull (strstr (error->message, " and 142 more"));
  g_assert_cmpint (state_of (fixture, P2V_BAD_CHUNKS_MAX + 49), ==, P2V_CHUNK_UNKNOWN);
}

static guint
count_progress (const Fixture *fixture)
{
  goffset offset = 0;
  guint count = 0;
  g_autoptr (GPtrArray) events = p2v_job_read_events (fixture->job, &offset, NULL);
  for (guint i = 0; i < events->len; i++)
    {
      const P2vEvent *event = events->pdata[i];
      count += g_strcmp0 (event->kind, "progress") == 0
               && g_strcmp0 (event->stage, P2V_STAGE_VERIFY) == 0;
    }
  return count;
}

static void
assert_ends_within_a_second (gint64 since)
{
  g_assert_cmpint (g_get_monotonic_time () - since, <, 3 * G_USEC_PER_SEC / 2);
}

static void
test_cancelling_ends_it (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  make_endless (fixture, 200000);
  g_autoptr (P2vVerify) comparison = p2v_verify_start (fixture->job, P2V_VERIFY_STAGE, &error);
  g_usleep (5 * G_USEC_PER_SEC / 2);
  g_assert_true (p2v_verify_check (comparison, &error));
  g_assert_false (p2v_verify_is_over (comparison));
  guint progress = count_progress (fixture);
  g_assert_cmpuint (progress, >=, 1);
  g_assert_cmpuint (progress, <=, 3);
  gint64 asked = g_get_monotonic_time ();
  g_assert_true (p2v_job_request_cancel (fixture->job, &error));
  g_assert_false (p2v_verify_wait (comparison, &error));
  assert_ends_within_a_second (asked);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CANCELLED);
  g_assert_null (fixture->job->verification);
  g_assert_false (has_socket (fixture));
}

static void
test_freeing_ends_it (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  make_endless (fixture, 200000);
  P2vVerify *comparison = p2v_verify_start (fixture->job, P2V_VERIFY_STAGE, &error);
  while (!has_socket (fixture))
    g_usleep (10000);
  gint64 asked = g_get_monotonic_time ();
  p2v_verify_free (comparison);
  assert_ends_within_a_second (asked);
  g_assert_null (fixture->job->verification);
  g_assert_false (has_socket (fixture));
}

/* The process that listens at a socket. */
static pid_t
listener_of (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_assert_cmpuint (strlen (path), <, sizeof address.sun_path);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  struct ucred peer;
  socklen_t length = sizeof peer;
  g_assert_cmpint (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &length), ==, 0);
  close (fd);
  return peer.pid;
}

static void
test_a_lost_export_is_no_bad_chunk (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  make_endless (fixture, 200000);
  g_autoptr (P2vVerify) comparison = p2v_verify_start (fixture->job, P2V_VERIFY_STAGE, &error);
  g_autofree char *socket = p2v_job_reading_socket_path (fixture->job, "sda");
  while (count_progress (fixture) < 2)
    g_usleep (10000);
  g_assert_cmpint (kill (listener_of (socket), SIGKILL), ==, 0);
  g_assert_false (p2v_verify_wait (comparison, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_FAILED);
  g_assert_cmpint (state_of (fixture, 199999), ==, P2V_CHUNK_DATA);
}

static void
test_it_is_too_late_from_the_commit_on (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static const char *const late[]
      = { P2V_JOB_COMMITTING, P2V_JOB_CONVERTED, P2V_JOB_DEFINING, P2V_JOB_DONE };
  static const char *const early[] = { P2V_JOB_WAITING, P2V_JOB_RECEIVED, P2V_JOB_CONVERTING };
  P2vJob *job = fixture->job;
  g_autoptr (GError) failure = g_error_new (P2V_ERROR, P2V_ERROR_CONVERT, "it failed");
  for (gsize i = 0; i < G_N_ELEMENTS (late); i++)
    {
      g_assert_true (p2v_job_set_state (job, late[i], NULL));
      g_assert_true (p2v_verify_is_too_late (job));
      p2v_job_fail (job, P2V_STAGE_CONVERT, failure);
      g_assert_true (p2v_verify_is_too_late (job));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (early); i++)
    {
      g_assert_true (p2v_job_set_state (job, early[i], NULL));
      g_assert_false (p2v_verify_is_too_late (job));
      p2v_job_fail (job, P2V_STAGE_CONVERT, failure);
      g_assert_false (p2v_verify_is_too_late (job));
    }
}

/* A server without virt-v2v: everything that could be, was done. */
static void
allow_only_qemu_nbd (Fixture *fixture)
{
  g_autofree char *bin = g_build_filename (fixture->dir, "bin", NULL);
  g_autofree char *target = g_find_program_in_path ("qemu-nbd");
  g_autofree char *link = g_build_filename (bin, "qemu-nbd", NULL);
  g_assert_cmpint (g_mkdir (bin, 0700), ==, 0);
  g_assert_cmpint (symlink (target, link), ==, 0);
  g_setenv ("PATH", bin, TRUE);
}

static void
assert_worker_fails_at (Fixture *fixture, const char *stage, P2vErrorCode code)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_worker_run (fixture->config, fixture->job, &error));
  g_assert_error (error, P2V_ERROR, (gint)code);
  g_assert_cmpstr (fixture->job->state, ==, P2V_JOB_FAILED);
  g_assert_cmpstr (fixture->job->failed_stage, ==, stage);
}

static void
test_a_failed_conversion_does_not_hide_the_result (Fixture *fixture,
                                                   G_GNUC_UNUSED gconstpointer data)
{
  allow_only_qemu_nbd (fixture);
  assert_worker_fails_at (fixture, P2V_STAGE_CONVERT, P2V_ERROR_CONVERT);
  g_assert_cmpstr (fixture->job->verification->state, ==, P2V_VERIFICATION_PASSED);
  g_setenv ("PATH", fixture->path, TRUE);
  change_disk (fixture, 0, 0xa5);
  g_autofree char *bin = g_build_filename (fixture->dir, "bin", NULL);
  g_setenv ("PATH", bin, TRUE);
  assert_worker_fails_at (fixture, P2V_STAGE_VERIFY, P2V_ERROR_TRANSFER);
  g_assert_null (p2v_worker_next_stage (fixture->job, NULL));
}

static void
test_a_followed_job_waits_for_its_machine (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  change_disk (fixture, 0, 0xa5);
  allow_only_qemu_nbd (fixture);
  int mark = p2v_job_mark_followed (fixture->job);
  g_assert_cmpint (mark, >=, 0);
  g_assert_false (p2v_worker_run (fixture->config, fixture->job, &error));
  close (mark);
  g_autoptr (P2vJob) saved = p2v_job_load (fixture->config, fixture->job->id, NULL);
  g_assert_cmpstr (saved->state, ==, P2V_JOB_WAITING);
  g_assert_false (p2v_job_has_landed (saved));
}

/* virt-v2v's own outputs are guests: it only starts when nothing is left to be found. */
static void
test_no_output_begins_before_the_end (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  allow_only_qemu_nbd (fixture);
  g_autofree char *script = g_build_filename (fixture->dir, "bin", "virt-v2v", NULL);
  g_autofree char *ran = g_build_filename (fixture->dir, "ran", NULL);
  g_autofree char *text = g_strdup_printf ("#!/bin/sh\ncase \"$*\" in\n"
                                           "  *--machine-readable*) echo output:null ;;\n"
                                           "  *) : >'%s'; exit 3 ;;\nesac\n",
                                           ran);
  g_assert_true (g_file_set_contents_full (script, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
  fixture_set (&fixture->job->plan->method, "virt-v2v");
  fixture_set (&fixture->job->plan->mode, "null");
  assert_worker_fails_at (fixture, P2V_STAGE_CONVERT, P2V_ERROR_CONVERT);
  g_assert_true (g_file_test (ran, G_FILE_TEST_EXISTS));
  g_unlink (ran);
  flip_byte (fixture->paths[0], 1);
  assert_worker_fails_at (fixture, P2V_STAGE_VERIFY, P2V_ERROR_TRANSFER);
  g_assert_false (g_file_test (ran, G_FILE_TEST_EXISTS));
}

static void
test_what_could_not_be_compared_is_tried_again (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *away = g_strconcat (image_of (fixture)->path, ".away", NULL);
  allow_only_qemu_nbd (fixture);
  g_assert_cmpint (g_rename (image_of (fixture)->path, away), ==, 0);
  int mark = p2v_job_mark_followed (fixture->job);
  assert_worker_fails_at (fixture, P2V_STAGE_VERIFY, P2V_ERROR_FAILED);
  close (mark);
  g_assert_cmpint (g_rename (away, image_of (fixture)->path), ==, 0);
  g_assert_cmpstr (p2v_worker_next_stage (fixture->job, NULL), ==, P2V_STAGE_CONVERT);
  assert_worker_fails_at (fixture, P2V_STAGE_CONVERT, P2V_ERROR_CONVERT);
}

static void
test_off_is_off_and_said (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  change_disk (fixture, 0, 0xa5);
  allow_only_qemu_nbd (fixture);
  fixture->job->request->output->verify = g_strdup ("off");
  assert_worker_fails_at (fixture, P2V_STAGE_CONVERT, P2V_ERROR_CONVERT);
  g_assert_cmpstr (fixture->job->verification->state, ==, P2V_VERIFICATION_OFF);
  g_assert_cmpint (state_of (fixture, 0), ==, P2V_CHUNK_DATA);
}

static void
add (const char *name, void (*test) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/verify/", name, NULL);
  g_test_add (path, Fixture, "raw", set_up, test, tear_down);
}

static void
add_both (const char *name, void (*test) (Fixture *, gconstpointer))
{
  g_autofree char *raw = g_strconcat ("/verify/raw/", name, NULL);
  g_autofree char *qcow2 = g_strconcat ("/verify/qcow2/", name, NULL);
  g_test_add (raw, Fixture, "raw", set_up, test, tear_down);
  g_test_add (qcow2, Fixture, "qcow2", set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_both ("right-images-pass-with-counts", test_right_images_pass_with_counts);
  add_both ("any-byte-of-data-counts", test_any_byte_of_data_counts);
  add_both ("the-last-short-chunk-counts", test_the_last_short_chunk_counts);
  add_both ("a-zero-chunk-must-be-zero", test_a_zero_chunk_must_be_zero);
  add_both ("a-skipped-chunk-must-be-zero", test_a_skipped_chunk_must_be_zero);
  add_both ("written-zeroes-are-zero", test_written_zeroes_are_zero);
  add ("a-damaged-record-vouches-for-nothing", test_a_damaged_record_vouches_for_nothing);
  add ("a-look-counts-what-is-left", test_a_look_counts_what_is_left);
  add ("what-cannot-be-read-is-bad", test_what_cannot_be_read_is_bad);
  add ("an-image-cut-short-is-refused", test_an_image_cut_short_is_refused);
  add ("without-qemu-nbd-its-package-is-named", test_without_qemu_nbd_its_package_is_named);
  add ("a-missing-image-is-named", test_a_missing_image_is_named);
  add ("lists-are-bounded", test_lists_are_bounded);
  add ("cancelling-ends-it", test_cancelling_ends_it);
  add ("freeing-ends-it", test_freeing_ends_it);
  add ("a-lost-export-is-no-bad-chunk", test_a_lost_export_is_no_bad_chunk);
  add ("it-is-too-late-from-the-commit-on", test_it_is_too_late_from_the_commit_on);
  add ("a-failed-conversion-does-not-hide-the-result",
       test_a_failed_conversion_does_not_hide_the_result);
  add ("a-followed-job-waits-for-its-machine", test_a_followed_job_waits_for_its_machine);
  add ("no-output-begins-before-the-end", test_no_output_begins_before_the_end);
  add ("what-could-not-be-compared-is-tried-again", test_what_could_not_be_compared_is_tried_again);
  add ("off-is-off-and-said", test_off_is_off_and_said);
  return g_test_run ();
}
