/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/worker.h"

#include "common/error.h"
#include "p2v-server/cancel.h"
#include "p2v-server/convert.h"
#include "p2v-server/define.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/job-processes.h"
#include "p2v-server/job-text.h"
#include "p2v-server/slot.h"
#include "p2v-server/storage.h"
#include "p2v-server/verify.h"

#include <string.h>
#include <unistd.h>

static gboolean
state_is (const P2vJob *job, const char *state)
{
  return g_strcmp0 (job->state, state) == 0;
}

/* The method whose guests virt-v2v itself writes to their place. */
static gboolean
is_written_by_virt_v2v (const P2vJob *job)
{
  return g_strcmp0 (job->plan->method, "virt-v2v") == 0;
}

static const char *
refuse (const P2vJob *job, const char *why, GError **error)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, "job %s cannot go on: %s", job->id, why);
  return NULL;
}

/* TRUE when a failed job can go on at a stage without its machine. */
static gboolean
failed_at (const P2vJob *job, const char *stage)
{
  return state_is (job, P2V_JOB_FAILED) && g_strcmp0 (job->failed_stage, stage) == 0;
}

const char *
p2v_worker_next_stage (const P2vJob *job, GError **error)
{
  if (state_is (job, P2V_JOB_DONE))
    return refuse (job, "it is done, nothing is left to do.", error);
  if (state_is (job, P2V_JOB_CANCELLED))
    return refuse (job, "it was cancelled. Convert the machine again.", error);
  if (failed_at (job, P2V_STAGE_VERIFY) && !p2v_job_has_landed (job))
    return refuse (job,
                   "its images are not what the machine read. Convert the machine again: only what "
                   "was found to be wrong is sent.",
                   error);
  gboolean converting = state_is (job, P2V_JOB_RECEIVED) || state_is (job, P2V_JOB_CONVERTING)
                        || state_is (job, P2V_JOB_COMMITTING) || failed_at (job, P2V_STAGE_VERIFY)
                        || failed_at (job, P2V_STAGE_CONVERT);
  /* Above all, what was converted is not converted again, whatever failed then. */
  gboolean converted
      = state_is (job, P2V_JOB_FAILED) && g_strcmp0 (job->failed_state, P2V_JOB_CONVERTED) == 0;
  gboolean defining = state_is (job, P2V_JOB_CONVERTED) || state_is (job, P2V_JOB_DEFINING)
                      || failed_at (job, P2V_STAGE_DEFINE) || converted;
  if ((!converting && !defining) || job->plan == NULL)
    return refuse (job,
                   "its disks were never received in full. Convert the machine again, and remove "
                   "this job.",
                   error);
  return converting && !converted ? P2V_STAGE_CONVERT : P2V_STAGE_DEFINE;
}

/* The guest is where it belongs; the images that virt-v2v read were only for it. A failure to
 * remove them is no failure of the job. */
static void
remove_staging_images (const P2vServerConfig *config, P2vJob *job)
{
  g_autoptr (GError) error = NULL;
  if (!p2v_storage_remove (config, job->plan, &error))
    p2v_job_event (job, "warning", P2V_STAGE_CONVERT,
                   "the received images could not be removed: %s. They are of no use any more.",
                   error->message);
}

/* Begins to compare the images with what the machine read; *verify is NULL where that is not
 * wanted, or no longer possible: a commit that was cut short has written to them. */
static gboolean
start_verification (P2vJob *job, gboolean committing, P2vVerify **verify, GError **error)
{
  *verify = NULL;
  if (committing)
    return TRUE;
  if (!p2v_verify_is_wanted (job))
    return p2v_verify_skip (job, error);
  *verify = p2v_verify_start (job, P2V_VERIFY_STAGE, error);
  return *verify != NULL;
}

static gboolean
convert_images (const P2vServerConfig *config, P2vJob *job, gboolean committing, P2vVerify *verify,
                GError **error)
{
  int slot = p2v_slot_take (config, job, verify, error);
  if (slot < 0)
    return FALSE;
  P2vReport *report = NULL;
  gboolean converted
      = p2v_job_stage_begin (job, P2V_STAGE_CONVERT,
                             committing ? P2V_JOB_COMMITTING : P2V_JOB_CONVERTING, error)
        && p2v_convert_run (config, job, verify, &report, error);
  close (slot);
  if (!converted)
    return FALSE;
  if (job->report != report)
    g_clear_pointer (&job->report, p2v_report_free);
  job->report = report;
  return p2v_job_stage_end (job, P2V_STAGE_CONVERT, P2V_JOB_CONVERTED, error);
}

/* The conversion has failed. Whatever it says, images that are not what the machine read are the
 * better reason, so the verification is waited for. Returns the stage that failed. */
static const char *
settle (P2vJob *job, P2vVerify *verify, GError **failure)
{
  if (!p2v_verify_is_over (verify) && !p2v_job_cancel_requested (job))
    {
      p2v_job_event (job, "warning", P2V_STAGE_CONVERT, "%s", (*failure)->message);
      p2v_job_event (job, "info", P2V_STAGE_VERIFY,
                     "The images are still being compared with what the machine read");
    }
  g_autoptr (GError) problem = NULL;
  if (p2v_verify_wait (verify, &problem)
      || g_error_matches (problem, P2V_ERROR, P2V_ERROR_CANCELLED))
    return P2V_STAGE_CONVERT;
  g_clear_error (failure);
  *failure = g_steal_pointer (&problem);
  return P2V_STAGE_VERIFY;
}

/* Verifies and converts. *stage: the one that failed. */
static gboolean
convert (const P2vServerConfig *config, P2vJob *job, const char **stage, GError **error)
{
  /* A commit that was cut short is finished, not begun anew: the images hold half of it. */
  gboolean committing = state_is (job, P2V_JOB_COMMITTING)
                        || g_strcmp0 (job->failed_state, P2V_JOB_COMMITTING) == 0;
  g_autoptr (P2vVerify) verify = NULL;
  g_autoptr (GError) failure = NULL;
  *stage = P2V_STAGE_VERIFY;
  if (!start_verification (job, committing, &verify, error))
    return FALSE;
  *stage = P2V_STAGE_CONVERT;
  if (convert_images (config, job, committing, verify, &failure))
    return TRUE;
  *stage = settle (job, verify, &failure);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Where virt-v2v has put the guest, for people. */
static char *
output_place (const P2vPlan *plan)
{
  GString *place = g_string_new ("virt-v2v -o ");
  g_string_append (place, plan->mode);
  if (plan->connection != NULL)
    g_string_append_printf (place, " -oc %s", plan->connection);
  if (plan->storage != NULL)
    g_string_append_printf (place, " -os %s", plan->storage);
  return g_string_free (place, FALSE);
}

static gboolean
define (const P2vServerConfig *config, P2vJob *job, GError **error)
{
  if (is_written_by_virt_v2v (job))
    {
      remove_staging_images (config, job);
      g_free (job->guest_place);
      job->guest_place = output_place (job->plan);
      return TRUE;
    }
  return p2v_job_stage_begin (job, P2V_STAGE_DEFINE, P2V_JOB_DEFINING, error)
         && p2v_define_run (config, job, job->report, error)
         && p2v_job_stage_end (job, P2V_STAGE_DEFINE, P2V_JOB_DEFINING, error);
}

/* The state last: who follows the job stops looking at events once it is final. */
static gboolean
finish (P2vJob *job, GError **error)
{
  p2v_job_event (job, "finished", NULL, "guest %s is ready: %s", job->request->guest->name,
                 job->guest_place != NULL ? job->guest_place : job->plan->method);
  return p2v_job_set_state (job, P2V_JOB_DONE, error);
}

/* Images that are not what the machine read, while its client is still there: the session that
 * follows takes the job up again, and asks for what is unknown now. */
static gboolean
waits_for_machine (P2vJob *job, const char *stage, const GError *failure)
{
  if (strcmp (stage, P2V_STAGE_VERIFY) != 0
      || !g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER) || !p2v_job_is_followed (job))
    return FALSE;
  p2v_job_event (job, "warning", P2V_STAGE_VERIFY, "%s The machine is asked for them again.",
                 failure->message);
  return p2v_job_set_state (job, P2V_JOB_WAITING, NULL);
}

/* Records why the work has ended. Takes the failure. */
static gboolean
give_up (const P2vServerConfig *config, P2vJob *job, const char *stage, GError *failure,
         GError **error)
{
  if (g_error_matches (failure, P2V_ERROR, P2V_ERROR_CANCELLED))
    {
      g_autoptr (GError) problem = NULL;
      if (!p2v_cancel_carry_out (config, job, &problem))
        g_warning ("job %s: cannot record that it was cancelled: %s", job->id, problem->message);
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (strcmp (stage, P2V_STAGE_VERIFY) != 0)
    p2v_error_recode (&failure, P2V_ERROR_CONVERT);
  if (!waits_for_machine (job, stage, failure))
    p2v_job_fail (job, stage, failure);
  g_propagate_error (error, failure);
  return FALSE;
}

gboolean
p2v_worker_run (const P2vServerConfig *config, P2vJob *job, GError **error)
{
  const char *stage = p2v_worker_next_stage (job, error);
  if (stage == NULL)
    return FALSE;
  /* What an earlier worker that was killed has left running would write where we write. */
  p2v_job_end_processes (job);
  p2v_job_claim_processes (job);
  g_autoptr (GError) failure = NULL;
  gboolean done = p2v_job_check_cancelled (job, &failure);
  if (done && strcmp (stage, P2V_STAGE_CONVERT) == 0)
    done = convert (config, job, &stage, &failure);
  if (done)
    {
      stage = P2V_STAGE_DEFINE;
      done = p2v_job_check_cancelled (job, &failure) && define (config, job, &failure)
             && finish (job, &failure);
    }
  return done || give_up (config, job, stage, g_steal_pointer (&failure), error);
}
