/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/window.h"

#include "p2v-client/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Longest text in a field, bytes: as much as the kernel takes as a whole command line. */
#define MAX_ENTRY 4096

/* The row of buttons, and an empty one above it. */
#define BUTTON_ROWS 2
#define MAX_BUTTONS 6

/* Rows of a message that are shown at once. */
#define MAX_MESSAGE_ROWS 12

/* After a hang-up, how long the windows have for an end in good order. */
#define HANGUP_SECONDS 10

#define HELP_LINE                                                                                  \
  N_ ("  Tab, arrows: move   Space: choose   Enter: press the button   Esc: go back")

struct _P2vWindow
{
  newtComponent form;
  int width, height;
  newtComponent buttons[MAX_BUTTONS];
  guint n_buttons;
  GPtrArray *entries; /* of newtComponent, owned by the form */
};

/* Written to by the signal handler, watched by every window. */
static int end_pipe[2] = { -1, -1 };

static void
on_signal (int number)
{
  int saved = errno;
  /* Newt reads a terminal that is gone for ever and looks at nothing else: then SIGALRM, which
   * nobody handles, ends the program. */
  if (number == SIGHUP)
    alarm (HANGUP_SECONDS);
  if (write (end_pipe[1], "", 1) < 0)
    errno = saved; /* the pipe is full of earlier ones */
  errno = saved;
}

static gboolean
is_known_terminal (const char *name)
{
  /* terminfo(5), "Fetching Compiled Descriptions": one directory for each first letter. */
  static const char *const places[]
      = { "/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo" };
  if (name == NULL || !g_ascii_isalnum (name[0]) || strchr (name, '/') != NULL
      || strcmp (name, "dumb") == 0)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%c/%s", places[i], name[0], name);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return TRUE;
    }
  return FALSE;
}

void
p2v_screen_start (void)
{
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
  /* S-Lang ends the process for a terminal it does not know. */
  if (!is_known_terminal (g_getenv ("TERM")))
    g_setenv ("TERM", "vt100", TRUE);
  if (!g_unix_open_pipe (end_pipe, FD_CLOEXEC, NULL))
    g_error ("cannot make a pipe: %s", g_strerror (errno));
  g_unix_set_fd_nonblocking (end_pipe[1], TRUE, NULL);
  sigaction (SIGTERM, &action, NULL);
  sigaction (SIGHUP, &action, NULL);
  newtInit ();
  newtCls ();
  newtPushHelpLine (_ (HELP_LINE));
}

gboolean
p2v_screen_shows (const char *language)
{
  return !g_str_has_prefix (language, "zh") || g_strcmp0 (g_getenv ("TERM"), "linux") != 0;
}

void
p2v_screen_stop (void)
{
  newtFinished ();
}

void
p2v_screen_suspend (void)
{
  newtSuspend ();
}

void
p2v_screen_resume (void)
{
  newtResume ();
}

void
p2v_screen_show_step (const char *const *names, guint step)
{
  g_autoptr (GString) line = g_string_new (NULL);
  for (guint i = 0; names[i] != NULL; i++)
    g_string_append_printf (line, i == step ? "[%s]" : " %s ", _ (names[i]));
  g_autofree char *padded = p2v_text_pad (line->str, 74);
  newtDrawRootText (0, 0, " p2v  ");
  newtDrawRootText (6, 0, padded);
  /* The language may have been changed. */
  newtPopHelpLine ();
  newtPushHelpLine (_ (HELP_LINE));
}

/* The columns that a character has on the terminal. */
static guint
char_columns (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

guint
p2v_text_columns (const char *text)
{
  guint columns = 0;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    columns += char_columns (g_utf8_get_char (p));
  return columns;
}

char *
p2v_text_pad (const char *text, guint width)
{
  guint columns = p2v_text_columns (text);
  return g_strdup_printf ("%s%*s", text, (int)(width > columns ? width - columns : 0), "");
}

char *
p2v_text_cut (const char *text, guint width)
{
  const char *end = text;
  for (guint columns = 0; *end != '\0'; end = g_utf8_next_char (end))
    {
      columns += char_columns (g_utf8_get_char (end));
      if (columns > width)
        break;
    }
  return g_strndup (text, (gsize)(end - text));
}

char *
p2v_text_fit (const char *text, guint width)
{
  g_autofree char *beginning = p2v_text_cut (text, width);
  return p2v_text_pad (beginning, width);
}

/* The bytes of `text` that make up its next line, at most `width` columns. */
static gsize
line_length (const char *text, guint width)
{
  const char *space = NULL;
  const char *p = text;
  for (guint column = 0; *p != '\0' && *p != '\n'; p = g_utf8_next_char (p))
    {
      if (*p == ' ')
        space = p;
      column += char_columns (g_utf8_get_char (p));
      if (column > width && p > text)
        return space != NULL && space > text ? (gsize)(space - text) : (gsize)(p - text);
    }
  return (gsize)(p - text);
}

char *
p2v_text_wrap (const char *text, guint width, guint *lines)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *wrapped = g_string_new (NULL);
  guint count = 1;
  for (const char *p = valid; *p != '\0';)
    {
      gsize length = line_length (p, MAX (width, 1));
      g_string_append_len (wrapped, p, length);
      p += length;
      /* The break takes the place of one space, or is the line break itself. */
      if (*p == '\0')
        break;
      if (*p == ' ' || *p == '\n')
        p++;
      g_string_append_c (wrapped, '\n');
      count++;
    }
  if (lines != NULL)
    *lines = count;
  return g_string_free (wrapped, FALSE);
}

P2vWindow *
p2v_window_new (const char *title, int width, int height)
{
  P2vWindow *window = g_new0 (P2vWindow, 1);
  window->width = width;
  window->height = height;
  window->entries = g_ptr_array_new ();
  newtCenteredWindow (width + 2, height + BUTTON_ROWS, title);
  window->form = newtForm (NULL, NULL, NEWT_FLAG_NOF12);
  newtFormAddHotKey (window->form, NEWT_KEY_ESCAPE);
  newtFormWatchFd (window->form, end_pipe[0], NEWT_FD_READ);
  return window;
}

void
p2v_window_free (P2vWindow *window)
{
  if (window == NULL)
    return;
  /* It clears the whole buffer first, which was never moved: see p2v_window_add_entry(). */
  for (guint i = 0; i < window->entries->len; i++)
    newtEntrySet (window->entries->pdata[i], "", 0);
  newtFormDestroy (window->form);
  newtPopWindow ();
  g_ptr_array_unref (window->entries);
  g_free (window);
}

newtComponent
p2v_window_add (P2vWindow *window, newtComponent component)
{
  newtFormAddComponent (window->form, component);
  return component;
}

newtComponent
p2v_window_add_label (P2vWindow *window, int column, int row, const char *text)
{
  return p2v_window_add (window, newtLabel (column + 1, row, text));
}

/* Keeps what is typed within the buffer; keys that are no characters pass. */
static int
limit_entry (newtComponent entry, void *data G_GNUC_UNUSED, int key, int cursor G_GNUC_UNUSED)
{
  gboolean is_character = key >= ' ' && key < NEWT_KEY_EXTRA_BASE;
  return is_character && strlen (newtEntryGetValue (entry)) + 1 >= MAX_ENTRY ? 0 : key;
}

newtComponent
p2v_window_add_entry (P2vWindow *window, int column, int row, int width, const char *value,
                      int flags)
{
  /* The first value decides how large the buffer is. Large enough at once, it is never moved, and
   * so leaves no copy of a secret behind. */
  g_autofree char *filler = g_strnfill (MAX_ENTRY, ' ');
  newtComponent entry = newtEntry (column + 1, row, filler, width, NULL, NEWT_FLAG_SCROLL | flags);
  newtEntrySetFilter (entry, limit_entry, NULL);
  newtEntrySet (entry, value != NULL && strlen (value) < MAX_ENTRY ? value : "", 1);
  g_ptr_array_add (window->entries, entry);
  return p2v_window_add (window, entry);
}

newtComponent
p2v_window_add_text (P2vWindow *window, int column, int row, int width, int height,
                     const char *text)
{
  guint lines;
  g_autofree char *wrapped = p2v_text_wrap (text, (guint)width, &lines);
  gboolean scrolls = lines > (guint)height;
  if (scrolls)
    {
      /* The scroll bar has two columns of its own. */
      width -= 2;
      g_free (wrapped);
      wrapped = p2v_text_wrap (text, (guint)width, NULL);
    }
  newtComponent box = newtTextbox (column + 1, row, width, height, scrolls ? NEWT_FLAG_SCROLL : 0);
  newtTextboxSetText (box, wrapped);
  return p2v_window_add (window, box);
}

void
p2v_window_add_buttons (P2vWindow *window, const char *const *labels)
{
  int total = 0;
  for (guint i = 0; labels[i] != NULL; i++)
    total += (int)p2v_text_columns (_ (labels[i])) + 3;
  for (; labels[window->n_buttons] != NULL && window->n_buttons < MAX_BUTTONS; window->n_buttons++)
    ;
  /* The same gap left of, between and right of them. */
  int gap = MAX ((window->width + 2 - total) / ((int)window->n_buttons + 1), 1);
  int column = gap;
  for (guint i = 0; i < window->n_buttons; i++)
    {
      window->buttons[i]
          = p2v_window_add (window, newtCompactButton (column, window->height + 1, _ (labels[i])));
      column += (int)p2v_text_columns (_ (labels[i])) + 3 + gap;
    }
}

void
p2v_window_focus (P2vWindow *window, newtComponent component)
{
  newtFormSetCurrent (window->form, component);
}

void
p2v_window_focus_button (P2vWindow *window, guint button)
{
  newtFormSetCurrent (window->form, window->buttons[button]);
}

void
p2v_window_set_timer (P2vWindow *window, int milliseconds)
{
  newtFormSetTimer (window->form, milliseconds);
}

void
p2v_window_watch (P2vWindow *window, int fd)
{
  newtFormWatchFd (window->form, fd, NEWT_FD_READ);
}

int
p2v_window_run (P2vWindow *window)
{
  for (;;)
    {
      struct newtExitStruct exit = { 0 };
      newtFormRun (window->form, &exit);
      if (exit.reason == NEWT_EXIT_ERROR
          || (exit.reason == NEWT_EXIT_FDREADY && exit.u.watch == end_pipe[0]))
        return P2V_WINDOW_ENDED;
      if (exit.reason == NEWT_EXIT_TIMER || exit.reason == NEWT_EXIT_FDREADY)
        return P2V_WINDOW_TICK;
      if (exit.reason == NEWT_EXIT_HOTKEY && exit.u.key == NEWT_KEY_ESCAPE)
        return P2V_WINDOW_ESCAPE;
      for (guint i = 0; exit.reason == NEWT_EXIT_COMPONENT && i < window->n_buttons; i++)
        if (exit.u.co == window->buttons[i])
          return (int)i;
    }
}

P2vWindow *
p2v_window_new_question (const char *title, const char *text, const char *const *labels,
                         guint focus)
{
  guint lines;
  g_autofree char *wrapped = p2v_text_wrap (text, P2V_TEXT_WIDTH - 4, &lines);
  int height = (int)MIN (lines, MAX_MESSAGE_ROWS);
  P2vWindow *window = p2v_window_new (title, P2V_TEXT_WIDTH - 2, height + 1);
  p2v_window_add_text (window, 1, 1, P2V_TEXT_WIDTH - 4, height, wrapped);
  p2v_window_add_buttons (window, labels);
  p2v_window_focus_button (window, focus);
  return window;
}

int
p2v_window_ask (const char *title, const char *text, const char *const *labels, guint focus)
{
  g_autoptr (P2vWindow) window = p2v_window_new_question (title, text, labels, focus);
  return p2v_window_run (window);
}

void
p2v_window_say (const char *title, const char *text)
{
  static const char *const labels[] = { N_ ("OK"), NULL };
  p2v_window_ask (title, text, labels, 0);
}
