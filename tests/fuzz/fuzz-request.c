/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description of a machine and of its guest, as a client sends it. */
#include "common/request.h"
#include "tests/fuzz/fuzz.h"

static char *
text_of (const P2vRequest *request)
{
  g_autoptr (JsonObject) object = p2v_request_to_json (request);
  return p2v_json_to_text (object, FALSE);
}

/* What the server relies on once a request has passed. */
static void
check_accepted (const P2vRequest *request)
{
  g_assert (request->machine != NULL && request->guest != NULL && request->output != NULL);
  g_assert (p2v_name_is_plain (request->guest->name));
  g_assert (request->guest->vcpus >= 1 && request->guest->memory >= 1024 * 1024);
  g_assert (request->guest->disks != NULL && request->guest->disks[0] != NULL);
  for (char **disk = request->guest->disks; *disk != NULL; disk++)
    g_assert (p2v_name_is_plain (*disk));
  g_assert (p2v_request_check_outline (request, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = p2v_json_from_text ((const char *)data, (gssize)size, &error);
  g_autoptr (P2vRequest) request = object == NULL ? NULL : p2v_request_from_json (object, &error);
  g_assert ((request == NULL) == (error != NULL));
  if (request == NULL)
    return 0;
  g_autoptr (GError) refusal = NULL;
  gboolean accepted = p2v_request_check (request, &refusal);
  g_assert (accepted == (refusal == NULL));
  p2v_request_check_outline (request, NULL);
  if (accepted)
    check_accepted (request);

  g_autofree char *text = text_of (request);
  g_autoptr (JsonObject) again = p2v_json_from_text (text, -1, NULL);
  g_autoptr (P2vRequest) same = again == NULL ? NULL : p2v_request_from_json (again, NULL);
  g_assert (same != NULL && p2v_request_check (same, NULL) == accepted);
  g_autofree char *same_text = text_of (same);
  g_assert (g_str_equal (same_text, text));
  return 0;
}
