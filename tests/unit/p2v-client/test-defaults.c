/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"

#include <glib/gstdio.h>
#include <string.h>

/* Loads a file with the given text, and a command line. */
static P2vConfig *
load (const char *text, const char *cmdline, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) failure = NULL;
  int fd = g_file_open_tmp ("defaults-XXXXXX", &path, &failure);
  g_assert_no_error (failure);
  g_close (fd, NULL);
  g_file_set_contents (path, text, -1, &failure);
  g_assert_no_error (failure);
  P2vConfig *config = p2v_cmdline_load (path, cmdline, error);
  /* Errors name the file, whose name is random. */
  if (error != NULL && *error != NULL)
    {
      GString *message = g_string_new ((*error)->message);
      g_string_replace (message, path, "FILE", 0);
      g_free ((*error)->message);
      (*error)->message = g_string_free (message, FALSE);
    }
  g_unlink (path);
  return config;
}

static P2vConfig *
load_good (const char *text, const char *cmdline)
{
  g_autoptr (GError) error = NULL;
  P2vConfig *config = load (text, cmdline, &error);
  g_assert_no_error (error);
  return config;
}

static void
assert_refused (const char *text, const char *cmdline, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vConfig) config = load (text, cmdline, &error);
  g_assert_null (config);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  if (strstr (error->message, expected) == NULL)
    g_error ("%s\nis refused with: %s\nexpected: %s", text, error->message, expected);
}

static void
test_the_file_is_read_line_by_line (void)
{
  g_autoptr (P2vConfig) config = load_good ("# The server of this site.\n"
                                            "p2v.server=kvm1 p2v.port=2222  # its second sshd\n"
                                            "\n"
                                            "\tp2v.username=p2v\n"
                                            "p2v.fail=\"sh -c 'dmesg # all'\"",
                                            "quiet ro");
  g_assert_cmpstr (config->server, ==, "kvm1");
  g_assert_cmpint (config->port, ==, 2222);
  g_assert_cmpstr (config->username, ==, "p2v");
  g_assert_cmpstr (config->fail, ==, "sh -c 'dmesg # all'");
}

static void
test_the_command_line_overrides_word_by_word (void)
{
  const char *defaults = "p2v.server=kvm1 p2v.port=2222 p2v.sudo p2v.o=local p2v.os=/a "
                         "p2v.oo=a=1 p2v.oo=b=2 p2v.disks=sda,sdb p2v.retry_for=3h";
  g_autoptr (P2vConfig) config
      = load_good (defaults, "p2v.remote.server=kvm2 p2v.sudo=no p2v.oo=c=3 p2v.retry_for=0");
  g_assert_cmpstr (config->server, ==, "kvm2");
  g_assert_cmpint (config->port, ==, 2222);
  g_assert_false (config->sudo);
  g_assert_cmpstr (config->output->storage, ==, "/a");
  g_assert_cmpuint (g_strv_length (config->output->options), ==, 1);
  g_assert_cmpstr (config->output->options[0], ==, "c=3");
  g_assert_cmpuint (g_strv_length (config->disks), ==, 2);
  g_assert_cmpint (config->retry_for, ==, 0);
  /* Also what is wrong in the file can be put right. */
  g_autoptr (P2vConfig) mended = load_good ("p2v.port=0", "p2v.port=22");
  g_assert_cmpint (mended->port, ==, 22);
}

static void
test_a_password_goes_before_a_key_of_the_file (void)
{
  const char *defaults = "p2v.identity=file:///etc/p2v/identity";
  g_autoptr (P2vConfig) password = load_good (defaults, "p2v.auth.password=hush");
  g_assert_null (password->identity_url);
  g_autoptr (P2vConfig) empty = load_good (defaults, "p2v.password=");
  g_assert_cmpstr (empty->identity_url, ==, "file:///etc/p2v/identity");
  g_autoptr (P2vConfig) both = load_good (defaults, "p2v.password=hush p2v.identity=file:///k");
  g_assert_cmpstr (both->identity_url, ==, "file:///k");
}

static void
test_only_the_command_line_makes_it_unattended (void)
{
  g_autoptr (P2vConfig) defaults = load_good ("p2v.server=kvm1", "quiet");
  g_assert_cmpstr (defaults->server, ==, "kvm1");
  g_assert_false (defaults->unattended);
  g_autoptr (P2vConfig) both = load_good ("p2v.server=kvm1", "p2v.server=kvm1");
  g_assert_true (both->unattended);
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vConfig) none = p2v_cmdline_load ("/nonexistent/defaults", "p2v.server=a", &error);
  g_assert_no_error (error);
  g_assert_true (none->unattended);
}

static void
test_mistakes_are_told_with_file_and_line (void)
{
  assert_refused ("p2v.server=a\n\np2v.sever=b\n", "",
                  "FILE, line 3: p2v.sever: there is no such argument. Did you mean p2v.server?");
  assert_refused ("p2v.port=x", "", "FILE, line 1: p2v.port=x: expected a number");
  assert_refused ("p2v.server=a\np2v.server=b", "", "FILE, line 2: p2v.server or");
  /* A quote ends with its line at the latest. */
  assert_refused ("p2v.post=\"a b\np2v.server=b", "", "FILE, line 1: p2v.post: a double quote");
  assert_refused ("p2v.password=my secret", "", "FILE, line 1: word 2 does not begin with");
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vConfig) config = load ("p2v.password=my secret", "", &error);
  g_assert_null (strstr (error->message, "secret"));
  /* The command line's own mistakes do not blame the file. */
  g_clear_error (&error);
  g_autoptr (P2vConfig) wrong = load ("p2v.server=a", "p2v.port=0", &error);
  g_assert_true (g_str_has_prefix (error->message, "p2v.port=0: "));
}

static void
test_a_file_that_cannot_be_read_is_named (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vConfig) config = p2v_cmdline_load ("/proc/self", "p2v.server=a", &error);
  g_assert_null (config);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, "cannot read the defaults: "));
  g_assert_nonnull (strstr (error->message, "/proc/self"));
}

static void
test_durations_have_units (void)
{
  g_autoptr (P2vConfig) none = load_good ("", "");
  g_assert_cmpint (none->retry_for, ==, -1);
  g_assert_cmpint (none->wait_for, ==, -1);
  static const struct
  {
    const char *text;
    gint64 seconds;
  } good[] = {
    { "p2v.wait_for=90", 90 },   { "p2v.wait_for=90s", 90 },      { "p2v.wait_for=5m", 300 },
    { "p2v.wait_for=2h", 7200 }, { "p2v.wait_for=168h", 604800 }, { "p2v.wait_for=0", 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (P2vConfig) config = load_good ("", good[i].text);
      g_assert_cmpint (config->wait_for, ==, good[i].seconds);
    }
  static const char *const bad[] = {
    "p2v.retry_for",     "p2v.retry_for=",
    "p2v.retry_for=-1",  "p2v.retry_for=1d",
    "p2v.retry_for=m",   "p2v.retry_for=5mm",
    "p2v.retry_for=5M",  "p2v.retry_for=169h",
    "p2v.retry_for=1.5", "p2v.retry_for=99999999999999999999h",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (P2vConfig) config = p2v_cmdline_parse (bad[i], &error);
      g_assert_null (config);
      g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
      g_assert_nonnull (strstr (error->message, "p2v.retry_for"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/defaults/the-file-is-read-line-by-line", test_the_file_is_read_line_by_line);
  g_test_add_func ("/defaults/the-command-line-overrides-word-by-word",
                   test_the_command_line_overrides_word_by_word);
  g_test_add_func ("/defaults/a-password-goes-before-a-key-of-the-file",
                   test_a_password_goes_before_a_key_of_the_file);
  g_test_add_func ("/defaults/only-the-command-line-makes-it-unattended",
                   test_only_the_command_line_makes_it_unattended);
  g_test_add_func ("/defaults/mistakes-are-told-with-file-and-line",
                   test_mistakes_are_told_with_file_and_line);
  g_test_add_func ("/defaults/a-file-that-cannot-be-read-is-named",
                   test_a_file_that_cannot_be_read_is_named);
  g_test_add_func ("/defaults/durations-have-units", test_durations_have_units);
  return g_test_run ();
}
