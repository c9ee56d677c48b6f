/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a stranger sends down the control channel, in pieces of any size. */
#include "common/error.h"
#include "common/event.h"
#include "common/protocol.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_event (JsonObject *message)
{
  JsonObject *object = p2v_message_get_object (message, "event");
  g_autoptr (P2vEvent) event = object == NULL ? NULL : p2v_event_from_json (object, NULL);
  if (event == NULL)
    return;
  g_assert (event->time >= 0 && event->percent >= 0 && event->percent <= 100);
  g_autoptr (JsonObject) again = p2v_event_to_json (event);
  g_autoptr (P2vEvent) same = p2v_event_from_json (again, NULL);
  g_assert (same != NULL && g_strcmp0 (same->message, event->message) == 0);
}

static void
check_line (const char *line)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (JsonObject) message = p2v_message_parse (line, -1, &problem);
  g_assert ((message == NULL) == (problem != NULL));
  if (message == NULL)
    return;
  g_autoptr (GError) said = NULL, out_of_range = NULL;
  gint64 number = 0;
  p2v_message_to_error (message, &said);
  g_assert (said != NULL && g_utf8_validate (said->message, -1, NULL));
  if (p2v_message_get_int (message, "disk", 0, 7, &number, &out_of_range))
    g_assert (number >= 0 && number <= 7);
  check_event (message);

  g_autofree char *written = p2v_message_to_line (message);
  g_autoptr (JsonObject) again = p2v_message_parse (written, -1, NULL);
  g_assert (strchr (written, '\n') == written + strlen (written) - 1);
  /* A number beyond a double is written as "inf", which is no JSON; no number of a peer's that is
   * not whole is ever written by us. */
  if (again == NULL && strstr (written, "inf") != NULL)
    return;
  g_assert (again != NULL && g_str_equal (p2v_message_type (again), p2v_message_type (message)));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (P2vLineBuffer) buffer = p2v_line_buffer_new ();
  gsize lines = 0, newlines = 0;
  for (gsize at = 0; at < size;)
    {
      gsize piece = MIN (size - at, 1 + (data[at] & 63u));
      g_assert (p2v_line_buffer_push (buffer, data + at, piece, NULL));
      for (gsize i = at; i < at + piece; i++)
        newlines += data[i] == '\n';
      at += piece;
      for (;;)
        {
          g_autofree char *line = p2v_line_buffer_pop (buffer);
          if (line == NULL)
            break;
          lines++;
          check_line (line);
        }
    }
  g_autoptr (GBytes) rest = p2v_line_buffer_steal_rest (buffer);
  g_assert (lines == newlines && g_bytes_get_size (rest) <= size);
  return 0;
}
