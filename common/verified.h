/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_VERIFIED_H
#define P2V_VERIFIED_H

#include "common/schema.h"

G_BEGIN_DECLS

/* States of a verification. */
#define P2V_VERIFICATION_RUNNING "running"
#define P2V_VERIFICATION_PASSED "passed"
#define P2V_VERIFICATION_FAILED "failed"         /* also when it could not be carried out */
#define P2V_VERIFICATION_INCOMPLETE "incomplete" /* all that has landed is right */
#define P2V_VERIFICATION_OFF "off"               /* p2v.verify=off */

/* What came of comparing the images with what the machine read, as "done" tells the client. */
typedef struct
{
  char *state;
  gint64 data; /* chunks whose contents were compared by hash */
  gint64 zero; /* zero or skipped, found to read as zeroes */
} P2vVerified;

P2V_SCHEMA_DECLARE (P2vVerified, p2v_verified)

G_END_DECLS

#endif
