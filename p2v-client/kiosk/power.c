/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/power.h"

#include "common/error.h"

#include <unistd.h>

gboolean
p2v_power_is_ours (void)
{
  return geteuid () == 0 && g_file_test (P2V_LIVE_FILE, G_FILE_TEST_EXISTS);
}

gboolean
p2v_power_off (gboolean reboot, GError **error)
{
  const char *command = reboot ? "reboot" : "poweroff";
  /* Asked again here, as a mistake would be a bad one. */
  if (!p2v_power_is_ours ())
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED,
                           "this system is not p2v's live image, so it is left running");
      return FALSE;
    }
  g_autoptr (GSubprocess) process
      = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, error, command, NULL);
  if (process != NULL)
    return TRUE;
  g_prefix_error (error, "cannot run %s: ", command);
  p2v_error_recode (error, P2V_ERROR_FAILED);
  return FALSE;
}
