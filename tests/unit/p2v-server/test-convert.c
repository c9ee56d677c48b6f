/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "convert-fixture.h"

#include "common/error.h"
#include "p2v-server/convert.h"
#include "p2v-server/overlay.h"

#include <dirent.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <unistd.h>

/* The stage "convert" as far as it goes without an appliance: real qemu-img, real virt-v2v-in-place
 * where it is ended before it has done anything. tests/e2e/convert.bats has the rest. */

#define IMAGE_SIZE (4 * 1024 * 1024)

typedef struct
{
  char *dir;
  char *paths[3];
  P2vServerConfig *config;
  P2vJob *job;
  char *path; /* of the environment */
} Fixture;

static void
fill (const char *path, char byte)
{
  g_autofree char *data = g_malloc (IMAGE_SIZE);
  memset (data, byte, IMAGE_SIZE);
  g_assert_true (g_file_set_contents (path, data, IMAGE_SIZE, NULL));
}

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->dir = g_dir_make_tmp ("p2v convert-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->paths[0] = g_build_filename (fixture->dir, "one, two.raw", NULL);
  fixture->paths[1] = g_build_filename (fixture->dir, "b.raw", NULL);
  fill (fixture->paths[0], 'a');
  fill (fixture->paths[1], 'b');
  fixture->config = fixture_config (fixture->dir);
  fixture->job = fixture_job (fixture->config, "guest", NULL, fixture->paths, "raw");
  fixture->path = g_strdup (g_getenv ("PATH"));
}

static void
remove_tree (const char *path)
{
  const char *argv[] = { "rm", "-rf", "--", path, NULL };
  g_autoptr (GSubprocess) rm = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_NONE, NULL);
  g_assert_true (g_subprocess_wait_check (rm, NULL, NULL));
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_setenv ("PATH", fixture->path, TRUE);
  p2v_job_free (fixture->job);
  p2v_server_config_free (fixture->config);
  remove_tree (fixture->dir);
  g_free (fixture->paths[0]);
  g_free (fixture->paths[1]);
  g_free (fixture->path);
  g_free (fixture->dir);
}

/* PATH with these programs alone. */
static void
allow_only (Fixture *fixture, const char *const *programs)
{
  g_autofree char *bin = g_build_filename (fixture->dir, "bin", NULL);
  g_assert_cmpint (g_mkdir (bin, 0700), ==, 0);
  for (gsize i = 0; programs[i] != NULL; i++)
    {
      g_autofree char *target = g_find_program_in_path (programs[i]);
      g_autofree char *link = g_build_filename (bin, programs[i], NULL);
      g_assert_nonnull (target);
      g_assert_cmpint (symlink (target, link), ==, 0);
    }
  g_setenv ("PATH", bin, TRUE);
}

static void
write_to_overlay (const char *path, const char *command)
{
  g_autoptr (GError) error = NULL;
  const char *argv[] = { "qemu-io", "-f", "qcow2", "-c", command, path, NULL };
  g_autoptr (GSubprocess) io = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (io, NULL, &error));
}

static void
assert_image (const char *path, gsize offset, char byte)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  g_assert_cmpint (length, ==, IMAGE_SIZE);
  g_assert_cmpint (data[offset], ==, byte);
}

static void
assert_untouched (const Fixture *fixture)
{
  for (gsize offset = 0; offset < IMAGE_SIZE; offset += IMAGE_SIZE / 8)
    {
      assert_image (fixture->paths[0], offset, 'a');
      assert_image (fixture->paths[1], offset, 'b');
    }
}

static gboolean
overlay_exists (const Fixture *fixture, guint index)
{
  g_autofree char *path = p2v_overlay_path (fixture->job, fixture->job->plan->images->pdata[index]);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
create_overlays (const Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *log = p2v_job_path (fixture->job, "convert.log");
  g_assert_true (p2v_overlays_create (fixture->job, log, &error));
  g_assert_no_error (error);
}

static void
change_overlay (const Fixture *fixture, guint index, const char *command)
{
  g_autofree char *path = p2v_overlay_path (fixture->job, fixture->job->plan->images->pdata[index]);
  write_to_overlay (path, command);
}

static void
set_committing (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  fixture->job->report = p2v_report_new ();
  fixture->job->report->block_bus = g_strdup ("virtio-blk");
  g_assert_true (p2v_job_set_state (fixture->job, P2V_JOB_COMMITTING, &error));
}

static void
assert_fails (Fixture *fixture, int code, const char *pattern)
{
  g_autoptr (GError) error = NULL;
  P2vReport *report = NULL;
  g_assert_false (p2v_convert_run (fixture->config, fixture->job, NULL, &report, &error));
  g_assert_error (error, P2V_ERROR, code);
  g_assert_null (report);
  if (!g_pattern_match_simple (pattern, error->message))
    g_error ("\"%s\" is not \"%s\"", error->message, pattern);
  /* Where the log is, if there is one; what to do next is for others to say, once. */
  g_autofree char *log = p2v_job_path (fixture->job, "convert.log");
  gboolean named = strstr (error->message, log) != NULL;
  g_assert_cmpint (named, ==, g_file_test (log, G_FILE_TEST_EXISTS));
  g_assert_null (strstr (error->message, "p2v-server retry"));
}

static void
test_overlay_life (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *log = p2v_job_path (fixture->job, "convert.log");
  create_overlays (fixture);
  change_overlay (fixture, 0, "write -P 0x78 1M 64k");
  assert_untouched (fixture);
  /* Anew: what an earlier attempt wrote is gone. */
  create_overlays (fixture);
  change_overlay (fixture, 1, "write -P 0x79 2M 64k");
  g_assert_true (p2v_overlays_commit (fixture->job, log, 0, 100, &error));
  g_assert_no_error (error);
  assert_image (fixture->paths[0], 1024 * 1024, 'a');
  assert_image (fixture->paths[1], 2 * 1024 * 1024, 'y');
  assert_image (fixture->paths[1], 2 * 1024 * 1024 + 65536, 'b');
  g_assert_false (overlay_exists (fixture, 0) || overlay_exists (fixture, 1));
}

/* Crashed after the first disk's commit, in the middle of the second's. */
static void
test_commit_repeats (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static const char *const programs[] = { "qemu-img", NULL };
  g_autoptr (GError) error = NULL;
  create_overlays (fixture);
  change_overlay (fixture, 0, "write -P 0x78 0 64k");
  change_overlay (fixture, 1, "write -P 0x79 0 3M");
  g_autofree char *first = p2v_overlay_path (fixture->job, fixture->job->plan->images->pdata[0]);
  g_assert_cmpint (g_unlink (first), ==, 0);
  set_committing (fixture);
  allow_only (fixture, programs); /* nothing can be converted again */
  P2vReport *report = NULL;
  g_assert_true (p2v_convert_run (fixture->config, fixture->job, NULL, &report, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (report->block_bus, ==, "virtio-blk");
  g_assert_cmpstr (fixture->job->state, ==, P2V_JOB_CONVERTED);
  assert_image (fixture->paths[0], 0, 'a');
  assert_image (fixture->paths[1], 3 * 1024 * 1024 - 1, 'y');
  g_assert_false (overlay_exists (fixture, 1));
}

/* A commit that fails keeps what is left to be committed. */
static void
test_commit_failure (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *away = g_strconcat (fixture->paths[1], ".away", NULL);
  create_overlays (fixture);
  change_overlay (fixture, 1, "write -P 0x79 0 64k");
  set_committing (fixture);
  g_assert_cmpint (g_rename (fixture->paths[1], away), ==, 0);
  assert_fails (fixture, P2V_ERROR_CONVERT, "*disk sdb*qemu-img failed*");
  g_assert_cmpstr (fixture->job->state, ==, P2V_JOB_COMMITTING);
  g_assert_true (overlay_exists (fixture, 1));
  g_assert_cmpint (g_rename (away, fixture->paths[1]), ==, 0);
  P2vReport *report = NULL;
  g_assert_true (p2v_convert_run (fixture->config, fixture->job, NULL, &report, &error));
  g_assert_no_error (error);
  assert_image (fixture->paths[1], 0, 'y');
}

static void
test_no_virt_v2v (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static const char *const programs[] = { "qemu-img", NULL };
  allow_only (fixture, programs);
  assert_fails (fixture, P2V_ERROR_CONVERT,
                "virt-v2v-in-place is not installed*apt install virt-v2v)*");
  fixture_set (&fixture->job->plan->method, "virt-v2v");
  fixture_set (&fixture->job->plan->mode, "null");
  assert_fails (fixture, P2V_ERROR_CONVERT, "virt-v2v is not installed*apt install virt-v2v)*");
  assert_untouched (fixture);
}

static void
test_no_qemu_img (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static const char *const programs[] = { "virt-v2v-in-place", NULL };
  allow_only (fixture, programs);
  assert_fails (fixture, P2V_ERROR_CONVERT, "qemu-img is not installed*apt install qemu-utils)*");
  assert_untouched (fixture);
}

static void
test_no_image (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_unlink (fixture->paths[1]);
  assert_fails (fixture, P2V_ERROR_CONVERT, "cannot open the received image */b.raw:*");
  g_assert_false (overlay_exists (fixture, 0) || overlay_exists (fixture, 1));
}

/* TRUE while some process has the text in its command line. */
static gboolean
process_mentions (const char *text)
{
  gboolean found = FALSE;
  DIR *proc = opendir ("/proc");
  for (struct dirent *entry = readdir (proc); entry != NULL; entry = readdir (proc))
    {
      g_autofree char *path = g_strdup_printf ("/proc/%s/cmdline", entry->d_name);
      g_autofree char *line = NULL;
      gsize length = 0;
      if (g_ascii_isdigit (*entry->d_name) && strtol (entry->d_name, NULL, 10) != getpid ()
          && g_file_get_contents (path, &line, &length, NULL)
          && memmem (line, length, text, strlen (text)) != NULL)
        found = TRUE;
    }
  closedir (proc);
  return found;
}

static void
test_time_limit (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->config->convert_timeout = 1;
  assert_fails (fixture, P2V_ERROR_CONVERT,
                "virt-v2v-in-place was stopped*longer than 1 seconds*"
                "raise timeout= in [convert] of */server.conf*");
  assert_untouched (fixture);
  g_assert_false (overlay_exists (fixture, 0) || overlay_exists (fixture, 1));
  g_assert_false (process_mentions (fixture->job->dir));
}

/* Two disks that belong to no guest's root= option, and values that would be options. */
static void
test_refusals (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture_set (&fixture->job->plan->root, "ask");
  assert_fails (fixture, P2V_ERROR_REFUSED, "root=ask is refused*");
  fixture_set (&fixture->job->plan->root, "first");
  fixture_set (&fixture->job->plan->method, "virt-v2v");
  fixture_set (&fixture->job->plan->mode, "floppies");
  assert_fails (fixture, P2V_ERROR_REFUSED, "output mode floppies*: *local*null*");
  fixture_set (&fixture->job->plan->mode, "null");
  fixture_set (&fixture->job->plan->storage, "--help");
  assert_fails (fixture, P2V_ERROR_REFUSED, "-os: the value \"--help\" is refused*");
  assert_untouched (fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/convert/overlay-leaves-the-image-alone", test_overlay_life);
  ADD ("/convert/commit-is-repeatable", test_commit_repeats);
  ADD ("/convert/failed-commit-keeps-its-overlay", test_commit_failure);
  ADD ("/convert/virt-v2v-missing", test_no_virt_v2v);
  ADD ("/convert/qemu-img-missing", test_no_qemu_img);
  ADD ("/convert/image-missing", test_no_image);
  ADD ("/convert/time-limit-leaves-nothing", test_time_limit);
  ADD ("/convert/refused-values", test_refusals);
  return g_test_run ();
}
