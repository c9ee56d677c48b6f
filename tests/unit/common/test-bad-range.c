/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of what could not be read: in order, each byte once, and from strangers only what makes
 * sense. */
#include "common/bad-range.h"

#include "common/error.h"

#include <string.h>

static void
add (GPtrArray *ranges, const char *disk, gint64 offset, gint64 length, const char *where)
{
  P2vBadRange range = { (char *)disk, offset, length, (char *)where };
  p2v_bad_ranges_add (ranges, &range);
}

static void
assert_list (const GPtrArray *ranges, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < ranges->len; i++)
    {
      const P2vBadRange *range = ranges->pdata[i];
      g_string_append_printf (text, "%s%s %d+%d %s", i > 0 ? ", " : "", range->disk,
                              (int)range->offset, (int)range->length,
                              range->where != NULL ? range->where : "-");
    }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_order_and_overlap (void)
{
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
  add (ranges, "sdb", 512, 512, "a");
  add (ranges, "sda", 4096, 512, "a");
  add (ranges, "sda", 0, 512, "a");
  assert_list (ranges, "sda 0+512 a, sda 4096+512 a, sdb 512+512 a");
  /* Again, and more of it: nothing is listed twice, what touches is one. */
  add (ranges, "sda", 0, 512, "a");
  add (ranges, "sda", 512, 512, "a");
  add (ranges, "sdb", 0, 2048, "a");
  assert_list (ranges, "sda 0+1024 a, sda 4096+512 a, sdb 0+2048 a");
  /* Neighbours of different places stay apart; a stretch over all fills the gaps only. */
  add (ranges, "sda", 1024, 512, "b");
  add (ranges, "sda", 0, 8192, "c");
  assert_list (ranges, "sda 0+1024 a, sda 1024+512 b, sda 1536+2560 c, sda 4096+512 a, "
                       "sda 4608+3584 c, sdb 0+2048 a");
  g_assert_cmpint (p2v_bad_ranges_bytes (ranges), ==, 8192 + 2048);
}

static void
test_remove (void)
{
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
  g_autoptr (GPtrArray) before = p2v_bad_ranges_new ();
  add (ranges, "sda", 1024, 4096, "a");
  add (ranges, "sda", 8192, 512, "b");
  add (ranges, "sdb", 1024, 4096, "a");
  p2v_bad_ranges_set (before, ranges);
  g_assert_true (p2v_bad_ranges_equal (ranges, before));
  /* Nothing, in front, between, behind, and of no disk. */
  p2v_bad_ranges_remove (ranges, "sda", 0, 1024);
  p2v_bad_ranges_remove (ranges, "sda", 5120, 3072);
  p2v_bad_ranges_remove (ranges, "sda", 8704, 1 << 20);
  p2v_bad_ranges_remove (ranges, "sd", 0, G_MAXINT64);
  g_assert_true (p2v_bad_ranges_equal (ranges, before));
  /* The middle of one, then what is around an end. */
  p2v_bad_ranges_remove (ranges, "sda", 2048, 512);
  assert_list (ranges, "sda 1024+1024 a, sda 2560+2560 a, sda 8192+512 b, sdb 1024+4096 a");
  g_assert_false (p2v_bad_ranges_equal (ranges, before));
  p2v_bad_ranges_remove (ranges, "sda", 1536, 6700);
  assert_list (ranges, "sda 1024+512 a, sda 8236+468 b, sdb 1024+4096 a");
  p2v_bad_ranges_remove (ranges, "sdb", 0, 2048);
  p2v_bad_ranges_remove (ranges, "sda", 0, G_MAXINT64);
  assert_list (ranges, "sdb 2048+3072 a");
}

/* However the sectors of a disk come, the list is the same. */
static void
test_any_order (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  for (int round = 0; round < 200; round++)
    {
      g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
      gboolean bad[64] = { FALSE };
      for (int i = 0; i < 30; i++)
        {
          int first = g_rand_int_range (random, 0, 64);
          int count = g_rand_int_range (random, 1, 65 - first);
          count = MIN (count, 6);
          add (ranges, "sda", first * 512, count * 512, NULL);
          for (int k = first; k < first + count; k++)
            bad[k] = TRUE;
        }
      gint64 behind = -1;
      for (guint i = 0; i < ranges->len; i++)
        {
          const P2vBadRange *range = ranges->pdata[i];
          g_assert_cmpint (range->offset, >, behind);
          behind = range->offset + range->length;
          for (gint64 at = range->offset; at < behind; at += 512)
            {
              g_assert_true (bad[at / 512]);
              bad[at / 512] = FALSE;
            }
        }
      for (int k = 0; k < 64; k++)
        g_assert_false (bad[k]);
    }
}

static void
test_from_strangers (void)
{
  static const char *const refused[] = {
    "{\"r\": 1}",
    "{\"r\": [1]}",
    "{\"r\": [{\"offset\": 0}]}",
    "{\"r\": [{\"offset\": 0, \"length\": 0}]}",
    "{\"r\": [{\"offset\": -1, \"length\": 512}]}",
    "{\"r\": [{\"offset\": 512, \"length\": 513}]}",
    "{\"r\": [{\"offset\": 9223372036854775807, \"length\": 9223372036854775807}]}",
    "{\"r\": [{\"offset\": 0, \"length\": 1, \"where\": 1}]}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) message = p2v_json_from_text (refused[i], -1, NULL);
      g_autoptr (GPtrArray) ranges = p2v_bad_ranges_from_json (message, "r", "sda", 1024, &error);
      g_assert_null (ranges);
      g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) message = p2v_json_from_text (
      "{\"r\": [{\"disk\": \"x\", \"offset\": 512, \"length\": 512, \"where\": \"gap\"}]}", -1,
      NULL);
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_from_json (message, "r", "sda", 1024, &error);
  g_assert_no_error (error);
  assert_list (ranges, "sda 512+512 gap");
  g_autoptr (GPtrArray) none = p2v_bad_ranges_from_json (message, "absent", "sda", 1024, &error);
  g_assert_cmpuint (none->len, ==, 0);
}

static void
test_text (void)
{
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_new ();
  add (ranges, "sda", 1048576, 512, "ext4 on /dev/sda1");
  g_autofree char *one = p2v_bad_ranges_text (ranges);
  g_assert_cmpstr (one, ==,
                   "512 bytes at byte 1048576 of disk sda (ext4 on /dev/sda1) cannot be read and "
                   "are zeroes in the guest");
  for (int i = 0; i < 4; i++)
    add (ranges, "sdb", i * 8192, 512, NULL);
  g_autofree char *many = p2v_bad_ranges_text (ranges);
  g_assert_cmpstr (many, ==,
                   "2560 bytes in 5 places cannot be read and are zeroes in the guest: 512 bytes "
                   "at byte 1048576 of disk sda (ext4 on /dev/sda1), 512 bytes at byte 0 of disk "
                   "sdb, 512 bytes at byte 8192 of disk sdb, and 2 more");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bad-range/order-and-overlap", test_order_and_overlap);
  g_test_add_func ("/bad-range/remove", test_remove);
  g_test_add_func ("/bad-range/any-order", test_any_order);
  g_test_add_func ("/bad-range/from-strangers", test_from_strangers);
  g_test_add_func ("/bad-range/text", test_text);
  return g_test_run ();
}
