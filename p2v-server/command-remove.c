/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "p2v-server/guest-use.h"
#include "p2v-server/outcome.h"
#include "p2v-server/storage.h"

#include <string.h>

static gboolean as_json;
static gboolean with_images;

static const GOptionEntry entries[] = {
  { "images", 0, 0, G_OPTION_ARG_NONE, &with_images,
    "Remove the guest's disk images too (refused while a guest uses them)", NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL },
  G_OPTION_ENTRY_NULL,
};

/* Staging images are in the job's directory, so removing the one removes the other. */
static gboolean
check_staging (const P2vJob *job, GError **error)
{
  for (guint i = 0; job->plan != NULL && i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      gsize length = strlen (job->dir);
      if (image->path == NULL || strncmp (image->path, job->dir, length) != 0
          || image->path[length] != '/' || !g_file_test (image->path, G_FILE_TEST_EXISTS))
        continue;
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "the received image %s is in the job's own directory and would be lost. Add "
                   "--images if it is of no use any more, or \"p2v-server retry %s\".",
                   image->path, job->id);
      return FALSE;
    }
  return TRUE;
}

static gboolean
remove_images (const P2vServerConfig *config, const P2vJob *job, GError **error)
{
  return p2v_guest_use_check (config, job, error)
         && (job->plan == NULL || p2v_storage_remove (config, job->plan, error));
}

static gboolean
remove_job (const P2vServerConfig *config, P2vJob *job, P2vOutcome *outcome, GError **error)
{
  /* Listed while the plan still says where they are. */
  p2v_outcome_add_images (with_images ? outcome->removed : outcome->kept, job->plan);
  if (!(with_images ? remove_images (config, job, error) : check_staging (job, error)))
    return FALSE;
  if (!with_images && job->guest_place != NULL)
    g_ptr_array_add (outcome->kept,
                     g_strdup_printf ("guest %s: %s", job->request->guest->name, job->guest_place));
  g_ptr_array_add (outcome->removed, g_strdup (job->dir));
  return p2v_job_delete (job, error);
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  g_autoptr (P2vJob) job = p2v_job_open (invocation->config, invocation->arguments[0], &error);
  if (job == NULL)
    return p2v_command_fail (error);
  g_autoptr (P2vOutcome) outcome = p2v_outcome_new ();
  if (!remove_job (invocation->config, job, outcome, &error))
    return p2v_command_fail (error);
  p2v_outcome_print (outcome, as_json);
  return 0;
}

const P2vCommand p2v_command_remove = {
  .name = "remove",
  .argument = "ID",
  .summary = "remove a job's record, and with --images its disk images",
  .details = "Asks nothing. The guest and its images are kept unless --images is given. A job that "
             "is being\nworked on is refused: cancel it first.",
  .run = run,
};
