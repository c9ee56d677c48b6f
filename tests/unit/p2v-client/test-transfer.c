/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from a disk to an image, through a real qemu-nbd on a Unix socket: reader, lane and
 * transfer without the network in between. */
#include "common/error.h"
#include "p2v-client/lane.h"
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
  P2vBufferPool *pool;
  guint lanes; /* how many a transfer gets */
  gint64 sent; /* bytes of chunks that landed with data */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->dir = g_dir_make_tmp ("p2v-transfer-XXXXXX", NULL);
  f->disk = g_build_filename (f->dir, "sda", NULL);
  f->image = g_build_filename (f->dir, "image", NULL);
  f->socket = g_build_filename (f->dir, "nbd", NULL);
  f->reports = g_async_queue_new_full ((GDestroyNotify)p2v_transfer_report_free);
  f->pool = p2v_buffer_pool_new (16 * P2V_CHUNK_SIZE);
  f->lanes = 1;
}

static void
stop_export (Fixture *f, int signal_number)
{
  if (f->qemu_nbd == NULL)
    return;
  g_subprocess_send_signal (f->qemu_nbd, signal_number);
  g_subprocess_wait (f->qemu_nbd, NULL, NULL);
  g_clear_object (&f->qemu_nbd);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  stop_export (f, SIGTERM);
  g_async_queue_unref (f->reports);
  p2v_buffer_pool_free (f->pool);
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
connect_export (Fixture *f)
{
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

static int
start_export (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_subprocess_launcher_set_child_setup (launcher, die_with_test, NULL, NULL);
  f->qemu_nbd = g_subprocess_launcher_spawn (launcher, &error, "qemu-nbd", "-t", "-e", "8", "-f",
                                             "raw", "-k", f->socket, f->image, NULL);
  g_assert_no_error (error);
  return connect_export (f);
}

static void
on_report (P2vTransferReport *report, gpointer user_data)
{
  g_async_queue_push (user_data, report);
}

/* Counts how often each chunk was reported. */
static void
count_runs (Fixture *f, P2vSource *source, const P2vTransferReport *report, guint8 *reported)
{
  for (guint i = 0; report->runs != NULL && i < report->runs->len; i++)
    {
      const P2vChunkRun *run = &g_array_index (report->runs, P2vChunkRun, i);
      for (guint64 k = run->first; k < run->first + run->count; k++)
        {
          reported[k]++;
          if (run->state == P2V_CHUNK_DATA)
            f->sent += (gint64)p2v_chunk_length (source->size, k);
        }
    }
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

static void
close_descriptor (gpointer data)
{
  close (*(int *)data);
}

/* Runs a transfer to its end, or until a lane fails. */
static GError *
run (Fixture *f, P2vSource *source, int fd, gboolean zeroed, guint8 *reported,
     P2vTransferCounts *counts)
{
  g_autoptr (GArray) more = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (more, close_descriptor);
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, NULL, zeroed, on_report, f->reports);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  while (more->len + 1 < f->lanes)
    {
      int another = connect_export (f);
      g_array_append_val (more, another);
      /* A fast transfer may be over already. */
      if (!p2v_transfer_add_lane (transfer, another))
        g_test_message ("lane %u came too late", more->len);
    }
  for (;;)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      count_runs (f, source, report, reported);
      if (report->ended || report->lane >= 0)
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
  g_assert_cmpint (counts.skipped + counts.zero + f->sent, ==, size);
  /* Chunk 2 and a part of chunk 3 hold written zeroes. */
  g_assert_cmpint (counts.zero, ==, 5 * MIB);
}

static void
test_several_lanes_carry_each_chunk_once (Fixture *f, gconstpointer zeroed)
{
  gint64 size = 200 * MIB + 4096;
  guint8 reported[51] = { 0 };
  P2vTransferCounts counts;
  f->lanes = 4;
  make_file (f->disk, size);
  make_file (f->image, size);
  put_noise (f->disk, 0, 80 * MIB);
  put_zeroes (f->disk, 80 * MIB, 24 * MIB);
  put_noise (f->disk, 120 * MIB + 512, 70 * MIB);
  put_noise (f->disk, size - 4096, 4096);
  if (!zeroed)
    put_noise (f->image, 0, (gsize)size);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (GError) error = run (f, source, fd, zeroed != NULL, reported, &counts);
  g_assert_no_error (error);
  close (fd);
  assert_same (f->disk, f->image);
  for (gsize i = 0; i < G_N_ELEMENTS (reported); i++)
    g_assert_cmpuint (reported[i], ==, 1);
  g_assert_cmpint (counts.skipped + counts.zero + f->sent, ==, size);
}

/* Waits for a transfer's end; returns how many lanes have failed on the way. */
static guint
wait_for_end (Fixture *f, P2vSource *source, P2vTransfer *transfer, guint8 *reported)
{
  guint failed = 0;
  for (gboolean ended = FALSE; !ended;)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      count_runs (f, source, report, reported);
      ended = report->ended;
      if (report->lane >= 0)
        {
          g_assert_error (report->error, P2V_ERROR, P2V_ERROR_TRANSFER);
          p2v_transfer_remove_lane (transfer, report->lane);
          failed++;
        }
      else
        g_assert_no_error (report->error);
    }
  return failed;
}

/* One lane hangs before it has got anything: the others carry all, and the transfer ends when that
 * one is lost. */
static void
test_a_lane_that_hangs_holds_only_its_own (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int pair[2];
  guint8 reported[64] = { 0 };
  make_file (f->disk, 256 * MIB);
  make_file (f->image, 256 * MIB);
  put_noise (f->disk, 0, 256 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  P2vTransfer *transfer = p2v_transfer_start (source, f->pool, NULL, TRUE, on_report, f->reports);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_assert_true (p2v_transfer_add_lane (transfer, pair[0]));
  while (f->sent < 256 * MIB)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      g_assert_no_error (report->error);
      count_runs (f, source, report, reported);
    }
  close (pair[1]);
  g_assert_cmpuint (wait_for_end (f, source, transfer, reported), ==, 1);
  p2v_transfer_free (transfer);
  assert_same (f->disk, f->image);
  close (pair[0]);
  close (fd);
}

/* What a lane had in flight when it is cut goes over another one. */
static void
test_a_lane_that_is_cut_loses_nothing (Fixture *f, gconstpointer zeroed)
{
  guint8 reported[64] = { 0 };
  make_file (f->disk, 256 * MIB);
  make_file (f->image, 256 * MIB);
  put_noise (f->disk, 0, 200 * MIB);
  put_zeroes (f->disk, 210 * MIB, 20 * MIB);
  if (!zeroed)
    put_noise (f->image, 4096, 255 * MIB);
  int fds[3] = { start_export (f), connect_export (f), connect_export (f) };
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, NULL, zeroed != NULL, on_report, f->reports);
  for (int i = 0; i < 3; i++)
    {
      g_assert_true (p2v_transfer_add_lane (transfer, fds[i]));
      g_usleep (40000);
      if (i < 2)
        shutdown (fds[i], SHUT_RDWR);
    }
  g_assert_cmpuint (wait_for_end (f, source, transfer, reported), ==, 2);
  for (gsize i = 0; i < G_N_ELEMENTS (reported); i++)
    g_assert_cmpuint (reported[i], >=, 1);
  assert_same (f->disk, f->image);
  for (int i = 0; i < 3; i++)
    close (fds[i]);
}

/* The server's export dies, and what it had not made durable may be gone with it: it is sent once
 * more to the next one. */
static void
test_an_export_that_is_started_anew_gets_what_was_lost (Fixture *f,
                                                        gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[128] = { 0 };
  make_file (f->disk, 512 * MIB);
  make_file (f->image, 512 * MIB);
  put_noise (f->disk, 0, 512 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, NULL, TRUE, on_report, f->reports);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_usleep (300000);
  stop_export (f, SIGKILL);
  for (gboolean failed = FALSE; !failed;)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      count_runs (f, source, report, reported);
      failed = report->lane >= 0;
      g_assert_false (report->ended);
    }
  p2v_transfer_remove_lane (transfer, fd);
  close (fd);
  /* As after a crash: whatever was not reported as durable is not there. */
  for (guint i = 0; i < G_N_ELEMENTS (reported); i++)
    if (reported[i] == 0)
      put_zeroes (f->image, (gint64)i * P2V_CHUNK_SIZE, P2V_CHUNK_SIZE);
  p2v_transfer_distrust (transfer);
  g_unlink (f->socket);
  fd = start_export (f);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_assert_cmpuint (wait_for_end (f, source, transfer, reported), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (reported); i++)
    g_assert_cmpuint (reported[i], ==, 1);
  assert_same (f->disk, f->image);
  close (fd);
}

/* An export of nbdkit's whose first flush fails once four more writes are over, of which each takes
 * two seconds until then. What it has done is in a log. */
static int
start_failing_export (Fixture *f, const char *log)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *size = g_strdup_printf ("get_size=stat -c %%s '%s'", f->image);
  g_autofree char *read
      = g_strdup_printf ("pread=dd if='%s' iflag=skip_bytes,count_bytes skip=$4 count=$3 bs=1M "
                         "status=none",
                         f->image);
  g_autofree char *write
      = g_strdup_printf ("pwrite=dd of='%s' oflag=seek_bytes seek=$4 conv=notrunc bs=1M "
                         "status=none && { grep -sq failed '%s' || sleep 2; } && echo $4 >>'%s'",
                         f->image, log, log);
  g_autofree char *flush = g_strdup_printf (
      "flush=mkdir '%s.failed' 2>/dev/null || exit 0; enough=$(($(wc -l <'%s') + 4)); "
      "while [ $(wc -l <'%s') -lt $enough ]; do sleep 0.1; done; "
      "sleep 0.5; echo failed >>'%s'; echo EIO >&2; exit 1",
      log, log, log, log);
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_set_child_setup (launcher, die_with_test, NULL, NULL);
  f->qemu_nbd = g_subprocess_launcher_spawn (launcher, &error, "nbdkit", "-f", "-U", f->socket,
                                             "eval", size, read, write, flush, "can_write=exit 0",
                                             "can_flush=exit 0", "can_multi_conn=exit 0",
                                             "thread_model=echo parallel", NULL);
  g_assert_no_error (error);
  return connect_export (f);
}

/* Every write that is in the log before the failure is there after it, too. */
static void
assert_written_again (const char *log)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (log, &text, NULL, NULL));
  char *failure = strstr (text, "failed\n");
  g_assert_nonnull (failure);
  *failure = '\0';
  g_auto (GStrv) before = g_strsplit (text, "\n", -1);
  g_auto (GStrv) after = g_strsplit (failure + strlen ("failed\n"), "\n", -1);
  g_assert_cmpuint (g_strv_length (before), >, 4);
  for (guint i = 0; before[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *)after, before[i]))
      g_error ("what was written at %s was not written again", before[i]);
}

static void
test_what_a_failed_flush_may_have_lost_is_sent_again (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[32] = { 0 };
  g_autofree char *log = g_strconcat (f->disk, ".log", NULL);
  g_autofree char *failed = g_strconcat (log, ".failed", NULL);
  make_file (f->disk, 128 * MIB);
  make_file (f->image, 128 * MIB);
  put_noise (f->disk, 0, 128 * MIB);
  int fds[2] = { start_failing_export (f, log), connect_export (f) };
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, NULL, TRUE, on_report, f->reports);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    g_assert_true (p2v_transfer_add_lane (transfer, fds[i]));
  guint lost = 0;
  guint blamed = 0;
  while (lost < G_N_ELEMENTS (fds))
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      count_runs (f, source, report, reported);
      g_assert_false (report->ended);
      if (report->lane < 0)
        continue;
      lost++;
      blamed += !report->replaced;
      p2v_transfer_remove_lane (transfer, report->lane);
      close (report->lane);
    }
  /* The one that was told of it; the other one only had to go, too. */
  g_assert_cmpuint (blamed, ==, 1);
  int fd = connect_export (f);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_assert_cmpuint (wait_for_end (f, source, transfer, reported), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (reported); i++)
    g_assert_cmpuint (reported[i], ==, 1);
  assert_written_again (log);
  assert_same (f->disk, f->image);
  close (fd);
  stop_export (f, SIGTERM);
  g_unlink (log);
  g_rmdir (failed);
}

/* A lane on which nothing is to be written says something all the same, which the server's log has.
 */
static void
test_a_lane_that_has_nothing_to_say_is_kept_alive (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *log = g_strconcat (f->disk, ".log", NULL);
  g_autofree char *log_argument = g_strconcat ("logfile=", log, NULL);
  make_file (f->disk, MIB);
  make_file (f->image, MIB);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_subprocess_launcher_set_child_setup (launcher, die_with_test, NULL, NULL);
  f->qemu_nbd = g_subprocess_launcher_spawn (launcher, &error, "nbdkit", "-f", "-U", f->socket,
                                             "--filter=log", "file", f->image, log_argument, NULL);
  g_assert_no_error (error);
  int fd = connect_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (P2vLane) lane = p2v_lane_new (fd, source, TRUE, NULL, NULL, &error);
  g_assert_no_error (error);
  const gint64 silence = G_USEC_PER_SEC;
  gint64 until = g_get_monotonic_time () + silence * 5 / 2;
  while (g_get_monotonic_time () < until)
    {
      g_assert_true (p2v_lane_keep_alive (lane, silence, &error));
      g_assert_true (p2v_lane_poll (lane, -1, 50, &error));
    }
  g_assert_true (p2v_lane_close (lane, &error));
  close (fd);
  stop_export (f, SIGTERM);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (log, &text, NULL, NULL));
  g_auto (GStrv) reads = g_strsplit (text, " Read ", -1);
  g_assert_cmpuint (g_strv_length (reads), ==, 1 + 2);
  g_assert_null (strstr (text, " Write "));
  g_unlink (log);
}

/* The server says that its export is another one, while a connection to the one before still works:
 * nothing more goes over that. */
static void
test_a_lane_to_an_earlier_export_counts_no_more (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[128] = { 0 };
  make_file (f->disk, 512 * MIB);
  make_file (f->image, 512 * MIB);
  put_noise (f->disk, 0, 512 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, NULL, TRUE, on_report, f->reports);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_usleep (100000);
  p2v_transfer_distrust (transfer);
  for (gboolean failed = FALSE; !failed;)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      count_runs (f, source, report, reported);
      g_assert_false (report->ended);
      failed = report->lane >= 0;
      g_assert_cmpint (report->replaced, ==, failed);
    }
  p2v_transfer_remove_lane (transfer, fd);
  int next = connect_export (f);
  g_assert_true (p2v_transfer_add_lane (transfer, next));
  g_assert_cmpuint (wait_for_end (f, source, transfer, reported), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (reported); i++)
    g_assert_cmpuint (reported[i], >=, 1);
  assert_same (f->disk, f->image);
  close (fd);
  close (next);
}

/* What the server has from an earlier run is read and compared, and not sent unless it has changed
 * meanwhile. */
static void
test_what_has_landed_earlier_is_not_sent (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[8] = { 0 };
  gint64 size = 32 * MIB;
  g_autoptr (P2vChunkTable) landed = p2v_chunk_table_new (size);
  make_file (f->disk, size);
  make_file (f->image, size);
  put_noise (f->disk, 0, 16 * MIB);
  put_noise (f->image, 512, (gsize)size - 512);
  g_autoptr (GMappedFile) disk = g_mapped_file_new (f->disk, FALSE, NULL);
  for (guint64 i = 0; i < 3; i++)
    {
      P2vChunkRun run = { .first = i, .count = 1, .state = P2V_CHUNK_DATA };
      p2v_chunk_hash (g_mapped_file_get_contents (disk) + i * P2V_CHUNK_SIZE, P2V_CHUNK_SIZE,
                      &run.hash);
      if (i == 2)
        run.hash.bytes[3] ^= 1; /* it was something else then */
      p2v_chunk_table_set (landed, &run);
    }
  P2vChunkRun zeroes = { .first = 4, .count = 2, .state = P2V_CHUNK_SKIPPED };
  p2v_chunk_table_set (landed, &zeroes);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  P2vReaderTask task = { .landed = landed };
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, &task, FALSE, on_report, f->reports);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_assert_cmpuint (wait_for_end (f, source, transfer, reported), ==, 0);
  close (fd);
  g_autoptr (GMappedFile) image = g_mapped_file_new (f->image, FALSE, NULL);
  const char *a = g_mapped_file_get_contents (disk), *b = g_mapped_file_get_contents (image);
  for (gsize i = 0; i < 8; i++)
    {
      gboolean same = memcmp (a + i * P2V_CHUNK_SIZE, b + i * P2V_CHUNK_SIZE, P2V_CHUNK_SIZE) == 0;
      g_assert_cmpuint (reported[i], ==, 1);
      /* Two with data; the holes are one run, of which not all is known to have landed. */
      g_assert_cmpint (same, ==, i >= 2);
    }
}

/* Only what is asked for again is sent, and it may be asked for at any time before the end. */
static void
test_chunks_are_sent_again_when_asked_for (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint8 reported[8] = { 0 };
  make_file (f->disk, 30 * MIB);
  make_file (f->image, 30 * MIB);
  put_noise (f->disk, 0, 13 * MIB);
  put_noise (f->image, 512, 30 * MIB - 512);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  P2vReaderTask task = { .only_again = TRUE };
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, &task, TRUE, on_report, f->reports);
  p2v_transfer_again (transfer, 0, 1);
  p2v_transfer_again (transfer, 2, 6);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_assert_cmpuint (wait_for_end (f, source, transfer, reported), ==, 0);
  close (fd);
  put_noise (f->disk, 4 * MIB, 4 * MIB);
  put_noise (f->image, 4 * MIB, 4 * MIB);
  for (gsize i = 0; i < 8; i++)
    g_assert_cmpuint (reported[i], ==, i != 1);
  assert_same (f->disk, f->image);
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
  g_assert_cmpint (f->sent, ==, P2V_CHUNK_SIZE);
  g_free (reported);
}

/* The guest finds zeroes where its disk had free space, in an image that held something else too;
 * chunks that nobody read say so. */
static void
test_free_space_is_zeroes_and_never_read (Fixture *f, gconstpointer zeroed)
{
  gint64 size = 40 * MIB + 512;
  guint states[11] = { 0 };
  make_file (f->disk, size);
  make_file (f->image, size);
  put_noise (f->disk, 0, (gsize)size - 512);
  put_noise (f->disk, size - 512, 512);
  if (!zeroed)
    put_noise (f->image, 4 * MIB, 36 * MIB);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  p2v_block_map_set_free (source->map, 4096, 8192);
  p2v_block_map_set_free (source->map, 8 * MIB - 512, 16 * MIB + 512);
  p2v_block_map_set_free (source->map, 40 * MIB, 512);
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, NULL, zeroed != NULL, on_report, f->reports);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  for (gboolean ended = FALSE; !ended;)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      ended = report->ended;
      g_assert_no_error (report->error);
      for (guint i = 0; report->runs != NULL && i < report->runs->len; i++)
        {
          const P2vChunkRun *run = &g_array_index (report->runs, P2vChunkRun, i);
          for (guint64 k = 0; k < run->count; k++)
            states[run->first + k] = run->state;
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    g_assert_cmpuint (states[i], ==,
                      (i >= 2 && i < 6) || i == 10 ? P2V_CHUNK_SKIPPED : P2V_CHUNK_DATA);
  P2vTransferCounts counts;
  p2v_transfer_get_counts (transfer, &counts);
  g_assert_cmpint (counts.skipped, ==, 16 * MIB + 512);
  close (fd);
  put_zeroes (f->disk, 4096, 8192);
  put_zeroes (f->disk, 8 * MIB - 512, 16 * MIB + 512);
  put_zeroes (f->disk, 40 * MIB, 512);
  assert_same (f->disk, f->image);
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
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
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
  stop_export (f, SIGKILL);
  g_autoptr (GError) error = run (f, source, fd, TRUE, reported, &counts);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_TRANSFER);
  close (fd);
}

/* However little there is of what is held back. */
static void
test_what_is_held_is_not_sent (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  P2vTransferCounts counts;
  make_file (f->disk, 40 * MIB);
  make_file (f->image, 40 * MIB);
  put_zeroes (f->disk, 0, 30 * MIB);
  put_noise (f->disk, 30 * MIB, 4096);
  int fd = start_export (f);
  g_autoptr (P2vSource) source = open_source (f);
  g_autoptr (P2vTransfer) transfer
      = p2v_transfer_start (source, f->pool, NULL, TRUE, on_report, f->reports);
  p2v_transfer_hold (transfer, TRUE);
  g_assert_true (p2v_transfer_add_lane (transfer, fd));
  g_assert_null (g_async_queue_timeout_pop (f->reports, G_USEC_PER_SEC / 2));
  p2v_transfer_hold (transfer, FALSE);
  for (gboolean ended = FALSE; !ended;)
    {
      g_autoptr (P2vTransferReport) report = g_async_queue_pop (f->reports);
      g_assert_no_error (report->error);
      ended = report->ended;
    }
  p2v_transfer_get_counts (transfer, &counts);
  g_assert_cmpint (counts.zero, >, 0);
  close (fd);
  assert_same (f->disk, f->image);
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
  P2vTransfer *transfer = p2v_transfer_start (source, f->pool, NULL, TRUE, on_report, f->reports);
  g_assert_true (p2v_transfer_add_lane (transfer, pair[0]));
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
  ADD ("/transfer/several-lanes-carry-each-chunk-once", "zeroed",
       test_several_lanes_carry_each_chunk_once);
  ADD ("/transfer/several-lanes-write-over-old-contents", NULL,
       test_several_lanes_carry_each_chunk_once);
  ADD ("/transfer/a-lane-that-hangs-holds-only-its-own", NULL,
       test_a_lane_that_hangs_holds_only_its_own);
  ADD ("/transfer/a-lane-that-is-cut-loses-nothing", "zeroed",
       test_a_lane_that_is_cut_loses_nothing);
  ADD ("/transfer/a-lane-that-is-cut-loses-nothing-over-old-contents", NULL,
       test_a_lane_that_is_cut_loses_nothing);
  ADD ("/transfer/an-export-that-is-started-anew-gets-what-was-lost", NULL,
       test_an_export_that_is_started_anew_gets_what_was_lost);
  ADD ("/transfer/what-a-failed-flush-may-have-lost-is-sent-again", NULL,
       test_what_a_failed_flush_may_have_lost_is_sent_again);
  ADD ("/transfer/a-lane-that-has-nothing-to-say-is-kept-alive", NULL,
       test_a_lane_that_has_nothing_to_say_is_kept_alive);
  ADD ("/transfer/a-lane-to-an-earlier-export-counts-no-more", NULL,
       test_a_lane_to_an_earlier_export_counts_no_more);
  ADD ("/transfer/what-has-landed-earlier-is-not-sent", NULL,
       test_what_has_landed_earlier_is_not_sent);
  ADD ("/transfer/chunks-are-sent-again-when-asked-for", NULL,
       test_chunks_are_sent_again_when_asked_for);
  ADD ("/transfer/holes-and-zeroes-are-not-written", NULL, test_holes_and_zeroes_are_not_written);
  ADD ("/transfer/free-space-is-zeroes-and-never-read", "zeroed",
       test_free_space_is_zeroes_and_never_read);
  ADD ("/transfer/free-space-is-zeroes-in-an-image-with-old-contents-too", NULL,
       test_free_space_is_zeroes_and_never_read);
  ADD ("/transfer/an-image-that-is-too-small-is-refused", NULL,
       test_an_image_that_is_too_small_is_refused);
  ADD ("/transfer/an-image-may-be-larger", NULL, test_an_image_may_be_larger);
  ADD ("/transfer/a-disk-that-shrinks-is-a-source-error", NULL,
       test_a_disk_that_shrinks_is_a_source_error);
  ADD ("/transfer/a-server-that-goes-away-is-a-transfer-error", NULL,
       test_a_server_that_goes_away_is_a_transfer_error);
  ADD ("/transfer/what-is-held-is-not-sent", NULL, test_what_is_held_is_not_sent);
  ADD ("/transfer/stopping-ends-a-transfer-soon", NULL, test_stopping_ends_a_transfer_soon);
  return g_test_run ();
}
