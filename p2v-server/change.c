/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/change.h"

#include "common/error.h"
#include "p2v-server/worker.h"

#include <string.h>

static gboolean
changes_output (const P2vChange *change)
{
  return change->profile != NULL || change->mode != NULL || change->connection != NULL
         || change->storage != NULL || change->format != NULL || change->options != NULL;
}

static gboolean
is_empty (const P2vChange *change)
{
  return !changes_output (change) && change->root == NULL && change->networks == NULL;
}

static void
set (char **member, const char *value)
{
  if (value == NULL)
    return;
  char *copy = g_strdup (value);
  g_free (*member);
  *member = copy;
}

/* TRUE when virt-v2v is still to be run from its beginning. */
static gboolean
is_unconverted (const P2vJob *job)
{
  return g_strcmp0 (p2v_worker_next_stage (job, NULL), P2V_STAGE_CONVERT) == 0
         && g_strcmp0 (job->state, P2V_JOB_COMMITTING) != 0
         && g_strcmp0 (job->failed_state, P2V_JOB_COMMITTING) != 0;
}

static gboolean
check_time (const P2vJob *job, const P2vChange *change, GError **error)
{
  if (is_unconverted (job) || (change->root == NULL && !changes_output (change)))
    return TRUE;
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_REFUSED,
      "job %s is past its conversion: only networks can still be changed. Retry it without "
      "the other options, or convert the machine again.",
      job->id);
  return FALSE;
}

static gboolean
set_network (GPtrArray *nics, const char *text, GError **error)
{
  const char *colon = strchr (text, ':');
  g_autofree char *name = colon == NULL ? NULL : g_strndup (text, (gsize)(colon - text));
  const char *target = colon == NULL ? text : colon + 1;
  gboolean found = FALSE;
  for (guint i = 0; i < nics->len; i++)
    {
      P2vGuestNic *nic = nics->pdata[i];
      if (name != NULL && strcmp (name, nic->nic) != 0)
        continue;
      set (&nic->network, target);
      found = TRUE;
    }
  if (found && *target != '\0')
    return TRUE;
  g_autofree char *shown = g_strescape (text, NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "--network \"%s\": %s. \"p2v-server show --json\" lists the guest's interfaces.",
               shown,
               *target == '\0' ? "the target is missing" : "the guest has no such interface");
  return FALSE;
}

/* What the change leaves open is as it is in the plan, not as a new machine would get it today. */
static void
pin_output (P2vOutput *output, const P2vPlan *plan)
{
  gboolean elsewhere = strcmp (plan->method, "virt-v2v") == 0;
  set (&output->mode, elsewhere ? plan->mode : plan->method);
  set (&output->storage, plan->storage);
  set (&output->format, plan->format);
  set (&output->allocation, plan->allocation);
  if (elsewhere)
    set (&output->connection, plan->connection);
}

static void
change_output (P2vOutput *output, const P2vPlan *plan, const P2vChange *change)
{
  if (change->profile == NULL)
    pin_output (output, plan);
  else
    {
      g_clear_pointer (&output->mode, g_free);
      g_clear_pointer (&output->storage, g_free);
      g_clear_pointer (&output->connection, g_free);
      g_clear_pointer (&output->format, g_free);
      g_clear_pointer (&output->allocation, g_free);
    }
  /* Another mode has other places. */
  if (change->mode != NULL && g_strcmp0 (change->mode, output->mode) != 0)
    {
      g_clear_pointer (&output->storage, g_free);
      g_clear_pointer (&output->connection, g_free);
      g_clear_pointer (&output->format, g_free);
      g_clear_pointer (&output->options, g_strfreev);
    }
  set (&output->profile, change->profile);
  set (&output->mode, change->mode);
  set (&output->connection, change->connection);
  set (&output->storage, change->storage);
  set (&output->format, change->format);
  if (change->options != NULL)
    {
      g_strfreev (output->options);
      output->options = g_strdupv (change->options);
    }
}

/* Names only: values may be secret. */
static char *
describe (const P2vChange *change)
{
  const char *names[9] = { NULL };
  gsize count = 0;
  const struct
  {
    gboolean given;
    const char *name;
  } parts[] = {
    { change->root != NULL, "root" },
    { change->networks != NULL, "networks" },
    { change->profile != NULL, "profile" },
    { change->mode != NULL, "output mode" },
    { change->connection != NULL, "connection" },
    { change->storage != NULL, "storage" },
    { change->format != NULL, "format" },
    { change->options != NULL, "output options" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i].given)
      names[count++] = parts[i].name;
  return g_strjoinv (", ", (char **)names);
}

/* Puts the new request and plan into the job. Takes both. */
static gboolean
adopt (P2vJob *job, P2vRequest *request, P2vPlan *plan, const P2vChange *change, GError **error)
{
  p2v_request_free (job->request);
  p2v_plan_free (job->plan);
  job->request = request;
  job->plan = plan;
  if (!p2v_job_save (job, error))
    return FALSE;
  g_autofree char *what = describe (change);
  p2v_job_event (job, "info", NULL, "changed by the administrator: %s", what);
  for (gsize i = 0; plan->warnings != NULL && plan->warnings[i] != NULL; i++)
    p2v_job_event (job, "warning", NULL, "%s", plan->warnings[i]);
  return TRUE;
}

gboolean
p2v_change_apply (const P2vServerConfig *config, P2vJob *job, const P2vChange *change,
                  GError **error)
{
  if (is_empty (change))
    return TRUE;
  if (!check_time (job, change, error))
    return FALSE;
  g_autoptr (P2vRequest) request = p2v_schema_copy (&p2v_request_schema, job->request);
  set (&request->guest->root, change->root);
  for (gsize i = 0; change->networks != NULL && change->networks[i] != NULL; i++)
    if (!set_network (request->guest->nics, change->networks[i], error))
      return FALSE;
  change_output (request->output, job->plan, change);
  if (!p2v_request_check (request, error))
    return FALSE;
  P2vPlan *plan = p2v_plan_remake (config, request, job->dir, job->plan, error);
  return plan != NULL && adopt (job, g_steal_pointer (&request), plan, change, error);
}
