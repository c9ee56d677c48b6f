/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/session-parts.h"

#include "common/chunk-run.h"
#include "common/error.h"
#include "p2v-server/job-bad.h"
#include "p2v-server/job-processes.h"
#include "p2v-server/storage.h"

#include <string.h>
#include <sys/stat.h>

/* How long the exports of a session that has died may take to let go of the images; they write out
 * what they hold first. Microseconds. */
#define LET_GO_USEC (60 * G_USEC_PER_SEC)
#define LET_GO_POLL_USEC (250 * 1000)

static void
free_receiver (gpointer data)
{
  P2vReceiver *receiver = data;
  g_clear_pointer (&receiver->export, p2v_export_free);
  g_clear_pointer (&receiver->manifest, p2v_manifest_free);
  g_free (receiver);
}

static P2vReceiver *
add_receiver (P2vSession *self, const P2vImage *image)
{
  P2vReceiver *receiver = g_new0 (P2vReceiver, 1);
  receiver->image = image;
  if (self->receivers == NULL)
    self->receivers = g_ptr_array_new_with_free_func (free_receiver);
  g_ptr_array_add (self->receivers, receiver);
  return receiver;
}

static void
name_exports (P2vSession *self)
{
  g_free (self->exports);
  self->exports = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
}

static void
set_deadline (P2vSession *self)
{
  if (self->config->receive_timeout > 0)
    self->receive_deadline
        = g_get_monotonic_time () + self->config->receive_timeout * G_USEC_PER_SEC;
}

void
p2v_session_stop_receiving (P2vSession *self)
{
  p2v_session_close_door (self);
  g_clear_pointer (&self->receivers, g_ptr_array_unref);
}

static gboolean
start_receiver (P2vSession *self, const P2vImage *image, GError **error)
{
  P2vReceiver *receiver = add_receiver (self, image);
  g_autofree char *path = p2v_job_manifest_path (self->job, image->disk);
  receiver->manifest = p2v_manifest_create (path, image->size, error);
  if (receiver->manifest == NULL)
    return FALSE;
  receiver->export = p2v_export_start (self->job, image, error);
  return receiver->export != NULL;
}

gboolean
p2v_session_start_receiving (P2vSession *self, gint64 needed, GError **error)
{
  P2vPlan *plan = self->job->plan;
  if (!p2v_job_stage_begin (self->job, P2V_STAGE_PREPARE, P2V_JOB_PREPARING, error))
    return FALSE;
  for (gsize i = 0; plan->warnings != NULL && plan->warnings[i] != NULL; i++)
    p2v_job_event (self->job, "warning", P2V_STAGE_PREPARE, "%s", plan->warnings[i]);
  if (!p2v_storage_create (self->config, plan, needed, error))
    return FALSE;
  name_exports (self);
  p2v_job_claim_processes (self->job);
  gboolean ok = p2v_job_save (self->job, error);
  for (guint i = 0; ok && i < plan->images->len; i++)
    ok = start_receiver (self, plan->images->pdata[i], error);
  if (ok && p2v_job_stage_end (self->job, P2V_STAGE_PREPARE, P2V_JOB_RECEIVING, error)
      && p2v_job_stage_begin (self->job, P2V_STAGE_RECEIVE, P2V_JOB_RECEIVING, error))
    {
      set_deadline (self);
      p2v_session_open_door (self);
      return TRUE;
    }
  p2v_session_stop_receiving (self);
  p2v_storage_remove (self->config, plan, NULL);
  return FALSE;
}

/* QEMU locks the images that it writes. */
static P2vExport *
start_export_patiently (P2vSession *self, const P2vImage *image, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + LET_GO_USEC;
  for (;;)
    {
      g_autoptr (GError) failure = NULL;
      P2vExport *export = p2v_export_start (self->job, image, &failure);
      if (export != NULL)
        return export;
      if (strstr (failure->message, "lock") == NULL || g_get_monotonic_time () > deadline)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      g_usleep (LET_GO_POLL_USEC);
    }
}

static gboolean
take_up_image (P2vSession *self, const P2vImage *image, GError **error)
{
  P2vReceiver *receiver = add_receiver (self, image);
  g_autofree char *path = p2v_job_manifest_path (self->job, image->disk);
  receiver->manifest = p2v_manifest_take_up (path, image->size, error);
  if (receiver->manifest == NULL)
    return FALSE;
  receiver->export = start_export_patiently (self, image, error);
  return receiver->export != NULL;
}

gboolean
p2v_session_take_up (P2vSession *self, GError **error)
{
  P2vPlan *plan = self->job->plan;
  gboolean ok = TRUE;
  name_exports (self);
  /* What a session that was killed has left running would write where we write. */
  p2v_job_end_processes (self->job);
  p2v_job_claim_processes (self->job);
  for (guint i = 0; ok && i < plan->images->len; i++)
    ok = take_up_image (self, plan->images->pdata[i], error);
  if (ok && p2v_job_stage_begin (self->job, P2V_STAGE_RECEIVE, P2V_JOB_RECEIVING, error))
    {
      set_deadline (self);
      p2v_session_open_door (self);
      return TRUE;
    }
  p2v_session_stop_receiving (self);
  return FALSE;
}

gboolean
p2v_session_restart_exports (P2vSession *self, GError **error)
{
  for (guint i = 0; i < self->receivers->len; i++)
    {
      P2vReceiver *receiver = self->receivers->pdata[i];
      if (!p2v_export_stop (receiver->export, error))
        return FALSE;
      g_clear_pointer (&receiver->export, p2v_export_free);
      receiver->export = start_export_patiently (self, receiver->image, error);
      if (receiver->export == NULL)
        return FALSE;
    }
  name_exports (self);
  return TRUE;
}

void
p2v_session_leave_waiting (P2vSession *self, const char *why)
{
  g_autoptr (GError) error = NULL;
  p2v_session_stop_receiving (self);
  p2v_job_event (self->job, "info", P2V_STAGE_RECEIVE,
                 "%s. What has landed is kept; the job waits for its machine.", why);
  if (!p2v_job_set_state (self->job, P2V_JOB_WAITING, &error))
    g_warning ("job %s: %s", self->job->id, error->message);
  self->ended = TRUE;
}

static P2vReceiver *
find_receiver (P2vSession *self, const char *disk, GError **error)
{
  for (guint i = 0; self->receivers != NULL && i < self->receivers->len; i++)
    {
      P2vReceiver *receiver = self->receivers->pdata[i];
      if (g_strcmp0 (receiver->image->disk, disk) == 0)
        return receiver;
    }
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, "no such disk is being received");
  return NULL;
}

gboolean
p2v_session_record_bad (P2vSession *self, JsonObject *message, GError **error)
{
  const char *disk = p2v_message_get_string (message, "disk");
  const P2vReceiver *receiver = find_receiver (self, disk, error);
  return receiver != NULL
         && p2v_job_record_bad (self->job, disk, receiver->image->size, message, error);
}

gboolean
p2v_session_record_chunks (P2vSession *self, JsonObject *message, GError **error)
{
  P2vReceiver *receiver = find_receiver (self, p2v_message_get_string (message, "disk"), error);
  if (receiver == NULL)
    return FALSE;
  P2vManifest *manifest = receiver->manifest;
  g_autoptr (GArray) runs = p2v_chunk_runs_from_message (
      message, p2v_chunk_count (p2v_manifest_size (manifest)), TRUE, error);
  for (guint i = 0; runs != NULL && i < runs->len; i++)
    {
      const P2vChunkRun *run = &g_array_index (runs, P2vChunkRun, i);
      if (!p2v_manifest_record (manifest, run->first, run->count, run->state, &run->hash, error))
        return FALSE;
    }
  return runs != NULL && p2v_manifest_sync (manifest, error);
}

gboolean
p2v_session_finish_receiving (P2vSession *self, GError **error)
{
  for (guint i = 0; i < self->receivers->len; i++)
    {
      P2vReceiver *receiver = self->receivers->pdata[i];
      guint64 unknown = p2v_manifest_count (receiver->manifest, P2V_CHUNK_UNKNOWN);
      if (unknown > 0)
        {
          g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER,
                       "disk %s is not complete: %" G_GUINT64_FORMAT " chunks are missing",
                       receiver->image->disk, unknown);
          return FALSE;
        }
      if (!p2v_export_stop (receiver->export, error))
        return FALSE;
    }
  p2v_session_stop_receiving (self);
  return TRUE;
}

gboolean
p2v_session_check_exports (P2vSession *self, GError **error)
{
  for (guint i = 0; self->receivers != NULL && i < self->receivers->len; i++)
    {
      P2vReceiver *receiver = self->receivers->pdata[i];
      if (receiver->export != NULL && p2v_export_is_running (receiver->export))
        continue;
      if (receiver->export == NULL || p2v_export_stop (receiver->export, error))
        g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER, "the export of disk %s has ended",
                     receiver->image->disk);
      return FALSE;
    }
  return TRUE;
}

/* A new image file reads as zeroes; a logical volume holds what was there before. */
static gboolean
is_zeroed (const P2vImage *image)
{
  struct stat st;
  return stat (image->path, &st) == 0 && S_ISREG (st.st_mode);
}

/* The common part of created and resumed. new: nothing has been written yet. */
static JsonObject *
new_created_message (P2vSession *self, const char *type, gboolean new)
{
  JsonObject *message = p2v_message_new (type);
  json_object_set_string_member (message, "job", self->job->id);
  json_object_set_string_member (message, "token", self->job->token);
  json_object_set_string_member (message, "exports", self->exports);
  JsonArray *disks = json_array_new ();
  for (gsize i = 0; self->names[i] != NULL; i++)
    {
      const P2vReceiver *receiver = find_receiver (self, self->names[i], NULL);
      JsonObject *disk = json_object_new ();
      json_object_set_string_member (disk, "disk", self->names[i]);
      json_object_set_boolean_member (disk, "zeroed",
                                      new &&receiver != NULL &&is_zeroed (receiver->image));
      json_array_add_object_element (disks, disk);
    }
  json_object_set_array_member (message, "disks", disks);
  return message;
}

void
p2v_session_send_created (P2vSession *self)
{
  g_strfreev (self->names);
  self->names = g_strdupv (self->job->request->guest->disks);
  p2v_session_send (self, new_created_message (self, P2V_MESSAGE_CREATED, TRUE));
}

static void
send_runs (P2vSession *self, const P2vReceiver *receiver, GArray *runs, gboolean hashes)
{
  gint64 index = 0;
  while (self->names[index] != NULL && !g_str_equal (self->names[index], receiver->image->disk))
    index++;
  JsonObject *message = p2v_message_new (P2V_MESSAGE_MANIFEST);
  json_object_set_string_member (message, "disk", receiver->image->disk);
  json_object_set_int_member (message, "index", index);
  json_object_set_array_member (message, "chunks", p2v_chunk_runs_to_json (runs, hashes));
  p2v_session_send (self, message);
  g_array_set_size (runs, 0);
}

static void
send_manifest (P2vSession *self, const P2vReceiver *receiver, gboolean hashes)
{
  guint64 total = p2v_chunk_count (p2v_manifest_size (receiver->manifest));
  g_autoptr (GArray) runs = g_array_new (FALSE, TRUE, sizeof (P2vChunkRun));
  for (guint64 i = 0; i < total; i++)
    {
      P2vChunkRun run = { .first = i, .count = 1 };
      run.state = p2v_manifest_get (receiver->manifest, i, hashes ? &run.hash : NULL);
      if (run.state == P2V_CHUNK_UNKNOWN)
        continue;
      P2vChunkRun *last = runs->len > 0 ? &g_array_index (runs, P2vChunkRun, runs->len - 1) : NULL;
      if (last != NULL && last->state == run.state && last->first + last->count == i
          && (run.state != P2V_CHUNK_DATA || !hashes))
        last->count++;
      else
        g_array_append_val (runs, run);
      if (runs->len == P2V_RUNS_MAX)
        send_runs (self, receiver, runs, hashes);
    }
  send_runs (self, receiver, runs, hashes);
}

void
p2v_session_send_resumed (P2vSession *self, gboolean hashes)
{
  for (guint i = 0; i < self->receivers->len; i++)
    send_manifest (self, self->receivers->pdata[i], hashes);
  JsonObject *resumed = new_created_message (self, P2V_MESSAGE_RESUMED, FALSE);
  p2v_job_add_bad (self->job, resumed);
  p2v_session_send (self, resumed);
}
