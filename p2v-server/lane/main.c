/* SPDX-License-Identifier: GPL-2.0-or-later */
/* p2v-server-lane [FILE]: a lane, with the configuration in FILE; started by `p2v-server lane`. */
#include "common/error.h"
#include "p2v-server/lane.h"

#include <signal.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc > 2)
    {
      g_printerr ("usage: " P2V_LANE_PROGRAM " [FILE]\np2v-server lane starts it.\n");
      return P2V_ERROR_USAGE;
    }
  g_autoptr (P2vServerConfig) config = p2v_server_config_load (argv[1], &error);
  if (config == NULL)
    {
      g_printerr ("p2v-server: %s\n", error->message);
      return (int)p2v_error_code_of (error);
    }
  /* A client that is gone is an error of write(), not the end of the process. */
  signal (SIGPIPE, SIG_IGN);
  return p2v_lane_run (config, STDIN_FILENO, STDOUT_FILENO);
}
