/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/state.h"

#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <string.h>

#define SENDING _ ("Sending the disks")
#define WAITING _ ("Waiting for the server")

static void
free_disk (P2vKioskDisk *disk)
{
  g_free (disk->name);
  g_free (disk);
}

P2vKioskState *
p2v_kiosk_state_new (const char *activity)
{
  P2vKioskState *state = g_new0 (P2vKioskState, 1);
  state->activity = g_strdup (activity);
  state->percent = -1;
  state->time_left = -1;
  state->disks = g_ptr_array_new_with_free_func ((GDestroyNotify)free_disk);
  state->bad = p2v_bad_ranges_new ();
  state->warnings = g_ptr_array_new_with_free_func (g_free);
  state->rates = g_array_new (FALSE, FALSE, sizeof (P2vKioskRate));
  g_queue_init (&state->log);
  return state;
}

void
p2v_kiosk_state_free (P2vKioskState *state)
{
  if (state == NULL)
    return;
  g_free (state->activity);
  g_free (state->pause);
  g_free (state->pause_why);
  p2v_unfinished_free (state->unfinished);
  g_free (state->program);
  g_free (state->job);
  g_free (state->place);
  p2v_verified_free (state->verified);
  g_free (state->failed);
  g_free (state->stay);
  g_ptr_array_unref (state->disks);
  g_ptr_array_unref (state->bad);
  g_ptr_array_unref (state->warnings);
  g_array_unref (state->rates);
  g_queue_clear_full (&state->log, g_free);
  g_free (state);
}

static void
set_text (char **member, const char *text)
{
  g_free (*member);
  *member = p2v_text_printable (text);
}

static void
begin (P2vKioskState *state, const char *activity)
{
  set_text (&state->activity, activity);
  state->percent = -1;
}

static void
begin_pause (P2vKioskState *state, const char *what, const char *why, gboolean lost)
{
  state->lost = lost;
  set_text (&state->pause, what);
  set_text (&state->pause_why, why);
}

static void
end_pause (P2vKioskState *state)
{
  g_clear_pointer (&state->pause, g_free);
  g_clear_pointer (&state->pause_why, g_free);
  state->lost = FALSE;
}

char *
p2v_kiosk_state_kept (const P2vKioskState *state)
{
  if (!state->lost || state->landed || state->job == NULL)
    return NULL;
  return g_strdup_printf (_ ("The server cannot be told: it keeps what it has received. On the "
                             "server p2v-server cancel %s removes it."),
                          state->job);
}

static const char *
stage_activity (const char *stage)
{
  static const char *const activities[][2] = {
    { P2V_STAGE_PREPARE, N_ ("Preparing the disks on the server") },
    { P2V_STAGE_RECEIVE, N_ ("Sending the disks") },
    { P2V_STAGE_VERIFY, N_ ("Verifying on the server what has landed") },
    { P2V_STAGE_CONVERT, N_ ("Converting on the server") },
    { P2V_STAGE_DEFINE, N_ ("Defining the guest on the server") },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (activities); i++)
    if (g_strcmp0 (stage, activities[i][0]) == 0)
      return _ (activities[i][1]);
  return stage;
}

static void
add_warning (P2vKioskState *state, const char *text)
{
  g_autofree char *warning = p2v_text_printable (text);
  if (warning[0] != '\0'
      && !g_ptr_array_find_with_equal_func (state->warnings, warning, g_str_equal, NULL))
    g_ptr_array_add (state->warnings, g_steal_pointer (&warning));
}

static void
note_event (P2vKioskState *state, const P2vEvent *event)
{
  const char *stage = stage_activity (event->stage);
  if (g_strcmp0 (event->kind, "warning") == 0)
    add_warning (state, event->message);
  else if (g_strcmp0 (event->kind, "started") == 0 && stage != NULL)
    begin (state, stage);
  else if (g_strcmp0 (event->kind, "failed") == 0)
    set_text (&state->failed, stage != NULL ? stage : state->activity);
  /* While disks are sent, their own bars say more; of two stages side by side the one that began
   * last is shown. */
  else if (g_strcmp0 (event->kind, "progress") == 0
           && g_strcmp0 (event->stage, P2V_STAGE_RECEIVE) != 0
           && g_strcmp0 (stage, state->activity) == 0)
    state->percent = CLAMP (event->percent, 0, 100);
}

static P2vKioskDisk *
find_disk (P2vKioskState *state, const char *name)
{
  for (guint i = 0; i < state->disks->len; i++)
    if (strcmp (((P2vKioskDisk *)state->disks->pdata[i])->name, name) == 0)
      return state->disks->pdata[i];
  P2vKioskDisk *disk = g_new0 (P2vKioskDisk, 1);
  disk->name = g_strdup (name);
  g_ptr_array_add (state->disks, disk);
  return disk;
}

/* One a second is enough for a picture, and the old ones go. */
static void
note_rate (P2vKioskState *state, double rate)
{
  P2vKioskRate now = { g_get_monotonic_time (), rate };
  const P2vKioskRate *last
      = state->rates->len > 0 ? &g_array_index (state->rates, P2vKioskRate, state->rates->len - 1)
                              : NULL;
  if (last != NULL && now.time - last->time < G_USEC_PER_SEC)
    return;
  guint old = 0;
  while (old < state->rates->len
         && now.time - g_array_index (state->rates, P2vKioskRate, old).time
                > P2V_KIOSK_RATE_SECONDS * G_USEC_PER_SEC)
    old++;
  if (old > 0)
    g_array_remove_range (state->rates, 0, old);
  g_array_append_val (state->rates, now);
}

/* It may begin again after everything has landed: the server asks for what it has found damaged. */
static void
note_progress (P2vKioskState *state, const P2vUpdate *update)
{
  if (state->disks->len == 0 || state->landed)
    begin (state, SENDING);
  state->landed = FALSE;
  for (gsize i = 0; i < update->n_disks; i++)
    {
      P2vKioskDisk *disk = find_disk (state, update->disks[i].name);
      disk->size = update->disks[i].size;
      disk->done = update->disks[i].done;
    }
  state->rate = update->rate;
  state->time_left = update->time_left;
  note_rate (state, update->rate);
}

static void
log_text (P2vKioskState *state, const char *what, const char *text)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%H:%M:%S");
  g_autofree char *line = g_strdup_printf ("%s  %s%s%s", time, what, what[0] != '\0' ? " " : "",
                                           text != NULL ? text : "");
  g_queue_push_tail (&state->log, p2v_text_printable (line));
  state->logged++;
  if (state->log.length > P2V_KIOSK_LOG_LINES)
    g_free (g_queue_pop_head (&state->log));
}

static void
log_event (P2vKioskState *state, const P2vEvent *event)
{
  g_autofree char *what = g_strjoin (" ", event->stage != NULL ? event->stage : "job",
                                     event->kind != NULL ? event->kind : "", NULL);
  log_text (state, what, event->message);
}

/* What a person may want to read afterwards; progress is left out. */
static void
log_update (P2vKioskState *state, const P2vUpdate *update)
{
  switch (update->kind)
    {
    case P2V_UPDATE_MAPPING:
    case P2V_UPDATE_PROGRESS:
    case P2V_UPDATE_BAD: /* comes as an event, too */
      break;
    case P2V_UPDATE_EVENT:
      log_event (state, update->event);
      break;
    case P2V_UPDATE_CREATED:
      log_text (state, "job", update->text);
      break;
    case P2V_UPDATE_LANDED:
      log_text (state, "", "everything has reached the server");
      break;
    case P2V_UPDATE_WARNING:
      log_text (state, "warning", update->text);
      break;
    case P2V_UPDATE_CONNECTED:
    case P2V_UPDATE_MAP:
    case P2V_UPDATE_LOST:
    case P2V_UPDATE_RESTORED:
    case P2V_UPDATE_PAUSED:
    case P2V_UPDATE_DONE:
      log_text (state, "", update->text);
      break;
    }
}

void
p2v_kiosk_state_update (P2vKioskState *state, const P2vUpdate *update)
{
  log_update (state, update);
  switch (update->kind)
    {
    case P2V_UPDATE_CONNECTED:
      set_text (&state->program, update->text);
      begin (state, _ ("Describing this machine to the server"));
      break;
    case P2V_UPDATE_MAPPING:
      begin (state, _ ("Asking the filesystems what is in use"));
      break;
    case P2V_UPDATE_MAP:
      break;
    case P2V_UPDATE_CREATED:
      set_text (&state->job, update->text);
      begin (state, _ ("Opening the disks"));
      break;
    case P2V_UPDATE_PROGRESS:
      note_progress (state, update);
      break;
    case P2V_UPDATE_LANDED:
      state->landed = TRUE;
      g_clear_pointer (&state->stay, g_free);
      if (update->text != NULL)
        set_text (&state->stay, update->text);
      state->rate = 0;
      state->time_left = -1;
      end_pause (state);
      begin (state, WAITING);
      break;
    case P2V_UPDATE_EVENT:
      note_event (state, update->event);
      break;
    case P2V_UPDATE_LOST:
      begin_pause (state, _ ("Reconnecting to the server"), update->text, TRUE);
      break;
    case P2V_UPDATE_PAUSED:
      begin_pause (state, _ ("Waiting for space on the server"), update->text, FALSE);
      break;
    case P2V_UPDATE_RESTORED:
      end_pause (state);
      break;
    case P2V_UPDATE_WARNING:
      add_warning (state, update->text);
      break;
    case P2V_UPDATE_BAD:
      p2v_bad_ranges_set (state->bad, update->bad);
      break;
    case P2V_UPDATE_DONE:
      set_text (&state->place, update->text);
      p2v_verified_free (state->verified);
      state->verified = update->verified != NULL
                            ? p2v_schema_copy (&p2v_verified_schema, update->verified)
                            : NULL;
      break;
    }
}

void
p2v_kiosk_state_ask (P2vKioskState *state, P2vUnfinished *unfinished)
{
  if (unfinished == NULL && state->unfinished == NULL)
    return;
  p2v_unfinished_free (state->unfinished);
  state->unfinished = unfinished;
  begin (state, unfinished != NULL ? _ ("Waiting for your answer") : WAITING);
}

char *
p2v_kiosk_state_log_text (const P2vKioskState *state)
{
  GString *text = g_string_new (NULL);
  for (const GList *line = state->log.head; line != NULL; line = line->next)
    g_string_append_printf (text, "%s\n", (const char *)line->data);
  return g_string_free (text, FALSE);
}

void
p2v_kiosk_state_totals (const P2vKioskState *state, gint64 *done, gint64 *size)
{
  *done = *size = 0;
  for (guint i = 0; i < state->disks->len; i++)
    {
      const P2vKioskDisk *disk = state->disks->pdata[i];
      *done += disk->done;
      *size += disk->size;
    }
}

P2vUpdate *
p2v_update_copy (const P2vUpdate *update)
{
  P2vUpdate *copy = g_memdup2 (update, sizeof *update);
  P2vDiskProgress *disks = g_memdup2 (update->disks, sizeof *disks * update->n_disks);
  for (gsize i = 0; i < update->n_disks; i++)
    disks[i].name = g_strdup (update->disks[i].name);
  copy->text = g_strdup (update->text);
  copy->disks = disks;
  if (update->bad != NULL)
    {
      GPtrArray *bad = p2v_bad_ranges_new ();
      p2v_bad_ranges_add_all (bad, update->bad);
      copy->bad = bad;
    }
  if (update->event != NULL)
    copy->event = p2v_schema_copy (&p2v_event_schema, update->event);
  if (update->verified != NULL)
    copy->verified = p2v_schema_copy (&p2v_verified_schema, update->verified);
  return copy;
}

void
p2v_update_free (P2vUpdate *update)
{
  if (update == NULL)
    return;
  for (gsize i = 0; i < update->n_disks; i++)
    g_free ((char *)update->disks[i].name);
  g_free ((gpointer)update->disks);
  g_free ((char *)update->text);
  p2v_event_free ((P2vEvent *)update->event);
  p2v_verified_free ((P2vVerified *)update->verified);
  if (update->bad != NULL)
    g_ptr_array_unref ((GPtrArray *)update->bad);
  g_free (update);
}
