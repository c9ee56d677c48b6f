/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_TEXT_H
#define P2V_TEXT_H

#include <glib.h>

G_BEGIN_DECLS

/* Text for people: units as administrators write them, and strangers' words made harmless. */

/* A number of bytes with its binary unit: "512 B", "1.5 MiB", "100.0 GiB". (transfer full) */
char *p2v_size_format (gint64 bytes);

/* A rate in bytes a second: "118.4 MiB/s". (transfer full) */
char *p2v_rate_format (double bytes_per_second);

/* A length of time in seconds: "45 s", "3 min 05 s", "1 h 02 min", "2 d 03 h". (transfer full) */
char *p2v_duration_format (gint64 seconds);

/* Text that somebody else wrote, fit for a terminal: valid UTF-8 on one line; line breaks and tabs
 * become spaces, other control characters "?". NULL becomes "". (transfer full) */
char *p2v_text_printable (const char *text);

/* A URL that may be shown: its user information (USER:PASSWORD@) becomes "***@". NULL stays NULL.
 * (transfer full) */
char *p2v_url_mask (const char *url);

G_END_DECLS

#endif
