/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_I18N_H
#define P2V_I18N_H

/* What a person reads in kiosk and text interface is marked _("...") and translated by gettext; the
 * catalogues are in po/. What programs and logs read is not. The domain is named with every text,
 * so that the kiosk's libraries keep theirs. */

#define GETTEXT_PACKAGE "p2v"

#include <glib/gi18n-lib.h>

G_BEGIN_DECLS

/* Before the first text: takes the locale from the environment, and the catalogues from
 * $P2V_LOCALEDIR or where they are installed. */
void p2v_i18n_init (void);

G_END_DECLS

#endif
