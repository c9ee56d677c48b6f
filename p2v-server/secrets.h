/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SECRETS_H
#define P2V_SECRETS_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* What must not be in a file that is sent to somebody. */

/* Takes a job's secrets out of a text: its token, the passwords among its output options and in
 * connection URIs, wherever and however escaped they stand; and besides whatever stands behind
 * words like "password=", in JSON too, which stays JSON. What the text had before in such places is
 * "***" in the result (transfer full). The text need not be UTF-8. */
char *p2v_secrets_remove (const P2vJob *job, const char *text);

G_END_DECLS

#endif
