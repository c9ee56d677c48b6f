/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

int
main (void)
{
  g_print ("p2v-server %s\n", P2V_VERSION);
  return 0;
}
