/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PROGRESS_VIEW_H
#define P2V_PROGRESS_VIEW_H

#include "p2v-client/progress.h"

G_BEGIN_DECLS

/* For the progress-*.c files, and front ends that draw progress themselves: what is known, and the
 * operations that each style has. */

#define P2V_RATE_SAMPLES 8

/* What is shown of one disk. */
typedef struct
{
  char *name;
  gint64 size, skipped, zero, sent, done, bad; /* bytes, as in P2vDiskProgress */
  double rate;                                 /* bytes a second over the last samples */
  struct
  {
    gint64 time; /* microseconds */
    gint64 done;
  } samples[P2V_RATE_SAMPLES]; /* at least a second apart, the oldest first */
  guint n_samples;
} P2vDiskState;

typedef struct
{
  /* Called with the lock held. */
  void (*begin) (P2vProgress *progress, gint64 now);
  void (*note) (P2vProgress *progress, const char *text, gint64 now);
  void (*update) (P2vProgress *progress, const P2vUpdate *update, gint64 now);
  void (*tick) (P2vProgress *progress, gint64 now);
  void (*end) (P2vProgress *progress, const GError *error);
} P2vProgressView;

extern const P2vProgressView p2v_progress_view_terminal;
extern const P2vProgressView p2v_progress_view_lines;
extern const P2vProgressView p2v_progress_view_json;

struct _P2vProgress
{
  GMutex lock;
  const P2vProgressView *view;
  P2vProgressOutput output;
  gpointer user_data;
  guint columns, rows;

  char *activity;        /* what is being done; NULL when there is nothing to wait for */
  gint64 activity_since; /* microseconds */
  gint64 percent;        /* of the activity, -1 when not known */
  const char *pause;     /* what is waited for meanwhile, NULL: for nothing */

  gboolean transferring; /* the disks are what there is to show */
  GPtrArray *disks;      /* of P2vDiskState */
  double rate;           /* of all disks, bytes a second */
  gint64 wire;           /* bytes that went over the network */
  gint64 time_left;      /* seconds, -1 when not known */
  gint64 moved;          /* when a byte was last done, microseconds */

  /* The views' own. */
  gint64 shown;      /* when something was last printed, microseconds; 0: never */
  guint live_lines;  /* terminal: lines that will be redrawn */
  guint ticks;       /* terminal: for the wheel that turns */
  guint quiet_beats; /* lines: how often it was said that there is nothing new */
};

/* As p2v_progress_new(), for a view of one's own. */
P2vProgress *p2v_progress_new_with_view (const P2vProgressView *view, P2vProgressOutput output,
                                         gpointer user_data);

void p2v_progress_print (P2vProgress *progress, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The line for people that an update is worth, NULL for none. Call before the state is changed by
 * the update. (transfer full) */
char *p2v_progress_message (const P2vProgress *progress, const P2vUpdate *update, gint64 now);

/* "12.3 GiB of 100.0 GiB", "118.4 MiB/s", "14 min 05 s left" of one disk, or of all when disk is
 * NULL, with separator between them. (transfer full) */
char *p2v_progress_figures (const P2vProgress *progress, const P2vDiskState *disk,
                            const char *separator, gint64 now);

/* Done and size of all disks, bytes. */
void p2v_progress_totals (const P2vProgress *progress, gint64 *done, gint64 *size);

/* done of size in percent, 100 only when nothing is left. */
int p2v_progress_percent (gint64 done, gint64 size);

/* "sda: 100.0 GiB: 12.0 GiB sent, 3.0 GiB of zeroes, 85.0 GiB not in use". (transfer full) */
char *p2v_progress_summary (const P2vDiskState *disk);

G_END_DECLS

#endif
