/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

#include <stdio.h>

gboolean
p2v_machine_power (const char *verb, GError **error)
{
  const char *const argv[] = { "systemctl", verb, NULL };
  g_autoptr (GSubprocess) process = g_subprocess_newv (
      argv, G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, error);
  if (process != NULL && g_subprocess_wait_check (process, NULL, error))
    return TRUE;
  p2v_error_recode (error, P2V_ERROR_FAILED);
  g_prefix_error (error, "cannot run systemctl %s (use the machine's own switch): ", verb);
  return FALSE;
}

void
p2v_screen_run_program (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  p2v_screen_suspend ();
  g_autoptr (GSubprocess) process
      = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDIN_INHERIT, &error);
  if (process != NULL)
    g_subprocess_wait (process, NULL, &error);
  p2v_screen_resume ();
  if (error == NULL)
    return;
  g_autofree char *reason = p2v_text_printable (error->message);
  g_autofree char *text = g_strdup_printf (_ ("Cannot run %s: %s."), argv[0], reason);
  p2v_window_say (_ ("Not possible"), text);
}
