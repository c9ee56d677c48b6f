/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from a disk to an image, through a real qemu-nbd on a Unix socket: reader, lane and
 * transfer without the network in between. */
#include "common/error.h"
#include "p2v-client/transfer.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MIB (1024 * 1024)

typedef struct
{
  char *dir, *disk, *image, *socket;
  GSubprocess *qemu_nbd;
  GAsyncQueue *reports;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->dir = g_dir_make_tmp ("p2v-transfer-XXXXXX", NULL);
  f->disk = g_build_filename (f->dir, "sda", NULL);
  f->image = g_build_filename (f->dir, "image", NULL);
  f->socket = g_build_filename (f->dir, "nbd", NULL);
  f->reports = g_async_queue_new_full ((GDestroyNotify)p2v_transfer_report_free);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  if (f->qemu_nbd != NULL)
    {
      g_subprocess_send_signal (f->qemu_nbd, SIGTERM);
      g_subprocess_wait (f->qemu_nbd, NULL, NULL);
      g_object_unref (f->qemu_nbd);
    }
  g_async_queue_unref (f->reports);
  char *paths[] = { f->disk, f->image, f->socket };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_unlink (paths[i]);
      g_free (paths[i]);
    }
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->dir);
}

/* Makes a sparse file; each run of data is bytes from a fixed seed. */
static void
make_file (const char *path, gint64 size)
{
  int fd = open (path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  g_assert_cmpint (ftruncate (fd, size), ==, 0);
  close (fd);
}

static void
put_noise (const char *path, gint64 offset, gsize length)
{
  g_autofree guint32 *noise = g_malloc (length);
  g_autoptr (GRand) random = g_rand_new_with_seed ((guint32)offset);
  for (gsize i = 0; i < length / 4; i++)
    noise[i] = g_rand_int (random);
  int fd = open (path, O_RDWR);
  g_assert_cmpint (pwrite (fd, noise, length, offset), ==, (gssize)length);
  close (fd);
}

static void
put_zeroes (const char *path, gint64 offset, gsize length)
{
  g_autofree guint8 *zeroes = g_malloc0 (length);
  int fd = open (path, O_RDWR);
  g_assert_cmpint (pwrite (fd, zeroes, length, offset), ==, (gssize)length);
  close (fd);
}

/* A test that fails ends at once; what it started must not stay behind. */
static void
die_with_test (gpointer data G_GNUC_UNUSED)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static int
start_export (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_subprocess_launcher_set_child_setup (launcher, die_with_test, NULL, NULL);
  f->qemu_nbd = g_subprocess_launcher_spawn (launcher, &error, "qemu-nbd", "-t", "-f", "raw", "-k",
                                             f->socket, f->image, NULL);
  g_assert_no_error (error);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_strlcpy (address.sun_path, f->socket, sizeof address.sun_path);
  for (int tries = 0; tries < 500; tries++)
    {
      int fd = socket (AF_UNIX, SOCK_STREAM, 0);
      if (connect (fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
      close (fd);
      g_usleep (20000);
    }
  g_assert_not_reached ();
}

static void
on_report (P2vTransferReport *report, gpointer user_data)
{
  g_async_queue_push (user_data, report);
}

static P2vSource *
open_source (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  GStatBuf st;
  g_assert_cmpint (g_stat (f->disk, &st), ==, 0);
  P2vDisk disk = { .name = (char *)"sda", .path = f->disk, .size = st.st_size };
  P2vSource *source = p2v_source_open (&disk, &error);
  g_assert_no_error (error);
  return source;
}

/* Runs a transfer to its end; counts how often each chunk was reported. */
static GError *
run (Fixture *f, P2vSource *source, int fd, gboolean zeroed, guint8 *reported,
     P2vTransferCounts *counts)
{
  g_autoptr (P2vTransfer) transfer = p2v_transfer_start (source, fd, zeroed, on_report, f->reports);
  for (;;)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      for (guint i = 0; report->runs != NULL && i < report->runs->len; i++)
        {
          const P2vChunkRun *chunks = &g_array_index (report->runs, P2vChunkRun, i);
          for (guint64 k = 0; k < chunks->count; k++)
            reported[chunks->first + k]++;
        }
      if (report->ended)
        {
          p2v_transfer_get_counts (transfer, counts);
          return g_steal_pointer (&report->error);
        }
    }
}

static void
assert_same (const char *a, const char *b)
{
  g_autoptr (GMappedFile) first = g_mapped_file_new (a, FALSE, NULL);
  g_autoptr (GMappedFile) second = g_mapped_file_new (b, FALSE, NULL);
  g_assert_cmpmem (g_mapped_file_get_contents (first), g_mapped_file_get_length (first),
                   g_mapped_file_get_contents (second), g_mapped_file_get_length (second));
}

static void
test_the_image_equals_the_disk (Fixture *f, gconstpointer zeroed)
{
  gint64 size = 61 * MIB + 512 * 3;
  guint8 reported[16] = { 0 };
  P2vTransferCounts counts;
  make_file (f->disk, size);
  make_file (f->image, size);
  put_noise (f->disk, 0, 4096);
  put_zeroes (f->disk, 8 * MIB, 5 * MIB);
  put_noise (f->disk, 20 * MIB - 512, 9 * MIB);
  put_noise (f->disk, size - 512, 512);
  if (!zeroed)
    put_noise (f->image, 0, 40 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (GError) error = run (f, source, fd, zeroed != NULL, reported, &counts);
  g_assert_no_error (error);
  close (fd);
  assert_same (f->disk, f->image);
  for (gsize i = 0; i < G_N_ELEMENTS (reported); i++)
    g_assert_cmpuint (reported[i], ==, 1);
  g_assert_cmpint (counts.skipped + counts.zero + counts.sent, ==, size);
  /* Chunk 2 and a part of chunk 3 hold written zeroes. */
  g_assert_cmpint (counts.zero, ==, 5 * MIB);
}

/* What is a hole in the disk stays a hole in the image: no block of it was written. */
static void
test_holes_and_zeroes_are_not_written (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 *reported = g_new0 (guint8, 1024);
  P2vTransferCounts counts;
  make_file (f->disk, (gint64)1024 * P2V_CHUNK_SIZE);
  make_file (f->image, (gint64)1024 * P2V_CHUNK_SIZE);
  put_zeroes (f->disk, 100 * MIB, 8 * MIB);
  put_noise (f->disk, 1000 * MIB, 64 * 1024);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (GError) error = run (f, source, fd, TRUE, reported, &counts);
  g_assert_no_error (error);
  close (fd);
  GStatBuf st;
  g_assert_cmpint (g_stat (f->image, &st), ==, 0);
  g_assert_cmpint (st.st_blocks * 512, <=, 128 * 1024);
  g_assert_cmpint (counts.sent, ==, P2V_CHUNK_SIZE);
  g_free (reported);
}

static void
test_an_image_that_is_too_small_is_refused (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[4] = { 0 };
  P2vTransferCounts counts;
  make_file (f->disk, 8 * MIB);
  make_file (f->image, 4 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (GError) error = run (f, source, fd, TRUE, reported, &counts);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_TRANSFER);
  g_assert_nonnull (strstr (error->message, "4194304"));
  close (fd);
}

/* A logical volume is a whole number of extents, a disk is not. */
static void
test_an_image_may_be_larger (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[3] = { 0 };
  P2vTransferCounts counts;
  gint64 size = 8 * MIB + 512 * 5;
  make_file (f->disk, size);
  put_noise (f->disk, size - 4096, 4096);
  make_file (f->image, 12 * MIB);
  put_noise (f->image, 0, 8 * MIB + 4096);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (GError) error = run (f, source, fd, FALSE, reported, &counts);
  g_assert_no_error (error);
  close (fd);
  g_autoptr (GMappedFile) disk = g_mapped_file_new (f->disk, FALSE, NULL);
  g_autoptr (GMappedFile) image = g_mapped_file_new (f->image, FALSE, NULL);
  g_assert_cmpuint (g_mapped_file_get_length (image), ==, 12 * MIB);
  g_assert_true (
      memcmp (g_mapped_file_get_contents (disk), g_mapped_file_get_contents (image), (gsize)size)
      == 0);
}

static void
test_a_disk_that_shrinks_is_a_source_error (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[4] = { 0 };
  P2vTransferCounts counts;
  make_file (f->disk, 8 * MIB);
  make_file (f->image, 8 * MIB);
  put_noise (f->disk, 0, 8 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_assert_cmpint (truncate (f->disk, 5 * MIB), ==, 0);
  g_autoptr (GError) error = run (f, source, fd, TRUE, reported, &counts);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  g_assert_nonnull (strstr (error->message, f->disk));
  close (fd);
}

static void
test_a_server_that_goes_away_is_a_transfer_error (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[64] = { 0 };
  P2vTransferCounts counts;
  make_file (f->disk, 256 * MIB);
  make_file (f->image, 256 * MIB);
  for (int i = 0; i < 8; i++)
    put_noise (f->disk, (gint64)i * 32 * MIB, 16 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_subprocess_send_signal (f->qemu_nbd, SIGKILL);
  g_subprocess_wait (f->qemu_nbd, NULL, NULL);
  g_autoptr (GError) error = run (f, source, fd, TRUE, reported, &counts);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_TRANSFER);
  close (fd);
}

static void
test_stopping_ends_a_transfer_soon (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int pair[2];
  make_file (f->disk, 256 * MIB);
  put_noise (f->disk, 0, 128 * MIB);
  g_autoptr (P2vSource) source = open_source (f);
  /* A server that never answers. */
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  P2vTransfer *transfer = p2v_transfer_start (source, pair[0], TRUE, on_report, f->reports);
  g_usleep (300000);
  p2v_transfer_free (transfer);
  g_autoptr (P2vTransferReport) report = g_async_queue_try_pop (f->reports);
  g_assert_nonnull (report);
  g_assert_true (report->ended);
  g_assert_nonnull (report->error);
  close (pair[0]);
  close (pair[1]);
}

#define ADD(name, data, func) g_test_add (name, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/transfer/the-image-equals-the-disk", "zeroed", test_the_image_equals_the_disk);
  ADD ("/transfer/an-image-with-old-contents-equals-the-disk-too", NULL,
       test_the_image_equals_the_disk);
  ADD ("/transfer/holes-and-zeroes-are-not-written", NULL, test_holes_and_zeroes_are_not_written);
  ADD ("/transfer/an-image-that-is-too-small-is-refused", NULL,
       test_an_image_that_is_too_small_is_refused);
  ADD ("/transfer/an-image-may-be-larger", NULL, test_an_image_may_be_larger);
  ADD ("/transfer/a-disk-that-shrinks-is-a-source-error", NULL,
       test_a_disk_that_shrinks_is_a_source_error);
  ADD ("/transfer/a-server-that-goes-away-is-a-transfer-error", NULL,
       test_a_server_that_goes_away_is_a_transfer_error);
  ADD ("/transfer/stopping-ends-a-transfer-soon", NULL, test_stopping_ends_a_transfer_soon);
  return g_test_run ();
}
