/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_VERIFY_H
#define P2V_VERIFY_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* The stage "verify": every chunk of every received image is read back and compared with what the
 * manifest says the machine read. Data must have the recorded hash; what is zero or skipped must
 * read as zeroes. It runs in a thread of its own, beside whatever only reads the images.
 *
 * A chunk that is bad is forgotten in the manifest at once: whoever takes the job up again asks its
 * machine for just that. */
typedef struct _P2vVerify P2vVerify;

typedef enum
{
  P2V_VERIFY_STAGE, /* of a job that goes on: every chunk must be there */
  P2V_VERIFY_AGAIN, /* a look at a job that stands still: chunks that are unknown are left to come
                     */
} P2vVerifyKind;

/* FALSE when the request says p2v.verify=off. */
gboolean p2v_verify_is_wanted (const P2vJob *job);

/* TRUE from when the conversion began to write into the images: they are no longer what was
 * received, and there is nothing to compare. */
gboolean p2v_verify_is_too_late (const P2vJob *job);

/* Records that the job is not verified. */
gboolean p2v_verify_skip (P2vJob *job, GError **error);

/* Begins. Needs the job's lock until p2v_verify_free(); the job's directory, plan and id must not
 * change meanwhile. job->verification is "running" and saved; with P2V_VERIFY_STAGE the job's state
 * becomes "received" and the stage begins. */
P2vVerify *p2v_verify_start (P2vJob *job, P2vVerifyKind kind, GError **error);

/* Does not wait: TRUE while nothing speaks against going on, that is when verify is NULL, still
 * runs or has passed. To be called now and then by the thread that has the job: it is what puts the
 * result into the job and saves that.
 * Fails with P2V_ERROR_TRANSFER (an image is not what was read), with what kept it from being
 * carried out, or with P2V_ERROR_CANCELLED. */
gboolean p2v_verify_check (P2vVerify *verify, GError **error);

/* Waits for the end, which comes within a second once the job is asked to be cancelled; then as
 * p2v_verify_check(). */
gboolean p2v_verify_wait (P2vVerify *verify, GError **error);

/* TRUE when the result is in the job, or verify is NULL. */
gboolean p2v_verify_is_over (const P2vVerify *verify);

/* Stops it if it still runs, and waits for its thread. The job then has no result of it. */
void p2v_verify_free (P2vVerify *verify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vVerify, p2v_verify_free)

G_END_DECLS

#endif
