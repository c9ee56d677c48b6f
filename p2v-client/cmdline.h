/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CMDLINE_H
#define P2V_CMDLINE_H

#include "p2v-client/config.h"

G_BEGIN_DECLS

/* Reads the p2v.* arguments of a kernel command line (virt-p2v(1), "KERNEL COMMAND LINE
 * CONFIGURATION", and ours) into a configuration. Words without "p2v." are not ours and ignored; a
 * p2v.* argument that is unknown, malformed or cannot be honoured fails with P2V_ERROR_USAGE and
 * its name, secrets never quoted. */
P2vConfig *p2v_cmdline_parse (const char *cmdline, GError **error);

G_END_DECLS

#endif
