/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CHANGE_H
#define P2V_CHANGE_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* What an administrator changes before a job is tried again. NULL: as it was. */
typedef struct
{
  char *root;       /* virt-v2v --root */
  char **networks;  /* each "TARGET" or "NIC:TARGET" */
  char *profile;    /* its method, storage and networks count unless something below is said */
  char *mode;       /* -o */
  char *connection; /* -oc */
  char *storage;    /* -os */
  char *format;     /* -of */
  char **options;   /* -oo */
} P2vChange;

/* Changes the job's request and plan, says so in an event, and saves. The images are not touched.
 * Nothing is changed when nothing is to be. Needs the lock.
 * Fails with P2V_ERROR_REFUSED: what is asked for is not acceptable (for the reasons for which a
 * client's wish is refused), needs other images, or comes too late: only networks can still be
 * changed once the images are being changed by the conversion. */
gboolean p2v_change_apply (const P2vServerConfig *config, P2vJob *job, const P2vChange *change,
                           GError **error);

G_END_DECLS

#endif
