/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-bad.h"

#include "common/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  P2vServerConfig *config;
  P2vRequest *request;
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
  fixture->dir = g_dir_make_tmp ("p2v-job-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *file = g_build_filename (fixture->dir, "server.conf", NULL);
  g_autofree char *text = g_strdup_printf ("[server]\nstate-dir=%s/state\n", fixture->dir);
  g_assert_true (g_file_set_contents (file, text, -1, &error));
  fixture->config = p2v_server_config_load (file, &error);
  g_assert_no_error (error);
  g_autoptr (JsonObject) object = p2v_json_from_text (request_text, -1, &error);
  g_assert_no_error (error);
  fixture->request = p2v_request_from_json (object, &error);
  g_assert_no_error (error);
  g_assert_true (p2v_request_check (fixture->request, &error));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void)data;
  const char *const argv[] = { "rm", "-rf", "--", fixture->dir, NULL };
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  p2v_server_config_free (fixture->config);
  p2v_request_free (fixture->request);
  g_free (fixture->dir);
}

static void
test_roots_that_virt_v2v_takes (Fixture *fixture, gconstpointer data)
{
  (void)data;
  const char *good[] = { "first", "single", "/dev/sda2", "btrfsvol:/dev/sda2/@" };
  const char *bad[] = { "ask", "", "btrfsvol:x", "sda2", "--root" };
  char **root = &fixture->request->guest->root;
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      *root = (char *)good[i];
      g_assert_true (p2v_request_check (fixture->request, NULL));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      *root = (char *)bad[i];
      g_assert_false (p2v_request_check (fixture->request, NULL));
    }
  *root = NULL;
}

static P2vJob *
create (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  P2vJob *job = p2v_job_create (fixture->config, fixture->request, &error);
  g_assert_no_error (error);
  return job;
}

static P2vJob *
load (Fixture *fixture, const char *id)
{
  g_autoptr (GError) error = NULL;
  P2vJob *job = p2v_job_load (fixture->config, id, &error);
  g_assert_no_error (error);
  return job;
}

static void
append (const P2vJob *job, const char *file, const char *text)
{
  g_autofree char *path = p2v_job_path (job, file);
  FILE *stream = fopen (path, "a");
  g_assert_nonnull (stream);
  fputs (text, stream);
  fclose (stream);
}

static void
test_create_save_load (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  g_assert_true (g_str_has_suffix (job->id, "-bios1"));
  g_assert_cmpuint (strlen (job->token), ==, 64);
  g_assert_true (p2v_job_stage_begin (job, P2V_STAGE_RECEIVE, P2V_JOB_RECEIVING, &error));
  g_assert_true (p2v_job_stage_end (job, P2V_STAGE_RECEIVE, P2V_JOB_RECEIVED, &error));

  g_autoptr (P2vJob) loaded = load (fixture, job->id);
  g_assert_cmpstr (loaded->state, ==, P2V_JOB_RECEIVED);
  g_assert_cmpstr (loaded->token, ==, job->token);
  g_assert_cmpstr (loaded->request->guest->name, ==, "bios1");
  g_assert_cmpint (loaded->lock, ==, -1);
  const P2vStageTime *stage = loaded->stages->pdata[0];
  g_assert_cmpstr (stage->stage, ==, P2V_STAGE_RECEIVE);
  g_assert_cmpint (stage->finished, >=, stage->started);
  g_assert_cmpint (stage->started, >, 0);
}

static void
assert_mode (const char *path, mode_t mode)
{
  struct stat status;
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, mode);
}

static void
test_only_the_owner_can_read (Fixture *fixture, gconstpointer data)
{
  (void)data;
  mode_t mask = umask (0);
  g_autoptr (P2vJob) job = create (fixture);
  p2v_job_event (job, "info", NULL, "hello");
  umask (mask);
  const char *const files[] = { "job.json", "events.jsonl", "lock" };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = p2v_job_path (job, files[i]);
      assert_mode (path, 0600);
    }
  assert_mode (job->dir, 0700);
  g_autofree char *run = g_build_filename (fixture->config->state_dir, "run", NULL);
  assert_mode (run, 0700);
}

static void
test_ids_and_tokens_differ (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) first = create (fixture);
  g_autoptr (P2vJob) second = create (fixture);
  g_autoptr (P2vJob) third = create (fixture);
  g_assert_cmpstr (first->id, !=, second->id);
  g_assert_cmpstr (second->id, !=, third->id);
  g_assert_cmpstr (first->token, !=, second->token);
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (fixture->config, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (jobs->len, ==, 3);
  const P2vJob *oldest = jobs->pdata[0];
  g_assert_cmpstr (oldest->id, ==, first->id);
}

static void
test_failure_is_kept_until_the_stage_runs_again (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  g_autoptr (GError) failure
      = g_error_new_literal (P2V_ERROR, P2V_ERROR_CONVERT, "no operating system \xff");
  g_assert_true (p2v_job_set_state (job, P2V_JOB_COMMITTING, &error));
  p2v_job_fail (job, P2V_STAGE_CONVERT, failure);
  g_autoptr (P2vJob) failed = load (fixture, job->id);
  g_assert_cmpstr (failed->state, ==, P2V_JOB_FAILED);
  g_assert_cmpstr (failed->failed_stage, ==, P2V_STAGE_CONVERT);
  g_assert_cmpstr (failed->failed_state, ==, P2V_JOB_COMMITTING);
  g_assert_cmpstr (failed->error_code, ==, "convert");
  g_assert_true (g_str_has_prefix (failed->error_message, "no operating system"));

  g_assert_true (p2v_job_stage_begin (job, P2V_STAGE_CONVERT, P2V_JOB_CONVERTING, &error));
  g_autoptr (P2vJob) again = load (fixture, job->id);
  g_assert_null (again->failed_stage);
  g_assert_null (again->error_message);
}

/* A crash between writing job.json.tmp and the rename leaves half a file under that name. */
static void
test_interrupted_save_is_ignored (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  append (job, "job.json.tmp", "{\"id\": \"half");
  g_autoptr (P2vJob) loaded = load (fixture, job->id);
  g_assert_cmpstr (loaded->state, ==, P2V_JOB_PREPARING);
  g_assert_true (p2v_job_set_state (job, P2V_JOB_RECEIVING, &error));
  g_assert_no_error (error);
  g_autoptr (P2vJob) saved = load (fixture, job->id);
  g_assert_cmpstr (saved->state, ==, P2V_JOB_RECEIVING);
}

static void
test_damaged_job_does_not_hide_the_others (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) good = create (fixture);
  P2vJob *bad = create (fixture);
  g_autofree char *id = g_strdup (bad->id);
  append (bad, "job.json", "}");
  p2v_job_free (bad);
  g_autoptr (P2vJob) loaded = p2v_job_load (fixture->config, id, &error);
  g_assert_null (loaded);
  g_assert_nonnull (strstr (error->message, "job.json"));

  g_test_expect_message ("p2v", G_LOG_LEVEL_WARNING, "*left out*job.json*");
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (fixture->config, NULL);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (jobs->len, ==, 1);
}

/* The exit status of a process that tries to open the job: 0 opened, 1 refused. */
static int
open_in_another_process (Fixture *fixture, const char *id)
{
  pid_t pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      g_autoptr (GError) error = NULL;
      P2vJob *job = p2v_job_open (fixture->config, id, &error);
      int code = job != NULL ? 0 : g_error_matches (error, P2V_ERROR, P2V_ERROR_REFUSED) ? 1 : 2;
      p2v_job_free (job);
      g_clear_error (&error);
      _exit (code);
    }
  int status;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

static void
test_lock_excludes_other_processes (Fixture *fixture, gconstpointer data)
{
  (void)data;
  P2vJob *job = create (fixture);
  g_autofree char *id = g_strdup (job->id);
  g_autoptr (P2vJob) seen = load (fixture, id);
  g_assert_true (p2v_job_is_busy (seen));
  g_assert_cmpint (open_in_another_process (fixture, id), ==, 1);
  p2v_job_free (job);
  g_assert_false (p2v_job_is_busy (seen));
  g_assert_cmpint (open_in_another_process (fixture, id), ==, 0);
}

static void
test_refusal_names_the_process (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  g_autoptr (P2vJob) other = p2v_job_open (fixture->config, job->id, &error);
  g_assert_null (other);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  g_autofree char *expected = g_strdup_printf ("process %d", (int)getpid ());
  g_assert_nonnull (strstr (error->message, expected));
}

static void
test_lock_is_not_inherited (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  P2vJob *job = create (fixture);
  g_autoptr (P2vJob) seen = load (fixture, job->id);
  const char *const argv[] = { "sleep", "60", NULL };
  GPid child;
  g_assert_true (g_spawn_async (NULL, (char **)argv, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD
                                    | G_SPAWN_LEAVE_DESCRIPTORS_OPEN,
                                NULL, NULL, &child, &error));
  p2v_job_free (job);
  g_assert_false (p2v_job_is_busy (seen));
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
}

static void
test_hostile_ids_are_refused (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (P2vJob) job = create (fixture);
  g_autofree char *long_id = g_strnfill (300, '1');
  g_autofree char *traversal = g_strdup_printf ("../jobs/%s", job->id);
  g_autofree char *with_newline = g_strconcat (job->id, "\n", NULL);
  /* A way to a real job that only the id's letters give away. */
  g_autofree char *detour = g_strdup_printf ("1/../%s", job->id);
  g_autofree char *detour_dir = g_build_filename (fixture->config->state_dir, "jobs", "1", NULL);
  g_assert_cmpint (g_mkdir (detour_dir, 0700), ==, 0);
  const char *ids[]
      = { "../x",  "a b",    "1 b",     "",     ".",          "..",    "1/2",   "1\n2",
          "$(id)", "1$(id)", traversal, detour, with_newline, long_id, "2\xff", NULL };
  for (gsize i = 0; ids[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (p2v_job_load (fixture->config, ids[i], &error));
      g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
      g_assert_null (strchr (error->message, '\n'));
      g_assert_cmpuint (strlen (error->message), <, 400);
      g_assert_null (p2v_job_open (fixture->config, ids[i], NULL));
    }
}

static void
test_torn_event_is_ignored (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  goffset offset = 0;
  p2v_job_event (job, "info", NULL, "first %d", 1);
  append (job, "events.jsonl", "{\"kind\":\"info\",\"mess");
  g_autoptr (GPtrArray) before = p2v_job_read_events (job, &offset, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (before->len, ==, 1);

  /* The next event is not swallowed by the torn line before it. */
  p2v_job_progress (job, P2V_STAGE_CONVERT, 250, "sec\tond \xff");
  g_autoptr (GPtrArray) after = p2v_job_read_events (job, &offset, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (after->len, ==, 1);
  const P2vEvent *event = after->pdata[0];
  g_assert_cmpstr (event->kind, ==, "progress");
  g_assert_cmpint (event->percent, ==, 100);
  g_assert_true (g_str_has_prefix (event->message, "sec\tond"));

  g_autoptr (GPtrArray) nothing = p2v_job_read_events (job, &offset, &error);
  g_assert_cmpuint (nothing->len, ==, 0);
}

#define WRITERS 4
#define EVENTS_EACH 200

static gpointer
write_events (gpointer job)
{
  g_autofree char *text = g_strnfill (3000, 'x');
  for (int i = 0; i < EVENTS_EACH; i++)
    p2v_job_progress (job, P2V_STAGE_CONVERT, 1, text);
  return NULL;
}

static void
test_threads_do_not_mix_their_lines (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  GThread *threads[WRITERS];
  for (int i = 0; i < WRITERS; i++)
    threads[i] = g_thread_new ("writer", write_events, job);
  for (int i = 0; i < WRITERS; i++)
    g_thread_join (threads[i]);
  goffset offset = 0;
  g_autoptr (GPtrArray) events = p2v_job_read_events (job, &offset, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (events->len, ==, WRITERS * EVENTS_EACH);
}

static void
test_socket_path_always_fits (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (P2vJob) job = create (fixture);
  g_autofree char *disk = g_strnfill (64, 'd');
  g_autofree char *first = p2v_job_socket_path (job, disk);
  g_autofree char *second = p2v_job_socket_path (job, "sda");
  g_assert_cmpuint (strlen (first) - strlen (fixture->config->state_dir), <=, 27);
  g_assert_cmpstr (first, !=, second);
  g_autofree char *run = g_build_filename (fixture->config->state_dir, "run/", NULL);
  g_assert_true (g_str_has_prefix (first, run));
}

static void
test_delete_removes_only_the_job (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  g_autoptr (P2vJob) other = create (fixture);
  g_autofree char *outside = g_build_filename (fixture->dir, "outside", NULL);
  g_autofree char *link = p2v_job_path (job, "link");
  g_assert_cmpint (g_mkdir (outside, 0700), ==, 0);
  g_assert_cmpint (symlink (outside, link), ==, 0);

  g_assert_true (p2v_job_delete (job, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (job->dir, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (outside, G_FILE_TEST_IS_DIR));
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (fixture->config, &error);
  g_assert_cmpuint (jobs->len, ==, 1);
}

static void
test_a_machine_that_failed_early_has_a_record (Fixture *fixture, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) failure
      = g_error_new_literal (P2V_ERROR, P2V_ERROR_SOURCE, "this machine has no disk");
  /* Nothing is known but the name. */
  g_autoptr (P2vRequest) outline = p2v_request_new_outline ("web1");
  g_autoptr (P2vJob) bare = p2v_job_create_failed (fixture->config, outline, failure, &error);
  g_assert_no_error (error);
  /* Of a whole request only the machine and the name are kept: nothing was asked for. */
  g_autoptr (P2vJob) whole
      = p2v_job_create_failed (fixture->config, fixture->request, failure, &error);
  g_assert_no_error (error);
  P2vJob *jobs[] = { bare, whole };
  for (gsize i = 0; i < G_N_ELEMENTS (jobs); i++)
    {
      g_autoptr (P2vJob) loaded = load (fixture, jobs[i]->id);
      g_assert_true (p2v_job_is_record (loaded));
      g_assert_cmpstr (loaded->state, ==, P2V_JOB_FAILED);
      g_assert_cmpstr (loaded->failed_stage, ==, P2V_STAGE_MACHINE);
      g_assert_cmpstr (loaded->error_code, ==, "source");
      g_assert_cmpstr (loaded->error_message, ==, "this machine has no disk");
      char **disks = loaded->request->guest->disks;
      g_assert_true (disks == NULL || disks[0] == NULL);
    }
  g_autoptr (P2vJob) loaded = load (fixture, whole->id);
  g_assert_cmpuint (loaded->request->machine->disks->len, ==,
                    fixture->request->machine->disks->len);
  g_assert_true (p2v_job_delete (bare, &error));
  g_assert_no_error (error);
  /* A name becomes a directory's. */
  g_autoptr (P2vRequest) hostile = p2v_request_new_outline ("../x");
  g_assert_null (p2v_job_create_failed (fixture->config, hostile, failure, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  /* The record of a job that asked for disks is none, whatever its stage says. */
  g_autoptr (P2vJob) job = create (fixture);
  p2v_job_fail (job, P2V_STAGE_MACHINE, failure);
  g_assert_false (p2v_job_is_record (job));
}

/* The list of what could not be read is kept, grows by what is new only, and is checked. */
static void
test_what_could_not_be_read_is_recorded (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const refused[] = {
    "{\"ranges\":[{\"offset\":1048064,\"length\":1024}]}",
    "{\"ranges\":[{\"offset\":0,\"length\":-1}]}",
    "{\"ranges\":7}",
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vJob) job = create (fixture);
  g_autoptr (JsonObject) message = p2v_json_from_text (
      "{\"ranges\":[{\"offset\":512,\"length\":512,\"where\":\"ext4 on /dev/sda1\"}]}", -1, NULL);
  for (int i = 0; i < 2; i++)
    {
      g_assert_true (p2v_job_record_bad (job, "sda", 1048576, message, &error));
      g_assert_no_error (error);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) refusal = NULL;
      g_autoptr (JsonObject) bad = p2v_json_from_text (refused[i], -1, NULL);
      g_assert_false (p2v_job_record_bad (job, "sda", 1048576, bad, &refusal));
      g_assert_error (refusal, P2V_ERROR, P2V_ERROR_REFUSED);
    }
  goffset offset = 0;
  g_autoptr (GPtrArray) events = p2v_job_read_events (job, &offset, NULL);
  g_assert_cmpuint (events->len, ==, 1);
  g_assert_cmpstr (((P2vEvent *)events->pdata[0])->message, ==,
                   "512 bytes at byte 512 of disk sda (ext4 on /dev/sda1) cannot be read and are "
                   "zeroes in the guest");
  g_autoptr (P2vJob) loaded = p2v_job_load (fixture->config, job->id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (loaded->bad->len, ==, 1);
  const P2vBadRange *range = loaded->bad->pdata[0];
  g_assert_cmpstr (range->disk, ==, "sda");
  g_assert_cmpint (range->offset, ==, 512);
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/job/roots-that-virt-v2v-takes", test_roots_that_virt_v2v_takes);
  add ("/job/create-save-load", test_create_save_load);
  add ("/job/only-the-owner-can-read", test_only_the_owner_can_read);
  add ("/job/ids-and-tokens-differ", test_ids_and_tokens_differ);
  add ("/job/failure-is-kept-until-the-stage-runs-again",
       test_failure_is_kept_until_the_stage_runs_again);
  add ("/job/interrupted-save-is-ignored", test_interrupted_save_is_ignored);
  add ("/job/damaged-job-does-not-hide-the-others", test_damaged_job_does_not_hide_the_others);
  add ("/job/lock-excludes-other-processes", test_lock_excludes_other_processes);
  add ("/job/refusal-names-the-process", test_refusal_names_the_process);
  add ("/job/lock-is-not-inherited", test_lock_is_not_inherited);
  add ("/job/hostile-ids-are-refused", test_hostile_ids_are_refused);
  add ("/job/torn-event-is-ignored", test_torn_event_is_ignored);
  add ("/job/threads-do-not-mix-their-lines", test_threads_do_not_mix_their_lines);
  add ("/job/socket-path-always-fits", test_socket_path_always_fits);
  add ("/job/delete-removes-only-the-job", test_delete_removes_only_the_job);
  add ("/job/a-machine-that-failed-early-has-a-record",
       test_a_machine_that_failed_early_has_a_record);
  add ("/job/what-could-not-be-read-is-recorded", test_what_could_not_be_read_is_recorded);
  return g_test_run ();
}
