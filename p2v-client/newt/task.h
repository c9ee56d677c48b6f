/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NEWT_TASK_H
#define P2V_NEWT_TASK_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* Something that takes a while. Called in a thread of its own; must not touch the screen. */
typedef gboolean (*P2vTaskFunc) (gpointer data, GCancellable *cancellable, GError **error);

/* Runs it behind a window with the text and a button "Cancel", and waits for its end. Fails as the
 * function does; it is cancelled, too, when the program is to end. */
gboolean p2v_task_run (const char *title, const char *text, P2vTaskFunc func, gpointer data,
                       GError **error);

/* The same for what may hang where nothing can stop it: when the person cancels, or the program is
 * to end, it is left alone soon after and P2V_ERROR_CANCELLED is returned, while its thread goes
 * on. data: the thread's, which calls release for it at its end. */
gboolean p2v_task_run_apart (const char *title, const char *text, P2vTaskFunc func, gpointer data,
                             GDestroyNotify release, GError **error);

G_END_DECLS

#endif
