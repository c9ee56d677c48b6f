/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/worker.h"

#include "common/error.h"
#include "p2v-server/slot.h"

#include <glib/gstdio.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  P2vServerConfig *config;
  P2vJob *job;
} Fixture;

static const char request_text[]
    = "{\"machine\":{\"cpu\":{},\"firmware\":{\"type\":\"bios\"},\"clock\":{\"basis\":\"utc\"},"
      "\"smbios\":{},\"disks\":[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"size\":1048576}]},"
      "\"guest\":{\"name\":\"bios1\",\"vcpus\":1,\"memory\":1073741824,\"rtc_basis\":\"utc\","
      "\"disks\":[\"sda\"]},\"output\":{}}";

static void
set_up (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  fixture->dir = g_dir_make_tmp ("p2v-worker-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *file = g_build_filename (fixture->dir, "server.conf", NULL);
  g_autofree char *text = g_strdup_printf (
      "[server]\nstate-dir=%s/state\nmax-conversions=2\n[convert]\ntimeout=60\n", fixture->dir);
  g_assert_true (g_file_set_contents (file, text, -1, &error));
  fixture->config = p2v_server_config_load (file, &error);
  g_assert_no_error (error);
  g_autoptr (JsonObject) object = p2v_json_from_text (request_text, -1, &error);
  g_autoptr (P2vRequest) request = p2v_request_from_json (object, &error);
  g_assert_no_error (error);
  fixture->job = p2v_job_create (fixture->config, request, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void)data;
  const char *const argv[] = { "rm", "-rf", "--", fixture->dir, NULL };
  p2v_job_free (fixture->job);
  p2v_server_config_free (fixture->config);
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free (fixture->dir);
}

static int
take (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  int slot = p2v_slot_take (fixture->config, fixture->job, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (slot, >=, 0);
  return slot;
}

/* Events of the job so far that contain text. */
static guint
count_events (Fixture *fixture, const char *text)
{
  goffset offset = 0;
  g_autoptr (GPtrArray) events = p2v_job_read_events (fixture->job, &offset, NULL);
  guint count = 0;
  for (guint i = 0; i < events->len; i++)
    {
      const P2vEvent *event = events->pdata[i];
      count += event->message != NULL && strstr (event->message, text) != NULL;
    }
  return count;
}

static gpointer
take_in_thread (gpointer data)
{
  return GINT_TO_POINTER (take (data));
}

static void
test_no_more_than_max_conversions (Fixture *fixture, gconstpointer data)
{
  (void)data;
  int first = take (fixture);
  int second = take (fixture);
  g_assert_cmpuint (count_events (fixture, "waiting"), ==, 0);

  GThread *third = g_thread_new ("third", take_in_thread, fixture);
  while (count_events (fixture, "waiting: 2 jobs") == 0)
    g_usleep (10000);
  g_usleep (1200000);
  g_assert_cmpuint (count_events (fixture, "waiting"), ==, 1);
  close (first);
  close (GPOINTER_TO_INT (g_thread_join (third)));
  close (second);
}

static void
test_slot_of_a_killed_process_is_free (Fixture *fixture, gconstpointer data)
{
  (void)data;
  int ready[2];
  g_assert_cmpint (pipe (ready), ==, 0);
  int first = take (fixture);
  pid_t child = fork ();
  if (child == 0)
    {
      close (first);
      if (p2v_slot_take (fixture->config, fixture->job, NULL, NULL) < 0
          || write (ready[1], "x", 1) != 1)
        _exit (1);
      pause ();
    }
  char byte;
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  GThread *thread = g_thread_new ("waiter", take_in_thread, fixture);
  while (count_events (fixture, "waiting") == 0)
    g_usleep (10000);
  kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  close (GPOINTER_TO_INT (g_thread_join (thread)));
  close (first);
  close (ready[0]);
  close (ready[1]);
}

static void
assert_next (P2vJob *job, const char *state, const char *failed_stage, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_free (job->state);
  job->state = g_strdup (state);
  g_free (job->failed_stage);
  job->failed_stage = g_strdup (failed_stage);
  g_assert_cmpstr (p2v_worker_next_stage (job, &error), ==, expected);
  if (expected == NULL)
    g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
}

static void
test_next_stage_follows_from_the_state (Fixture *fixture, gconstpointer data)
{
  (void)data;
  P2vJob *job = fixture->job;
  assert_next (job, P2V_JOB_RECEIVED, NULL, NULL); /* without a plan there is nothing to convert */
  job->plan = p2v_plan_new ();
  assert_next (job, P2V_JOB_PREPARING, NULL, NULL);
  assert_next (job, P2V_JOB_RECEIVING, NULL, NULL);
  assert_next (job, P2V_JOB_RECEIVED, NULL, P2V_STAGE_CONVERT);
  assert_next (job, P2V_JOB_CONVERTING, NULL, P2V_STAGE_CONVERT);
  assert_next (job, P2V_JOB_COMMITTING, NULL, P2V_STAGE_CONVERT);
  assert_next (job, P2V_JOB_CONVERTED, NULL, P2V_STAGE_DEFINE);
  assert_next (job, P2V_JOB_DEFINING, NULL, P2V_STAGE_DEFINE);
  assert_next (job, P2V_JOB_FAILED, P2V_STAGE_PREPARE, NULL);
  assert_next (job, P2V_JOB_FAILED, P2V_STAGE_RECEIVE, NULL);
  assert_next (job, P2V_JOB_FAILED, P2V_STAGE_CONVERT, P2V_STAGE_CONVERT);
  assert_next (job, P2V_JOB_FAILED, P2V_STAGE_DEFINE, P2V_STAGE_DEFINE);
  assert_next (job, P2V_JOB_CANCELLED, NULL, NULL);
  /* A conversion that was committed is not begun again, whatever failed then. */
  job->failed_state = g_strdup (P2V_JOB_CONVERTED);
  assert_next (job, P2V_JOB_FAILED, P2V_STAGE_CONVERT, P2V_STAGE_DEFINE);
  /* No image, and so none that lacks a chunk; then one without a manifest. */
  g_clear_pointer (&job->failed_state, g_free);
  assert_next (job, P2V_JOB_FAILED, P2V_STAGE_VERIFY, P2V_STAGE_CONVERT);
  P2vImage *image = p2v_image_new ();
  image->disk = g_strdup ("sda");
  g_ptr_array_add (job->plan->images, image);
  assert_next (job, P2V_JOB_FAILED, P2V_STAGE_VERIFY, NULL);
  assert_next (job, P2V_JOB_DONE, NULL, NULL);
}

/* Its image is missing, so virt-v2v (or finding virt-v2v) fails; which does not matter here. */
static void
test_failed_conversion_can_be_tried_again (Fixture *fixture, gconstpointer data)
{
  (void)data;
  P2vJob *job = fixture->job;
  g_autoptr (GError) error = NULL;
  job->plan = p2v_plan_new ();
  job->plan->method = g_strdup ("local");
  job->plan->format = g_strdup ("raw");
  job->plan->storage = g_strdup (fixture->dir);
  P2vImage *image = p2v_image_new ();
  image->disk = g_strdup ("sda");
  image->size = 1048576;
  image->format = g_strdup ("raw");
  image->path = g_build_filename (fixture->dir, "missing.img", NULL);
  g_ptr_array_add (job->plan->images, image);
  job->request->output->verify = g_strdup ("off");
  g_assert_true (p2v_job_set_state (job, P2V_JOB_RECEIVED, &error));

  for (int attempt = 1; attempt <= 2; attempt++)
    {
      g_autoptr (GError) failure = NULL;
      g_assert_false (p2v_worker_run (fixture->config, job, &failure));
      g_assert_error (failure, P2V_ERROR, P2V_ERROR_CONVERT);
      g_autoptr (P2vJob) saved = p2v_job_load (fixture->config, job->id, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (saved->state, ==, P2V_JOB_FAILED);
      g_assert_cmpstr (saved->failed_stage, ==, P2V_STAGE_CONVERT);
      g_assert_cmpstr (saved->error_message, ==, failure->message);
      g_assert_cmpstr (p2v_worker_next_stage (saved, NULL), ==, P2V_STAGE_CONVERT);
    }
  /* The slot was given back. */
  close (take (fixture));
}

/* The images hold half of a commit; whatever keeps the retry from starting must not make the next
 * one convert them anew. */
static void
test_interrupted_commit_is_remembered (Fixture *fixture, gconstpointer data)
{
  (void)data;
  P2vJob *job = fixture->job;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) full = g_error_new (P2V_ERROR, P2V_ERROR_CONVERT, "no space");
  job->plan = p2v_plan_new ();
  job->plan->method = g_strdup ("local");
  g_assert_true (p2v_job_set_state (job, P2V_JOB_COMMITTING, &error));
  p2v_job_fail (job, P2V_STAGE_CONVERT, full);

  g_autofree char *slot = g_build_filename (fixture->config->state_dir, "run", "slot-1", NULL);
  g_assert_cmpint (g_mkdir (slot, 0700), ==, 0); /* no slot can be taken */
  g_assert_false (p2v_worker_run (fixture->config, job, &error));
  g_autoptr (P2vJob) saved = p2v_job_load (fixture->config, job->id, NULL);
  g_assert_cmpstr (saved->state, ==, P2V_JOB_FAILED);
  g_assert_cmpstr (saved->failed_state, ==, P2V_JOB_COMMITTING);
}

/* What `p2v-server work ID` looks like from inside; p2v_worker_spawn() starts this very program. */
static int
report_process (const char *config_file, const char *id)
{
  g_autoptr (P2vServerConfig) config = p2v_server_config_load (config_file, NULL);
  g_autoptr (P2vJob) job = config == NULL ? NULL : p2v_job_load (config, id, NULL);
  if (job == NULL)
    return 1;
  int descriptors = 0;
  for (int fd = 3; fd < 64; fd++)
    descriptors += fcntl (fd, F_GETFD) >= 0;
  g_autofree char *input = g_file_read_link ("/proc/self/fd/0", NULL);
  g_autofree char *output = g_file_read_link ("/proc/self/fd/1", NULL);
  g_autofree char *dir = g_get_current_dir ();
  g_autofree char *text
      = g_strdup_printf ("sid=%d pid=%d ppid=%d fds=%d stdin=%s stdout=%s dir=%s", (int)getsid (0),
                         (int)getpid (), (int)getppid (), descriptors, input, output, dir);
  g_autofree char *path = p2v_job_path (job, "report");
  return g_file_set_contents (path, text, -1, NULL) ? 0 : 1;
}

static void
test_spawned_process_is_detached (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = p2v_job_path (fixture->job, "report");
  g_autofree char *log = p2v_job_path (fixture->job, P2V_WORKER_LOG);
  g_assert_true (p2v_worker_spawn (fixture->config, fixture->job->id, &error));
  g_assert_no_error (error);
  g_autofree char *text = NULL;
  for (int look = 0; look < 500 && text == NULL; look++)
    if (!g_file_get_contents (path, &text, NULL, NULL))
      g_usleep (20000);
  g_assert_nonnull (text);

  int sid = 0, pid = 0, ppid = 0, descriptors = -1;
  g_assert_cmpint (sscanf (text, "sid=%d pid=%d ppid=%d fds=%d", &sid, &pid, &ppid, &descriptors),
                   ==, 4);
  g_assert_cmpint (sid, !=, getsid (0));
  g_assert_cmpint (pid, !=, sid); /* not a session's leader: it can never get a terminal */
  g_assert_cmpint (ppid, !=, getpid ());
  g_assert_cmpint (descriptors, ==, 0);
  g_autofree char *expected = g_strdup_printf ("stdin=/dev/null stdout=%s dir=/", log);
  g_assert_nonnull (strstr (text, expected));
}

static void
test_spawning_for_no_job_fails (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_worker_spawn (fixture->config, "../x", &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  if (argc == 5 && strcmp (argv[3], "work") == 0)
    return report_process (argv[2], argv[4]);
  g_test_init (&argc, &argv, NULL);
  add ("/worker/no-more-than-max-conversions", test_no_more_than_max_conversions);
  add ("/worker/slot-of-a-killed-process-is-free", test_slot_of_a_killed_process_is_free);
  add ("/worker/next-stage-follows-from-the-state", test_next_stage_follows_from_the_state);
  add ("/worker/failed-conversion-can-be-tried-again", test_failed_conversion_can_be_tried_again);
  add ("/worker/interrupted-commit-is-remembered", test_interrupted_commit_is_remembered);
  add ("/worker/spawned-process-is-detached", test_spawned_process_is_detached);
  add ("/worker/spawning-for-no-job-fails", test_spawning_for_no_job_fails);
  return g_test_run ();
}
