/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_ENGINE_PRIVATE_H
#define P2V_KIOSK_ENGINE_PRIVATE_H

#include "p2v-client/kiosk/engine.h"

G_BEGIN_DECLS

/* For the engine's own files. */

struct _P2vKioskEngine
{
  GObject parent_instance;
  P2vKioskModel *model;
  char *root;
  guint network_timer;
  gboolean network_busy;
  GCancellable *looking; /* the calls that run; NULL when none does */
  int *look_stage;       /* of the look that runs; the task's */
  GCancellable *asking;
  GCancellable *probing;
  GCancellable *estimating;
  GCancellable *converting;
  P2vQuestion *question;
};

/* Stops asking the disks what takes longer, at once for everybody else. */
void p2v_kiosk_engine_stop_asking (P2vKioskEngine *engine);

G_END_DECLS

#endif
