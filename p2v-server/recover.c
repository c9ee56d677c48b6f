/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/recover.h"

#include "common/error.h"
#include "p2v-server/cancel.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-processes.h"
#include "p2v-server/job-text.h"
#include "p2v-server/leftovers.h"
#include "p2v-server/storage.h"
#include "p2v-server/worker.h"

#include <string.h>

static gboolean
state_is (const P2vJob *job, const char *state)
{
  return g_strcmp0 (job->state, state) == 0;
}

void
p2v_recovered_free (P2vRecovered *recovered)
{
  g_free (recovered->id);
  g_free (recovered->from);
  g_free (recovered->to);
  g_free (recovered->message);
  g_free (recovered);
}

static void
add (GPtrArray *list, const P2vJob *job, const char *from, const char *message)
{
  P2vRecovered *recovered = g_new (P2vRecovered, 1);
  recovered->id = g_strdup (job->id);
  recovered->from = g_strdup (from);
  recovered->to = g_strdup (job->state);
  recovered->message = g_strdup (message);
  g_ptr_array_add (list, recovered);
}

/* Nothing has landed yet, so nothing is lost. */
static void
fail_preparing (const P2vServerConfig *config, P2vJob *job)
{
  g_autoptr (GError) problem = NULL;
  if (job->plan != NULL && !p2v_storage_remove (config, job->plan, &problem))
    p2v_job_event (job, "warning", P2V_STAGE_PREPARE, "images could not be removed: %s",
                   problem->message);
  g_autoptr (GError) reason
      = g_error_new_literal (P2V_ERROR, P2V_ERROR_FAILED,
                             "the server stopped while it made the images, before anything was "
                             "received. Convert the machine again.");
  p2v_job_fail (job, P2V_STAGE_PREPARE, reason);
}

static gboolean
wait_for_machine (P2vJob *job, GError **error)
{
  if (!p2v_job_set_state (job, P2V_JOB_WAITING, error))
    return FALSE;
  p2v_job_event (job, "info", P2V_STAGE_RECEIVE,
                 "the process that received the disks is gone; what has landed is kept until the "
                 "machine sends the rest");
  return TRUE;
}

/* Brings the job, whose lock we have, into a state in which it can go on. Returns what is said
 * about it; *work: a worker is to be started once the lock is released. */
static const char *
take_up (const P2vServerConfig *config, P2vJob *job, gboolean *work, GError **error)
{
  p2v_job_end_processes (job);
  p2v_leftovers_remove_temporary (job);
  if (p2v_job_cancel_requested (job))
    return p2v_cancel_carry_out (config, job, error) ? "cancelled, as was asked for" : NULL;
  if (state_is (job, P2V_JOB_PREPARING))
    {
      fail_preparing (config, job);
      return "nothing had been received: convert the machine again";
    }
  if (state_is (job, P2V_JOB_RECEIVING))
    return wait_for_machine (job, error) ? "waits for its machine, which sends the rest" : NULL;
  *work = p2v_worker_next_stage (job, error) != NULL;
  return *work ? "goes on in the background" : NULL;
}

/* TRUE for a job that has nothing to be taken up, as far as its file tells. */
static gboolean
is_settled (const P2vJob *job)
{
  return p2v_job_is_final (job)
         || (state_is (job, P2V_JOB_WAITING) && !p2v_job_cancel_requested (job));
}

static void
recover_job (const P2vServerConfig *config, const char *id, GPtrArray *list)
{
  g_autoptr (P2vJob) job = p2v_job_open (config, id, NULL);
  /* Somebody else was quicker, or it was removed. */
  if (job == NULL || is_settled (job))
    return;
  g_autoptr (GError) error = NULL;
  g_autofree char *from = g_strdup (job->state);
  gboolean work = FALSE;
  const char *message = take_up (config, job, &work, &error);
  if (work)
    {
      /* Without the lock, which the worker takes. Should another one be started in between, one of
       * the two finds the job taken, and ends. */
      g_clear_pointer (&job, p2v_job_free);
      if (!p2v_worker_spawn (config, id, &error))
        message = NULL;
      job = p2v_job_load (config, id, NULL);
    }
  if (job != NULL)
    add (list, job, from, message != NULL ? message : error->message);
}

/* A socket of a finished or waiting job that nobody holds was left by a process that was killed. */
static void
remove_sockets (const P2vServerConfig *config, const P2vJob *seen)
{
  gboolean found = FALSE;
  g_auto (GStrv) sockets = p2v_job_socket_paths (seen);
  for (gsize i = 0; !found && sockets[i] != NULL; i++)
    found = g_file_test (sockets[i], G_FILE_TEST_EXISTS);
  if (!found)
    return;
  /* With the lock: a session that takes the job up makes new ones. */
  g_autoptr (P2vJob) job = p2v_job_open (config, seen->id, NULL);
  if (job != NULL)
    p2v_leftovers_remove_temporary (job);
}

GPtrArray *
p2v_recover (const P2vServerConfig *config, GError **error)
{
  /* The order matters, see leftovers.h. */
  g_autoptr (GPtrArray) names = p2v_leftovers_list_run (config);
  p2v_leftovers_remove_unwritten (config);
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (config, error);
  if (jobs == NULL)
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_recovered_free);
  for (guint i = 0; i < jobs->len; i++)
    {
      const P2vJob *job = jobs->pdata[i];
      if (p2v_job_is_busy (job))
        continue;
      if (is_settled (job))
        remove_sockets (config, job);
      else
        recover_job (config, job->id, list);
    }
  p2v_leftovers_remove_orphans (config, names, jobs);
  return list;
}
