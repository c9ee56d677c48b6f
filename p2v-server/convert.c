/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/convert.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "common/error.h"
#include "p2v-server/hypervisor.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/overlay.h"
#include "p2v-server/tool.h"
#include "p2v-server/uefi.h"
#include "p2v-server/v2v.h"

#define LOG_FILE "convert.log"
#define XML_FILE "convert.xml"
#define INSPECTION_FILE "convert-inspection.xml"

/* Where in the stage's percent virt-v2v ends and the commit begins; the rest is the boot loader. */
#define V2V_PERCENT 85
#define COMMIT_PERCENT 88

/* With less than this free on the filesystem of the overlays after a failure, bytes, space is what
 * was missing: qcow2 grows by clusters and refcount blocks of 64 KiB. */
#define SPACE_GONE (16 * 1024 * 1024)

typedef struct
{
  const P2vServerConfig *config;
  P2vJob *job;
  P2vVerify *verify; /* NULL for none */
  char *log;
  char *xml;
  char *inspection;
  char **environment;
} Convert;

static void
clear_convert (Convert *convert)
{
  g_free (convert->log);
  g_free (convert->xml);
  g_free (convert->inspection);
  g_strfreev (convert->environment);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Convert, clear_convert)

static gboolean
write_xml (const Convert *convert, gboolean overlays, GError **error)
{
  const P2vJob *job = convert->job;
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      g_ptr_array_add (paths, overlays ? p2v_overlay_path (job, image) : g_strdup (image->path));
    }
  g_autofree char *text = p2v_v2v_build_xml (job, (char **)paths->pdata, overlays ? "qcow2" : NULL);
  return g_file_set_contents_full (convert->xml, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                   error);
}

/* Reads the report from virt-v2v's output; the file of -O where this virt-v2v writes one. */
static P2vReport *
read_report (const Convert *convert, GMappedFile *log, GError **error)
{
  g_autoptr (P2vReport) report = p2v_report_parse_log (
      g_mapped_file_get_contents (log), (gssize)g_mapped_file_get_length (log), error);
  if (report == NULL)
    return NULL;
  g_autofree char *text = NULL;
  gsize length = 0;
  if (g_file_get_contents (convert->inspection, &text, &length, NULL))
    {
      g_autoptr (P2vReport) inspection = p2v_report_parse_xml (text, (gssize)length, error);
      if (inspection == NULL)
        return NULL;
      p2v_report_adopt_inspection (report, inspection);
    }
  return g_steal_pointer (&report);
}

static gboolean
is_uefi (const P2vJob *job)
{
  return !g_str_equal (p2v_request_firmware (job->request), P2V_FIRMWARE_BIOS);
}

/* The images are written to from here on, or read by what makes a guest of them: only when they are
 * what the machine read. */
static gboolean
wait_for_verification (const Convert *convert, gint64 percent, GError **error)
{
  if (!p2v_verify_is_over (convert->verify))
    p2v_job_progress (convert->job, P2V_STAGE_CONVERT, percent,
                      "Waiting until the images are compared with what the machine read");
  return p2v_verify_wait (convert->verify, error);
}

/* Everything that happens on the overlays. */
static P2vReport *
convert_overlays (const Convert *convert, GError **error)
{
  P2vJob *job = convert->job;
  g_auto (GStrv) capabilities = p2v_v2v_capabilities ("virt-v2v-in-place", error);
  if (capabilities == NULL)
    return NULL;
  g_auto (GStrv) argv = p2v_v2v_in_place_arguments (job->plan, (const char *const *)capabilities,
                                                    convert->xml, convert->inspection, error);
  if (argv == NULL || !p2v_overlays_create (job, convert->log, error)
      || !write_xml (convert, TRUE, error)
      || !p2v_v2v_run (convert->config, job, argv, convert->environment, convert->log, V2V_PERCENT,
                       convert->verify, error))
    return NULL;
  g_autoptr (GMappedFile) log = g_mapped_file_new (convert->log, FALSE, error);
  g_autoptr (P2vReport) report = log == NULL ? NULL : read_report (convert, log, error);
  if (report != NULL && is_uefi (job))
    {
      g_auto (GStrv) partitions = p2v_uefi_find_partitions (g_mapped_file_get_contents (log),
                                                            g_mapped_file_get_length (log));
      p2v_uefi_fix_fallback (job, partitions, convert->environment, convert->log);
    }
  return g_steal_pointer (&report);
}

/* A full disk shows in virt-v2v's output as anything but that: the appliance sees I/O errors. */
static void
explain_space (const P2vJob *job, GError **error)
{
  struct statvfs fs;
  if (statvfs (job->dir, &fs) == 0 && (guint64)fs.f_bavail * fs.f_frsize < SPACE_GONE)
    g_prefix_error (error,
                    "no space is left on the server in %s, where the conversion keeps its changes; "
                    "free some (a few GiB for each guest) and retry the job. ",
                    job->dir);
}

static gboolean
commit (const Convert *convert, GError **error)
{
  P2vJob *job = convert->job;
  if (p2v_overlays_commit (job, convert->log, COMMIT_PERCENT, 100, error))
    {
      g_unlink (convert->xml);
      g_unlink (convert->inspection);
      return p2v_job_set_state (job, P2V_JOB_CONVERTED, error);
    }
  explain_space (job, error);
  return FALSE;
}

/* From here to the end of the commit the images are neither as received nor converted. The
 * overlays, the state and the report are on disk before the first byte is written, so that whoever
 * continues after a crash commits again, the same, and does not convert a half-converted image. */
static gboolean
convert_in_place (const Convert *convert, GError **error)
{
  P2vJob *job = convert->job;
  g_autoptr (GError) failure = NULL;
  P2vReport *report = convert_overlays (convert, &failure);
  if (report == NULL)
    explain_space (job, &failure);
  else if (!wait_for_verification (convert, COMMIT_PERCENT, &failure))
    g_clear_pointer (&report, p2v_report_free);
  if (report == NULL)
    {
      p2v_overlays_remove (job);
      g_unlink (convert->inspection);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  job->report = report;
  return p2v_job_check_cancelled (job, error) && p2v_overlays_sync (job, error)
         && p2v_job_set_state (job, P2V_JOB_COMMITTING, error) && commit (convert, error);
}

static gboolean
convert_to_output (const Convert *convert, GError **error)
{
  const P2vJob *job = convert->job;
  g_auto (GStrv) capabilities = p2v_v2v_capabilities ("virt-v2v", error);
  if (capabilities == NULL)
    return FALSE;
  g_auto (GStrv) argv = p2v_v2v_output_arguments (
      job->plan, job->request->guest->name, (const char *const *)capabilities, convert->xml, error);
  gboolean ok = argv != NULL && write_xml (convert, FALSE, error)
                && wait_for_verification (convert, 0, error)
                && p2v_v2v_run (convert->config, convert->job, argv, convert->environment,
                                convert->log, 100, convert->verify, error)
                && p2v_job_set_state (convert->job, P2V_JOB_CONVERTED, error);
  if (ok)
    g_unlink (convert->xml);
  return ok;
}

/* Begins anew: what an earlier attempt has left would be mistaken for this one's. */
static gboolean
begin (const Convert *convert, GError **error)
{
  P2vJob *job = convert->job;
  g_clear_pointer (&job->report, p2v_report_free);
  g_unlink (convert->inspection);
  if (g_unlink (convert->log) != 0 && errno != ENOENT)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT, "cannot replace %s: %s.", convert->log,
                   g_strerror (errno));
      return FALSE;
    }
  return p2v_job_set_state (job, P2V_JOB_CONVERTING, error);
}

static gboolean
run (Convert *convert, GError **error)
{
  P2vJob *job = convert->job;
  if (g_strcmp0 (job->state, P2V_JOB_COMMITTING) == 0)
    {
      if (job->report != NULL)
        return commit (convert, error);
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                   "the job's file says that its changes were being written into the images, but "
                   "not what was converted; it is damaged. Convert the machine again.");
      return FALSE;
    }
  if (!begin (convert, error))
    return FALSE;
  g_autoptr (P2vHypervisor) hypervisor = p2v_hypervisor_probe ();
  convert->environment = p2v_v2v_environment (hypervisor->kvm);
  if (!hypervisor->kvm)
    p2v_job_event (job, "warning", P2V_STAGE_CONVERT,
                   "without KVM the conversion takes many times longer: %s",
                   hypervisor->kvm_problem == NULL ? "no reason known" : hypervisor->kvm_problem);
  return strcmp (job->plan->method, "virt-v2v") == 0 ? convert_to_output (convert, error)
                                                     : convert_in_place (convert, error);
}

gboolean
p2v_convert_run (const P2vServerConfig *config, P2vJob *job, P2vVerify *verify, P2vReport **report,
                 GError **error)
{
  *report = NULL;
  g_auto (Convert) convert = { .config = config,
                               .job = job,
                               .verify = verify,
                               .log = p2v_job_path (job, LOG_FILE),
                               .xml = p2v_job_path (job, XML_FILE),
                               .inspection = p2v_job_path (job, INSPECTION_FILE) };
  g_autoptr (GError) failure = NULL;
  if (run (&convert, &failure))
    {
      *report = job->report;
      return TRUE;
    }
  /* A refusal of a value stays one, and so does an end that somebody wanted; whatever else went
   * wrong, it was the conversion. */
  if (!g_error_matches (failure, P2V_ERROR, P2V_ERROR_REFUSED)
      && !g_error_matches (failure, P2V_ERROR, P2V_ERROR_CANCELLED))
    p2v_error_recode (&failure, P2V_ERROR_CONVERT);
  /* What to do next is said by who shows the failure: p2v_job_next_step(), and the session. */
  if (g_file_test (convert.log, G_FILE_TEST_EXISTS))
    g_set_error (error, failure->domain, failure->code, "%s All that virt-v2v said is in %s",
                 failure->message, convert.log);
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
