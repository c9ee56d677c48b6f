/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "p2v-server/job-text.h"
#include "p2v-server/table.h"
#include "p2v-server/verify.h"

/* Of its own, so that a script can tell "there is nothing to compare any more" from "it is wrong".
 */
#define EXIT_TOO_LATE 10

static gboolean as_json;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL },
  G_OPTION_ENTRY_NULL,
};

static P2vJob *
open_job (const P2vServerConfig *config, const char *id, GError **error)
{
  g_autoptr (P2vJob) seen = p2v_job_load (config, id, error);
  /* Before anything is written: what root would make, the account could not change later. */
  if (seen == NULL || !p2v_account_become_owner (seen->dir, error))
    return NULL;
  return p2v_job_open (config, id, error);
}

static gboolean
has_images (const P2vJob *job, GError **error)
{
  if (job->plan != NULL && job->plan->images->len > 0)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "job %s has no images to compare: they were never made, or have been removed.",
               job->id);
  return FALSE;
}

/* A job that would have gone on with images that are wrong fails at this stage, so that it is not
 * converted; one that waits for its machine goes on waiting, for what is forgotten now as well. */
static void
note_mismatch (P2vJob *job, const GError *failure)
{
  if (g_strcmp0 (job->state, P2V_JOB_RECEIVING) != 0
      && g_strcmp0 (job->state, P2V_JOB_WAITING) != 0)
    p2v_job_fail (job, P2V_STAGE_VERIFY, failure);
}

static void
print_result (const P2vJob *job)
{
  const P2vVerification *verification = job->verification;
  if (as_json)
    {
      g_autoptr (JsonObject) object = p2v_verification_to_json (verification);
      json_object_set_string_member (object, "id", job->id);
      g_autofree char *text = p2v_json_to_text (object, TRUE);
      g_print ("%s\n", text);
      return;
    }
  g_autofree char *text = p2v_verification_text (verification);
  g_autofree char *bad = p2v_verification_bad_text (verification, P2V_BAD_CHUNKS_MAX);
  g_autofree char *next_step = verification->bad > 0 ? p2v_job_next_step (job) : NULL;
  p2v_text_print_field ("Job", job->id);
  p2v_text_print_field ("Verified", text);
  p2v_text_print_field ("  bad", bad);
  p2v_text_print_field ("Next step", next_step);
}

static int
say_too_late (const P2vJob *job)
{
  g_printerr ("p2v-server: job %s cannot be verified any more: its images were converted, so they "
              "are no longer what the machine read. What came of it before is in \"p2v-server show "
              "%s\".\n",
              job->id, job->id);
  return EXIT_TOO_LATE;
}

static int
verify (P2vJob *job)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (P2vVerify) comparison = p2v_verify_start (job, P2V_VERIFY_AGAIN, &failure);
  if (comparison == NULL)
    return p2v_command_fail (failure);
  if (!p2v_verify_wait (comparison, &failure))
    {
      if (g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER))
        note_mismatch (job, failure);
      if (job->verification != NULL)
        print_result (job);
      return p2v_command_fail (failure);
    }
  print_result (job);
  return job->verification->left > 0 ? (int)P2V_ERROR_TRANSFER : 0;
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  g_autoptr (P2vJob) job = open_job (invocation->config, invocation->arguments[0], &error);
  if (job == NULL)
    return p2v_command_fail (error);
  if (p2v_verify_is_too_late (job))
    return say_too_late (job);
  return has_images (job, &error) ? verify (job) : p2v_command_fail (error);
}

const P2vCommand p2v_command_verify = {
  .name = "verify",
  .argument = "ID",
  .summary = "compare the received images with what the machine read",
  .details = "Possible until the conversion writes into the images. A chunk that is wrong is "
             "forgotten: when the\nmachine is converted again, it is sent again.\n"
             "Exit status 0: all is right; 7: something is wrong, or has not landed yet; 10: the "
             "images are converted.",
  .run = run,
};
