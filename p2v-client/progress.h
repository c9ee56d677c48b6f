/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PROGRESS_H
#define P2V_PROGRESS_H

#include "p2v-client/conversion.h"

G_BEGIN_DECLS

/* Shows a conversion's updates on a terminal, as plain lines, or as JSON. Something is printed at
 * least every few seconds as long as p2v_progress_tick() is called, so that it never looks hung.
 * All functions may be called from any thread. Times are those of g_get_monotonic_time(),
 * microseconds; they are given so that the same updates always print the same. */

typedef enum
{
  P2V_PROGRESS_TERMINAL, /* lines that are redrawn in place (ECMA-48 control sequences) */
  P2V_PROGRESS_LINES,
  P2V_PROGRESS_JSON, /* p2v-client(1), "JSON PROGRESS" */
} P2vProgressStyle;

/* Takes text to print; never called by two threads at a time. */
typedef void (*P2vProgressOutput) (const char *text, gpointer user_data);

typedef struct _P2vProgress P2vProgress;

P2vProgress *p2v_progress_new (P2vProgressStyle style, P2vProgressOutput output,
                               gpointer user_data);
void p2v_progress_free (P2vProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vProgress, p2v_progress_free)

/* The terminal's size in characters; 80 times 24 until it is known. 0: not known. */
void p2v_progress_set_size (P2vProgress *progress, guint columns, guint rows);

/* Says what is being done from now on, for people: "Connecting to kvm1". */
void p2v_progress_begin (P2vProgress *progress, const char *activity, gint64 now);

/* Says something for people, after which somebody else may print: nothing is redrawn until the next
 * p2v_progress_begin(). */
void p2v_progress_note (P2vProgress *progress, const char *text, gint64 now);

/* Shows what the engine reports. */
void p2v_progress_update (P2vProgress *progress, const P2vUpdate *update, gint64 now);

/* To be called about once a second: shows that time passes. */
void p2v_progress_tick (P2vProgress *progress, gint64 now);

/* Nothing more will come: leaves the terminal clean. error: why it ended, NULL when it went well;
 * only JSON repeats it, for people it is the caller's to print. */
void p2v_progress_end (P2vProgress *progress, const GError *error);

G_END_DECLS

#endif
