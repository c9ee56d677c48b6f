/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/plan.h"

static const P2vField image_fields[] = {
  P2V_FIELD (STRING, P2vImage, disk),
  P2V_FIELD_RANGE (P2vImage, size, 0, G_MAXINT64),
  P2V_FIELD (STRING, P2vImage, path),
  P2V_FIELD (STRING, P2vImage, format),
  P2V_FIELD (STRING, P2vImage, pool),
  P2V_FIELD (STRING, P2vImage, volume),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vImage, p2v_image, "image", image_fields)

static const P2vField plan_nic_fields[] = {
  P2V_FIELD (STRING, P2vPlanNic, mac),
  P2V_FIELD (STRING, P2vPlanNic, type),
  P2V_FIELD (STRING, P2vPlanNic, source),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vPlanNic, p2v_plan_nic, "plan nic", plan_nic_fields)

static const P2vField plan_fields[] = {
  P2V_FIELD (STRING, P2vPlan, method),
  P2V_FIELD (STRING, P2vPlan, mode),
  P2V_FIELD (STRING, P2vPlan, connection),
  P2V_FIELD (STRING, P2vPlan, storage),
  P2V_FIELD (STRING, P2vPlan, format),
  P2V_FIELD (STRING, P2vPlan, allocation),
  P2V_FIELD (STRV, P2vPlan, options),
  P2V_FIELD (STRING, P2vPlan, root),
  P2V_FIELD_NESTED (ARRAY, P2vPlan, images, &p2v_image_schema),
  P2V_FIELD_NESTED (ARRAY, P2vPlan, nics, &p2v_plan_nic_schema),
  P2V_FIELD (STRV, P2vPlan, warnings),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vPlan, p2v_plan, "plan", plan_fields)
