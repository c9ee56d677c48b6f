/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/ending.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

#define LABEL_WIDTH 10

#include <string.h>

/* What can be done next; the buttons' order. */
typedef enum
{
  ACTION_POWER_OFF,
  ACTION_REBOOT,
  ACTION_AGAIN,
  ACTION_LOG,
  ACTION_REPORT,
  ACTION_SHELL,
  ACTION_QUIT,
  N_ACTIONS
} Action;

static const char *const action_labels[N_ACTIONS]
    = { N_ ("Power off"), N_ ("Reboot"), N_ ("Again"), N_ ("Log"),
        N_ ("Report"),    N_ ("Shell"),  N_ ("Quit") };

/* Switching off is only for a machine that runs for nothing else. */
static gboolean
is_offered (const P2vFrontEnd *self, Action action)
{
  if (action == ACTION_AGAIN || action == ACTION_LOG)
    return TRUE;
  if (action == ACTION_REPORT)
    return self->failure != NULL || self->bad->len > 0;
  return action == ACTION_QUIT ? !self->live : self->live;
}

static char *
describe_loss (const P2vFrontEnd *self)
{
  if (self->bad->len == 0)
    return g_strdup ("");
  g_autofree char *what = p2v_bad_ranges_text (self->bad);
  g_autofree char *shown = p2v_text_printable (what);
  return g_strdup_printf (_ ("NOT ALL COULD BE READ: %s. Check its filesystems, and restore from a "
                             "backup what lies there.\n\n"),
                          shown);
}

static void
add_fact (GString *text, const char *label, const char *value)
{
  g_autofree char *padded = p2v_text_pad (label, LABEL_WIDTH);
  g_string_append_printf (text, "%s%s\n", padded, value);
}

static char *
describe_success (const P2vFrontEnd *self)
{
  g_autofree char *duration = p2v_duration_format (self->microseconds / G_USEC_PER_SEC);
  g_autofree char *lost = describe_loss (self);
  P2vEnding ending = { self->config, self->request, self->job, self->place, self->verified };
  g_autofree char *headline = p2v_ending_headline (&ending);
  g_autofree char *checks = p2v_ending_checks (&ending);
  g_autofree char *next = p2v_ending_next_step (&ending);
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%s. %s\n\n%s%s\n\n", headline, next, lost, checks);
  add_fact (text, _ ("Guest"), self->request->guest->name);
  if (self->place != NULL)
    add_fact (text, _ ("Place"), self->place);
  add_fact (text, _ ("Server"), self->config->server);
  add_fact (text, _ ("Job"), self->job);
  add_fact (text, _ ("Time"), duration);
  g_string_append_printf (text, _ ("`p2v-server show %s` on the server tells more."), self->job);
  return g_string_free (text, FALSE);
}

static char *
describe_failure (const P2vFrontEnd *self)
{
  g_autofree char *why = p2v_front_end_explain (self, self->failure);
  GString *text = g_string_new (why);
  /* Most errors of a job say it themselves. */
  if (self->landed && strstr (why, "p2v-server show") == NULL)
    g_string_append_printf (
        text,
        _ ("\n\nThe disks have arrived on %s: nothing has to be sent again. `p2v-server show %s` "
           "there says how the job stands, `p2v-server retry %s` converts again what has arrived."),
        self->config->server, self->job, self->job);
  else
    {
      if (self->lost && !self->landed)
        g_string_append_printf (
            text,
            _ ("\n\nThe server could not be told: it keeps what it has, job %s, to go on with. "
               "`p2v-server cancel %s` there removes it."),
            self->job, self->job);
      g_string_append (text,
                       _ ("\n\nThis machine is as it was. \"Again\" goes back to the questions "
                          "with what you have answered."));
    }
  return g_string_free (text, FALSE);
}

static const char *
choose_title (const P2vFrontEnd *self)
{
  if (self->failure == NULL)
    return self->bad->len > 0 ? _ ("Done, but not all could be read") : _ ("Done");
  if (g_error_matches (self->failure, P2V_ERROR, P2V_ERROR_CANCELLED))
    return self->landed ? _ ("The server goes on alone") : _ ("Stopped");
  return self->landed ? _ ("Sent, but the conversion failed") : _ ("Failed");
}

static void
power (const char *verb)
{
  g_autoptr (GError) error = NULL;
  if (p2v_machine_power (verb, &error))
    {
      p2v_window_say (_ ("One moment"), _ ("The machine is going down."));
      return;
    }
  g_autofree char *text = p2v_text_printable (error->message);
  p2v_window_say (_ ("Not possible"), text);
}

/* Returns where to go, P2V_PAGE_RESULT to stay. */
static P2vPage
act (P2vFrontEnd *self, Action action)
{
  static const char *const shell[] = { "/bin/sh", NULL };
  switch (action)
    {
    case ACTION_POWER_OFF:
      power ("poweroff");
      break;
    case ACTION_REBOOT:
      power ("reboot");
      break;
    case ACTION_AGAIN:
      return self->failure != NULL ? P2V_PAGE_REVIEW : P2V_PAGE_WELCOME;
    case ACTION_LOG:
      p2v_window_say (_ ("Log"), self->log->len > 0 ? self->log->str : _ ("Nothing has happened."));
      break;
    case ACTION_REPORT:
      p2v_report_ask (self);
      break;
    case ACTION_SHELL:
      p2v_screen_run_program (shell);
      break;
    default:
      return P2V_PAGE_END;
    }
  return P2V_PAGE_RESULT;
}

P2vPage
p2v_page_result (P2vFrontEnd *self)
{
  const char *labels[N_ACTIONS + 1] = { NULL };
  Action actions[N_ACTIONS] = { ACTION_POWER_OFF };
  guint count = 0;
  for (Action action = 0; action < N_ACTIONS; action++)
    if (is_offered (self, action))
      {
        labels[count] = action_labels[action];
        actions[count++] = action;
      }
  g_autofree char *text = self->failure == NULL ? describe_success (self) : describe_failure (self);
  /* After a failure nobody wants to have switched the machine off by pressing Enter. */
  guint focus = 0;
  while (self->failure != NULL && actions[focus] != ACTION_AGAIN)
    focus++;
  int pressed = p2v_window_ask (choose_title (self), text, labels, focus);
  if (pressed == P2V_WINDOW_ENDED)
    return P2V_PAGE_END;
  return pressed >= 0 ? act (self, actions[pressed]) : P2V_PAGE_RESULT;
}
