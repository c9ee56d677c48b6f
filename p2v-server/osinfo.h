/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_OSINFO_H
#define P2V_OSINFO_H

#include <glib.h>

G_BEGIN_DECLS

/* The libosinfo identifier ("http://debian.org/debian/11") of an operating system's short id
 * ("debian11"), from the osinfo database of this host (transfer full). A release that is newer than
 * the database gets the identifier that its sister releases imply. NULL when nothing is known. */
char *p2v_osinfo_find_id (const char *short_id);

/* FALSE when the database is not installed (Debian: osinfo-db). */
gboolean p2v_osinfo_is_installed (void);

G_END_DECLS

#endif
