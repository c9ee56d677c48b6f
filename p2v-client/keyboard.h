/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KEYBOARD_H
#define P2V_KEYBOARD_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* A keyboard layout that X knows. */
typedef struct
{
  char *code; /* "de", or with a variant "de(nodeadkeys)"; xkeyboard-config(7) */
  char *name; /* "German (no dead keys)" */
} P2vKeyboardLayout;

void p2v_keyboard_layout_free (P2vKeyboardLayout *layout);

/* The rules file of the X server. */
#define P2V_KEYBOARD_RULES "/usr/share/X11/xkb/rules/base.lst"

/* Reads layouts and variants of a rules file as base.lst of xkb-data, by name. Empty when it cannot
 * be read. (transfer full, of P2vKeyboardLayout) */
GPtrArray *p2v_keyboard_layouts (const char *path);

/* Whether a word can be a layout's code: whatever it is, it is safe to hand to setxkbmap and
 * loadkeys. */
gboolean p2v_keyboard_is_code (const char *code);

/* Has X use a layout (setxkbmap(1)), without waiting for it. done: called with the GTask. A layout
 * that has no Latin letters, which names and passwords are made of, comes second after the US one,
 * and Alt+Shift switches between the two: then *switches is set. Fails with what setxkbmap says. */
void p2v_keyboard_set (const char *code, GAsyncReadyCallback done, gpointer user_data);
gboolean p2v_keyboard_set_finish (GAsyncResult *result, gboolean *switches, GError **error);

/* Asks X which layout it uses, the last of several: the code (transfer full), or NULL with an
 * error. */
void p2v_keyboard_get (GAsyncReadyCallback done, gpointer user_data);
char *p2v_keyboard_get_finish (GAsyncResult *result, GError **error);

/* Whether a terminal is a text console of the kernel's, with a keyboard of its own. */
gboolean p2v_keyboard_is_console (int fd);

/* Has the kernel's text consoles use a layout, which takes no time. Standard input must be such a
 * console. Fails with what loadkeys(1) says; the keymaps are those that kbd calls LAYOUT or
 * LAYOUT-VARIANT, made from the layouts that X knows. */
gboolean p2v_keyboard_set_console (const char *code, GError **error);

G_END_DECLS

#endif
