/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "common/protocol.h"

#include <string.h>

static void
push (P2vLineBuffer *buffer, const char *text)
{
  g_assert_true (p2v_line_buffer_push (buffer, text, strlen (text), NULL));
}

static void
assert_next (P2vLineBuffer *buffer, const char *expected)
{
  g_autofree char *line = p2v_line_buffer_pop (buffer);
  g_assert_cmpstr (line, ==, expected);
}

static void
test_lines_are_found_however_the_bytes_arrive (void)
{
  g_autoptr (P2vLineBuffer) buffer = p2v_line_buffer_new ();
  push (buffer, "on");
  assert_next (buffer, NULL);
  push (buffer, "e\ntwo\n\nthr");
  assert_next (buffer, "one");
  assert_next (buffer, "two");
  assert_next (buffer, "");
  assert_next (buffer, NULL);
  push (buffer, "ee\n");
  assert_next (buffer, "three");
}

static void
test_an_endless_line_is_refused (void)
{
  g_autoptr (P2vLineBuffer) buffer = p2v_line_buffer_new ();
  g_autofree char *block = g_strnfill (1024 * 1024, 'x');
  g_autoptr (GError) error = NULL;
  gboolean ok = TRUE;
  for (int i = 0; ok && i < 16; i++)
    ok = p2v_line_buffer_push (buffer, block, 1024 * 1024, &error);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
}

static void
test_what_is_no_message_is_refused (void)
{
  const char *bad[] = { "",
                        "x",
                        "[]",
                        "{}",
                        "{\"type\":1}",
                        "{\"type\":\"a\"",
                        "null",
                        "{\"type\":\"a\"}{\"type\":\"b\"}",
                        "{\"type\":\"a\"}}",
                        "a{\"type\":\"a\"}",
                        "\"\"{\"type\":\"a\"}",
                        NULL };
  for (gsize i = 0; bad[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (p2v_message_parse (bad[i], -1, &error));
      g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
    }
}

static void
assert_refused (const char *before, char repeated, const char *after)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *many = g_strnfill (P2V_LINE_MAX - 1024, repeated);
  g_autofree char *line = g_strconcat (before, many, after, NULL);
  g_assert_null (p2v_message_parse (line, -1, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
}

static void
test_endless_nesting_is_refused (void)
{
  assert_refused ("{\"type\":\"x\",\"a\":", '[', "");
  /* Nothing that json-glib takes for more than JSON hides the brackets. */
  assert_refused ("{\"type\":\"x\",/*\"*/\"a\":", '[', "");
  assert_refused ("{\"type\":\"x\",//\"\n\"a\":", '[', "");
  assert_refused ("{\"type\":\"x\",'\"':0,\"a\":", '[', "");
  assert_refused ("{\"type\":\"]]]]]]\\\"]]]]]]\",\"a\":", '[', "");

  /* Within a string they are text. */
  g_autoptr (GError) error = NULL;
  g_autofree char *many = g_strnfill (1000, '[');
  g_autofree char *line = g_strconcat ("{\"type\":\"/'\\\"", many, "\"}", NULL);
  g_autoptr (JsonObject) message = p2v_message_parse (line, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (p2v_message_type (message)), ==, 1003);
}

static void
test_an_error_keeps_its_code_across_the_wire (void)
{
  g_autoptr (GError) sent = g_error_new (P2V_ERROR, P2V_ERROR_CONVERT, "no \"root\" here");
  g_autoptr (JsonObject) message = p2v_message_new_error (sent);
  g_autofree char *line = p2v_message_to_line (message);
  g_assert_true (g_str_has_suffix (line, "}\n"));
  g_autoptr (JsonObject) parsed = p2v_message_parse (line, -1, NULL);
  g_autoptr (GError) received = NULL;
  p2v_message_to_error (parsed, &received);
  g_assert_error (received, P2V_ERROR, P2V_ERROR_CONVERT);
  g_assert_cmpstr (received->message, ==, sent->message);
}

static void
test_a_peers_text_cannot_steer_the_terminal (void)
{
  g_autoptr (JsonObject) message
      = p2v_message_parse ("{\"type\":\"error\",\"message\":\"\\u001b[2Jgone\"}", -1, NULL);
  g_autoptr (GError) error = NULL;
  p2v_message_to_error (message, &error);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, " [2Jgone");
}

static void
test_numbers_are_checked_for_their_range (void)
{
  g_autoptr (JsonObject) message
      = p2v_message_parse ("{\"type\":\"t\",\"n\":5,\"s\":\"5\",\"f\":5.5}", -1, NULL);
  gint64 value = 0;
  g_assert_true (p2v_message_get_int (message, "n", 5, 5, &value, NULL));
  g_assert_cmpint (value, ==, 5);
  g_assert_false (p2v_message_get_int (message, "n", 6, 9, &value, NULL));
  g_assert_false (p2v_message_get_int (message, "s", 0, 9, &value, NULL));
  g_assert_false (p2v_message_get_int (message, "f", 0, 9, &value, NULL));
  g_assert_false (p2v_message_get_int (message, "absent", 0, 9, &value, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/protocol/lines-are-found-however-the-bytes-arrive",
                   test_lines_are_found_however_the_bytes_arrive);
  g_test_add_func ("/protocol/an-endless-line-is-refused", test_an_endless_line_is_refused);
  g_test_add_func ("/protocol/what-is-no-message-is-refused", test_what_is_no_message_is_refused);
  g_test_add_func ("/protocol/endless-nesting-is-refused", test_endless_nesting_is_refused);
  g_test_add_func ("/protocol/an-error-keeps-its-code-across-the-wire",
                   test_an_error_keeps_its_code_across_the_wire);
  g_test_add_func ("/protocol/a-peers-text-cannot-steer-the-terminal",
                   test_a_peers_text_cannot_steer_the_terminal);
  g_test_add_func ("/protocol/numbers-are-checked-for-their-range",
                   test_numbers_are_checked_for_their_range);
  return g_test_run ();
}
