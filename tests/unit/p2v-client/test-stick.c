/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inventory-fixture.h"

#include "p2v-client/stick.h"

typedef struct
{
  char *folder;
  char *root;
} Fixture;

static void
make_filesystem (const char *root, const char *device, const char *program, const char *option,
                 const char *value)
{
  g_autofree char *dev = g_build_filename (root, "dev", NULL);
  g_assert_cmpint (g_mkdir_with_parents (dev, 0755), ==, 0);
  g_autofree char *path = test_disk_new (dev, device, 16);
  if (option != NULL)
    TOOL (program, option, value, path);
  else
    TOOL (program, path);
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->folder = test_folder_new ();
  fixture->root = test_tree_make (fixture->folder, "tests/unit/p2v-client/fixtures/sticks.tree");
  static const char *const fat[] = { "sda1", "sdb1", "sdb4", "sdd", "sde1" };
  for (gsize i = 0; i < G_N_ELEMENTS (fat); i++)
    make_filesystem (fixture->root, fat[i], "mkfs.vfat", NULL, NULL);
  make_filesystem (fixture->root, "sdb2", "mkfs.vfat", "-n", "P2VEFI");
  make_filesystem (fixture->root, "sdb3", "mkfs.ntfs", "-F", "-Q");
  make_filesystem (fixture->root, "sdc", "mkfs.ext4", "-L", "mine");
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_free (fixture->root);
  test_folder_remove (fixture->folder);
}

static void
test_only_what_is_plugged_in_writable_and_unused_is_found (Fixture *fixture,
                                                           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) sticks = p2v_stick_find (fixture->root, NULL, NULL);
  g_assert_cmpuint (sticks->len, ==, 2);
  const P2vStick *first = sticks->pdata[0];
  const P2vStick *second = sticks->pdata[1];
  g_assert_true (g_str_has_suffix (first->device, "/dev/sdb1"));
  g_assert_cmpstr (first->type, ==, "vfat");
  g_assert_cmpstr (first->text, ==, "SanDisk Ultra Fit, sdb1, 10.0 GiB");
  g_assert_true (g_str_has_suffix (second->device, "/dev/sdc"));
  g_assert_cmpstr (second->type, ==, "ext4");
  g_assert_cmpstr (second->text, ==, "sdc, 1.0 GiB");
}

static void
test_a_disk_that_is_to_be_converted_is_not_written_to (Fixture *fixture,
                                                       gconstpointer data G_GNUC_UNUSED)
{
  char *chosen[] = { (char *)"sda", (char *)"sdb", NULL };
  g_autoptr (GPtrArray) sticks = p2v_stick_find (fixture->root, chosen, NULL);
  g_assert_cmpuint (sticks->len, ==, 1);
  g_assert_true (g_str_has_suffix (((P2vStick *)sticks->pdata[0])->device, "/dev/sdc"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/stick/find", Fixture, NULL, set_up,
              test_only_what_is_plugged_in_writable_and_unused_is_found, tear_down);
  g_test_add ("/stick/chosen", Fixture, NULL, set_up,
              test_a_disk_that_is_to_be_converted_is_not_written_to, tear_down);
  return g_test_run ();
}
