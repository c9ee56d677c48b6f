/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-match.h"

#include "p2v-server/job-text.h"

#include <string.h>

gboolean
p2v_job_is_resumable (const P2vJob *job)
{
  if (job->plan == NULL)
    return FALSE;
  if (g_strcmp0 (job->state, P2V_JOB_FAILED) == 0)
    return g_strcmp0 (job->failed_stage, P2V_STAGE_RECEIVE) == 0
           || g_strcmp0 (job->failed_stage, P2V_STAGE_VERIFY) == 0;
  return g_strcmp0 (job->state, P2V_JOB_RECEIVING) == 0
         || g_strcmp0 (job->state, P2V_JOB_WAITING) == 0;
}

gboolean
p2v_job_goes_on (const P2vJob *job)
{
  return job->plan != NULL && !p2v_job_is_final (job) && !p2v_job_is_resumable (job)
         && g_strcmp0 (job->state, P2V_JOB_PREPARING) != 0;
}

/* FALSE for what some boards' firmware says in the place of a UUID: all digits the same. */
static gboolean
is_real_uuid (const char *uuid)
{
  const char *rest = uuid != NULL && uuid[0] != '\0' ? uuid + 1 : "";
  for (; *rest != '\0'; rest++)
    if (*rest != '-' && *rest != uuid[0])
      return TRUE;
  return FALSE;
}

static gboolean
is_same_text (const char *a, const char *b)
{
  return a != NULL && a[0] != '\0' && g_strcmp0 (a, b) == 0;
}

static gboolean
has_identity (const P2vDisk *disk)
{
  return (disk->wwn != NULL && disk->wwn[0] != '\0')
         || (disk->serial != NULL && disk->serial[0] != '\0');
}

/* The kernel may name disks in another order each time. */
static gboolean
is_same_disk (const P2vDisk *a, const P2vDisk *b)
{
  if (a->size != b->size)
    return FALSE;
  if (has_identity (a) || has_identity (b))
    return is_same_text (a->wwn, b->wwn) || is_same_text (a->serial, b->serial);
  return is_same_text (a->name, b->name) && is_same_text (a->path, b->path);
}

/* The job's name of a disk, NULL when it has no such one; each is taken once. */
static const char *
take_disk (const P2vJob *job, const P2vDisk *disk, GPtrArray *taken)
{
  char **names = job->request->guest->disks;
  for (gsize i = 0; names[i] != NULL; i++)
    {
      const P2vDisk *candidate = p2v_machine_find_disk (job->request->machine, names[i]);
      if (candidate == NULL || g_ptr_array_find (taken, candidate, NULL)
          || !is_same_disk (candidate, disk))
        continue;
      g_ptr_array_add (taken, (gpointer)candidate);
      return candidate->name;
    }
  return NULL;
}

static char **
match_disks (const P2vJob *job, const P2vRequest *request)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();
  char **wanted = request->guest->disks;
  for (gsize i = 0; wanted[i] != NULL; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (request->machine, wanted[i]);
      const char *name = disk != NULL ? take_disk (job, disk, taken) : NULL;
      if (name == NULL)
        return NULL;
      g_strv_builder_add (names, name);
    }
  return g_strv_builder_end (names);
}

/* Addresses are the cards' own, which nobody else has. */
static gboolean
shares_nic (const P2vMachine *a, const P2vMachine *b)
{
  for (guint i = 0; i < a->nics->len; i++)
    for (guint k = 0; k < b->nics->len; k++)
      if (is_same_text (((P2vNic *)a->nics->pdata[i])->mac, ((P2vNic *)b->nics->pdata[k])->mac))
        return TRUE;
  return FALSE;
}

static gboolean
is_same_machine (const P2vRequest *a, const P2vRequest *b)
{
  const char *uuid = a->machine->smbios->uuid;
  if (is_real_uuid (uuid) || is_real_uuid (b->machine->smbios->uuid))
    return g_strcmp0 (uuid, b->machine->smbios->uuid) == 0;
  if (a->machine->nics->len > 0 || b->machine->nics->len > 0)
    return shares_nic (a->machine, b->machine);
  /* Then the disks have to say it alone. */
  for (gsize i = 0; a->guest->disks[i] != NULL; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (a->machine, a->guest->disks[i]);
      if (disk == NULL || !has_identity (disk))
        return FALSE;
    }
  return TRUE;
}

gboolean
p2v_job_is_for (const P2vJob *job, const P2vRequest *request, char ***disks)
{
  const P2vRequest *ours = job->request;
  if (ours->guest->disks == NULL || request->guest->disks == NULL
      || g_strv_length (ours->guest->disks) != g_strv_length (request->guest->disks)
      || g_strcmp0 (ours->guest->name, request->guest->name) != 0
      || !is_same_machine (ours, request))
    return FALSE;
  g_auto (GStrv) names = match_disks (job, request);
  if (names == NULL)
    return FALSE;
  if (disks != NULL)
    *disks = g_steal_pointer (&names);
  return TRUE;
}

P2vJob *
p2v_job_find (const P2vServerConfig *config, const P2vRequest *request)
{
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (config, NULL);
  for (guint i = jobs != NULL ? jobs->len : 0; i > 0; i--)
    {
      P2vJob *job = jobs->pdata[i - 1];
      if ((p2v_job_is_resumable (job) || p2v_job_goes_on (job))
          && p2v_job_is_for (job, request, NULL))
        return g_ptr_array_steal_index (jobs, i - 1);
    }
  return NULL;
}
