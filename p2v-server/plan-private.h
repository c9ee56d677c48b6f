/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PLAN_PRIVATE_H
#define P2V_PLAN_PRIVATE_H

#include "p2v-server/libvirt.h"
#include "p2v-server/plan.h"

G_BEGIN_DECLS

/* A plan in the making; shared by plan.c, plan-images.c and plan-nics.c, nobody else's. */
typedef struct
{
  const P2vServerConfig *config;
  const P2vRequest *request;
  const char *job_dir;
  GPtrArray *rules;         /* of P2vNetworkRule */
  virConnectPtr libvirt;    /* NULL while not connected */
  GPtrArray *warnings;      /* char *, for people, each once */
  const P2vPlan *previous;  /* NULL, or the plan that has the images already */
  gboolean format_demanded; /* the client or the profile said it, not the configuration */
  P2vPlan *plan;
} P2vPlanner;

/* Connects to the configured libvirt unless that is done. */
gboolean p2v_planner_connect (P2vPlanner *planner, GError **error);

/* Settles the place of the images and adds them, after checking that the guest's name and every
 * image's name are free. The plan's method, mode, storage (as it was asked for) and format are set.
 */
gboolean p2v_planner_add_images (P2vPlanner *planner, GError **error);

/* Instead, when there is a previous plan: takes over its images, where they are, after checking
 * that the plan wants them there. */
gboolean p2v_planner_keep_images (P2vPlanner *planner, GError **error);

/* Adds the guest's network interfaces, each plugged in where the rules and this host say. */
gboolean p2v_planner_add_nics (P2vPlanner *planner, GError **error);

G_END_DECLS

#endif
