/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_OFFERS_H
#define P2V_OFFERS_H

#include "common/schema.h"

G_BEGIN_DECLS

/* What a server has to offer to a machine: its answer to "describe". */
typedef struct
{
  char *place;           /* where images go with the output that was asked about: "storage pool
                            default", "/var/lib/p2v/images"; NULL when not on the server's storage */
  gint64 free;           /* bytes left there, -1 when that is not known */
  char *format;          /* of the images: "raw" or "qcow2"; NULL with a problem */
  char *problem;         /* why that output would be refused, NULL when it would not */
  char *libvirt_problem; /* why the server's libvirt cannot be used, NULL when it can */
  char **profiles;       /* names; NULL for none, as all of these */
  char **targets;        /* where each of the profiles leads: "libvirt, default, qcow2" */
  char **modes;          /* that an output can have */
  char **firmwares;      /* that it can start a guest with, P2V_FIRMWARE_* */
  char **pools;          /* libvirt's storage pools that images may go to */
  char **networks;       /* libvirt's networks that are active */
  char **bridges;        /* the server's own */
} P2vOffers;

P2V_SCHEMA_DECLARE (P2vOffers, p2v_offers)

G_END_DECLS

#endif
