/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/details.h"

#include "p2v-client/disk-health.h"
#include "p2v-client/machine-map.h"

struct _P2vDetails
{
  P2vMachine *machine; /* the thread's until it is known */
  GCancellable *cancellable;
  GThread *thread;
  gint known; /* atomic */
};

static gpointer
ask (gpointer user_data)
{
  P2vDetails *details = user_data;
  p2v_disk_health_look (details->machine, details->cancellable);
  if (p2v_machine_map_contents (details->machine, details->cancellable, NULL))
    g_atomic_int_set (&details->known, 1);
  return NULL;
}

P2vDetails *
p2v_details_new (const P2vMachine *machine)
{
  P2vDetails *details = g_new0 (P2vDetails, 1);
  details->machine = p2v_schema_copy (&p2v_machine_schema, machine);
  details->cancellable = g_cancellable_new ();
  details->thread = g_thread_new ("details", ask, details);
  return details;
}

const P2vMachine *
p2v_details_get (P2vDetails *details)
{
  return details != NULL && g_atomic_int_get (&details->known) ? details->machine : NULL;
}

void
p2v_details_free (P2vDetails *details)
{
  if (details == NULL)
    return;
  g_cancellable_cancel (details->cancellable);
  g_thread_join (details->thread);
  g_object_unref (details->cancellable);
  p2v_machine_free (details->machine);
  g_free (details);
}
