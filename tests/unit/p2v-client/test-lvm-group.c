/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a volume group's text says of its volumes, and what stands in the way of believing it. */
#include "p2v-client/lvm.h"

#define MIB (G_GINT64_CONSTANT (1) << 20)

/* Two physical volumes of 10 extents of 4 MiB; $ holds the logical volumes. */
static const char frame[]
    = "web {\nid = \"mB6pJb-9iGh-jhK3-QdGK-YcMW-TTCP-Yu2KJa\"\nseqno = 7\nformat = \"lvm2\"\n"
      "status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []\nextent_size = 8192\n"
      "physical_volumes {\n"
      "pv0 {\nid = \"PIYq7F-cbKR-ycbj-r7DY-uiPc-XOmb-2odHN8\"\nstatus = [\"ALLOCATABLE\"]\n"
      "flags = []\npe_start = 2048\npe_count = 10\n}\n"
      "pv1 {\nid = \"aaaaaa-cbKR-ycbj-r7DY-uiPc-XOmb-2odHN8\"\nstatus = [\"ALLOCATABLE\"]\n"
      "flags = []\npe_start = 2048\npe_count = 10\n}\n}\n"
      "logical_volumes {\n$}\n}\n";

#define LINEAR(pv, first, start, count)                                                            \
  "{\nstart_extent = " start "\nextent_count = " count "\ntype = \"striped\"\n"                    \
  "stripe_count = 1\nstripes = [\n\"" pv "\", " first "\n]\n}\n"
#define VOLUME(name, number, segments, body)                                                       \
  name " {\nid = \"" number number number number number number                                     \
       "-cbKR-ycbj-r7DY-uiPc-XOmb-2odHN8\"\n"                                                      \
       "status = [\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []\nsegment_count = " segments        \
       "\n" body "}\n"

static P2vVolumeGroup *
parse (const char *volumes)
{
  g_auto (GStrv) halves = g_strsplit (frame, "$", 2);
  g_autofree char *text = g_strconcat (halves[0], volumes, halves[1], NULL);
  P2vVolumeGroup *group = p2v_volume_group_parse (text);
  g_assert_nonnull (group);
  g_assert_null (group->obstacle);
  return group;
}

static const P2vLogicalVolume *
find (const P2vVolumeGroup *group, const char *name)
{
  for (guint i = 0; i < group->volumes->len; i++)
    {
      const P2vLogicalVolume *volume = group->volumes->pdata[i];
      if (g_str_equal (volume->name, name))
        return volume;
    }
  g_assert_not_reached ();
}

static void
test_pieces_and_stripes (void)
{
  g_autoptr (P2vVolumeGroup) group = parse (
      VOLUME ("home", "1", "2",
              "segment1 " LINEAR ("pv0", "3", "0", "2") "segment2 " LINEAR ("pv1", "0", "2", "1"))
          VOLUME ("wide", "2", "1",
                  "segment1 {\nstart_extent = 0\nextent_count = 4\ntype = \"striped\"\n"
                  "stripe_count = 2\nstripe_size = 128\n"
                  "stripes = [\n\"pv0\", 5,\n\"pv1\", 1\n]\n}\n"));
  g_assert_cmpint (group->seqno, ==, 7);
  g_assert_cmpint (group->extent_size, ==, 4 * MIB);
  const P2vLogicalVolume *home = find (group, "home");
  g_assert_null (home->obstacle);
  g_assert_cmpint (home->size, ==, 12 * MIB);
  g_assert_cmpuint (home->segments->len, ==, 2);
  const P2vLvmSegment *first = home->segments->pdata[0];
  const P2vLvmStripe *stripe = first->stripes->pdata[0];
  g_assert_cmpint (first->length, ==, 8 * MIB);
  g_assert_cmpstr (stripe->physical, ==, "PIYq7FcbKRycbjr7DYuiPcXOmb2odHN8");
  g_assert_cmpint (stripe->offset, ==, 13 * MIB);
  const P2vLogicalVolume *wide = find (group, "wide");
  g_assert_null (wide->obstacle);
  const P2vLvmSegment *both = wide->segments->pdata[0];
  g_assert_cmpint (both->length, ==, 16 * MIB);
  g_assert_cmpint (both->stripe_size, ==, 64 * 1024);
  g_assert_cmpuint (both->stripes->len, ==, 2);
  stripe = both->stripes->pdata[1];
  g_assert_cmpint (stripe->offset, ==, 5 * MIB);
}

static void
assert_obstacle (const char *volumes, const char *name, const char *obstacle)
{
  g_autoptr (P2vVolumeGroup) group = parse (volumes);
  const P2vLogicalVolume *volume = find (group, name);
  if (volume->obstacle == NULL || strstr (volume->obstacle, obstacle) == NULL)
    g_error ("%s: %s, expected %s", name, volume->obstacle, obstacle);
}

#define ROOT VOLUME ("root", "1", "1", "segment1 " LINEAR ("pv0", "0", "0", "2"))

static void
test_more_than_segments (void)
{
  assert_obstacle (VOLUME ("thin", "1", "1",
                           "segment1 {\nstart_extent = 0\nextent_count = 2\ntype = \"thin\"\n"
                           "thin_pool = \"pool\"\ntransaction_id = 1\ndevice_id = 1\n}\n"),
                   "thin", "\"thin\"");
  assert_obstacle (VOLUME ("odd", "1", "1",
                           "segment1 {\nstart_extent = 0\nextent_count = 2\n"
                           "type = \"striped+NEWER\"\nstripe_count = 1\n"
                           "stripes = [\n\"pv0\", 0\n]\n}\n"),
                   "odd", "striped+NEWER");
  /* The origin of a snapshot, and an old volume that a thin one reads through to. */
  assert_obstacle (ROOT VOLUME ("snapshot0", "2", "1",
                                "segment1 {\nstart_extent = 0\nextent_count = 2\n"
                                "type = \"snapshot\"\norigin = \"root\"\ncow_store = \"cow\"\n}\n"),
                   "root", "it has snapshots");
  assert_obstacle (ROOT VOLUME ("thin", "2", "1",
                                "segment1 {\nstart_extent = 0\nextent_count = 2\ntype = \"thin\"\n"
                                "thin_pool = \"pool\"\nexternal_origin = \"root\"\n}\n"),
                   "root", "part of another");
  assert_obstacle (ROOT VOLUME ("mirror", "2", "1",
                                "segment1 {\nstart_extent = 0\nextent_count = 2\n"
                                "type = \"raid1\"\nraids = [\n\"meta\", \"root\"\n]\n}\n"),
                   "root", "part of another");
  /* Upon a volume that is being moved. */
  assert_obstacle (VOLUME ("root", "1", "1", "segment1 " LINEAR ("pvmove0", "0", "0", "2"))
                       VOLUME ("pvmove0", "2", "1", "segment1 " LINEAR ("pv0", "0", "0", "2")),
                   "root", "being moved");
}

static void
test_what_makes_no_sense (void)
{
  const char *no_sense = "makes no sense";
  assert_obstacle (VOLUME ("root", "1", "2", "segment1 " LINEAR ("pv0", "0", "0", "2")), "root",
                   no_sense);
  assert_obstacle (VOLUME ("root", "1", "1", "segment1 " LINEAR ("pv0", "0", "1", "2")), "root",
                   no_sense);
  assert_obstacle (VOLUME ("root", "1", "1", "segment1 " LINEAR ("pv0", "0", "0", "0")), "root",
                   no_sense);
  /* Beyond the last extent of its physical volume, and on none. */
  assert_obstacle (VOLUME ("root", "1", "1", "segment1 " LINEAR ("pv0", "9", "0", "2")), "root",
                   "");
  assert_obstacle (VOLUME ("root", "1", "1", "segment1 " LINEAR ("pv7", "0", "0", "2")), "root",
                   "");
  /* Stripes that do not come out even. */
  assert_obstacle (VOLUME ("root", "1", "1",
                           "segment1 {\nstart_extent = 0\nextent_count = 3\ntype = \"striped\"\n"
                           "stripe_count = 2\nstripe_size = 128\n"
                           "stripes = [\n\"pv0\", 0,\n\"pv1\", 0\n]\n}\n"),
                   "root", "");
  assert_obstacle (VOLUME ("root", "1", "1",
                           "segment1 {\nstart_extent = 0\nextent_count = 4\ntype = \"striped\"\n"
                           "stripe_count = 2\nstripes = [\n\"pv0\", 0,\n\"pv1\", 0\n]\n}\n"),
                   "root", "");
}

static void
assert_group_obstacle (const char *from, const char *to, const char *obstacle)
{
  g_auto (GStrv) halves = g_strsplit (frame, from, 2);
  g_assert_cmpuint (g_strv_length (halves), ==, 2);
  g_autofree char *changed = g_strjoinv (to, halves);
  g_auto (GStrv) parts = g_strsplit (changed, "$", 2);
  g_autofree char *text = g_strconcat (parts[0], ROOT, parts[1], NULL);
  g_autoptr (P2vVolumeGroup) group = p2v_volume_group_parse (text);
  g_assert_nonnull (group);
  g_assert_nonnull (group->obstacle);
  g_assert_nonnull (strstr (group->obstacle, obstacle));
}

static void
test_groups_that_are_not_ours_alone (void)
{
  assert_group_obstacle ("\"RESIZEABLE\"", "\"EXPORTED\"", "EXPORTED");
  assert_group_obstacle ("\"RESIZEABLE\"", "\"CLUSTERED\"", "CLUSTERED");
  assert_group_obstacle ("extent_size", "lock_type = \"sanlock\"\nextent_size", "other machines");
  assert_group_obstacle ("mB6pJb-", "", "makes no sense");
  assert_group_obstacle ("aaaaaa-cbKR", "PIYq7F-cbKR", "makes no sense");
}

static void
test_members_that_were_missing (void)
{
  g_auto (GStrv) halves = g_strsplit (frame, "flags = []\npe_start", 2);
  g_autofree char *text = g_strjoinv ("flags = [\"MISSING\"]\npe_start", halves);
  *strchr (text, '$') = ' ';
  g_autoptr (P2vVolumeGroup) group = p2v_volume_group_parse (text);
  g_assert_nonnull (group);
  g_assert_true (p2v_volume_group_find_member (group, "PIYq7FcbKRycbjr7DYuiPcXOmb2odHN8")->missing);
  g_assert_false (
      p2v_volume_group_find_member (group, "aaaaaacbKRycbjr7DYuiPcXOmb2odHN8")->missing);
  g_assert_null (p2v_volume_group_find_member (group, "none"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lvm-group/pieces-and-stripes", test_pieces_and_stripes);
  g_test_add_func ("/lvm-group/more-than-segments", test_more_than_segments);
  g_test_add_func ("/lvm-group/what-makes-no-sense", test_what_makes_no_sense);
  g_test_add_func ("/lvm-group/groups-that-are-not-ours-alone",
                   test_groups_that_are_not_ours_alone);
  g_test_add_func ("/lvm-group/members-that-were-missing", test_members_that_were_missing);
  return g_test_run ();
}
