/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/measuring.h"

/* The thread has a reference of its own. */
struct _P2vMeasuring
{
  P2vEstimateTask *task;
  GCancellable *cancellable;
  P2vEstimate *estimate; /* atomic */
};

static void
clear (gpointer data)
{
  P2vMeasuring *measuring = data;
  p2v_estimate_task_free (measuring->task);
  g_object_unref (measuring->cancellable);
  p2v_estimate_free (measuring->estimate);
}

static gpointer
measure (gpointer data)
{
  P2vMeasuring *measuring = data;
  g_atomic_pointer_set (&measuring->estimate,
                        p2v_estimate_measure (measuring->task, measuring->cancellable));
  g_atomic_rc_box_release_full (measuring, clear);
  return NULL;
}

P2vMeasuring *
p2v_measuring_new (const P2vConfig *config, const P2vMachine *machine, char *const *disks)
{
  P2vMeasuring *measuring = g_atomic_rc_box_new0 (P2vMeasuring);
  measuring->task = p2v_estimate_task_new (config, machine, disks);
  measuring->cancellable = g_cancellable_new ();
  g_thread_unref (g_thread_new ("measure", measure, g_atomic_rc_box_acquire (measuring)));
  return measuring;
}

const P2vEstimate *
p2v_measuring_get (P2vMeasuring *measuring)
{
  return g_atomic_pointer_get (&measuring->estimate);
}

void
p2v_measuring_free (P2vMeasuring *measuring)
{
  if (measuring == NULL)
    return;
  g_cancellable_cancel (measuring->cancellable);
  g_atomic_rc_box_release_full (measuring, clear);
}
