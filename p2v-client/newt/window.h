/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NEWT_WINDOW_H
#define P2V_NEWT_WINDOW_H

#include <glib.h>
#include <newt.h>

G_BEGIN_DECLS

/* The terminal and the windows on it, for a screen of 80 columns and 24 rows. All of it is for one
 * thread only, as newt is. */

/* Columns of text that fit into the largest window. */
#define P2V_TEXT_WIDTH 72

/* Takes the terminal over; SIGTERM and SIGHUP, or the end of the terminal, end every window from
 * then on. A terminal that is not named or not known is taken for a VT100. */
void p2v_screen_start (void);

/* Whether the terminal can show a language's characters. Linux's own console has a few hundred. */
gboolean p2v_screen_shows (const char *language);

/* Gives the terminal back as it was. */
void p2v_screen_stop (void);

/* Another program uses the terminal until p2v_screen_resume(). */
void p2v_screen_suspend (void);
void p2v_screen_resume (void);

/* Writes the line at the top: where we are among the steps. names: marked with N_(), they are
 * translated here. step: an index of them. */
void p2v_screen_show_step (const char *const *names, guint step);

/* The columns that text has on the terminal: Chinese characters have two. text: UTF-8. */
guint p2v_text_columns (const char *text);

/* The text with spaces after it, up to `width` columns. (transfer full) */
char *p2v_text_pad (const char *text, guint width);

/* As much of the beginning of the text as `width` columns have room for. (transfer full) */
char *p2v_text_cut (const char *text, guint width);

/* The text cut or padded to `width` columns, for a table. (transfer full) */
char *p2v_text_fit (const char *text, guint width);

/* Text broken into lines of at most `width` columns, at spaces where there are any; line breaks in
 * it stay. lines: receives their number, may be NULL. (transfer full) */
char *p2v_text_wrap (const char *text, guint width, guint *lines);

/* A window with components and a row of buttons at its bottom. */
typedef struct _P2vWindow P2vWindow;

/* width, height: of what is in it, buttons not counted. */
P2vWindow *p2v_window_new (const char *title, int width, int height);
void p2v_window_free (P2vWindow *window);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vWindow, p2v_window_free)

/* Adds a component (transfer full) and returns it. The order is that of the Tab key. */
newtComponent p2v_window_add (P2vWindow *window, newtComponent component);

/* Adds text that does not take the focus. */
newtComponent p2v_window_add_label (P2vWindow *window, int column, int row, const char *text);

/* Adds a field to type in. value: may be NULL. flags: NEWT_FLAG_PASSWORD, or 0. What is typed is
 * wiped when the window is freed. */
newtComponent p2v_window_add_entry (P2vWindow *window, int column, int row, int width,
                                    const char *value, int flags);

/* Adds lines of text with the box of that size, which scrolls when they are more. */
newtComponent p2v_window_add_text (P2vWindow *window, int column, int row, int width, int height,
                                   const char *text);

/* Adds the buttons, after everything else. labels: NULL after the last; marked with N_(), they are
 * translated here, as everywhere below. */
void p2v_window_add_buttons (P2vWindow *window, const char *const *labels);

/* Makes a component, or the button of that index, the one that has the focus. */
void p2v_window_focus (P2vWindow *window, newtComponent component);
void p2v_window_focus_button (P2vWindow *window, guint button);

/* Makes p2v_window_run() return every so often. */
void p2v_window_set_timer (P2vWindow *window, int milliseconds);

/* Makes p2v_window_run() return when there is something to read. */
void p2v_window_watch (P2vWindow *window, int fd);

#define P2V_WINDOW_ESCAPE -1 /* the Escape key */
#define P2V_WINDOW_TICK -2   /* the timer, or the watched descriptor */
#define P2V_WINDOW_ENDED -3  /* the program is to end */

/* Waits for a key that matters. Returns the index of the button pressed, or one of the above. */
int p2v_window_run (P2vWindow *window);

/* Shows text, which may be long, and asks for one of the buttons. labels: NULL after the last.
 * focus: the one that Enter presses. Returns its index, or as p2v_window_run(). */
int p2v_window_ask (const char *title, const char *text, const char *const *labels, guint focus);

/* The window of p2v_window_ask(), for who has more to wait for than a key. */
P2vWindow *p2v_window_new_question (const char *title, const char *text, const char *const *labels,
                                    guint focus);

/* p2v_window_ask() with the button "OK" alone. */
void p2v_window_say (const char *title, const char *text);

G_END_DECLS

#endif
