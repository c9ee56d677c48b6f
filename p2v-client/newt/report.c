/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/i18n.h"
#include "p2v-client/newt/task.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/stick-report.h"
#include "p2v-client/text.h"

/* Sticks that are shown at a time. */
#define ROWS 6

typedef struct
{
  const P2vFrontEnd *front_end;
  GPtrArray *sticks;
  P2vStickReport *report;
  const P2vStick *stick;
} Saving;

static gboolean
find (gpointer data, GCancellable *cancellable, GError **error G_GNUC_UNUSED)
{
  Saving *saving = data;
  saving->sticks = p2v_stick_find (saving->front_end->root,
                                   saving->front_end->request->guest->disks, cancellable);
  return TRUE;
}

static gboolean
save (gpointer data, GCancellable *cancellable, GError **error)
{
  Saving *saving = data;
  return p2v_stick_report_save (saving->report, saving->stick, cancellable, error);
}

/* One of several; NULL when the person wants none. */
static const P2vStick *
choose (const GPtrArray *sticks)
{
  static const char *const labels[] = { N_ ("Save"), N_ ("Back"), NULL };
  g_autoptr (P2vWindow) window
      = p2v_window_new (_ ("Save the report to which stick?"), P2V_TEXT_WIDTH - 2, ROWS + 1);
  newtComponent list = p2v_window_add (
      window, newtListbox (1, 0, ROWS, sticks->len > ROWS ? NEWT_FLAG_SCROLL : 0));
  for (guint i = 0; i < sticks->len; i++)
    {
      const P2vStick *stick = sticks->pdata[i];
      newtListboxAppendEntry (list, stick->text, stick);
    }
  p2v_window_add_buttons (window, labels);
  p2v_window_focus (window, list);
  return p2v_window_run (window) == 0 ? newtListboxGetCurrent (list) : NULL;
}

static void
save_to (Saving *saving)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vStickReport) report
      = p2v_stick_report_new (saving->front_end->config, saving->front_end->request,
                              saving->front_end->failure, saving->front_end->log->str);
  saving->report = report;
  if (p2v_task_run (_ ("One moment"), _ ("Saving the report ..."), save, saving, &error))
    {
      g_autofree char *text
          = g_strdup_printf (_ ("It is on %s, as %s. The stick can be pulled out."),
                             saving->stick->text, p2v_stick_report_name (report));
      p2v_window_say (_ ("The report is saved"), text);
      return;
    }
  g_autofree char *why = p2v_front_end_explain (saving->front_end, error);
  p2v_window_say (_ ("The report could not be saved"), why);
}

void
p2v_report_ask (P2vFrontEnd *self)
{
  Saving saving = { .front_end = self };
  p2v_task_run (_ ("One moment"), _ ("Looking for USB sticks ..."), find, &saving, NULL);
  g_autoptr (GPtrArray) sticks = saving.sticks;
  if (sticks->len == 0)
    {
      p2v_window_say (_ ("No USB stick was found"),
                      _ ("Plug in one with a FAT, exFAT or ext4 filesystem, wait a moment, and "
                         "press the button "
                         "again. Disks that are converted are never written to."));
      return;
    }
  saving.stick = sticks->len == 1 ? sticks->pdata[0] : choose (sticks);
  if (saving.stick != NULL)
    save_to (&saving);
}
