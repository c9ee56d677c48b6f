/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/recover.h"

#include "common/error.h"
#include "p2v-server/cancel.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-processes.h"
#include "p2v-server/job-store.h"
#include "p2v-server/overlay.h"
#include "tests/unit/p2v-server/convert-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Jobs as a crash leaves them, made by hand. A worker that is started is this very program. */

typedef struct
{
  char *dir;
  char *image;
  P2vServerConfig *config;
  P2vJob *job; /* NULL once its process is gone */
  char *id;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  (void)data;
  fixture->dir = g_dir_make_tmp ("p2v-recover-XXXXXX", NULL);
  fixture->image = g_build_filename (fixture->dir, "image", NULL);
  g_assert_true (g_file_set_contents (fixture->image, "", -1, NULL));
  g_assert_cmpint (truncate (fixture->image, 1 << 20), ==, 0);
  fixture->config = fixture_config (fixture->dir);
  char *paths[] = { fixture->image, NULL };
  fixture->job = fixture_job (fixture->config, "lost", NULL, paths, "raw");
  fixture->id = g_strdup (fixture->job->id);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void)data;
  p2v_job_free (fixture->job);
  p2v_server_config_free (fixture->config);
  g_assert_true (p2v_store_remove_tree (fixture->dir, NULL));
  g_free (fixture->dir);
  g_free (fixture->image);
  g_free (fixture->id);
}

static void
make_socket (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_assert_cmpuint (strlen (path), <, sizeof address.sun_path);
  memcpy (address.sun_path, path, strlen (path) + 1);
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  close (fd);
}

static void
touch (const char *path)
{
  g_assert_true (g_file_set_contents (path, "", -1, NULL));
}

static gboolean
exists (const char *path)
{
  return g_access (path, F_OK) == 0;
}

/* The process that had the job dies in this state, with all that a job may have at some time. */
static void
die_in (Fixture *fixture, const char *state)
{
  g_assert_true (p2v_job_set_state (fixture->job, state, NULL));
  g_autofree char *socket = p2v_job_socket_path (fixture->job, "sda");
  g_autofree char *overlay = p2v_overlay_path (fixture->job, fixture->job->plan->images->pdata[0]);
  g_autofree char *temporary = p2v_job_path (fixture->job, "job.json.tmp");
  g_autofree char *replaced = p2v_job_path (fixture->job, "convert.xml.A1B2C3");
  make_socket (socket);
  touch (overlay);
  touch (temporary);
  touch (replaced);
  g_clear_pointer (&fixture->job, p2v_job_free);
}

/* Recovers and returns what was done about the one job, NULL for nothing. */
static P2vRecovered *
recover (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = p2v_recover (fixture->config, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (list->len, <=, 1);
  return list->len == 0 ? NULL : g_ptr_array_steal_index (list, 0);
}

/* What recovering must have left: nothing that only a process needs. */
static P2vJob *
look (Fixture *fixture, gboolean overlay_expected)
{
  g_autoptr (GError) error = NULL;
  P2vJob *job = p2v_job_load (fixture->config, fixture->id, &error);
  g_assert_no_error (error);
  g_autofree char *socket = p2v_job_socket_path (job, "sda");
  g_autofree char *temporary = p2v_job_path (job, "job.json.tmp");
  g_autofree char *replaced = p2v_job_path (job, "convert.xml.A1B2C3");
  g_autofree char *overlay = p2v_job_path (job, "sda.overlay.qcow2");
  g_assert_false (exists (socket));
  g_assert_false (exists (temporary));
  g_assert_false (exists (replaced));
  g_assert_cmpint (exists (overlay), ==, overlay_expected);
  return job;
}

/* Recovering again changes nothing. */
static void
assert_settled (Fixture *fixture)
{
  g_autofree char *dir = p2v_store_job_dir (fixture->config, fixture->id);
  g_autofree char *path = g_build_filename (dir, "job.json", NULL);
  g_autofree char *before = NULL, *after = NULL;
  g_assert_true (g_file_get_contents (path, &before, NULL, NULL));
  g_assert_null (recover (fixture));
  g_assert_true (g_file_get_contents (path, &after, NULL, NULL));
  g_assert_cmpstr (before, ==, after);
}

static void
test_preparing_is_failed (Fixture *fixture, gconstpointer data)
{
  (void)data;
  die_in (fixture, P2V_JOB_PREPARING);
  P2vRecovered *recovered = recover (fixture);
  g_assert_cmpstr (recovered->from, ==, P2V_JOB_PREPARING);
  g_assert_cmpstr (recovered->to, ==, P2V_JOB_FAILED);
  p2v_recovered_free (recovered);
  g_autoptr (P2vJob) job = look (fixture, TRUE);
  g_assert_cmpstr (job->state, ==, P2V_JOB_FAILED);
  g_assert_cmpstr (job->failed_stage, ==, P2V_STAGE_PREPARE);
  g_assert_nonnull (strstr (job->error_message, "Convert the machine again"));
  g_assert_cmpuint (job->plan->images->len, ==, 0);
  g_assert_false (exists (fixture->image));
  assert_settled (fixture);
}

static void
test_receiving_waits (Fixture *fixture, gconstpointer data)
{
  (void)data;
  die_in (fixture, P2V_JOB_RECEIVING);
  P2vRecovered *recovered = recover (fixture);
  g_assert_cmpstr (recovered->id, ==, fixture->id);
  g_assert_cmpstr (recovered->to, ==, P2V_JOB_WAITING);
  p2v_recovered_free (recovered);
  g_autoptr (P2vJob) job = look (fixture, TRUE);
  g_assert_cmpstr (job->state, ==, P2V_JOB_WAITING);
  g_assert_true (exists (fixture->image));
  assert_settled (fixture);
}

static void
test_settled_jobs_are_left_alone (Fixture *fixture, gconstpointer data)
{
  die_in (fixture, data);
  g_assert_null (recover (fixture));
  g_autoptr (P2vJob) job = look (fixture, TRUE);
  g_assert_cmpstr (job->state, ==, data);
  g_assert_true (exists (fixture->image));
  assert_settled (fixture);
}

/* The worker, which is this program, has written its arguments down. */
static void
await_worker (Fixture *fixture)
{
  g_autofree char *dir = p2v_store_job_dir (fixture->config, fixture->id);
  g_autofree char *path = g_build_filename (dir, "worked", NULL);
  for (int attempt = 0; attempt < 500 && !exists (path); attempt++)
    g_usleep (20000);
  g_assert_true (exists (path));
  g_unlink (path);
}

static void
test_later_stages_go_on (Fixture *fixture, gconstpointer data)
{
  die_in (fixture, data);
  P2vRecovered *recovered = recover (fixture);
  g_assert_cmpstr (recovered->from, ==, data);
  g_assert_cmpstr (recovered->to, ==, data);
  g_assert_nonnull (strstr (recovered->message, "goes on"));
  p2v_recovered_free (recovered);
  await_worker (fixture);
  /* A commit that was cut short needs its overlay. */
  g_autoptr (P2vJob) job = look (fixture, TRUE);
  g_assert_cmpstr (job->state, ==, data);
  g_assert_true (exists (fixture->image));
}

static void
test_a_job_that_is_held_is_left_alone (Fixture *fixture, gconstpointer data)
{
  (void)data;
  static const char *const states[]
      = { P2V_JOB_PREPARING, P2V_JOB_RECEIVING, P2V_JOB_RECEIVED, P2V_JOB_DEFINING };
  g_autofree char *socket = p2v_job_socket_path (fixture->job, "sda");
  make_socket (socket);
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_assert_true (p2v_job_set_state (fixture->job, states[i], NULL));
      assert_settled (fixture);
    }
  g_assert_true (exists (socket));
  g_assert_true (exists (fixture->image));
}

static void
test_a_cancellation_is_carried_out (Fixture *fixture, gconstpointer data)
{
  g_assert_true (p2v_job_request_cancel (fixture->job, NULL));
  die_in (fixture, data);
  P2vRecovered *recovered = recover (fixture);
  g_assert_cmpstr (recovered->to, ==, P2V_JOB_CANCELLED);
  p2v_recovered_free (recovered);
  g_autoptr (P2vJob) job = look (fixture, FALSE);
  g_assert_false (exists (fixture->image));
  assert_settled (fixture);
}

static void
test_a_socket_of_nobody_is_removed (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autofree char *run = p2v_store_run_dir (fixture->config);
  g_autofree char *orphan = g_build_filename (run, "0123456789", NULL);
  g_autofree char *slot = g_build_filename (run, "slot-1", NULL);
  g_autofree char *ours = p2v_job_socket_path (fixture->job, "sda");
  make_socket (orphan);
  make_socket (ours);
  touch (slot);
  g_assert_null (recover (fixture));
  g_assert_false (exists (orphan));
  g_assert_true (exists (slot));
  g_assert_true (exists (ours));
}

/* A helper that has left its process group, and does not go when it is asked to. */
static void
test_processes_are_ended (Fixture *fixture, gconstpointer data)
{
  (void)data;
  const char *argv[] = { "sh", "-c", "trap '' TERM; while :; do sleep 1; done", NULL };
  GPid pid = 0;
  p2v_job_claim_processes (fixture->job);
  g_assert_true (g_spawn_async (NULL, (char **)argv, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                                NULL));
  g_unsetenv (P2V_JOB_VARIABLE);
  g_usleep (300 * 1000);
  die_in (fixture, P2V_JOB_RECEIVING);
  p2v_recovered_free (recover (fixture));
  int status = 0;
  g_assert_cmpint (waitpid (pid, &status, WNOHANG), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

/* As `p2v-server --config FILE work ID`: takes the job's lock, as every worker has to. */
static int
work (const char *config_file, const char *id)
{
  g_autoptr (P2vServerConfig) config = p2v_server_config_load (config_file, NULL);
  g_autoptr (P2vJob) job = config == NULL ? NULL : p2v_job_open (config, id, NULL);
  if (job == NULL || g_getenv (P2V_JOB_VARIABLE) != NULL)
    return 1;
  g_autofree char *path = p2v_job_path (job, "worked");
  return g_file_set_contents (path, "", -1, NULL) ? 0 : 1;
}

static void
add_for (const char *name, const char *const *states, void (*test) (Fixture *, gconstpointer))
{
  for (gsize i = 0; states[i] != NULL; i++)
    {
      g_autofree char *path = g_strconcat ("/recover/", name, "/", states[i], NULL);
      g_test_add (path, Fixture, states[i], set_up, test, tear_down);
    }
}

int
main (int argc, char **argv)
{
  static const char *const settled[]
      = { P2V_JOB_WAITING, P2V_JOB_DONE, P2V_JOB_FAILED, P2V_JOB_CANCELLED, NULL };
  static const char *const later[] = { P2V_JOB_RECEIVED,  P2V_JOB_CONVERTING, P2V_JOB_COMMITTING,
                                       P2V_JOB_CONVERTED, P2V_JOB_DEFINING,   NULL };
  static const char *const cancelled[]
      = { P2V_JOB_RECEIVING, P2V_JOB_WAITING, P2V_JOB_COMMITTING, NULL };
  if (argc == 5 && strcmp (argv[3], "work") == 0)
    return work (argv[2], argv[4]);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/recover/preparing-is-failed", test_preparing_is_failed);
  ADD ("/recover/receiving-waits-for-its-machine", test_receiving_waits);
  add_for ("left-alone", settled, test_settled_jobs_are_left_alone);
  add_for ("goes-on", later, test_later_stages_go_on);
  ADD ("/recover/held-is-left-alone", test_a_job_that_is_held_is_left_alone);
  add_for ("cancellation-is-carried-out", cancelled, test_a_cancellation_is_carried_out);
  ADD ("/recover/socket-of-nobody-is-removed", test_a_socket_of_nobody_is_removed);
  ADD ("/recover/processes-are-ended", test_processes_are_ended);
  return g_test_run ();
}
