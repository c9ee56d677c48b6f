/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-bad.h"

#include "common/error.h"

gboolean
p2v_job_record_bad (P2vJob *job, const char *disk, gint64 size, JsonObject *message, GError **error)
{
  gint64 before = p2v_bad_ranges_bytes (job->bad);
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_from_json (message, "ranges", disk, size, error);
  if (ranges == NULL)
    return FALSE;
  p2v_bad_ranges_add_all (job->bad, ranges);
  if (job->bad->len > P2V_BAD_RANGES_MAX)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "the machine's disks cannot be read in more than %d places. Copy them with GNU "
                   "ddrescue to healthy disks or files, and convert these.",
                   P2V_BAD_RANGES_MAX);
      return FALSE;
    }
  /* A client that has lost its connection tells again what it does not know to have arrived. */
  if (p2v_bad_ranges_bytes (job->bad) == before)
    return TRUE;
  if (!p2v_job_save (job, error))
    return FALSE;
  g_autofree char *text = p2v_bad_ranges_text (ranges);
  p2v_job_event (job, "warning", P2V_STAGE_RECEIVE, "%s", text);
  return TRUE;
}

void
p2v_job_add_bad (const P2vJob *job, JsonObject *message)
{
  if (job->bad->len > 0)
    json_object_set_array_member (message, "bad", p2v_bad_ranges_to_json (job->bad));
}
