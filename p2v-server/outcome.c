/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/outcome.h"

#include "p2v-server/table.h"

P2vOutcome *
p2v_outcome_new (void)
{
  P2vOutcome *outcome = g_new (P2vOutcome, 1);
  outcome->removed = g_ptr_array_new_with_free_func (g_free);
  outcome->kept = g_ptr_array_new_with_free_func (g_free);
  return outcome;
}

void
p2v_outcome_free (P2vOutcome *outcome)
{
  if (outcome == NULL)
    return;
  g_ptr_array_unref (outcome->removed);
  g_ptr_array_unref (outcome->kept);
  g_free (outcome);
}

void
p2v_outcome_add_images (GPtrArray *list, const P2vPlan *plan)
{
  for (guint i = 0; plan != NULL && i < plan->images->len; i++)
    {
      const P2vImage *image = plan->images->pdata[i];
      if (image->path != NULL)
        g_ptr_array_add (list, g_strdup (image->path));
      else if (image->volume != NULL)
        g_ptr_array_add (list, g_strdup_printf ("volume %s in pool %s", image->volume,
                                                image->pool != NULL ? image->pool : "?"));
    }
}

static JsonArray *
to_json (GPtrArray *list)
{
  JsonArray *array = json_array_new ();
  for (guint i = 0; i < list->len; i++)
    json_array_add_string_element (array, list->pdata[i]);
  return array;
}

void
p2v_outcome_print (const P2vOutcome *outcome, gboolean as_json)
{
  if (as_json)
    {
      g_autoptr (JsonObject) object = json_object_new ();
      json_object_set_array_member (object, "removed", to_json (outcome->removed));
      json_object_set_array_member (object, "kept", to_json (outcome->kept));
      g_autofree char *text = p2v_json_to_text (object, TRUE);
      g_print ("%s\n", text);
      return;
    }
  for (guint i = 0; i < outcome->removed->len; i++)
    p2v_text_print_field ("removed", outcome->removed->pdata[i]);
  for (guint i = 0; i < outcome->kept->len; i++)
    p2v_text_print_field ("kept", outcome->kept->pdata[i]);
}
