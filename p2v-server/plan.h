/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PLAN_H
#define P2V_PLAN_H

#include "common/request.h"
#include "p2v-server/config.h"

G_BEGIN_DECLS

/* How a job's guest is made: what the request, the profile and the configuration come to. */

/* One disk's image. */
typedef struct
{
  char *disk;   /* P2vDisk.name */
  gint64 size;  /* bytes */
  char *path;   /* absolute path of the file or block device, its final place */
  char *format; /* "raw" or "qcow2" */
  char *pool;   /* libvirt pool and volume, NULL for a plain file */
  char *volume;
} P2vImage;

/* Where one of the guest's network interfaces is plugged in. */
typedef struct
{
  char *mac;
  char *type;   /* "network", "bridge" or "user" (QEMU's own NAT, for libvirt sessions) */
  char *source; /* network's or bridge's name, NULL for "user" */
} P2vPlanNic;

typedef struct
{
  char *method;      /* "libvirt", "local", or "virt-v2v" for every other output mode */
  char *mode;        /* virt-v2v's -o, set for method "virt-v2v" */
  char *connection;  /* libvirt URI for method libvirt; -oc for method virt-v2v */
  char *storage;     /* pool name, directory, or -os */
  char *format;      /* "raw" or "qcow2" */
  char *allocation;  /* "sparse" or "preallocated" */
  char **options;    /* -oo */
  char *root;        /* virt-v2v --root */
  GPtrArray *images; /* of P2vImage, one for each of the guest's disks, in order */
  GPtrArray *nics;   /* of P2vPlanNic, in the order of the guest's */
  char **warnings;   /* for people, e.g. a network that does not exist on this server */
} P2vPlan;

P2V_SCHEMA_DECLARE (P2vImage, p2v_image)
P2V_SCHEMA_DECLARE (P2vPlanNic, p2v_plan_nic)
P2V_SCHEMA_DECLARE (P2vPlan, p2v_plan)

/* Makes the plan for a request that p2v_request_check() accepted. Nothing is created. Checks the
 * allow-list, the profile, format and allocation, that the guest's name and image places are free.
 * job_dir: absolute path of the job's directory; staging images of method "virt-v2v" go there.
 * Fails with P2V_ERROR_REFUSED; a refusal of the allow-list names the line to add to which file. */
P2vPlan *p2v_plan_make (const P2vServerConfig *config, const P2vRequest *request,
                        const char *job_dir, GError **error);

/* Only what a request's output comes to, without a machine: method, mode, connection, storage,
 * format and allocation; storage is as it was asked for, and may not be allowed or there. Errors as
 * p2v_plan_make(). */
P2vPlan *p2v_plan_choose_output (const P2vServerConfig *config, const P2vOutput *output,
                                 GError **error);

/* The same for a job whose images are there already and stay where they are, to try again with a
 * changed request. Method, storage and format of methods libvirt and local cannot be changed; where
 * virt-v2v writes to can. Fails with P2V_ERROR_REFUSED. */
P2vPlan *p2v_plan_remake (const P2vServerConfig *config, const P2vRequest *request,
                          const char *job_dir, const P2vPlan *previous, GError **error);

G_END_DECLS

#endif
