/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/worker.h"

#include "common/error.h"
#include "p2v-server/convert.h"
#include "p2v-server/define.h"
#include "p2v-server/slot.h"
#include "p2v-server/storage.h"

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

const char *
p2v_worker_next_stage (const P2vJob *job, GError **error)
{
  if (state_is (job, P2V_JOB_DONE))
    return refuse (job, "it is done, nothing is left to do.", error);
  if (state_is (job, P2V_JOB_CANCELLED))
    return refuse (job, "it was cancelled. Convert the machine again.", error);
  gboolean failed = state_is (job, P2V_JOB_FAILED);
  gboolean converting = state_is (job, P2V_JOB_RECEIVED) || state_is (job, P2V_JOB_CONVERTING)
                        || state_is (job, P2V_JOB_COMMITTING)
                        || (failed && g_strcmp0 (job->failed_stage, P2V_STAGE_CONVERT) == 0);
  gboolean defining = state_is (job, P2V_JOB_CONVERTED) || state_is (job, P2V_JOB_DEFINING)
                      || (failed && g_strcmp0 (job->failed_stage, P2V_STAGE_DEFINE) == 0);
  if ((!converting && !defining) || job->plan == NULL)
    return refuse (job,
                   "its disks were never received in full. Convert the machine again, and remove "
                   "this job.",
                   error);
  return converting ? P2V_STAGE_CONVERT : P2V_STAGE_DEFINE;
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

static gboolean
convert (const P2vServerConfig *config, P2vJob *job, GError **error)
{
  /* A commit that was cut short is finished, not begun anew: the images hold half of it. */
  gboolean committing = state_is (job, P2V_JOB_COMMITTING)
                        || g_strcmp0 (job->failed_state, P2V_JOB_COMMITTING) == 0;
  int slot = p2v_slot_take (config, job, error);
  if (slot < 0)
    return FALSE;
  P2vReport *report = NULL;
  gboolean converted
      = p2v_job_stage_begin (job, P2V_STAGE_CONVERT,
                             committing ? P2V_JOB_COMMITTING : P2V_JOB_CONVERTING, error)
        && p2v_convert_run (config, job, &report, error);
  close (slot);
  if (!converted)
    return FALSE;
  if (job->report != report)
    g_clear_pointer (&job->report, p2v_report_free);
  job->report = report;
  return p2v_job_stage_end (job, P2V_STAGE_CONVERT, P2V_JOB_CONVERTED, error);
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

gboolean
p2v_worker_run (const P2vServerConfig *config, P2vJob *job, GError **error)
{
  const char *stage = p2v_worker_next_stage (job, error);
  if (stage == NULL)
    return FALSE;
  g_autoptr (GError) failure = NULL;
  gboolean done = TRUE;
  if (strcmp (stage, P2V_STAGE_CONVERT) == 0)
    done = convert (config, job, &failure);
  if (done)
    {
      stage = P2V_STAGE_DEFINE;
      done = define (config, job, &failure) && finish (job, &failure);
    }
  if (!done)
    {
      p2v_error_recode (&failure, P2V_ERROR_CONVERT);
      p2v_job_fail (job, stage, failure);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}
