/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/window.h"

static void
assert_wrapped (const char *text, guint width, const char *expected, guint expected_lines)
{
  guint lines;
  g_autofree char *wrapped = p2v_text_wrap (text, width, &lines);
  g_assert_cmpstr (wrapped, ==, expected);
  g_assert_cmpuint (lines, ==, expected_lines);
}

static void
test_lines_break_at_spaces (void)
{
  assert_wrapped ("one two three", 7, "one two\nthree", 2);
  assert_wrapped ("one two three", 8, "one two\nthree", 2);
  assert_wrapped ("one two three", 13, "one two three", 1);
  assert_wrapped ("", 10, "", 1);
}

static void
test_a_long_word_is_cut (void)
{
  assert_wrapped ("abcdefgh ij", 4, "abcd\nefgh\nij", 3);
}

static void
test_line_breaks_and_indents_stay (void)
{
  assert_wrapped ("a\n\n  b c", 20, "a\n\n  b c", 3);
  assert_wrapped ("a b\n  c d", 3, "a b\n  c\nd", 3);
}

static void
test_characters_are_counted_not_bytes (void)
{
  assert_wrapped ("äöü äöü", 7, "äöü äöü", 1);
  assert_wrapped ("äöü äöü", 6, "äöü\näöü", 2);
  assert_wrapped ("\xff\xff", 1, "\xef\xbf\xbd\n\xef\xbf\xbd", 2);
}

static void
test_columns_are_cut_and_padded (void)
{
  static const struct
  {
    const char *text;
    guint width;
    const char *cut, *fit;
  } cases[] = {
    { "abc", 5, "abc", "abc  " },
    { "abcdef", 5, "abcde", "abcde" },
    { "", 2, "", "  " },
    { "äöüß", 3, "äöü", "äöü" },
    { "服务器", 5, "服务", "服务 " },
    { "服务器", 6, "服务器", "服务器" },
    { "服", 1, "", " " },
    { "e\u0301e", 1, "e\u0301", "e\u0301" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *cut = p2v_text_cut (cases[i].text, cases[i].width);
      g_autofree char *fit = p2v_text_fit (cases[i].text, cases[i].width);
      g_assert_cmpstr (cut, ==, cases[i].cut);
      g_assert_cmpstr (fit, ==, cases[i].fit);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wrap/spaces", test_lines_break_at_spaces);
  g_test_add_func ("/wrap/long-word", test_a_long_word_is_cut);
  g_test_add_func ("/wrap/line-breaks", test_line_breaks_and_indents_stay);
  g_test_add_func ("/wrap/characters", test_characters_are_counted_not_bytes);
  g_test_add_func ("/wrap/cut-and-pad", test_columns_are_cut_and_padded);
  return g_test_run ();
}
