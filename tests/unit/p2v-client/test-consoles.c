/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/consoles.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A tree with a list of active consoles, and terminals to be some of them. */
typedef struct
{
  char *root;
  int terminals[2]; /* the ends that a person would look at */
  int keepers[2];   /* keep a terminal's other end open while no console is */
} Fixture;

static void
add_terminal (Fixture *fixture, gsize index, const char *name)
{
  int master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  g_assert_cmpint (master, >=, 0);
  g_assert_cmpint (grantpt (master), ==, 0);
  g_assert_cmpint (unlockpt (master), ==, 0);
  const char *device = ptsname (master);
  g_autofree char *link = g_build_filename (fixture->root, "dev", name, NULL);
  g_assert_cmpint (symlink (device, link), ==, 0);
  fixture->terminals[index] = master;
  fixture->keepers[index] = open (device, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void
set_up (Fixture *fixture, gconstpointer active)
{
  fixture->root = g_dir_make_tmp ("consoles-XXXXXX", NULL);
  g_autofree char *dir = g_build_filename (fixture->root, "sys/class/tty/console", NULL);
  g_autofree char *dev = g_build_filename (fixture->root, "dev", NULL);
  g_autofree char *file = g_build_filename (dir, "active", NULL);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (dev, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, active, -1, NULL));
  add_terminal (fixture, 0, "tty1");
  add_terminal (fixture, 1, "ttyS0");
}

static void
tear_down (Fixture *fixture, gconstpointer active)
{
  (void)active;
  static const char *const paths[] = { "sys/class/tty/console/active",
                                       "sys/class/tty/console",
                                       "sys/class/tty",
                                       "sys/class",
                                       "sys",
                                       "dev/tty1",
                                       "dev/ttyS0",
                                       "dev",
                                       "" };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *path = g_build_filename (fixture->root, paths[i], NULL);
      g_remove (path);
    }
  for (gsize i = 0; i < 2; i++)
    {
      close (fixture->terminals[i]);
      close (fixture->keepers[i]);
    }
  g_free (fixture->root);
}

/* Opens the consoles with standard output and error going to out
 * and err, or nowhere; TAP has its own use for ours. */
static P2vConsoles *
open_with_output (Fixture *fixture, int out, int err)
{
  int saved[] = { dup (STDOUT_FILENO), dup (STDERR_FILENO) };
  int nowhere = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  fflush (stdout);
  dup2 (out >= 0 ? out : nowhere, STDOUT_FILENO);
  dup2 (err >= 0 ? err : nowhere, STDERR_FILENO);
  P2vConsoles *consoles = p2v_consoles_open (fixture->root);
  dup2 (saved[0], STDOUT_FILENO);
  dup2 (saved[1], STDERR_FILENO);
  close (saved[0]);
  close (saved[1]);
  close (nowhere);
  return consoles;
}

static P2vConsoles *
open_consoles (Fixture *fixture)
{
  return open_with_output (fixture, -1, -1);
}

/* Everything that has been shown on a terminal. */
static char *
shown (Fixture *fixture, gsize index)
{
  GString *text = g_string_new (NULL);
  char data[4096];
  ssize_t n;
  while ((n = read (fixture->terminals[index], data, sizeof data)) > 0)
    g_string_append_len (text, data, n);
  return g_string_free (text, FALSE);
}

static void
assert_shown (Fixture *fixture, gsize index, const char *expected)
{
  g_autofree char *text = shown (fixture, index);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_parsed (const char *active, const char *expected)
{
  g_auto (GStrv) names = p2v_consoles_parse (active);
  g_autofree char *joined = g_strjoinv (" ", names);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_the_list_is_parsed (void)
{
  assert_parsed ("tty0 ttyS0\n", "tty1 ttyS0");
  assert_parsed ("ttyS1 tty1 tty0\n", "ttyS1 tty1");
  assert_parsed ("hvc0", "hvc0");
  assert_parsed ("", "");
  assert_parsed ("../sda pts/0 . ttyAMA0\n", "ttyAMA0");
}

static void
test_every_console_gets_every_line (Fixture *fixture, gconstpointer data)
{
  (void)data;
  P2vConsoles *consoles = open_consoles (fixture);
  p2v_consoles_print (consoles, "one\ntwo\n", -1);
  p2v_consoles_print_error (consoles, "three\nnot this", 6);
  p2v_consoles_free (consoles);
  /* The terminal makes the line ends what a serial line needs. */
  assert_shown (fixture, 0, "one\r\ntwo\r\nthree\r\n");
  assert_shown (fixture, 1, "one\r\ntwo\r\nthree\r\n");
}

static void
test_a_stopped_console_holds_up_nothing (Fixture *fixture, gconstpointer data)
{
  (void)data;
  /* Flow control: the other side has sent XOFF. */
  g_assert_cmpint (tcflow (fixture->keepers[1], TCOOFF), ==, 0);
  gint64 started = g_get_monotonic_time ();
  P2vConsoles *consoles = open_consoles (fixture);
  for (int i = 0; i < 10000; i++)
    {
      g_autofree char *line = g_strdup_printf ("line %d of many that are printed\n", i);
      p2v_consoles_print (consoles, line, -1);
      /* The other one has it by now. */
      g_autofree char *text = shown (fixture, 0);
      g_assert_cmpuint (strlen (text), ==, strlen (line) + 1);
    }
  g_assert_cmpint (g_get_monotonic_time () - started, <, 10 * G_USEC_PER_SEC);
  /* When it goes on it shows the latest, and that there is a gap. */
  g_assert_cmpint (tcflow (fixture->keepers[1], TCOON), ==, 0);
  GString *late = g_string_new (NULL);
  for (int i = 0; i < 100; i++)
    {
      p2v_consoles_flush (consoles);
      g_autofree char *text = shown (fixture, 1);
      g_string_append (late, text);
      g_usleep (1000);
    }
  g_assert_nonnull (strstr (late->str, "some lines are missing here"));
  g_assert_nonnull (strstr (late->str, "line 9999 of many"));
  g_assert_null (strstr (late->str, "line 100 of many"));
  g_assert_cmpuint (late->len, <, 32768);
  g_string_free (late, TRUE);
  p2v_consoles_free (consoles);
}

static void
test_closing_waits_for_a_stopped_console_a_little_only (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_assert_cmpint (tcflow (fixture->keepers[1], TCOOFF), ==, 0);
  P2vConsoles *consoles = open_consoles (fixture);
  p2v_consoles_print (consoles, "for one\n", -1);
  gint64 started = g_get_monotonic_time ();
  p2v_consoles_free (consoles);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 5 * G_USEC_PER_SEC);
  assert_shown (fixture, 0, "for one\r\n");
}

static void
test_a_console_that_cannot_be_opened_is_left_out (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autofree char *path = g_build_filename (fixture->root, "dev/ttyS0", NULL);
  g_assert_cmpint (g_remove (path), ==, 0);
  P2vConsoles *consoles = open_consoles (fixture);
  p2v_consoles_print (consoles, "one\n", -1);
  p2v_consoles_free (consoles);
  assert_shown (fixture, 0, "one\r\n");
  assert_shown (fixture, 1, "");
}

/* A console that is standard output too must not show everything twice. */
static void
test_standard_output_that_is_a_console_is_not_doubled (Fixture *fixture, gconstpointer data)
{
  (void)data;
  P2vConsoles *consoles = open_with_output (fixture, fixture->keepers[0], fixture->keepers[1]);
  p2v_consoles_print (consoles, "once\n", -1);
  p2v_consoles_print_error (consoles, "more\n", -1);
  p2v_consoles_free (consoles);
  assert_shown (fixture, 0, "once\r\nmore\r\n");
  assert_shown (fixture, 1, "once\r\nmore\r\n");
}

static void
test_standard_output_that_is_none_gets_it_too (Fixture *fixture, gconstpointer data)
{
  (void)data;
  int ends[2];
  char text[64] = "";
  g_assert_cmpint (pipe (ends), ==, 0);
  P2vConsoles *consoles = open_with_output (fixture, ends[1], -1);
  p2v_consoles_print (consoles, "for all\n", -1);
  p2v_consoles_print_error (consoles, "elsewhere\n", -1);
  p2v_consoles_free (consoles);
  close (ends[1]);
  g_assert_cmpint (read (ends[0], text, sizeof text - 1), ==, 8);
  g_assert_cmpstr (text, ==, "for all\n");
  close (ends[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const char *both = "tty0 ttyS0\n";
#define ADD(name, function)                                                                        \
  g_test_add ("/consoles/" name, Fixture, both, set_up, function, tear_down)
  g_test_add_func ("/consoles/the-list-is-parsed", test_the_list_is_parsed);
  ADD ("every-console-gets-every-line", test_every_console_gets_every_line);
  ADD ("a-stopped-console-holds-up-nothing", test_a_stopped_console_holds_up_nothing);
  ADD ("closing-waits-for-a-stopped-console-a-little-only",
       test_closing_waits_for_a_stopped_console_a_little_only);
  ADD ("a-console-that-cannot-be-opened-is-left-out",
       test_a_console_that_cannot_be_opened_is_left_out);
  ADD ("standard-output-that-is-a-console-is-not-doubled",
       test_standard_output_that_is_a_console_is_not_doubled);
  ADD ("standard-output-that-is-none-gets-it-too", test_standard_output_that_is_none_gets_it_too);
  return g_test_run ();
}
