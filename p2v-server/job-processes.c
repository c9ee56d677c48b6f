/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job-processes.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Between SIGTERM and SIGKILL, and how often is looked whether they are gone, microseconds. */
#define GRACE (3 * G_USEC_PER_SEC)
#define PAUSE (50 * 1000)

/* How long a process may take to go after SIGKILL: it may be writing to a slow disk. */
#define END (10 * G_USEC_PER_SEC)

void
p2v_job_claim_processes (const P2vJob *job)
{
  g_setenv (P2V_JOB_VARIABLE, job->dir, TRUE);
}

/* TRUE when the process with this id was started for the job. A process that has ended and is not
 * yet waited for has no environment any more. */
static gboolean
is_of_job (const char *pid, const char *entry)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "environ", NULL);
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, NULL))
    return FALSE;
  /* Strings one after the other, each with its NUL. */
  for (const char *at = text; at < text + length; at += strlen (at) + 1)
    if (strcmp (at, entry) == 0)
      return TRUE;
  return FALSE;
}

/* Sends a signal to each process of the job; 0 only counts them. */
static guint
signal_all (const char *entry, int number)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  guint count = 0;
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      guint64 pid = 0;
      if (!g_ascii_string_to_unsigned (name, 10, 1, G_MAXINT32, &pid, NULL)
          || (pid_t)pid == getpid () || !is_of_job (name, entry))
        continue;
      count++;
      if (number != 0)
        kill ((pid_t)pid, number);
    }
  return count;
}

/* TRUE when they are all gone in time. */
static gboolean
wait_for_end (const char *entry, gint64 patience)
{
  gint64 deadline = g_get_monotonic_time () + patience;
  while (signal_all (entry, 0) > 0)
    {
      if (g_get_monotonic_time () > deadline)
        return FALSE;
      g_usleep (PAUSE);
    }
  return TRUE;
}

guint
p2v_job_end_processes (const P2vJob *job)
{
  g_autofree char *entry = g_strconcat (P2V_JOB_VARIABLE, "=", job->dir, NULL);
  guint count = signal_all (entry, SIGTERM);
  if (count == 0 || wait_for_end (entry, GRACE))
    return count;
  signal_all (entry, SIGKILL);
  if (!wait_for_end (entry, END))
    g_warning ("job %s: processes of it do not end. Look at what they wait for.", job->id);
  return count;
}
