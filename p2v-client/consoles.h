/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONSOLES_H
#define P2V_CONSOLES_H

#include <glib.h>

G_BEGIN_DECLS

/* Every console of the kernel at once, so that whoever looks at any of them (the screen, a serial
 * line, a service processor) sees the same, and this process's own output. Text that a console does
 * not take is kept for it within bounds, then left out: nobody ever waits for a line that is
 * stopped or has no cable. All functions may be called from any thread. */
typedef struct _P2vConsoles P2vConsoles;

/* Opens the consoles that root/sys/class/tty/console/active names, in root/dev. What cannot be
 * opened is left out. Standard output and standard error are added unless they are one of them.
 * root: "/" but for tests. */
P2vConsoles *p2v_consoles_open (const char *root);

/* Prints on every console and on standard output. length: bytes, or -1 when NUL-terminated. */
void p2v_consoles_print (P2vConsoles *consoles, const char *text, gssize length);

/* The same, with standard error in the place of standard output. */
void p2v_consoles_print_error (P2vConsoles *consoles, const char *text, gssize length);

/* Lets consoles have what waits for them and they take now. To be called about once a second. */
void p2v_consoles_flush (P2vConsoles *consoles);

/* Waits until everything is out, or nothing has moved for two seconds, at most half a minute. */
void p2v_consoles_drain (P2vConsoles *consoles);

/* Drains and closes. */
void p2v_consoles_free (P2vConsoles *consoles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vConsoles, p2v_consoles_free)

/* The devices for the text of /sys/class/tty/console/active, "tty0 ttyS0": their names in /dev, in
 * its order, each once. tty0 stands for whichever virtual terminal is in front, which may be
 * somebody's shell; it is tty1, where the machine's messages are. (transfer full) */
char **p2v_consoles_parse (const char *active);

G_END_DECLS

#endif
