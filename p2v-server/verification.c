/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/verification.h"

static const P2vField bad_chunk_fields[] = {
  P2V_FIELD (STRING, P2vBadChunk, disk),
  P2V_FIELD_RANGE (P2vBadChunk, chunk, 0, G_MAXINT64),
  P2V_FIELD (STRING, P2vBadChunk, problem),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vBadChunk, p2v_bad_chunk, "bad chunk", bad_chunk_fields)

static const P2vField verification_fields[] = {
  P2V_FIELD (STRING, P2vVerification, state),
  P2V_FIELD_RANGE (P2vVerification, started, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vVerification, finished, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vVerification, chunks, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vVerification, data, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vVerification, zero, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vVerification, bad, 0, G_MAXINT64),
  P2V_FIELD_RANGE (P2vVerification, left, 0, G_MAXINT64),
  P2V_FIELD_NESTED (ARRAY, P2vVerification, bad_chunks, &p2v_bad_chunk_schema),
  P2V_FIELD (STRING, P2vVerification, message),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vVerification, p2v_verification, "verification", verification_fields)

void
p2v_verification_add_bad (P2vVerification *verification, const char *disk, guint64 chunk,
                          const char *problem)
{
  verification->bad++;
  if (verification->bad_chunks->len >= P2V_BAD_CHUNKS_MAX)
    return;
  P2vBadChunk *bad = p2v_bad_chunk_new ();
  bad->disk = g_strdup (disk);
  bad->chunk = (gint64)chunk;
  bad->problem = g_strdup (problem);
  g_ptr_array_add (verification->bad_chunks, bad);
}

char *
p2v_verification_bad_text (const P2vVerification *verification, guint max)
{
  const GPtrArray *chunks = verification->bad_chunks;
  guint shown = MIN (max, chunks->len);
  if (shown == 0)
    return NULL;
  GString *text = g_string_new (NULL);
  const char *disk = NULL;
  for (guint i = 0; i < shown; i++)
    {
      const P2vBadChunk *bad = chunks->pdata[i];
      if (g_strcmp0 (disk, bad->disk) != 0)
        g_string_append_printf (text, "%sdisk %s: chunk ", disk == NULL ? "" : "; ", bad->disk);
      else
        g_string_append (text, ", ");
      g_string_append_printf (text, "%" G_GINT64_FORMAT " (%s)", bad->chunk, bad->problem);
      disk = bad->disk;
    }
  gint64 more = verification->bad - shown;
  if (more > 0)
    g_string_append_printf (text, " and %" G_GINT64_FORMAT " more", more);
  return g_string_free (text, FALSE);
}

static char *
passed_text (const P2vVerification *verification)
{
  gint64 compared = verification->data + verification->zero;
  GString *text = g_string_new (NULL);
  if (verification->left > 0)
    g_string_append_printf (text,
                            "incomplete: %" G_GINT64_FORMAT " chunks are what the machine read; "
                            "still to come: %" G_GINT64_FORMAT,
                            compared, verification->left);
  else
    g_string_append_printf (
        text, "passed: all %" G_GINT64_FORMAT " chunks are what the machine read", compared);
  g_string_append_printf (text,
                          " (compared: %" G_GINT64_FORMAT " data; %" G_GINT64_FORMAT
                          " zero or skipped, which read as zeroes)",
                          verification->data, verification->zero);
  return g_string_free (text, FALSE);
}

char *
p2v_verification_text (const P2vVerification *verification)
{
  const char *state = verification->state;
  if (g_strcmp0 (state, P2V_VERIFICATION_OFF) == 0)
    return g_strdup ("off: not compared with what the machine read (p2v.verify=off)");
  if (g_strcmp0 (state, P2V_VERIFICATION_RUNNING) == 0)
    return g_strdup ("running");
  if (g_strcmp0 (state, P2V_VERIFICATION_PASSED) == 0
      || g_strcmp0 (state, P2V_VERIFICATION_INCOMPLETE) == 0)
    return passed_text (verification);
  if (verification->bad == 0)
    return g_strdup_printf ("could not be carried out: %s", verification->message != NULL
                                                                ? verification->message
                                                                : "no reason known");
  return g_strdup_printf ("failed: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                          " chunks are not what the machine read",
                          verification->bad, verification->chunks);
}
