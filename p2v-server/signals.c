/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/signals.h"

#include <signal.h>

static volatile sig_atomic_t caught;

static void
on_signal (int number G_GNUC_UNUSED)
{
  caught = 1;
}

void
p2v_signals_catch (void)
{
  /* No SA_RESTART, so that poll() wakes up. */
  struct sigaction action = { .sa_handler = on_signal };
  sigaction (SIGTERM, &action, NULL);
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGHUP, &action, NULL);
}

gboolean
p2v_signals_caught (void)
{
  return caught != 0;
}
