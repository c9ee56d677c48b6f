/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/follow.h"

#include "p2v-server/job-text.h"
#include "p2v-server/table.h"

#include <stdio.h>

/* How often a followed job is looked at, microseconds. */
#define PAUSE (250 * 1000)

/* Between two processes (the session that received, the worker that converts) nobody holds the
 * job. Only after so many looks in a row does that mean that nobody will. */
#define IDLE_LOOKS 20

static void
print_event (const P2vEvent *event, gboolean json)
{
  if (json)
    {
      g_autoptr (JsonObject) object = p2v_event_to_json (event);
      g_autofree char *text = p2v_json_to_text (object, FALSE);
      g_print ("%s\n", text);
      return;
    }
  g_autofree char *time = p2v_text_time (event->time);
  g_autofree char *text = p2v_event_text (event);
  g_autofree char *clean = p2v_text_clean (text);
  g_print ("%s  %s\n", time, clean);
}

static gboolean
is_superseded (const P2vEvent *event, const P2vEvent *next)
{
  return g_strcmp0 (event->kind, "progress") == 0 && g_strcmp0 (next->kind, "progress") == 0
         && g_strcmp0 (event->stage, next->stage) == 0
         && g_strcmp0 (event->message, next->message) == 0;
}

gboolean
p2v_follow_print (const P2vJob *job, goffset *offset, gboolean json, GError **error)
{
  g_autoptr (GPtrArray) events = p2v_job_read_events (job, offset, error);
  if (events == NULL)
    return FALSE;
  for (guint i = 0; i < events->len; i++)
    if (json || i + 1 == events->len || !is_superseded (events->pdata[i], events->pdata[i + 1]))
      print_event (events->pdata[i], json);
  fflush (stdout);
  return TRUE;
}

gboolean
p2v_follow_run (const P2vServerConfig *config, P2vJob **job, goffset *offset, gboolean json,
                GError **error)
{
  int idle = 0;
  for (;;)
    {
      /* The order matters: what was said before the last look at the state is printed, too. */
      P2vJob *now = p2v_job_load (config, (*job)->id, error);
      if (now == NULL)
        return FALSE;
      p2v_job_free (*job);
      *job = now;
      gboolean busy = p2v_job_is_busy (now);
      if (!p2v_follow_print (now, offset, json, error))
        return FALSE;
      idle = busy ? 0 : idle + 1;
      if (!busy && (p2v_job_is_final (now) || idle >= IDLE_LOOKS))
        return TRUE;
      g_usleep (PAUSE);
    }
}
