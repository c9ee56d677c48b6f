/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_PAGE_H
#define P2V_KIOSK_PAGE_H

#include "p2v-client/kiosk/engine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* One page of the kiosk: a step of what a person does. It shows what is in the model, puts into it
 * what the person enters, and has the engine work. It knows no other page: the window has the order
 * and the buttons, and watches the properties that say how they are to be. */

#define P2V_TYPE_KIOSK_PAGE (p2v_kiosk_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (P2vKioskPage, p2v_kiosk_page, P2V, KIOSK_PAGE, GtkScrolledWindow)

struct _P2vKioskPageClass
{
  GtkScrolledWindowClass parent_class;

  /* Model and engine are there from now on: connects to the model's signals. */
  void (*bind) (P2vKioskPage *page);
  /* The page is about to be shown; the widget that should have the focus is returned, NULL for the
   * window's Next button. */
  GtkWidget *(*enter) (P2vKioskPage *page);
  /* Next was pressed. TRUE: go on; FALSE: not yet, the page shows why, or will emit "advance". */
  gboolean (*commit) (P2vKioskPage *page);
  /* Back or Escape was pressed. TRUE: the page has dealt with it, and stays. */
  gboolean (*retreat) (P2vKioskPage *page);
};

/* The properties of a page:
 *   title       what the person is to do here, one line
 *   ready       Next can be pressed
 *   next-label  what Next does, with a mnemonic; empty: there is no such button
 *   back-label  what Back does, with a mnemonic; empty: there is no such button
 * and its signal:
 *   advance     go on, as if Next had been pressed and committed */

/* Called by the window, once. Both are kept as long as the page. */
void p2v_kiosk_page_bind (P2vKioskPage *page, P2vKioskModel *model, P2vKioskEngine *engine);

P2vKioskModel *p2v_kiosk_page_get_model (P2vKioskPage *page);
P2vKioskEngine *p2v_kiosk_page_get_engine (P2vKioskPage *page);

GtkWidget *p2v_kiosk_page_enter (P2vKioskPage *page);
gboolean p2v_kiosk_page_commit (P2vKioskPage *page);
gboolean p2v_kiosk_page_retreat (P2vKioskPage *page);

const char *p2v_kiosk_page_get_title (P2vKioskPage *page);
const char *p2v_kiosk_page_get_next_label (P2vKioskPage *page);
const char *p2v_kiosk_page_get_back_label (P2vKioskPage *page);
gboolean p2v_kiosk_page_get_ready (P2vKioskPage *page);
void p2v_kiosk_page_set_title (P2vKioskPage *page, const char *title);
void p2v_kiosk_page_set_next_label (P2vKioskPage *page, const char *label);
void p2v_kiosk_page_set_back_label (P2vKioskPage *page, const char *label);
void p2v_kiosk_page_set_ready (P2vKioskPage *page, gboolean ready);
void p2v_kiosk_page_advance (P2vKioskPage *page);

G_END_DECLS

#endif
