/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What virt-v2v's inspection writes of a guest, in the guest's own words. */
#include "p2v-server/report.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vReport) found = p2v_report_parse_xml ((const char *)data, (gssize)size, &error);
  g_assert ((found == NULL) == (error != NULL));
  if (found == NULL)
    return 0;
  g_assert (found->block_bus == NULL && found->net_bus == NULL && found->machine == NULL);
  g_autoptr (P2vReport) report = p2v_report_new ();
  p2v_report_adopt_inspection (report, found);
  g_autoptr (JsonObject) object = p2v_report_to_json (report);
  g_autofree char *text = p2v_json_to_text (object, FALSE);
  g_autoptr (JsonObject) again = p2v_json_from_text (text, -1, NULL);
  g_autoptr (P2vReport) same = again == NULL ? NULL : p2v_report_from_json (again, NULL);
  g_assert (same != NULL);
  return 0;
}
