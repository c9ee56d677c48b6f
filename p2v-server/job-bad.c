/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-bad.h"

#include "common/error.h"

/* The list is all that is lost of the disk: what else was listed has been read after all. */
static gboolean
says_all (JsonObject *message)
{
  JsonNode *all = json_object_get_member (message, "all");
  return all != NULL && JSON_NODE_HOLDS_VALUE (all) && json_node_get_boolean (all);
}

gboolean
p2v_job_record_bad (P2vJob *job, const char *disk, gint64 size, JsonObject *message, GError **error)
{
  gint64 before = p2v_bad_ranges_bytes (job->bad);
  g_autoptr (GPtrArray) now = p2v_bad_ranges_new ();
  g_autoptr (GPtrArray) ranges = p2v_bad_ranges_from_json (message, "ranges", disk, size, error);
  if (ranges == NULL)
    return FALSE;
  p2v_bad_ranges_set (now, job->bad);
  if (says_all (message))
    p2v_bad_ranges_remove (now, disk, 0, G_MAXINT64);
  p2v_bad_ranges_add_all (now, ranges);
  if (now->len > P2V_BAD_RANGES_MAX)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "the machine's disks cannot be read in more than %d places. Copy them with GNU "
                   "ddrescue to healthy disks or files, and convert these.",
                   P2V_BAD_RANGES_MAX);
      return FALSE;
    }
  /* A client that has lost its connection tells again what it does not know to have arrived. */
  if (p2v_bad_ranges_equal (job->bad, now))
    return TRUE;
  p2v_bad_ranges_set (job->bad, now);
  if (!p2v_job_save (job, error))
    return FALSE;
  gint64 saved = before - p2v_bad_ranges_bytes (now);
  if (saved > 0)
    {
      p2v_job_event (job, "info", P2V_STAGE_RECEIVE,
                     "%" G_GINT64_FORMAT " bytes of disk %s that could not be read before could be "
                     "read after all",
                     saved, disk);
      return TRUE;
    }
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
