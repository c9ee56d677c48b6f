/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is free in a volume is free where its bytes lie, and nothing else is. */
#include "p2v-client/volume-map.h"

#define KIB 1024

static P2vStretch
stretch_at (GArray *stretches, guint index)
{
  return g_array_index (stretches, P2vStretch, index);
}

static void
assert_stretch (P2vStretch stretch, guint disk, gint64 offset, gint64 length)
{
  g_assert_cmpuint (stretch.disk, ==, disk);
  g_assert_cmpint (stretch.offset, ==, offset);
  g_assert_cmpint (stretch.length, ==, length);
}

static void
test_one_piece (void)
{
  g_autoptr (P2vVolumeMap) map = p2v_volume_map_new ();
  g_autoptr (GArray) stretches = g_array_new (FALSE, FALSE, sizeof (P2vStretch));
  P2vPlace place = { 3, 1000 };
  p2v_volume_map_add (map, 500, 0, 1, 1, &place);
  p2v_volume_map_translate (map, 17, 1, stretches);
  p2v_volume_map_translate (map, 499, 100, stretches);
  p2v_volume_map_translate (map, 500, 1, stretches);
  p2v_volume_map_translate (map, -1, 5, stretches);
  g_assert_cmpuint (stretches->len, ==, 2);
  assert_stretch (stretch_at (stretches, 0), 3, 1017, 1);
  assert_stretch (stretch_at (stretches, 1), 3, 1499, 1);
}

/* The example of lvcreate(8)'s layout: stripes of 64 KiB over two disks. */
static void
test_stripes (void)
{
  g_autoptr (P2vVolumeMap) map = p2v_volume_map_new ();
  g_autoptr (GArray) stretches = g_array_new (FALSE, FALSE, sizeof (P2vStretch));
  P2vPlace places[] = { { 0, 1000 * KIB }, { 1, 5000 * KIB } };
  p2v_volume_map_add (map, 512 * KIB, 64 * KIB, 2, 1, places);
  /* From the middle of the second piece to the first KiB of the fifth. */
  p2v_volume_map_translate (map, 96 * KIB, 161 * KIB, stretches);
  g_assert_cmpuint (stretches->len, ==, 2);
  assert_stretch (stretch_at (stretches, 0), 0, 1064 * KIB, 65 * KIB);
  assert_stretch (stretch_at (stretches, 1), 1, 5032 * KIB, 96 * KIB);
  assert_stretch (p2v_volume_map_locate (map, 200 * KIB), 1, (5064 + 8) * KIB, 56 * KIB);
}

static void
test_every_copy_of_a_mirror (void)
{
  g_autoptr (P2vVolumeMap) map = p2v_volume_map_new ();
  g_autoptr (GArray) stretches = g_array_new (FALSE, FALSE, sizeof (P2vStretch));
  P2vPlace places[] = { { 0, 10 }, { 1, 20 } };
  p2v_volume_map_add (map, 100, 0, 1, 2, places);
  p2v_volume_map_translate (map, 5, 7, stretches);
  g_assert_cmpuint (stretches->len, ==, 2);
  assert_stretch (stretch_at (stretches, 0), 0, 15, 7);
  assert_stretch (stretch_at (stretches, 1), 1, 25, 7);
  assert_stretch (p2v_volume_map_locate (map, 99), 0, 109, 1);
}

/* Byte by byte: each has one place, each place one byte. */
static P2vVolumeMap *
make_random_map (guint disks, gint64 disk_size)
{
  P2vVolumeMap *map = p2v_volume_map_new ();
  g_autofree gint64 *used = g_new0 (gint64, disks);
  for (int i = g_test_rand_int_range (1, 6); i > 0; i--)
    {
      P2vPlace places[8];
      guint n_stripes = (guint)g_test_rand_int_range (1, (int)disks + 1);
      gint64 size = g_test_rand_int_range (1, 9);
      gint64 rows = g_test_rand_int_range (1, 12);
      for (guint k = 0; k < n_stripes; k++)
        {
          used[k] += g_test_rand_int_range (0, 5);
          places[k] = (P2vPlace){ k, used[k] };
          used[k] += size * rows;
          g_assert_cmpint (used[k], <=, disk_size);
        }
      p2v_volume_map_add (map, size * rows * n_stripes, size, n_stripes, 1, places);
    }
  return map;
}

static void
test_exactly_the_free_bytes (void)
{
  enum
  {
    DISKS = 4,
    SIZE = 1000
  };
  for (int round = 0; round < 500; round++)
    {
      g_autoptr (P2vVolumeMap) map = make_random_map (DISKS, SIZE);
      g_autoptr (GArray) stretches = g_array_new (FALSE, FALSE, sizeof (P2vStretch));
      guint8 expected[DISKS][SIZE] = { 0 }, got[DISKS][SIZE] = { 0 };
      for (int i = g_test_rand_int_range (0, 5); i > 0; i--)
        {
          gint64 from = g_test_rand_int_range (0, (int)map->size);
          gint64 length = g_test_rand_int_range (1, (int)(map->size - from) + 1);
          p2v_volume_map_translate (map, from, length, stretches);
          for (gint64 at = from; at < from + length; at++)
            {
              P2vStretch place = p2v_volume_map_locate (map, at);
              expected[place.disk][place.offset]++;
            }
        }
      for (guint i = 0; i < stretches->len; i++)
        {
          P2vStretch stretch = stretch_at (stretches, i);
          for (gint64 at = stretch.offset; at < stretch.offset + stretch.length; at++)
            got[stretch.disk][at]++;
        }
      g_assert_cmpmem (got, sizeof got, expected, sizeof expected);
    }
}

/* locate() by itself: following it reads every place that the whole volume has, once. */
static void
test_reading_visits_every_place_once (void)
{
  for (int round = 0; round < 200; round++)
    {
      g_autoptr (P2vVolumeMap) map = make_random_map (4, 1000);
      g_autoptr (GArray) whole = g_array_new (FALSE, FALSE, sizeof (P2vStretch));
      guint8 seen[4][1000] = { 0 };
      p2v_volume_map_translate (map, 0, map->size, whole);
      for (guint i = 0; i < whole->len; i++)
        for (gint64 k = 0; k < stretch_at (whole, i).length; k++)
          seen[stretch_at (whole, i).disk][stretch_at (whole, i).offset + k]++;
      for (gint64 at = 0; at < map->size;)
        {
          P2vStretch stretch = p2v_volume_map_locate (map, at);
          for (gint64 k = 0; k < stretch.length; k++)
            g_assert_cmpuint (seen[stretch.disk][stretch.offset + k]--, ==, 1);
          at += stretch.length;
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/volume-map/one-piece", test_one_piece);
  g_test_add_func ("/volume-map/stripes", test_stripes);
  g_test_add_func ("/volume-map/every-copy-of-a-mirror", test_every_copy_of_a_mirror);
  g_test_add_func ("/volume-map/exactly-the-free-bytes", test_exactly_the_free_bytes);
  g_test_add_func ("/volume-map/reading-visits-every-place-once",
                   test_reading_visits_every_place_once);
  return g_test_run ();
}
