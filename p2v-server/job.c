/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job.h"

#include "common/error.h"
#include "p2v-server/job-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TOKEN_BYTES 32

/* Jobs of guests of one name that arrive within the same second. */
#define MAX_SAME_ID 1000

static const P2vField stage_time_fields[] = {
  P2V_FIELD (STRING, P2vStageTime, stage),
  P2V_FIELD_RANGE (P2vStageTime, started, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vStageTime, finished, 0, G_MAXINT64),
  P2V_FIELD_END,
};
static const P2vSchema stage_time_schema = { "stage", sizeof (P2vStageTime), stage_time_fields };

static const P2vField job_fields[] = {
  P2V_FIELD (STRING, P2vJob, id),
  P2V_FIELD (STRING, P2vJob, state),
  P2V_FIELD (STRING, P2vJob, failed_stage),
  P2V_FIELD (STRING, P2vJob, failed_state),
  P2V_FIELD (STRING, P2vJob, error_code),
  P2V_FIELD (STRING, P2vJob, error_message),
  P2V_FIELD_RANGE (P2vJob, created, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vJob, changed, 0, G_MAXINT64),
  P2V_FIELD (STRING, P2vJob, token),
  P2V_FIELD_NESTED (OBJECT, P2vJob, request, &p2v_request_schema),
  P2V_FIELD_NESTED (OBJECT, P2vJob, plan, &p2v_plan_schema),
  P2V_FIELD_NESTED (OBJECT, P2vJob, report, &p2v_report_schema),
  P2V_FIELD_NESTED (OBJECT, P2vJob, verification, &p2v_verification_schema),
  P2V_FIELD_NESTED (ARRAY, P2vJob, stages, &stage_time_schema),
  P2V_FIELD_NESTED (ARRAY, P2vJob, bad, &p2v_bad_range_schema),
  P2V_FIELD (STRING, P2vJob, guest_uuid),
  P2V_FIELD (STRING, P2vJob, guest_place),
  P2V_FIELD_END,
};
static const P2vSchema job_schema = { "job", sizeof (P2vJob), job_fields };

static gint64
now_milliseconds (void)
{
  return g_get_real_time () / 1000;
}

void
p2v_job_free (P2vJob *job)
{
  if (job == NULL)
    return;
  if (job->lock >= 0)
    close (job->lock);
  if (job->token != NULL)
    explicit_bzero (job->token, strlen (job->token));
  g_free (job->dir);
  p2v_schema_free (&job_schema, job);
}

JsonObject *
p2v_job_to_json (const P2vJob *job)
{
  return p2v_schema_to_json (&job_schema, job);
}

char *
p2v_job_path (const P2vJob *job, const char *file)
{
  return g_build_filename (job->dir, file, NULL);
}

char *
p2v_job_manifest_path (const P2vJob *job, const char *disk)
{
  g_autofree char *file = g_strconcat (disk, ".manifest", NULL);
  return p2v_job_path (job, file);
}

static char *
new_token (GError **error)
{
  guint8 bytes[TOKEN_BYTES];
  /* Up to 256 bytes come whole and uninterrupted, getrandom(2). */
  if (getrandom (bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
    {
      int saved = errno;
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot get random numbers: %s",
                   g_strerror (saved));
      return NULL;
    }
  GString *token = g_string_sized_new (2 * sizeof bytes);
  for (gsize i = 0; i < sizeof bytes; i++)
    g_string_append_printf (token, "%02x", bytes[i]);
  explicit_bzero (bytes, sizeof bytes);
  return g_string_free (token, FALSE);
}

gboolean
p2v_job_token_matches (const P2vJob *job, const char *given)
{
  const char *expected = job->token;
  if (expected == NULL || given == NULL || strlen (expected) != strlen (given))
    return FALSE;
  guint8 difference = 0;
  for (gsize i = 0; expected[i] != '\0'; i++)
    difference |= (guint8)(expected[i] ^ given[i]);
  return difference == 0;
}

gboolean
p2v_job_renew_token (P2vJob *job, GError **error)
{
  char *token = new_token (error);
  if (token == NULL)
    return FALSE;
  explicit_bzero (job->token, strlen (job->token));
  g_free (job->token);
  job->token = token;
  return TRUE;
}

/* Makes the directory of a new job; making it is what reserves the id. */
static gboolean
make_dir (P2vJob *job, const P2vServerConfig *config, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%d-%H%M%S");
  g_autofree char *base = g_strdup_printf ("%s-%s", time, job->request->guest->name);
  for (int n = 1; n < MAX_SAME_ID; n++)
    {
      g_autofree char *id = n == 1 ? g_strdup (base) : g_strdup_printf ("%s-%d", base, n);
      g_autofree char *dir = p2v_store_job_dir (config, id);
      if (g_mkdir (dir, 0700) == 0)
        {
          job->id = g_steal_pointer (&id);
          job->dir = g_steal_pointer (&dir);
          return TRUE;
        }
      if (errno != EEXIST)
        return p2v_store_set_errno (error, "create", dir);
    }
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot find a free id for a job like %s", base);
  return FALSE;
}

P2vJob *
p2v_job_create (const P2vServerConfig *config, const P2vRequest *request, GError **error)
{
  if (!p2v_store_prepare (config, error))
    return NULL;
  g_autoptr (P2vJob) job = p2v_schema_new (&job_schema);
  job->lock = -1;
  job->state = g_strdup (P2V_JOB_PREPARING);
  job->created = now_milliseconds ();
  job->request = p2v_schema_copy (&p2v_request_schema, request);
  job->token = new_token (error);
  if (job->token == NULL || !make_dir (job, config, error))
    return NULL;
  job->lock = p2v_store_lock (job->dir, error);
  g_autofree char *jobs = p2v_store_jobs_dir (config);
  /* The last makes the directory's own name durable. */
  if (job->lock < 0 || !p2v_job_save (job, error) || !p2v_store_sync_dir (jobs, error))
    {
      p2v_store_remove_tree (job->dir, NULL);
      return NULL;
    }
  return g_steal_pointer (&job);
}

P2vJob *
p2v_job_create_failed (const P2vServerConfig *config, const P2vRequest *request,
                       const GError *failure, GError **error)
{
  if (!p2v_request_check_outline (request, error))
    return NULL;
  g_autoptr (P2vRequest) outline = p2v_request_new_outline (request->guest->name);
  p2v_machine_free (outline->machine);
  outline->machine = p2v_schema_copy (&p2v_machine_schema, request->machine);
  P2vJob *job = p2v_job_create (config, outline, error);
  if (job != NULL)
    p2v_job_fail (job, P2V_STAGE_MACHINE, failure);
  return job;
}

gboolean
p2v_job_is_record (const P2vJob *job)
{
  char **disks = job->request->guest->disks;
  return g_strcmp0 (job->state, P2V_JOB_FAILED) == 0
         && g_strcmp0 (job->failed_stage, P2V_STAGE_MACHINE) == 0
         && (disks == NULL || disks[0] == NULL) && job->plan == NULL;
}

/* What the rest of the server relies on in a job that it did not write just now. */
static gboolean
check_loaded (const P2vJob *job, const char *id, GError **error)
{
  static const char *const states[] = {
    P2V_JOB_PREPARING,  P2V_JOB_RECEIVING,  P2V_JOB_WAITING,   P2V_JOB_RECEIVED,
    P2V_JOB_CONVERTING, P2V_JOB_COMMITTING, P2V_JOB_CONVERTED, P2V_JOB_DEFINING,
    P2V_JOB_DONE,       P2V_JOB_FAILED,     P2V_JOB_CANCELLED, NULL,
  };
  const char *problem = NULL;
  if (g_strcmp0 (job->id, id) != 0)
    problem = "it is another job's";
  else if (job->state == NULL || !g_strv_contains (states, job->state))
    problem = "its state is not one that this version knows";
  else if (job->token == NULL || job->request == NULL)
    problem = "its token or its request is missing";
  for (guint i = 0; problem == NULL && i < job->bad->len; i++)
    if (((const P2vBadRange *)job->bad->pdata[i])->disk == NULL)
      problem = "what could not be read is of no disk";
  if (problem == NULL && !p2v_request_check_outline (job->request, error))
    return FALSE;
  if (problem == NULL)
    return p2v_job_is_record (job) || p2v_request_check (job->request, error);
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED, problem);
  return FALSE;
}

static P2vJob *
read_job (const char *dir, const char *id, GError **error)
{
  g_autofree char *path = g_build_filename (dir, P2V_STORE_JOB_FILE, NULL);
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  g_autoptr (JsonObject) object = p2v_json_from_text (text, (gssize)length, error);
  explicit_bzero (text, length);
  g_autoptr (P2vJob) job
      = object == NULL ? NULL : p2v_schema_from_json (&job_schema, object, error);
  if (job != NULL)
    {
      job->dir = g_strdup (dir);
      job->lock = -1;
    }
  if (job == NULL || !check_loaded (job, id, error))
    {
      g_prefix_error (error, "cannot understand the job file %s: ", path);
      return NULL;
    }
  return g_steal_pointer (&job);
}

static void
set_no_such_job (GError **error, const P2vServerConfig *config, const char *id)
{
  g_autofree char *start = g_strndup (id, 64);
  g_autofree char *shown = g_strescape (start, NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "there is no job \"%s\" in %s. \"p2v-server jobs\" lists those there are.", shown,
               config->state_dir);
}

P2vJob *
p2v_job_load (const P2vServerConfig *config, const char *id, GError **error)
{
  if (!p2v_store_id_is_valid (id))
    {
      set_no_such_job (error, config, id);
      return NULL;
    }
  g_autofree char *dir = p2v_store_job_dir (config, id);
  g_autoptr (GError) problem = NULL;
  P2vJob *job = read_job (dir, id, &problem);
  if (g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    set_no_such_job (error, config, id);
  else if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return job;
}

P2vJob *
p2v_job_open (const P2vServerConfig *config, const char *id, GError **error)
{
  /* Looked at first, so that no lock file is made for a job that does not exist. */
  g_autoptr (P2vJob) seen = p2v_job_load (config, id, error);
  if (seen == NULL)
    return NULL;
  int lock = p2v_store_lock (seen->dir, error);
  if (lock < 0)
    return NULL;
  /* Read again: what was seen without the lock may have changed since. */
  P2vJob *job = p2v_job_load (config, id, error);
  if (job == NULL)
    close (lock);
  else
    job->lock = lock;
  return job;
}

gboolean
p2v_job_is_busy (const P2vJob *job)
{
  return p2v_store_is_locked (job->dir);
}

static gint
compare_age (gconstpointer a, gconstpointer b)
{
  const P2vJob *first = *(P2vJob *const *)a;
  const P2vJob *second = *(P2vJob *const *)b;
  if (first->created != second->created)
    return first->created < second->created ? -1 : 1;
  return strcmp (first->id, second->id);
}

GPtrArray *
p2v_jobs_list (const P2vServerConfig *config, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_job_free);
  g_autofree char *path = p2v_store_jobs_dir (config);
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &problem);
  if (dir == NULL && !g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&problem), "cannot list the jobs: ");
      return NULL;
    }
  const char *id;
  while (dir != NULL && (id = g_dir_read_name (dir)) != NULL)
    {
      if (!p2v_store_id_is_valid (id))
        continue;
      g_autoptr (GError) unreadable = NULL;
      g_autofree char *job_dir = p2v_store_job_dir (config, id);
      P2vJob *job = read_job (job_dir, id, &unreadable);
      if (job != NULL)
        g_ptr_array_add (jobs, job);
      else if (!p2v_store_is_locked (job_dir))
        g_warning ("job %s is left out: %s. If it is of no use any more, remove %s.", id,
                   unreadable->message, job_dir);
    }
  g_ptr_array_sort (jobs, compare_age);
  return g_steal_pointer (&jobs);
}

gboolean
p2v_job_save (P2vJob *job, GError **error)
{
  g_return_val_if_fail (job->lock >= 0, FALSE);
  job->changed = now_milliseconds ();
  g_autoptr (JsonObject) object = p2v_job_to_json (job);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  gboolean saved = p2v_store_replace (job->dir, P2V_STORE_JOB_FILE, text, error);
  explicit_bzero (text, strlen (text));
  return saved;
}

static void
replace_string (char **string, const char *value)
{
  char *copy = g_strdup (value);
  g_free (*string);
  *string = copy;
}

gboolean
p2v_job_set_state (P2vJob *job, const char *state, GError **error)
{
  replace_string (&job->state, state);
  return p2v_job_save (job, error);
}

static P2vStageTime *
find_stage (P2vJob *job, const char *stage)
{
  for (guint i = 0; i < job->stages->len; i++)
    {
      P2vStageTime *time = job->stages->pdata[i];
      if (g_strcmp0 (time->stage, stage) == 0)
        return time;
    }
  P2vStageTime *time = p2v_schema_new (&stage_time_schema);
  time->stage = g_strdup (stage);
  g_ptr_array_add (job->stages, time);
  return time;
}

gboolean
p2v_job_stage_begin (P2vJob *job, const char *stage, const char *state, GError **error)
{
  P2vStageTime *time = find_stage (job, stage);
  time->started = now_milliseconds ();
  time->finished = 0;
  /* A stage that runs again is a second chance: what went wrong before is history (events). */
  g_clear_pointer (&job->failed_stage, g_free);
  g_clear_pointer (&job->failed_state, g_free);
  g_clear_pointer (&job->error_code, g_free);
  g_clear_pointer (&job->error_message, g_free);
  if (!p2v_job_set_state (job, state, error))
    return FALSE;
  p2v_job_event (job, "started", stage, NULL);
  return TRUE;
}

gboolean
p2v_job_stage_end (P2vJob *job, const char *stage, const char *state, GError **error)
{
  find_stage (job, stage)->finished = now_milliseconds ();
  if (!p2v_job_set_state (job, state, error))
    return FALSE;
  p2v_job_event (job, "finished", stage, NULL);
  return TRUE;
}

void
p2v_job_fail (P2vJob *job, const char *stage, const GError *failure)
{
  g_autofree char *message = g_utf8_make_valid (failure->message, -1);
  replace_string (&job->failed_stage, stage);
  /* A job that fails again before it got anywhere is still where it failed first: above all, one in
   * the middle of a commit must never be begun anew. */
  if (g_strcmp0 (job->state, P2V_JOB_FAILED) != 0)
    replace_string (&job->failed_state, job->state);
  replace_string (&job->error_code, p2v_error_code_name (p2v_error_code_of (failure)));
  replace_string (&job->error_message, message);
  /* The event first: who follows the job stops looking at events once its state is final. */
  p2v_job_event (job, "failed", stage, "%s", message);
  g_autoptr (GError) error = NULL;
  if (!p2v_job_set_state (job, P2V_JOB_FAILED, &error))
    g_warning ("job %s: cannot record its failure (%s): %s", job->id, message, error->message);
}

gboolean
p2v_job_delete (P2vJob *job, GError **error)
{
  g_return_val_if_fail (job->lock >= 0, FALSE);
  g_auto (GStrv) sockets = p2v_job_socket_paths (job);
  for (gsize i = 0; sockets[i] != NULL; i++)
    g_unlink (sockets[i]);
  return p2v_store_delete_job (job->dir, error);
}
