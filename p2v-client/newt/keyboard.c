/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/i18n.h"
#include "p2v-client/keyboard.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

/* Layouts that are shown at a time. */
#define ROWS 12

void
p2v_keyboard_use (const char *code)
{
  g_autoptr (GError) error = NULL;
  if (p2v_keyboard_set_console (code, &error))
    return;
  g_autofree char *reason = p2v_text_printable (error->message);
  p2v_window_say (_ ("The layout cannot be used"), reason);
}

void
p2v_keyboard_ask (void)
{
  static const char *const labels[] = { N_ ("Use"), N_ ("Back"), NULL };
  g_autoptr (GPtrArray) layouts = p2v_keyboard_layouts (P2V_KEYBOARD_RULES);
  g_autoptr (P2vWindow) window
      = p2v_window_new (_ ("Keyboard layout"), P2V_TEXT_WIDTH - 2, ROWS + 5);
  p2v_window_add_text (window, 0, 0, P2V_TEXT_WIDTH - 2, 2,
                       _ ("A letter leads to the names that begin with it. Use a layout, then try "
                          "its keys in the field below."));
  newtComponent list = p2v_window_add (window, newtListbox (1, 3, ROWS, NEWT_FLAG_SCROLL));
  newtListboxSetWidth (list, P2V_TEXT_WIDTH - 4);
  for (guint i = 0; i < layouts->len; i++)
    {
      const P2vKeyboardLayout *layout = layouts->pdata[i];
      g_autofree char *text = g_strdup_printf ("%s, %s", layout->name, layout->code);
      newtListboxAppendEntry (list, text, layout);
    }
  p2v_window_add_label (window, 1, ROWS + 4, _ ("Try it"));
  p2v_window_add_entry (window, 20, ROWS + 4, 40, NULL, 0);
  p2v_window_add_buttons (window, labels);
  p2v_window_focus (window, list);
  while (p2v_window_run (window) == 0)
    {
      const P2vKeyboardLayout *layout = newtListboxGetCurrent (list);
      if (layout != NULL)
        p2v_keyboard_use (layout->code);
    }
}
