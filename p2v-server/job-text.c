/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-text.h"

#include <string.h>

static gboolean
state_is (const P2vJob *job, const char *state)
{
  return g_strcmp0 (job->state, state) == 0;
}

gboolean
p2v_job_is_final (const P2vJob *job)
{
  return state_is (job, P2V_JOB_DONE) || state_is (job, P2V_JOB_FAILED)
         || state_is (job, P2V_JOB_CANCELLED);
}

char *
p2v_job_state_text (const P2vJob *job)
{
  if (state_is (job, P2V_JOB_FAILED) && job->failed_stage != NULL)
    return g_strdup_printf ("failed: %s", job->failed_stage);
  if (state_is (job, P2V_JOB_WAITING) && !p2v_job_is_busy (job))
    return g_strdup ("waiting for its machine");
  if (!p2v_job_is_final (job) && !p2v_job_is_busy (job))
    return g_strdup_printf ("%s, stopped", job->state);
  return g_strdup (job->state);
}

/* TRUE when every disk is here: only then a job can go on without the machine. */
static gboolean
has_received (const P2vJob *job)
{
  const char *stage = job->failed_stage;
  if (state_is (job, P2V_JOB_FAILED) && g_strcmp0 (stage, P2V_STAGE_VERIFY) == 0)
    return p2v_job_has_landed (job);
  if (state_is (job, P2V_JOB_FAILED))
    return g_strcmp0 (stage, P2V_STAGE_CONVERT) == 0 || g_strcmp0 (stage, P2V_STAGE_DEFINE) == 0;
  return !state_is (job, P2V_JOB_PREPARING) && !state_is (job, P2V_JOB_RECEIVING)
         && !state_is (job, P2V_JOB_WAITING) && !state_is (job, P2V_JOB_CANCELLED);
}

char *
p2v_job_next_step (const P2vJob *job)
{
  if (state_is (job, P2V_JOB_DONE) && job->bad->len > 0)
    return g_strdup_printf (
        "Start the guest, check its filesystems, and restore from a backup what "
        "could not be read of the machine (see below). When all is well, "
        "\"p2v-server remove %s\" removes this record and keeps the guest.",
        job->id);
  if (state_is (job, P2V_JOB_DONE))
    return g_strdup_printf ("Start the guest. When all is well, \"p2v-server remove %s\" removes "
                            "this record and keeps the guest.",
                            job->id);
  if (p2v_job_is_busy (job))
    return g_strdup_printf (
        "Wait; \"p2v-server log %s --follow\" shows how it goes. To give it up: "
        "\"p2v-server cancel %s\".",
        job->id, job->id);
  if (state_is (job, P2V_JOB_CANCELLED))
    return g_strdup_printf ("Nothing. \"p2v-server remove %s\" removes this record%s.", job->id,
                            job->plan != NULL && job->plan->images->len > 0
                                ? ", and with --images what is left of its images"
                                : "");
  if (state_is (job, P2V_JOB_WAITING))
    return g_strdup_printf ("Start the machine as before: it goes on where it stopped. To give it "
                            "up: \"p2v-server cancel %s\".",
                            job->id);
  if (p2v_job_is_record (job))
    return g_strdup_printf (
        "Mend it on the machine, and convert it again. \"p2v-server remove %s\" "
        "removes this record.",
        job->id);
  if (has_received (job))
    return g_strdup_printf (
        "See \"p2v-server log %s\" for the reason, then \"p2v-server retry %s\": "
        "the machine need not be read again.",
        job->id, job->id);
  if (g_strcmp0 (job->failed_stage, P2V_STAGE_VERIFY) == 0)
    return g_strdup ("Mend what changed the images on this server, then convert the machine again: "
                     "only what was found to be wrong is sent.");
  return g_strdup_printf (
      "Its disks did not arrive in full. \"p2v-server remove %s --images\", and "
      "convert the machine again.",
      job->id);
}

gint64
p2v_job_total_size (const P2vJob *job)
{
  gint64 total = 0;
  char **disks = job->request->guest->disks;
  for (gsize i = 0; disks != NULL && disks[i] != NULL; i++)
    {
      const char *name = disks[i];
      const P2vDisk *disk = p2v_machine_find_disk (job->request->machine, name);
      /* Sizes are what a client claimed. */
      if (__builtin_add_overflow (total, disk->size, &total))
        return G_MAXINT64;
    }
  return total;
}

gboolean
p2v_job_count_chunks (const P2vJob *job, const char *disk, P2vChunkCounts *counts)
{
  g_autofree char *path = p2v_job_manifest_path (job, disk);
  g_autoptr (P2vManifest) manifest = p2v_manifest_open (path, FALSE, NULL);
  if (manifest == NULL)
    return FALSE;
  counts->total = p2v_chunk_count (p2v_manifest_size (manifest));
  counts->skipped = p2v_manifest_count (manifest, P2V_CHUNK_SKIPPED);
  counts->zero = p2v_manifest_count (manifest, P2V_CHUNK_ZERO);
  counts->data = p2v_manifest_count (manifest, P2V_CHUNK_DATA);
  /* What is left, not counted: the job may go on while we look. */
  counts->unknown
      = counts->total - MIN (counts->total, counts->skipped + counts->zero + counts->data);
  return TRUE;
}

gboolean
p2v_job_has_landed (const P2vJob *job)
{
  gboolean landed = job->plan != NULL;
  for (guint i = 0; landed && i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      P2vChunkCounts counts = { 0 };
      landed = p2v_job_count_chunks (job, image->disk, &counts) && counts.unknown == 0;
    }
  return landed;
}

static void
set_string (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
}

/* What can be said only now, because it is not in the job's file. */
static void
add_live_members (JsonObject *object, const P2vJob *job)
{
  g_autofree char *next_step = p2v_job_next_step (job);
  gboolean busy = p2v_job_is_busy (job);
  json_object_set_boolean_member (object, "busy", busy);
  json_object_set_boolean_member (object, "stopped", !busy && !p2v_job_is_final (job));
  set_string (object, "next_step", next_step);
}

JsonObject *
p2v_job_summary_json (const P2vJob *job)
{
  JsonObject *object = json_object_new ();
  set_string (object, "id", job->id);
  set_string (object, "state", job->state);
  set_string (object, "failed_stage", job->failed_stage);
  set_string (object, "error_code", job->error_code);
  set_string (object, "error_message", job->error_message);
  set_string (object, "guest", job->request->guest->name);
  set_string (object, "guest_uuid", job->guest_uuid);
  set_string (object, "guest_place", job->guest_place);
  set_string (object, "hostname", job->request->machine->hostname);
  json_object_set_int_member (object, "size", p2v_job_total_size (job));
  json_object_set_int_member (object, "bad_bytes", p2v_bad_ranges_bytes (job->bad));
  json_object_set_int_member (object, "created", job->created);
  json_object_set_int_member (object, "changed", job->changed);
  add_live_members (object, job);
  return object;
}

static JsonObject *
transfer_json (const P2vJob *job, const char *disk)
{
  JsonObject *object = json_object_new ();
  P2vChunkCounts counts;
  json_object_set_string_member (object, "disk", disk);
  if (p2v_job_count_chunks (job, disk, &counts))
    {
      json_object_set_int_member (object, "chunk_size", P2V_CHUNK_SIZE);
      json_object_set_int_member (object, "chunks", (gint64)counts.total);
      json_object_set_int_member (object, "unknown", (gint64)counts.unknown);
      json_object_set_int_member (object, "skipped", (gint64)counts.skipped);
      json_object_set_int_member (object, "zero", (gint64)counts.zero);
      json_object_set_int_member (object, "data", (gint64)counts.data);
    }
  return object;
}

JsonObject *
p2v_job_details_json (const P2vJob *job)
{
  JsonObject *object = p2v_job_to_json (job);
  /* Who has the token can write into the guest's disks while they are received. */
  json_object_remove_member (object, "token");
  JsonArray *transfers = json_array_new ();
  for (guint i = 0; job->plan != NULL && i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      json_array_add_object_element (transfers, transfer_json (job, image->disk));
    }
  json_object_set_array_member (object, "transfers", transfers);
  set_string (object, "directory", job->dir);
  add_live_members (object, job);
  return object;
}

char *
p2v_event_text (const P2vEvent *event)
{
  const char *stage = event->stage != NULL ? event->stage : "job";
  const char *message = event->message != NULL ? event->message : "";
  const char *colon = event->message != NULL ? ": " : "";
  if (strcmp (event->kind, "progress") == 0)
    return g_strdup_printf ("%s %" G_GINT64_FORMAT "%%%s%s", stage, event->percent, colon, message);
  if (strcmp (event->kind, "info") == 0)
    return g_strdup_printf ("%s%s%s", stage, colon, message);
  return g_strdup_printf ("%s %s%s%s", stage, event->kind, colon, message);
}
