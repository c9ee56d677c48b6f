/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

int
main (int argc, char **argv)
{
  return p2v_server_main (argc, argv);
}
