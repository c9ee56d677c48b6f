/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/i18n.h"

#include <libintl.h>
#include <locale.h>

void
p2v_i18n_init (void)
{
  const char *directory = g_getenv ("P2V_LOCALEDIR");
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, directory != NULL ? directory : P2V_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
}
