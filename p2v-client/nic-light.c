/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/nic-light.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <signal.h>

/* Time to walk around the machine. */
#define BLINK_SECONDS "10"

/* What ethtool says: "netlink error: Operation not supported", after which it tries another way and
 * says so again. */
static gboolean
explain (const char *nic, const char *said, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (said != NULL ? said : "", "\n", 2);
  g_autofree char *why = p2v_text_printable (lines[0]);
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, _ ("The light of %s does not blink: %s"), nic,
               why);
  return FALSE;
}

gboolean
p2v_nic_light_blink (const char *nic, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *said = NULL;
  g_autoptr (GSubprocess) process
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                          &failure, "ethtool", "-p", nic, BLINK_SECONDS, NULL);
  if (process == NULL)
    return explain (nic, failure->message, error);
  if (!g_subprocess_communicate_utf8 (process, NULL, cancellable, NULL, &said, &failure))
    {
      /* The driver ends the blinking when its caller is interrupted. */
      g_subprocess_send_signal (process, SIGTERM);
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return explain (nic, failure->message, error);
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, failure->message);
      return FALSE;
    }
  return g_subprocess_get_successful (process) || explain (nic, said, error);
}
