/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-server/job-store.h"
#include "p2v-server/storage.h"
#include "p2v-server/storage-pool.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024 * 1024)

/* The account of the private libvirt: asked by root, libvirt uses the system's. */
#define NOBODY 65534

#define START_TENTHS 300

typedef struct
{
  char *dir;
  P2vServerConfig *config;
  P2vPlan *plan;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("p2v-storage-XXXXXX", &error);
  g_assert_no_error (error);
  f->config = g_new0 (P2vServerConfig, 1);
  f->plan = p2v_plan_new ();
  f->plan->method = g_strdup ("local");
  f->plan->format = g_strdup ("raw");
  f->plan->allocation = g_strdup ("sparse");
}

static void
teardown (Fixture *f, gconstpointer data)
{
  (void)data;
  g_assert_true (p2v_store_remove_tree (f->dir, NULL));
  p2v_plan_free (f->plan);
  p2v_server_config_free (f->config);
  g_free (f->dir);
}

static P2vImage *
add_image (Fixture *f, const char *name, const char *format, gint64 size)
{
  P2vImage *image = p2v_image_new ();
  image->disk = g_strdup (name);
  image->size = size;
  image->format = g_strdup (format);
  image->path = g_build_filename (f->dir, "new", "images", name, NULL);
  g_ptr_array_add (f->plan->images, image);
  return image;
}

static P2vImage *
add_volume (Fixture *f, const char *pool, const char *name, const char *format, gint64 size)
{
  P2vImage *image = add_image (f, name, format, size);
  g_clear_pointer (&image->path, g_free);
  image->pool = g_strdup (pool);
  image->volume = g_strdup (name);
  return image;
}

static void
set (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static void
create (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  p2v_storage_create (f->config, f->plan, 0, &error);
  g_assert_no_error (error);
}

static void
assert_refused (Fixture *f, gint64 needed, const char *expected)
{
  g_autoptr (GError) error = NULL;
  if (p2v_storage_create (f->config, f->plan, needed, &error))
    g_error ("expected to be refused: %s", expected);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  if (strstr (error->message, expected) == NULL)
    g_error ("expected \"%s\" in: %s", expected, error->message);
  g_assert_cmpuint (f->plan->images->len, ==, 0);
}

static struct stat
status_of (const char *path)
{
  struct stat status;
  g_assert_cmpint (stat (path, &status), ==, 0);
  return status;
}

/* What qemu-img says about an image: its virtual size, after checking the format. */
static gint64
virtual_size (const P2vImage *image)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GSubprocess) process
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "qemu-img", "info",
                          "--output=json", "-f", image->format, image->path, NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_communicate_utf8 (process, NULL, NULL, &text, NULL, &error));
  g_assert_true (g_subprocess_get_successful (process));
  g_autoptr (JsonObject) info = p2v_json_from_text (text, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_object_get_string_member (info, "format"), ==, image->format);
  return json_object_get_int_member (info, "virtual-size");
}

/* TRUE when qemu-img reads nothing but zeroes from the image. */
static gboolean
reads_as_zeroes (Fixture *f, const P2vImage *image)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *zeroes = g_build_filename (f->dir, "zeroes", NULL);
  g_assert_true (g_file_set_contents (zeroes, "", 0, &error));
  g_assert_cmpint (truncate (zeroes, image->size), ==, 0);
  g_autoptr (GSubprocess) process
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error, "qemu-img", "compare", "-f",
                          "raw", "-F", image->format, zeroes, image->path, NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait (process, NULL, &error));
  return g_subprocess_get_exit_status (process) == 0;
}

static void
assert_image (Fixture *f, const P2vImage *image, gboolean preallocated)
{
  struct stat status = status_of (image->path);
  g_assert_cmpint (virtual_size (image), ==, image->size);
  g_assert_true (reads_as_zeroes (f, image));
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (status.st_uid, ==, geteuid ());
  if (preallocated)
    g_assert_cmpint (status.st_blocks * 512, >=, image->size);
  else
    g_assert_cmpint (status.st_blocks * 512, <, MIB);
}

static void
test_files_of_both_formats (Fixture *f, gconstpointer data)
{
  const char *allocation = data;
  set (&f->plan->allocation, allocation);
  add_image (f, "bios1-sda", "raw", 8 * MIB + 512);
  add_image (f, "bios1-sdb", "qcow2", 16 * MIB);
  create (f);
  gboolean preallocated = strcmp (allocation, "preallocated") == 0;
  assert_image (f, f->plan->images->pdata[0], preallocated);
  assert_image (f, f->plan->images->pdata[1], preallocated);
}

static void
test_names_of_files_are_no_options_or_protocols (Fixture *f, gconstpointer data)
{
  (void)data;
  P2vImage *image = add_image (f, "x", "qcow2", MIB);
  g_free (image->path);
  image->path = g_build_filename (f->dir, "json:{ $(id) \n,size=1", NULL);
  create (f);
  g_assert_cmpint (status_of (image->path).st_size, >, 0);
}

static void
test_files_that_exist_are_not_touched (Fixture *f, gconstpointer data)
{
  const char *format = data;
  const P2vImage *first = add_image (f, "bios1-sda", "raw", MIB);
  const P2vImage *taken = add_image (f, "bios1-sdb", format, MIB);
  g_autofree char *first_path = g_strdup (first->path);
  g_autofree char *path = g_strdup (taken->path), *dir = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "precious", -1, NULL));
  assert_refused (f, 0, "image of disk bios1-sdb: the server cannot create the image ");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "precious");
  g_assert_false (g_file_test (first_path, G_FILE_TEST_EXISTS));
}

static void
test_symbolic_links_are_not_followed (Fixture *f, gconstpointer data)
{
  (void)data;
  const P2vImage *image = add_image (f, "bios1-sda", "raw", MIB);
  g_autofree char *target = g_build_filename (f->dir, "target", NULL);
  g_autofree char *dir = g_path_get_dirname (image->path);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_cmpint (symlink (target, image->path), ==, 0);
  assert_refused (f, 0, "File exists");
  g_assert_false (g_file_test (target, G_FILE_TEST_EXISTS));
}

static void
test_without_space_nothing_is_written (Fixture *f, gconstpointer data)
{
  (void)data;
  const gint64 pib = G_GINT64_CONSTANT (1) << 50;
  const P2vImage *image = add_image (f, "bios1-sda", "qcow2", pib);
  g_autofree char *path = g_strdup (image->path);
  assert_refused (f, pib, " GiB free, the machine's disks need up to 1048576.0 GiB. Free some");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  set (&f->plan->allocation, "preallocated");
  add_image (f, "bios1-sda", "raw", pib / 2);
  add_image (f, "bios1-sdb", "raw", pib / 2);
  assert_refused (f, MIB, "the preallocated images need up to 1048576.0 GiB. Free some");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  /* Sparse needs what is to be written, not what the disks could hold. */
  set (&f->plan->allocation, "sparse");
  add_image (f, "bios1-sda", "qcow2", pib / 1024);
  g_autoptr (GError) error = NULL;
  g_assert_true (p2v_storage_create (f->config, f->plan, MIB, &error));
  g_assert_no_error (error);
}

static void
test_a_directory_that_cannot_be_made_is_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autofree char *file = g_build_filename (f->dir, "new", NULL);
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  add_image (f, "bios1-sda", "raw", MIB);
  assert_refused (f, 0, "the server cannot make the directory ");
}

static void
test_removing_frees_the_names (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  const P2vImage *image = add_image (f, "bios1-sda", "raw", MIB);
  g_autofree char *path = g_strdup (image->path);
  add_image (f, "bios1-sdb", "qcow2", MIB);
  create (f);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_true (p2v_storage_remove (f->config, f->plan, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->plan->images->len, ==, 0);
  /* Somebody else's image of that name is none of this plan's any more. */
  g_assert_true (g_file_set_contents (path, "precious", -1, NULL));
  g_assert_true (p2v_storage_remove (f->config, f->plan, &error));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* libvirt's test driver keeps volumes in memory: good for what happens to their names. */
static void
test_volumes_that_exist_are_not_touched (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  set (&f->plan->method, "libvirt");
  f->plan->connection = g_strdup ("test:///default");
  g_autoptr (virConnect) libvirt = p2v_libvirt_open (f->plan->connection, &error);
  g_assert_no_error (error);
  g_autoptr (virStoragePool) pool = virStoragePoolLookupByName (libvirt, "default-pool");
  g_autoptr (virStorageVol) taken = virStorageVolCreateXML (
      pool, "<volume><name>b-sdb</name><capacity>1024</capacity></volume>", 0);
  g_assert_nonnull (taken);
  add_volume (f, "default-pool", "b-sda", "qcow2", MIB);
  add_volume (f, "default-pool", "b-sdb", "qcow2", MIB);
  assert_refused (f, 0, "image of disk b-sdb: cannot create volume b-sdb in pool default-pool: ");
  g_assert_false (p2v_pool_has_volume (pool, "b-sda"));
  g_assert_true (p2v_pool_has_volume (pool, "b-sdb"));
  virStorageVolInfo info;
  g_assert_cmpint (virStorageVolGetInfo (taken, &info), ==, 0);
  g_assert_cmpuint (info.capacity, ==, 1024);
}

/* A libvirt of one's own: the real storage driver, with a directory pool. */
typedef struct
{
  GSubprocess *daemon;
  virConnectPtr connection;
  char *uri;
} Libvirt;

/* So that a test which fails leaves no daemon behind. */
static void
die_with_parent (gpointer data)
{
  (void)data;
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static void
libvirt_start (Libvirt *self, Fixture *f)
{
  static const char *const variables[]
      = { "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HOME" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    g_subprocess_launcher_setenv (launcher, variables[i], f->dir, TRUE);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  self->daemon = g_subprocess_launcher_spawn (launcher, &error, "libvirtd", NULL);
  g_assert_no_error (error);
  self->uri = g_strdup_printf ("storage+unix:///session?socket=%s/libvirt/libvirt-sock", f->dir);
  for (int i = 0; i < START_TENTHS && self->connection == NULL; i++)
    {
      g_usleep (G_USEC_PER_SEC / 10);
      self->connection = p2v_libvirt_open (self->uri, NULL);
    }
  g_assert_nonnull (self->connection);
}

static void
libvirt_stop (Libvirt *self)
{
  virConnectClose (self->connection);
  g_subprocess_send_signal (self->daemon, SIGTERM);
  g_assert_true (g_subprocess_wait (self->daemon, NULL, NULL));
  g_object_unref (self->daemon);
  g_free (self->uri);
}

static void
define_pool (const Libvirt *libvirt, Fixture *f)
{
  g_autofree char *xml
      = g_strdup_printf ("<pool type='dir'><name>images</name><target><path>%s/pool</path></target>"
                         "</pool>",
                         f->dir);
  g_autoptr (virStoragePool) pool = virStoragePoolDefineXML (libvirt->connection, xml, 0);
  g_assert_nonnull (pool);
  g_assert_cmpint (virStoragePoolBuild (pool, 0), ==, 0);
  g_assert_cmpint (virStoragePoolCreate (pool, 0), ==, 0);
}

static void
check_real_pool (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  for (int whole = 0; whole < 2; whole++)
    {
      set (&f->plan->allocation, whole ? "preallocated" : "sparse");
      add_volume (f, "images", whole ? "w-sda" : "s-sda", "raw", 8 * MIB);
      add_volume (f, "images", whole ? "w-sdb" : "s-sdb", "qcow2", 16 * MIB);
      create (f);
      for (guint i = 0; i < f->plan->images->len; i++)
        {
          const P2vImage *image = f->plan->images->pdata[i];
          g_autofree char *path = g_build_filename (f->dir, "pool", image->volume, NULL);
          g_assert_cmpstr (image->path, ==, path);
          assert_image (f, image, whole);
        }
      g_assert_true (p2v_storage_remove (f->config, f->plan, &error));
      g_assert_no_error (error);
    }
  g_autofree char *pool = g_build_filename (f->dir, "pool", NULL);
  /* A file that libvirt has not seen yet is in the way all the same. */
  g_autofree char *path = g_build_filename (pool, "u-sda", NULL);
  g_assert_true (g_file_set_contents (path, "precious", -1, NULL));
  add_volume (f, "images", "u-sda", "qcow2", MIB);
  assert_refused (f, 0, "cannot create volume u-sda in pool images: ");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "precious");
  set (&f->plan->allocation, "sparse");
  add_volume (f, "images", "big-sda", "qcow2", MIB);
  assert_refused (f, G_GINT64_CONSTANT (1) << 50, "storage pool images has ");
}

static void
test_a_real_pool (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autofree char *libvirtd = g_find_program_in_path ("libvirtd");
  if (libvirtd == NULL)
    {
      g_test_skip ("libvirtd is not installed (libvirt-daemon)");
      return;
    }
  /* This is the last test: what it gives up it does not need again. */
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (f->dir, NOBODY, NOBODY), ==, 0);
      g_assert_cmpint (setresgid (NOBODY, NOBODY, NOBODY), ==, 0);
      g_assert_cmpint (setresuid (NOBODY, NOBODY, NOBODY), ==, 0);
    }
  Libvirt libvirt = { 0 };
  libvirt_start (&libvirt, f);
  set (&f->plan->method, "libvirt");
  set (&f->plan->connection, libvirt.uri);
  define_pool (&libvirt, f);
  check_real_pool (f);
  libvirt_stop (&libvirt);
}

#define ADD(path, data, function)                                                                  \
  g_test_add ("/storage/" path, Fixture, data, setup, function, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("files-of-both-formats-sparse", "sparse", test_files_of_both_formats);
  ADD ("files-of-both-formats-preallocated", "preallocated", test_files_of_both_formats);
  ADD ("names-of-files-are-no-options-or-protocols", NULL,
       test_names_of_files_are_no_options_or_protocols);
  ADD ("files-that-exist-are-not-touched-raw", "raw", test_files_that_exist_are_not_touched);
  ADD ("files-that-exist-are-not-touched-qcow2", "qcow2", test_files_that_exist_are_not_touched);
  ADD ("symbolic-links-are-not-followed", NULL, test_symbolic_links_are_not_followed);
  ADD ("without-space-nothing-is-written", NULL, test_without_space_nothing_is_written);
  ADD ("a-directory-that-cannot-be-made-is-refused", NULL,
       test_a_directory_that_cannot_be_made_is_refused);
  ADD ("removing-frees-the-names", NULL, test_removing_frees_the_names);
  ADD ("volumes-that-exist-are-not-touched", NULL, test_volumes_that_exist_are_not_touched);
  ADD ("a-real-pool", NULL, test_a_real_pool);
  return g_test_run ();
}
