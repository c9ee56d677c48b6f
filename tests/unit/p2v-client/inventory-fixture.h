/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INVENTORY_FIXTURE_H
#define INVENTORY_FIXTURE_H

/* What the tests of the inventory share: a scratch folder, tools that make disks, recorded trees.
 */

#include "p2v-client/inventory.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* A new folder that test_folder_remove() removes with all it holds. */
static inline char *
test_folder_new (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("p2v-inventory-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

/* Runs a program, which must succeed unless it may fail. */
static inline gboolean
test_run_tool (gboolean must_succeed, const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autofree char *path = g_strconcat (g_getenv ("PATH"), ":/usr/sbin:/sbin", NULL);
  g_subprocess_launcher_setenv (launcher, "PATH", path, TRUE);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  gboolean ok = process != NULL && g_subprocess_wait_check (process, NULL, &error);
  if (must_succeed)
    g_assert_no_error (error);
  return ok;
}

#define TOOL(...) test_run_tool (TRUE, (const char *const[]){ __VA_ARGS__, NULL })

/* Frees the path too. */
static inline void
test_folder_remove (char *folder)
{
  TOOL ("rm", "-rf", "--", folder);
  g_free (folder);
}
typedef char TestFolder;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestFolder, test_folder_remove)

/* Makes the recorded machine of a .tree file (path below the source tree) in folder/name. */
static inline char *
test_tree_make (const char *folder, const char *tree)
{
  const char *top = g_getenv ("P2V_TOP") != NULL ? g_getenv ("P2V_TOP") : ".";
  g_autofree char *make = g_build_filename (top, "tests/machines/recorded/make", NULL);
  g_autofree char *source = g_build_filename (top, tree, NULL);
  g_autofree char *name = g_path_get_basename (tree);
  char *target = g_build_filename (folder, name, NULL);
  TOOL (make, source, target);
  return target;
}

static inline P2vMachine *
test_collect (const char *root)
{
  g_autoptr (GError) error = NULL;
  P2vMachine *machine = p2v_inventory_collect (root, NULL, &error);
  g_assert_no_error (error);
  return machine;
}

static inline P2vDisk *
test_describe (const char *path)
{
  g_autoptr (GError) error = NULL;
  P2vDisk *disk = p2v_inventory_describe_file (path, &error);
  g_assert_no_error (error);
  /* Whatever is found must be acceptable to the server. */
  g_autoptr (JsonObject) object = p2v_disk_to_json (disk);
  P2vDisk *copy = p2v_disk_from_json (object, &error);
  g_assert_no_error (error);
  p2v_disk_free (copy);
  return disk;
}

/* Writes bytes at an offset of a file, which is made. */
static inline void
test_write (const char *path, gint64 offset, gconstpointer bytes, gsize length)
{
  int fd = g_open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, bytes, length, offset), ==, (gssize)length);
  close (fd);
}

/* Makes a file of that many MiB, all holes. */
static inline char *
test_disk_new (const char *folder, const char *name, gint64 mebibytes)
{
  char *path = g_build_filename (folder, name, NULL);
  int fd = g_open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, mebibytes << 20), ==, 0);
  close (fd);
  return path;
}

static inline void
test_put_number (guint8 *to, guint64 number, guint width)
{
  for (guint i = 0; i < width; i++, number >>= 8)
    to[i] = number;
}

/* The cyclic redundancy check of IEEE 802.3, without the inversions at its ends. */
static inline guint32
test_crc (guint32 crc, const guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      crc ^= bytes[i];
      for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
  return crc;
}

#endif
