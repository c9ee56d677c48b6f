/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The administrator's file of profiles. */
#include "p2v-server/profile.h"
#include "tests/fuzz/fuzz.h"

static void
check_rules (GPtrArray *rules)
{
  for (guint i = 0; i < rules->len; i++)
    {
      const P2vNetworkRule *rule = rules->pdata[i];
      g_assert (rule->from_type != NULL && rule->to_type != NULL);
      g_assert ((rule->to_name == NULL) == g_str_equal (rule->to_type, "user"));
      g_assert ((rule->from_name == NULL) == g_str_equal (rule->from_type, "default"));
    }
  p2v_network_rules_find (rules, "default");
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = fuzz_file (data, size);
  g_autoptr (GError) error = NULL, same = NULL;
  g_autoptr (GPtrArray) profiles = p2v_profiles_load (path, &error);
  g_autoptr (GPtrArray) rules = p2v_network_rules_load (path, &same);
  g_assert ((profiles == NULL) == (error != NULL) && (rules == NULL) == (same != NULL));
  g_assert ((profiles == NULL) == (rules == NULL));
  if (profiles == NULL)
    return 0;
  check_rules (rules);
  for (guint i = 0; i < profiles->len; i++)
    {
      P2vProfile *profile = profiles->pdata[i];
      g_assert (profile->method != NULL);
      g_assert (p2v_profiles_find (profiles, profile->name, NULL) == profile);
      check_rules (profile->networks);
    }
  g_assert (p2v_profiles_find (profiles, "no such \x01 name", NULL) == NULL);
  return 0;
}
