/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/cancel.h"

#include "common/error.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-processes.h"
#include "p2v-server/job-store.h"
#include "p2v-server/leftovers.h"
#include "p2v-server/outcome.h"
#include "p2v-server/storage.h"

#include <string.h>

/* How often a job that somebody else holds is looked at, microseconds. */
#define PAUSE (100 * 1000)

static gboolean
state_is (const P2vJob *job, const char *state)
{
  return g_strcmp0 (job->state, state) == 0;
}

gboolean
p2v_cancel_keeps_images (const P2vJob *job)
{
  const char *state = state_is (job, P2V_JOB_FAILED) ? job->failed_state : job->state;
  if (job->plan == NULL || g_strcmp0 (job->plan->method, "virt-v2v") == 0)
    return FALSE;
  return g_strcmp0 (state, P2V_JOB_CONVERTED) == 0 || g_strcmp0 (state, P2V_JOB_DEFINING) == 0
         || g_strcmp0 (state, P2V_JOB_DONE) == 0;
}

static void
free_images (const P2vServerConfig *config, P2vJob *job, P2vOutcome *outcome)
{
  g_autoptr (P2vOutcome) before = p2v_outcome_new ();
  p2v_outcome_add_images (before->removed, job->plan);
  g_autoptr (GError) problem = NULL;
  if (job->plan != NULL && !p2v_cancel_keeps_images (job)
      && !p2v_storage_remove (config, job->plan, &problem))
    p2v_job_event (job, "warning", NULL, "images could not be removed: %s", problem->message);
  p2v_outcome_add_images (outcome->kept, job->plan);
  /* What the plan has no more is gone. */
  for (guint i = 0; i < before->removed->len; i++)
    {
      const char *image = before->removed->pdata[i];
      if (!g_ptr_array_find_with_equal_func (outcome->kept, image, g_str_equal, NULL))
        g_ptr_array_add (outcome->removed, g_strdup (image));
    }
}

static char *
join (GPtrArray *list)
{
  if (list->len == 0)
    return g_strdup ("nothing");
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < list->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", (const char *)list->pdata[i]);
  return g_strdup (text->str);
}

gboolean
p2v_cancel_carry_out (const P2vServerConfig *config, P2vJob *job, GError **error)
{
  g_return_val_if_fail (job->lock >= 0, FALSE);
  g_autoptr (P2vOutcome) outcome = p2v_outcome_new ();
  /* The order matters: nobody may write into what is removed. */
  p2v_job_end_processes (job);
  p2v_leftovers_remove_output (job, outcome->removed);
  p2v_leftovers_remove (job);
  free_images (config, job, outcome);
  g_autofree char *removed = join (outcome->removed);
  g_autofree char *kept = join (outcome->kept);
  /* The event first: who follows the job stops looking at events once its state is final. */
  p2v_job_event (job, "info", NULL, "cancelled. Removed: %s. Kept: %s.", removed, kept);
  return p2v_job_set_state (job, P2V_JOB_CANCELLED, error);
}

static gboolean
check (const P2vJob *job, GError **error)
{
  if (state_is (job, P2V_JOB_DONE))
    g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                 "job %s is done: guest %s exists (%s). Nothing was changed. Remove the guest as "
                 "guests are removed, then \"p2v-server remove %s --images\".",
                 job->id, job->request->guest->name,
                 job->guest_place != NULL ? job->guest_place : "its place is not known", job->id);
  else if (p2v_job_is_record (job))
    g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                 "job %s is the record of a machine that could not be converted at all; nothing is "
                 "being done for it. \"p2v-server remove %s\" removes the record.",
                 job->id, job->id);
  else
    return TRUE;
  return FALSE;
}

/* Has the lock: nobody else works on the job. */
static gboolean
finish (const P2vServerConfig *config, P2vJob *job, GError **error)
{
  if (state_is (job, P2V_JOB_CANCELLED))
    return TRUE;
  /* It may have been finished in the moment before it would have seen the request. */
  if (!check (job, error))
    {
      p2v_job_withdraw_cancel (job);
      return FALSE;
    }
  return p2v_cancel_carry_out (config, job, error);
}

static void
give_up_waiting (const P2vJob *job, gint64 patience, GError **error)
{
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_FAILED,
      "job %s is still being worked on after %" G_GINT64_FORMAT
      " seconds, by process %" G_GINT64_FORMAT
      ". It has been asked to give the job up, and does so as soon as it can; if it hangs, "
      "end it (kill -KILL) and use \"p2v-server cancel %s\" again.",
      job->id, patience, p2v_store_lock_holder (job->dir), job->id);
}

P2vJob *
p2v_cancel_job (const P2vServerConfig *config, const char *id, gint64 patience, GError **error)
{
  g_autoptr (P2vJob) seen = p2v_job_load (config, id, error);
  if (seen == NULL || !check (seen, error)
      || (!state_is (seen, P2V_JOB_CANCELLED) && !p2v_job_request_cancel (seen, error)))
    return NULL;
  gint64 deadline = g_get_monotonic_time () + patience * G_USEC_PER_SEC;
  for (;;)
    {
      g_autoptr (GError) busy = NULL;
      g_autoptr (P2vJob) job = p2v_job_open (config, id, &busy);
      if (job != NULL)
        return finish (config, job, error) ? g_steal_pointer (&job) : NULL;
      /* Not by asking once more: the holder may have let go since. */
      g_autoptr (P2vJob) there = p2v_job_load (config, id, NULL);
      if (there == NULL || !g_error_matches (busy, P2V_ERROR, P2V_ERROR_REFUSED))
        {
          g_propagate_error (error, g_steal_pointer (&busy));
          return NULL;
        }
      if (g_get_monotonic_time () > deadline)
        {
          give_up_waiting (seen, patience, error);
          return NULL;
        }
      g_usleep (PAUSE);
    }
}
