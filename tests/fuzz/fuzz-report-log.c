/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output of virt-v2v, in which the guest's own console is. */
#include "p2v-server/report.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vReport) report = p2v_report_parse_log ((const char *)data, (gssize)size, &error);
  g_assert ((report == NULL) == (error != NULL));
  if (report == NULL)
    return 0;
  g_assert (report->block_bus != NULL && report->net_bus != NULL);
  g_autoptr (JsonObject) object = p2v_report_to_json (report);
  g_autofree char *text = p2v_json_to_text (object, FALSE);
  g_autoptr (JsonObject) again = p2v_json_from_text (text, -1, NULL);
  g_autoptr (P2vReport) same = again == NULL ? NULL : p2v_report_from_json (again, NULL);
  g_assert (same != NULL);
  return 0;
}
