/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/lane.h"

#include "common/error.h"
#include "common/protocol.h"
#include "p2v-server/bridge.h"
#include "p2v-server/job.h"
#include "p2v-server/socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* The longest first line, bytes, and how long it may take to arrive, milliseconds: a stranger who
 * got this far cannot keep the process waiting. */
#define LANE_LINE_MAX 65536
#define LANE_LINE_MS 30000

/* How long a lane may have nothing to say, milliseconds; its client sees to it that it has every
 * minute. A client that is gone without a word would keep its place at the export, of which there
 * are not so many. */
#define LANE_SILENCE_MS (5 * 60 * 1000)

static gboolean
write_all (int fd, const char *text)
{
  gsize left = strlen (text);
  while (left > 0)
    {
      ssize_t n = write (fd, text, left);
      if (n < 0 && errno != EINTR)
        return FALSE;
      text += MAX (n, 0);
      left -= (gsize)MAX (n, 0);
    }
  return TRUE;
}

/* Reads the first line a byte at a time: what follows it is not ours. */
static char *
read_first_line (int fd, GError **error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  struct pollfd readable = { .fd = fd, .events = POLLIN };
  gint64 deadline = g_get_monotonic_time () + LANE_LINE_MS * G_TIME_SPAN_MILLISECOND;
  while (line->len < LANE_LINE_MAX && g_get_monotonic_time () < deadline)
    {
      char c;
      if (poll (&readable, 1, 1000) <= 0)
        continue;
      if (read (fd, &c, 1) != 1)
        break;
      if (c == '\n')
        return g_string_free (g_steal_pointer (&line), FALSE);
      g_string_append_c (line, c);
    }
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                       "a lane begins with one line that names its job");
  return NULL;
}

static gboolean
is_disk_of_job (const P2vJob *job, const char *disk)
{
  for (guint i = 0; job->plan != NULL && i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      if (g_strcmp0 (image->disk, disk) == 0)
        return TRUE;
    }
  return FALSE;
}

static int
connect_export (const P2vJob *job, const char *disk, GError **error)
{
  g_autofree char *path = p2v_job_socket_path (job, disk);
  int fd = p2v_socket_connect (path, error);
  if (fd < 0)
    g_prefix_error (error, "the export of disk %s does not answer: ", disk);
  return fd;
}

/* Checks whom the lane is for. One answer for every wrong guess, so that jobs cannot be probed. */
static int
open_export (const P2vServerConfig *config, const char *line, gboolean *compressed, GError **error)
{
  gint64 version;
  g_autoptr (JsonObject) message = p2v_message_parse (line, -1, error);
  if (message == NULL || !p2v_message_get_int (message, "version", 1, G_MAXINT32, &version, error))
    return -1;
  const char *id = p2v_message_get_string (message, "job");
  const char *disk = p2v_message_get_string (message, "disk");
  g_autoptr (P2vJob) job = id == NULL ? NULL : p2v_job_load (config, id, NULL);
  if (g_strcmp0 (p2v_message_type (message), P2V_MESSAGE_LANE) != 0 || job == NULL
      || !p2v_job_token_matches (job, p2v_message_get_string (message, "token"))
      || !is_disk_of_job (job, disk) || g_strcmp0 (job->state, P2V_JOB_RECEIVING) != 0)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "there is no such job, or it does not receive that disk now");
      return -1;
    }
  *compressed = g_strcmp0 (p2v_message_get_string (message, "compress"), P2V_LANE_ZSTD) == 0;
  return connect_export (job, disk, error);
}

int
p2v_lane_run (const P2vServerConfig *config, int input, int output)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = read_first_line (input, &error);
  gboolean compressed = FALSE;
  int export = line == NULL ? -1 : open_export (config, line, &compressed, &error);
  g_autoptr (JsonObject) answer
      = export < 0 ? p2v_message_new_error (error) : p2v_message_new (P2V_MESSAGE_READY);
  if (compressed)
    json_object_set_string_member (answer, "compress", P2V_LANE_ZSTD);
  g_autofree char *text = p2v_message_to_line (answer);
  int status = 0;
  gboolean answered = write_all (output, text);
  if (export < 0)
    return (int)p2v_error_code_of (error);
  if (answered && !p2v_bridge_run (input, output, export, compressed, LANE_SILENCE_MS, &error))
    {
      g_printerr ("p2v-server: a lane is closed: %s\n", error->message);
      status = (int)P2V_ERROR_TRANSFER;
    }
  close (export);
  return status;
}
