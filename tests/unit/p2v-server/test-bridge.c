/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What carries a lane from sshd to an export, between pipes and a socket. */
#include "common/error.h"
#include "p2v-server/bridge.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

/* Milliseconds. */
#define PATIENCE 500

typedef struct
{
  int input[2], output[2], socket[2];
  gboolean compressed;
  GThread *thread;
  GError *error; /* of the bridge */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpint (pipe (f->input), ==, 0);
  g_assert_cmpint (pipe (f->output), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, f->socket), ==, 0);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int fds[] = { f->input[0], f->input[1], f->output[0], f->output[1], f->socket[0], f->socket[1] };
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
  g_clear_error (&f->error);
}

static gpointer
bridge_thread (gpointer data)
{
  Fixture *f = data;
  return GINT_TO_POINTER (
      p2v_bridge_run (f->input[0], f->output[1], f->socket[0], f->compressed, PATIENCE, &f->error));
}

static void
start (Fixture *f)
{
  f->thread = g_thread_new ("bridge", bridge_thread, f);
}

static gboolean
join (Fixture *f)
{
  return GPOINTER_TO_INT (g_thread_join (g_steal_pointer (&f->thread)));
}

static void
say (int fd, const void *bytes, gsize length)
{
  g_assert_cmpint (write (fd, bytes, length), ==, (gssize)length);
}

static void
assert_hears (int fd, const char *expected)
{
  char buffer[64] = { 0 };
  gsize length = strlen (expected);
  for (gsize got = 0; got < length;)
    {
      gssize n = read (fd, buffer + got, length - got);
      g_assert_cmpint (n, >, 0);
      got += (gsize)n;
    }
  g_assert_cmpstr (buffer, ==, expected);
}

static void
end (int *fd)
{
  close (*fd);
  *fd = -1;
}

static void
test_both_ways_until_the_export_has_said_its_last (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  say (f->input[1], "there", 5);
  assert_hears (f->socket[1], "there");
  end (&f->input[1]);
  char byte;
  g_assert_cmpint (read (f->socket[1], &byte, 1), ==, 0);
  say (f->socket[1], "and back", 8);
  end (&f->socket[1]);
  assert_hears (f->output[0], "and back");
  g_assert_true (join (f));
  g_assert_no_error (f->error);
}

static void
test_what_is_compressed_arrives_decoded (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  char packed[128];
  gsize length = ZSTD_compress (packed, sizeof packed, "zstd", 4, 1);
  f->compressed = TRUE;
  start (f);
  say (f->input[1], packed, length);
  assert_hears (f->socket[1], "zstd");
  say (f->input[1], "no frame", 8);
  g_assert_false (join (f));
  g_assert_error (f->error, P2V_ERROR, P2V_ERROR_TRANSFER);
}

static void
test_silence_ends_it (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  gint64 began = g_get_monotonic_time ();
  start (f);
  /* Twice the patience, but never at a time. */
  for (int i = 0; i < 10; i++)
    {
      say (i % 2 == 0 ? f->input[1] : f->socket[1], "x", 1);
      assert_hears (i % 2 == 0 ? f->socket[1] : f->output[0], "x");
      g_usleep (PATIENCE / 5 * 1000);
    }
  g_assert_no_error (f->error);
  g_assert_false (join (f));
  g_assert_error (f->error, P2V_ERROR, P2V_ERROR_TRANSFER);
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 2 * PATIENCE * 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/bridge/both-ways-until-the-export-has-said-its-last",
       test_both_ways_until_the_export_has_said_its_last);
  ADD ("/bridge/what-is-compressed-arrives-decoded", test_what_is_compressed_arrives_decoded);
  ADD ("/bridge/silence-ends-it", test_silence_ends_it);
  return g_test_run ();
}
