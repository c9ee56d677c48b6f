/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/details.h"

#include "p2v-client/disk-health.h"
#include "p2v-client/machine-map.h"

/* The thread has a reference of its own. */
struct _P2vDetails
{
  P2vMachine *machine; /* the thread's until all is known */
  P2vMachine *health;  /* atomic; with the health alone, which is known sooner */
  GCancellable *cancellable;
  gint complete; /* atomic */
};

static void
clear (gpointer data)
{
  P2vDetails *details = data;
  g_object_unref (details->cancellable);
  p2v_machine_free (details->machine);
  p2v_machine_free (details->health);
}

static gpointer
ask (gpointer user_data)
{
  P2vDetails *details = user_data;
  p2v_disk_health_look (details->machine, details->cancellable);
  g_atomic_pointer_set (&details->health, p2v_schema_copy (&p2v_machine_schema, details->machine));
  if (p2v_machine_map_contents (details->machine, details->cancellable, NULL))
    g_atomic_int_set (&details->complete, 1);
  g_atomic_rc_box_release_full (details, clear);
  return NULL;
}

P2vDetails *
p2v_details_new (const P2vMachine *machine)
{
  P2vDetails *details = g_atomic_rc_box_new0 (P2vDetails);
  details->machine = p2v_schema_copy (&p2v_machine_schema, machine);
  details->cancellable = g_cancellable_new ();
  g_thread_unref (g_thread_new ("details", ask, g_atomic_rc_box_acquire (details)));
  return details;
}

gboolean
p2v_details_is_complete (P2vDetails *details)
{
  return details != NULL && g_atomic_int_get (&details->complete);
}

const P2vMachine *
p2v_details_get (P2vDetails *details)
{
  if (details == NULL)
    return NULL;
  return p2v_details_is_complete (details) ? details->machine
                                           : g_atomic_pointer_get (&details->health);
}

void
p2v_details_free (P2vDetails *details)
{
  if (details == NULL)
    return;
  g_cancellable_cancel (details->cancellable);
  g_atomic_rc_box_release_full (details, clear);
}
