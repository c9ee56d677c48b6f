/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_PAGES_H
#define P2V_KIOSK_PAGES_H

#include "p2v-client/kiosk/page.h"

G_BEGIN_DECLS

/* For the window: the pages there are, in their order. */

#define P2V_KIOSK_RESOURCES "/org/p2v/kiosk/"

typedef enum
{
  P2V_KIOSK_PAGE_WELCOME,
  P2V_KIOSK_PAGE_SERVER,
  P2V_KIOSK_PAGE_MACHINE,
  P2V_KIOSK_PAGE_GUEST,
  P2V_KIOSK_PAGE_REVIEW,
  P2V_KIOSK_PAGE_CONVERT,
  P2V_KIOSK_PAGE_DONE,
  P2V_KIOSK_PAGE_FAILED,
  P2V_KIOSK_N_PAGES
} P2vKioskPageId;

/* Their names in the window's stack. */
extern const char *const p2v_kiosk_page_names[P2V_KIOSK_N_PAGES];

GType p2v_welcome_page_get_type (void);
GType p2v_server_page_get_type (void);
GType p2v_machine_page_get_type (void);
GType p2v_guest_page_get_type (void);
GType p2v_review_page_get_type (void);
GType p2v_convert_page_get_type (void);
GType p2v_done_page_get_type (void);
GType p2v_failed_page_get_type (void);

/* Generated from kiosk.gresource.xml: to be called before a page is made. */
void p2v_kiosk_register_resource (void);

/* Makes the types known to GtkBuilder. */
void p2v_kiosk_pages_ensure_types (void);

G_END_DECLS

#endif
