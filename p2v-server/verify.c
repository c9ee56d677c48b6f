/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/verify.h"

#include "common/error.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/read-back.h"

#include <string.h>

/* A progress event at most this often, microseconds. */
#define PROGRESS_INTERVAL G_USEC_PER_SEC

/* How often a wait looks whether the thread has ended, microseconds. */
#define WAIT_PAUSE (20 * 1000)

/* So many bad chunks are named in messages. */
#define NAMED_MAX 8

struct _P2vVerify
{
  P2vJob *job; /* of it the thread reads the id and the directory, and appends events */
  P2vVerifyKind kind;
  GPtrArray *images; /* of P2vImage: copies, the thread's */
  GThread *thread;   /* NULL once it has been joined */
  gint stop, over;   /* atomic */

  /* The thread's, until it is over: */
  P2vVerification *result; /* then stolen by the job */
  GError *failure;
  gint64 done; /* chunks */
  gint64 told; /* monotonic microseconds, of the last event */
};

/* A disk that is being compared. */
typedef struct
{
  const char *disk;
  P2vManifest *manifest;
  P2vReadBack *image;
  gboolean forgotten; /* some chunks were */
} Comparison;

static void
clear_comparison (Comparison *comparison)
{
  g_clear_pointer (&comparison->manifest, p2v_manifest_free);
  g_clear_pointer (&comparison->image, p2v_read_back_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Comparison, clear_comparison)

static gint64
now_milliseconds (void)
{
  return g_get_real_time () / 1000;
}

static void
set_string (char **member, const char *value)
{
  g_free (*member);
  *member = g_strdup (value);
}

/* What is wrong with a chunk that has landed: P2V_BAD_…, NULL for nothing. */
static gboolean
compare_chunk (P2vVerify *self, Comparison *comparison, guint64 index, const char **problem,
               GError **error)
{
  P2vChunkHash expected, found;
  P2vChunkState state = p2v_manifest_get (comparison->manifest, index, &expected);
  gint64 offset = (gint64)(index * P2V_CHUNK_SIZE);
  gsize length = p2v_chunk_length (p2v_manifest_size (comparison->manifest), index);
  *problem = NULL;
  if (state == P2V_CHUNK_DATA)
    {
      if (!p2v_read_back_hash (comparison->image, offset, length, &found, error))
        return FALSE;
      if (memcmp (expected.bytes, found.bytes, sizeof found.bytes) != 0)
        *problem = P2V_BAD_DIFFERENT;
      else
        self->result->data++;
      return TRUE;
    }
  gboolean zero = FALSE;
  if (!p2v_read_back_is_zero (comparison->image, offset, length, &zero, error))
    return FALSE;
  if (!zero)
    *problem = P2V_BAD_NOT_ZERO;
  else
    self->result->zero++;
  return TRUE;
}

static gboolean
check_chunk (P2vVerify *self, Comparison *comparison, guint64 index, GError **error)
{
  const char *problem = NULL;
  g_autoptr (GError) failure = NULL;
  if (p2v_manifest_get (comparison->manifest, index, NULL) == P2V_CHUNK_UNKNOWN)
    {
      if (self->kind == P2V_VERIFY_AGAIN)
        {
          self->result->left++;
          return TRUE;
        }
      problem = P2V_BAD_UNRECORDED;
    }
  else if (!compare_chunk (self, comparison, index, &problem, &failure))
    {
      if (!g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      problem = P2V_BAD_UNREADABLE;
    }
  if (problem == NULL)
    return TRUE;
  p2v_verification_add_bad (self->result, comparison->disk, index, problem);
  comparison->forgotten = TRUE;
  return p2v_manifest_forget (comparison->manifest, index, error);
}

static void
tell (P2vVerify *self, const char *disk)
{
  gint64 now = g_get_monotonic_time ();
  if (now - self->told < PROGRESS_INTERVAL)
    return;
  self->told = now;
  g_autofree char *message = g_strdup_printf ("Comparing disk %s with what the machine read", disk);
  p2v_job_progress (self->job, P2V_STAGE_VERIFY, self->done * 100 / self->result->chunks, message);
}

static gboolean
open_comparison (P2vVerify *self, const P2vImage *image, Comparison *comparison, GError **error)
{
  g_autofree char *path = p2v_job_manifest_path (self->job, image->disk);
  comparison->disk = image->disk;
  comparison->manifest = p2v_manifest_open (path, TRUE, error);
  if (comparison->manifest == NULL)
    return FALSE;
  comparison->image = p2v_read_back_open (self->job, image, &self->stop, error);
  if (comparison->image == NULL)
    return FALSE;
  gint64 size = p2v_manifest_size (comparison->manifest);
  if (p2v_read_back_size (comparison->image) >= size)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
               "the image %s of disk %s holds %" G_GINT64_FORMAT " bytes; the disk has "
               "%" G_GINT64_FORMAT ". It was cut short on the server: convert the machine again.",
               image->path, image->disk, p2v_read_back_size (comparison->image), size);
  return FALSE;
}

static gboolean
compare_image (P2vVerify *self, const P2vImage *image, GError **error)
{
  g_auto (Comparison) comparison = { 0 };
  if (!open_comparison (self, image, &comparison, error))
    return FALSE;
  guint64 count = p2v_chunk_count (p2v_manifest_size (comparison.manifest));
  gboolean ok = TRUE;
  for (guint64 i = 0; ok && i < count; i++)
    {
      if (g_atomic_int_get (&self->stop) != 0)
        {
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "the comparison was stopped");
          ok = FALSE;
          break;
        }
      tell (self, image->disk);
      ok = check_chunk (self, &comparison, i, error);
      self->done++;
    }
  /* Also after a failure: what was forgotten until then stays so. */
  return (!comparison.forgotten || p2v_manifest_sync (comparison.manifest, ok ? error : NULL))
         && ok;
}

static void
fail_for_bad (P2vVerify *self)
{
  const P2vVerification *result = self->result;
  g_autofree char *names = p2v_verification_bad_text (result, NAMED_MAX);
  g_set_error (&self->failure, P2V_ERROR, P2V_ERROR_TRANSFER,
               "what the images hold is not what the machine read: %" G_GINT64_FORMAT
               " of %" G_GINT64_FORMAT
               " chunks of 4 MiB are bad (%s). They were changed or lost on "
               "the server after they had landed; look for the cause in its storage and memory "
               "(dmesg).",
               result->bad, result->chunks, names);
}

static gpointer
run (gpointer data)
{
  P2vVerify *self = data;
  P2vVerification *result = self->result;
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < self->images->len; i++)
    ok = compare_image (self, self->images->pdata[i], &self->failure);
  if (ok && result->bad > 0)
    fail_for_bad (self);
  else if (!ok)
    g_prefix_error (&self->failure, "the images cannot be compared with what the machine read: ");
  result->finished = now_milliseconds ();
  set_string (&result->state, self->failure != NULL ? P2V_VERIFICATION_FAILED
                              : result->left > 0    ? P2V_VERIFICATION_INCOMPLETE
                                                    : P2V_VERIFICATION_PASSED);
  if (self->failure != NULL)
    result->message = g_utf8_make_valid (self->failure->message, -1);
  /* The last: from here on all of it is the other thread's. */
  g_atomic_int_set (&self->over, 1);
  return NULL;
}

gboolean
p2v_verify_is_wanted (const P2vJob *job)
{
  return g_strcmp0 (job->request->output->verify, "off") != 0;
}

gboolean
p2v_verify_is_too_late (const P2vJob *job)
{
  static const char *const states[]
      = { P2V_JOB_COMMITTING, P2V_JOB_CONVERTED, P2V_JOB_DEFINING, P2V_JOB_DONE, NULL };
  gboolean failed = g_strcmp0 (job->state, P2V_JOB_FAILED) == 0;
  const char *state = failed ? job->failed_state : job->state;
  return state != NULL && g_strv_contains (states, state);
}

static void
replace_verification (P2vJob *job, P2vVerification *verification)
{
  p2v_verification_free (job->verification);
  job->verification = verification;
}

gboolean
p2v_verify_skip (P2vJob *job, GError **error)
{
  P2vVerification *verification = p2v_verification_new ();
  verification->state = g_strdup (P2V_VERIFICATION_OFF);
  g_autofree char *text = p2v_verification_text (verification);
  replace_verification (job, verification);
  p2v_job_event (job, "info", P2V_STAGE_VERIFY, "Verification %s", text);
  return p2v_job_save (job, error);
}

static P2vVerify *
verify_new (P2vJob *job, P2vVerifyKind kind)
{
  P2vVerify *self = g_new0 (P2vVerify, 1);
  self->job = job;
  self->kind = kind;
  self->images = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_image_free);
  self->result = p2v_verification_new ();
  self->result->started = now_milliseconds ();
  self->result->state = g_strdup (P2V_VERIFICATION_RUNNING);
  for (guint i = 0; job->plan != NULL && i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      g_ptr_array_add (self->images, p2v_schema_copy (&p2v_image_schema, image));
      self->result->chunks += (gint64)p2v_chunk_count (image->size);
    }
  return self;
}

P2vVerify *
p2v_verify_start (P2vJob *job, P2vVerifyKind kind, GError **error)
{
  g_autoptr (P2vVerify) self = verify_new (job, kind);
  replace_verification (job, p2v_schema_copy (&p2v_verification_schema, self->result));
  gboolean saved = kind == P2V_VERIFY_STAGE
                       ? p2v_job_stage_begin (job, P2V_STAGE_VERIFY, P2V_JOB_RECEIVED, error)
                       : p2v_job_save (job, error);
  if (!saved)
    return NULL;
  self->thread = g_thread_try_new ("verify", run, self, error);
  return self->thread == NULL ? NULL : g_steal_pointer (&self);
}

/* Puts the result into the job. */
static void
record (P2vVerify *self)
{
  P2vJob *job = self->job;
  g_autofree char *text = p2v_verification_text (self->result);
  replace_verification (job, g_steal_pointer (&self->result));
  if (self->failure == NULL)
    p2v_job_event (job, "info", P2V_STAGE_VERIFY, "Verification %s", text);
  gboolean ended = self->kind == P2V_VERIFY_STAGE && self->failure == NULL;
  g_autoptr (GError) error = NULL;
  if (!(ended ? p2v_job_stage_end (job, P2V_STAGE_VERIFY, job->state, &error)
              : p2v_job_save (job, &error))
      && self->failure == NULL)
    self->failure = g_steal_pointer (&error);
}

/* FALSE while the thread runs. */
static gboolean
collect (P2vVerify *self)
{
  if (self->thread == NULL)
    return TRUE;
  if (g_atomic_int_get (&self->over) == 0)
    return FALSE;
  g_thread_join (g_steal_pointer (&self->thread));
  if (g_error_matches (self->failure, P2V_ERROR, P2V_ERROR_CANCELLED))
    replace_verification (self->job, NULL);
  else
    record (self);
  return TRUE;
}

gboolean
p2v_verify_check (P2vVerify *verify, GError **error)
{
  if (verify == NULL || !collect (verify) || verify->failure == NULL)
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (verify->failure);
  return FALSE;
}

gboolean
p2v_verify_wait (P2vVerify *verify, GError **error)
{
  while (verify != NULL && !collect (verify))
    {
      if (p2v_job_cancel_requested (verify->job))
        g_atomic_int_set (&verify->stop, 1);
      g_usleep (WAIT_PAUSE);
    }
  return p2v_verify_check (verify, error);
}

gboolean
p2v_verify_is_over (const P2vVerify *verify)
{
  return verify == NULL || verify->thread == NULL;
}

void
p2v_verify_free (P2vVerify *verify)
{
  if (verify == NULL)
    return;
  if (verify->thread != NULL)
    {
      g_atomic_int_set (&verify->stop, 1);
      g_thread_join (verify->thread);
      replace_verification (verify->job, NULL);
    }
  g_clear_pointer (&verify->result, p2v_verification_free);
  g_clear_error (&verify->failure);
  g_ptr_array_unref (verify->images);
  g_free (verify);
}
