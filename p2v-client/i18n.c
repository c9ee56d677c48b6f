/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/i18n.h"

#include <libintl.h>
#include <locale.h>
#include <string.h>

static const P2vLanguage languages[] = {
  { "en", "English" },
  { "de", "Deutsch" },
  { "zh_CN", "\xe7\xae\x80\xe4\xbd\x93\xe4\xb8\xad\xe6\x96\x87" },
};

/* gettext's own: changed, it makes the catalogues be looked for anew (GNU gettext manual, "Being a
 * gettext grok"). */
extern int _nl_msg_cat_cntr;

void
p2v_i18n_init (void)
{
  const char *directory = g_getenv ("P2V_LOCALEDIR");
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, directory != NULL ? directory : P2V_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  if (g_getenv ("LANGUAGE") == NULL)
    g_setenv ("LANGUAGE", languages[p2v_i18n_get_language ()].code, TRUE);
}

const P2vLanguage *
p2v_i18n_language (guint index)
{
  return index < G_N_ELEMENTS (languages) ? &languages[index] : NULL;
}

guint
p2v_i18n_get_language (void)
{
  const char *const *wanted = g_get_language_names_with_category ("LC_MESSAGES");
  for (gsize i = 0; wanted[i] != NULL; i++)
    for (guint k = 0; k < G_N_ELEMENTS (languages); k++)
      if (strcmp (wanted[i], languages[k].code) == 0)
        return k;
  return 0;
}

void
p2v_i18n_set_language (const char *code)
{
  /* gettext looks at $LANGUAGE in every locale but this one. */
  if (g_strcmp0 (setlocale (LC_MESSAGES, NULL), "C") == 0)
    setlocale (LC_ALL, "C.UTF-8");
  /* A variable that is there already: other threads may read the environment meanwhile. */
  g_setenv ("LANGUAGE", code, TRUE);
  _nl_msg_cat_cntr++;
}
