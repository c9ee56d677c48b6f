/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_NOTICE_H
#define P2V_KIOSK_NOTICE_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A box that stands out, with a heading and a text: something to know, to heed, or that went wrong.
 * Hidden as long as it says nothing. Screen readers are told when its text changes. Where it can
 * have the focus, nothing comes of Enter: the key was meant for what was there before. */

#define P2V_TYPE_KIOSK_NOTICE (p2v_kiosk_notice_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskNotice, p2v_kiosk_notice, P2V, KIOSK_NOTICE, GtkBox)

typedef enum
{
  P2V_KIOSK_NOTICE_GOOD,
  P2V_KIOSK_NOTICE_WARNING,
  P2V_KIOSK_NOTICE_ERROR,
} P2vKioskNoticeKind;

/* heading: NULL hides the notice. text: may be NULL. */
void p2v_kiosk_notice_say (P2vKioskNotice *notice, P2vKioskNoticeKind kind, const char *heading,
                           const char *text);

/* The message of an error, with a capital letter and a full stop; NULL hides the notice. */
void p2v_kiosk_notice_say_error (P2vKioskNotice *notice, const char *heading, const GError *error);

/* A message as a sentence: a capital letter at the start, a full stop at the end. (transfer full)
 */
char *p2v_kiosk_sentence (const char *message);

G_END_DECLS

#endif
