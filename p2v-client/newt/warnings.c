/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of the disks by now, and what people should know of it before they go on. */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/offers-text.h"

const P2vMachine *
p2v_front_end_known_machine (const P2vFrontEnd *self)
{
  const P2vMachine *machine = p2v_details_get (self->details);
  return machine != NULL ? machine : self->machine;
}

GPtrArray *
p2v_front_end_judge_disks (const P2vFrontEnd *self, char *const *chosen)
{
  return p2v_disk_warnings_judge (p2v_front_end_known_machine (self), (const char *const *)chosen,
                                  p2v_offers_free_space (self->offers));
}

char *
p2v_warning_describe (const P2vDiskWarning *warning)
{
  return g_strdup_printf ("%s%s%s %s", warning->disk != NULL ? warning->disk : "",
                          warning->disk != NULL ? ": " : "", warning->text, warning->advice);
}

void
p2v_front_end_accept_warning (P2vFrontEnd *self, const P2vDiskWarning *warning)
{
  g_hash_table_add (self->accepted, p2v_warning_describe (warning));
}

/* The serious ones. */
static GPtrArray *
find_serious (const P2vFrontEnd *self, gboolean only_new)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_disk_warning_free);
  g_autoptr (GPtrArray) all = p2v_front_end_judge_disks (self, self->config->disks);
  while (all->len > 0)
    {
      g_autoptr (P2vDiskWarning) warning = g_ptr_array_steal_index (all, 0);
      g_autofree char *line = p2v_warning_describe (warning);
      if (warning->severity == P2V_SEVERITY_SERIOUS
          && !(only_new && g_hash_table_contains (self->accepted, line)))
        g_ptr_array_add (found, g_steal_pointer (&warning));
    }
  return found;
}

gboolean
p2v_front_end_confirm_warnings (P2vFrontEnd *self, gboolean only_new)
{
  static const char *const labels[] = { N_ ("Back"), N_ ("Go on"), NULL };
  g_autoptr (GPtrArray) warnings = find_serious (self, only_new);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < warnings->len; i++)
    {
      g_autofree char *line = p2v_warning_describe (warnings->pdata[i]);
      g_string_append_printf (text, "%s%s", i > 0 ? "\n\n" : "", line);
    }
  if (text->len > 0
      && p2v_window_ask (_ ("The guest will probably not work"), text->str, labels, 0) != 1)
    return FALSE;
  for (guint i = 0; i < warnings->len; i++)
    p2v_front_end_accept_warning (self, warnings->pdata[i]);
  return TRUE;
}
