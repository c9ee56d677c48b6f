/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_I18N_H
#define P2V_I18N_H

/* What a person reads in kiosk and text interface is marked _("...") and translated by gettext; the
 * catalogues are in po/. What programs and logs read is not. The domain is named with every text,
 * so that the kiosk's libraries keep theirs. */

#define GETTEXT_PACKAGE "p2v"

#include <glib/gi18n-lib.h>

/* That header leaves it to the default domain. Setting that one would have GLib translate nothing
 * for good in a program that begins in English: see g_dgettext(). */
#undef ngettext
#define ngettext(one, many, count) g_dngettext (GETTEXT_PACKAGE, one, many, count)

G_BEGIN_DECLS

/* A language with a catalogue. */
typedef struct
{
  const char *code; /* as in p2v.language and $LANGUAGE */
  const char *name; /* in itself, UTF-8 */
} P2vLanguage;

/* Before the first text and the first thread: takes the locale from the environment, and the
 * catalogues from $P2V_LOCALEDIR or where they are installed. Needed for languages to have an
 * effect at all. */
void p2v_i18n_init (void);

/* The languages there are, English first; NULL after the last index. */
const P2vLanguage *p2v_i18n_language (guint index);

/* The index of the language that texts have now. */
guint p2v_i18n_get_language (void);

/* Every text from now on is in that language; those that are shown already stay as they are.
 * code: of a language that there is. */
void p2v_i18n_set_language (const char *code);

G_END_DECLS

#endif
