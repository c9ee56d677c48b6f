/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_MAP_REPORT_H
#define P2V_MAP_REPORT_H

#include <glib.h>

G_BEGIN_DECLS

/* What `p2v-client --map` prints: what of some disks would be read, and why.
 * paths: of disks or disk images, which are taken for the disks of one machine; NULL ends them.
 * json: one object for programs, instead of tables for people.
 * all_extents: tables have each extent, however many there are.
 * Returns the text (transfer full). Fails with P2V_ERROR_SOURCE when a disk cannot be opened. */
char *p2v_map_report (const char *const *paths, gboolean json, gboolean all_extents,
                      GError **error);

G_END_DECLS

#endif
