/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_ALLOW_H
#define P2V_ALLOW_H

#include "p2v-server/config.h"

G_BEGIN_DECLS

/* What a client may ask for is the server's decision: the lists in its configuration. All of these
 * fail with P2V_ERROR_REFUSED, and the message has the line that would allow it. */

/* The canonical form of a directory that a client named (transfer full, g_free), when it exists, is
 * one of [storage] allow= or below one of them after every symbolic link is followed, and can be
 * written. Any ".." is refused. Only the configuration's own storage_default need not exist. */
char *p2v_allow_directory (const P2vServerConfig *config, const char *path, GError **error);

/* Whether images may go into that pool. */
gboolean p2v_allow_pool (const P2vServerConfig *config, const char *pool, GError **error);

/* Whether virt-v2v may be run with that output mode. */
gboolean p2v_allow_mode (const P2vServerConfig *config, const char *mode, GError **error);

G_END_DECLS

#endif
