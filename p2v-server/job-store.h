/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_JOB_STORE_H
#define P2V_JOB_STORE_H

#include "p2v-server/config.h"

G_BEGIN_DECLS

/* The files and folders below the state directory, for job.c and its like only. */

#define P2V_STORE_JOB_FILE "job.json"
#define P2V_STORE_LOCK_FILE "lock"

/* TRUE when id can be the name of a job's directory: a digit first, then the alphabet of guest
 * names. Nothing that gets past it can leave the jobs' folder. */
gboolean p2v_store_id_is_valid (const char *id);

/* STATE_DIR/jobs, and a job's directory in it (transfer full). */
char *p2v_store_jobs_dir (const P2vServerConfig *config);
char *p2v_store_job_dir (const P2vServerConfig *config, const char *id);

/* STATE_DIR/run (transfer full). */
char *p2v_store_run_dir (const P2vServerConfig *config);

/* Makes the state directory, and jobs/ and run/ in it for the owner only, if they are not there. */
gboolean p2v_store_prepare (const P2vServerConfig *config, GError **error);

/* Takes the exclusive flock(2) of a job's directory. Returns its file descriptor, or -1 with
 * P2V_ERROR_REFUSED when another process has it. */
int p2v_store_lock (const char *dir, GError **error);

/* TRUE while the lock of a job's directory is held by anybody. */
gboolean p2v_store_is_locked (const char *dir);

/* Process id of the holder as it noted itself in the lock, 0 when nobody holds it. */
gint64 p2v_store_lock_holder (const char *dir);

/* Replaces a file by text, so that after a crash at any instant it holds the old or the new one. */
gboolean p2v_store_replace (const char *dir, const char *file, const char *text, GError **error);

/* Makes durable which names there are in a directory. */
gboolean p2v_store_sync_dir (const char *dir, GError **error);

/* Takes a job's directory out of the list in one step, then removes what was in it. */
gboolean p2v_store_delete_job (const char *dir, GError **error);

/* Removes a directory and all in it; follows no symbolic link, leaves no file system. */
gboolean p2v_store_remove_tree (const char *path, GError **error);

/* Sets *error from errno: "cannot VERB PATH: reason", with whom to ask where that helps. Returns
 * FALSE. */
gboolean p2v_store_set_errno (GError **error, const char *verb, const char *path);

G_END_DECLS

#endif
