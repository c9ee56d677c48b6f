/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/hooks.h"

#include <glib/gstdio.h>
#include <string.h>

static void
assert_refused (const char *command, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_hook_check ("p2v.pre", command, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, expected));
}

static char *
run_and_read (const char *format, const char *const *environment)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("p2v hook XXXXXX", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_autofree char *command = g_strdup_printf (format, path);
  p2v_hook_run ("p2v.pre", command, environment, NULL, NULL, &error);
  g_assert_no_error (error);
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_unlink (path);
  return text;
}

static void
test_words_are_split_like_a_shell (void)
{
  g_autofree char *text
      = run_and_read ("sh -c 'printf \"%%s|\" \"$@\" >\"$0\"' '%s' a 'b c' \"d;e\" f\\ g", NULL);
  g_assert_cmpstr (text, ==, "a|b c|d;e|f g|");
}

static void
test_nothing_is_evaluated_by_a_shell (void)
{
  g_autofree char *text = run_and_read (
      "sh -c 'printf \"%%s|\" \"$@\" >\"$0\"' '%s' '$(id)' '`id`' '$HOME;reboot'", NULL);
  g_assert_cmpstr (text, ==, "$(id)|`id`|$HOME;reboot|");
}

static void
test_a_command_sees_what_happened (void)
{
  const char *const environment[] = { "P2V_GUEST=web1", "P2V_MESSAGE=a=b", NULL };
  g_autofree char *text
      = run_and_read ("sh -c 'echo \"$P2V_GUEST $P2V_MESSAGE\" >\"$0\"' '%s'", environment);
  g_assert_cmpstr (text, ==, "web1 a=b\n");
}

static void
test_a_shell_s_language_is_refused (void)
{
  assert_refused ("sync; reboot", "\";\" has no meaning");
  assert_refused ("echo a | tee b", "\"|\" has no meaning");
  assert_refused ("echo \"$HOME\"", "\"$\" has no meaning");
  assert_refused ("echo a >/tmp/b", "p2v.pre=\"sh -c '...'\"");
  assert_refused ("echo 'a", "quotes are not balanced");
  g_assert_true (p2v_hook_check ("p2v.pre", "sh -c 'a; b | c'", NULL));
  g_assert_true (p2v_hook_check ("p2v.pre", "echo a\\;b", NULL));
  g_assert_true (p2v_hook_check ("p2v.pre", "", NULL));
}

static void
test_an_empty_command_does_nothing (void)
{
  g_assert_true (p2v_hook_run ("p2v.pre", NULL, NULL, NULL, NULL, NULL));
  g_assert_true (p2v_hook_run ("p2v.pre", "", NULL, NULL, NULL, NULL));
  g_assert_true (p2v_hook_run ("p2v.pre", "  ", NULL, NULL, NULL, NULL));
}

static void
assert_fails (const char *command, int code, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_hook_run ("p2v.post", command, NULL, NULL, NULL, &error));
  g_assert_error (error, P2V_ERROR, code);
  if (strstr (error->message, expected) == NULL)
    g_error ("%s\nfails with: %s", command, error->message);
}

static void
test_a_failure_is_reported (void)
{
  assert_fails ("false", P2V_ERROR_FAILED, "p2v.post: false failed with exit status 1");
  assert_fails ("sh -c 'kill -9 $$'", P2V_ERROR_FAILED, "ended by signal 9");
  assert_fails ("/nonexistent/program x", P2V_ERROR_USAGE,
                "p2v.post: cannot run /nonexistent/program");
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (200 * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancelling_ends_a_command (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  gint64 start = g_get_monotonic_time ();
  g_assert_false (p2v_hook_run ("p2v.pre", "sleep 60", NULL, NULL, cancellable, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 30 * G_USEC_PER_SEC);
  g_thread_join (thread);
}

static void
test_success_powers_off_only_a_machine_booted_for_it (void)
{
  g_autoptr (P2vConfig) config = p2v_config_new ();
  g_assert_cmpstr (p2v_hook_post (config, TRUE, TRUE), ==, "poweroff");
  g_assert_null (p2v_hook_post (config, FALSE, TRUE));
  g_assert_null (p2v_hook_post (config, TRUE, FALSE));
  config->post = g_strdup ("");
  g_assert_cmpstr (p2v_hook_post (config, TRUE, TRUE), ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hooks/words-are-split-like-a-shell", test_words_are_split_like_a_shell);
  g_test_add_func ("/hooks/nothing-is-evaluated-by-a-shell", test_nothing_is_evaluated_by_a_shell);
  g_test_add_func ("/hooks/a-command-sees-what-happened", test_a_command_sees_what_happened);
  g_test_add_func ("/hooks/a-shell-s-language-is-refused", test_a_shell_s_language_is_refused);
  g_test_add_func ("/hooks/an-empty-command-does-nothing", test_an_empty_command_does_nothing);
  g_test_add_func ("/hooks/a-failure-is-reported", test_a_failure_is_reported);
  g_test_add_func ("/hooks/cancelling-ends-a-command", test_cancelling_ends_a_command);
  g_test_add_func ("/hooks/success-powers-off-only-a-machine-booted-for-it",
                   test_success_powers_off_only_a_machine_booted_for_it);
  return g_test_run ();
}
