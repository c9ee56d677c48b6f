/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/pages.h"

const char *const p2v_kiosk_page_names[P2V_KIOSK_N_PAGES] = {
  [P2V_KIOSK_PAGE_WELCOME] = "welcome", [P2V_KIOSK_PAGE_SERVER] = "server",
  [P2V_KIOSK_PAGE_MACHINE] = "machine", [P2V_KIOSK_PAGE_GUEST] = "guest",
  [P2V_KIOSK_PAGE_REVIEW] = "review",   [P2V_KIOSK_PAGE_CONVERT] = "convert",
  [P2V_KIOSK_PAGE_DONE] = "done",       [P2V_KIOSK_PAGE_FAILED] = "failed",
};

void
p2v_kiosk_pages_ensure_types (void)
{
  g_type_ensure (p2v_welcome_page_get_type ());
  g_type_ensure (p2v_server_page_get_type ());
  g_type_ensure (p2v_machine_page_get_type ());
  g_type_ensure (p2v_guest_page_get_type ());
  g_type_ensure (p2v_review_page_get_type ());
  g_type_ensure (p2v_convert_page_get_type ());
  g_type_ensure (p2v_done_page_get_type ());
  g_type_ensure (p2v_failed_page_get_type ());
}
