/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NETWORK_WORDS_H
#define P2V_NETWORK_WORDS_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* How the texts of a P2vNetworkSetup are read, for who checks them and who makes profiles. */

/* A text without the blanks around it. (transfer full) */
char *p2v_network_word (const char *text);

/* The words of a text between blanks and commas. (transfer full) */
char **p2v_network_words (const char *text);

/* "192.0.2.5/24", "192.0.2.5/255.255.255.0", "2001:db8::5/64"; NULL when it is none of that family.
 * prefix: its length in bits, at least 1. (transfer full) */
GInetAddress *p2v_network_read_address (const char *text, GSocketFamily family, guint *prefix);

G_END_DECLS

#endif
