/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/session.h"

#include "common/error.h"
#include "common/protocol.h"
#include "p2v-server/job.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What moves at a time in each direction, bytes; two of these are all the memory a lane takes. */
#define BUFFER_SIZE (256 * 1024)

/* The longest first line, bytes, and how long it may take to arrive, milliseconds: a stranger who
 * got this far cannot keep the process waiting. */
#define LANE_LINE_MAX 65536
#define LANE_LINE_MS 30000

/* One direction of the bridge. */
typedef struct
{
  int from, to;
  guint8 *data;
  gsize start, end;
  gboolean eof;
} Flow;

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

/* Compares in constant time, so that answers do not tell how much of a guess is right. */
static gboolean
token_matches (const char *expected, const char *given)
{
  if (expected == NULL || given == NULL || strlen (expected) != strlen (given))
    return FALSE;
  guint8 difference = 0;
  for (gsize i = 0; expected[i] != '\0'; i++)
    difference |= (guint8)(expected[i] ^ given[i]);
  return difference == 0;
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
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen (path) >= sizeof address.sun_path)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                   "the socket's path %s is too long: choose a shorter [server] state-dir=", path);
      return -1;
    }
  memcpy (address.sun_path, path, strlen (path) + 1);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect (fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  int saved = errno;
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "the export of disk %s does not answer: %s",
               disk, g_strerror (saved));
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Checks whom the lane is for. One answer for every wrong guess, so that jobs cannot be probed. */
static int
open_export (const P2vServerConfig *config, const char *line, GError **error)
{
  gint64 version;
  g_autoptr (JsonObject) message = p2v_message_parse (line, -1, error);
  if (message == NULL || !p2v_message_get_int (message, "version", 1, G_MAXINT32, &version, error))
    return -1;
  const char *id = p2v_message_get_string (message, "job");
  const char *disk = p2v_message_get_string (message, "disk");
  g_autoptr (P2vJob) job = id == NULL ? NULL : p2v_job_load (config, id, NULL);
  if (g_strcmp0 (p2v_message_type (message), P2V_MESSAGE_LANE) != 0 || job == NULL
      || !token_matches (job->token, p2v_message_get_string (message, "token"))
      || !is_disk_of_job (job, disk) || g_strcmp0 (job->state, P2V_JOB_RECEIVING) != 0)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "there is no such job, or it does not receive that disk now");
      return -1;
    }
  return connect_export (job, disk, error);
}

static void
flow_fill (Flow *flow)
{
  ssize_t n = read (flow->from, flow->data, BUFFER_SIZE);
  flow->start = 0;
  flow->end = n > 0 ? (gsize)n : 0;
  flow->eof = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* FALSE when the other side takes nothing any more. */
static gboolean
flow_drain (Flow *flow)
{
  ssize_t n = write (flow->to, flow->data + flow->start, flow->end - flow->start);
  if (n > 0)
    flow->start += (gsize)n;
  return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void
flow_prepare (const Flow *flow, struct pollfd *from, struct pollfd *to)
{
  gboolean full = flow->end > flow->start;
  *from = (struct pollfd){ .fd = full || flow->eof ? -1 : flow->from, .events = POLLIN };
  *to = (struct pollfd){ .fd = full ? flow->to : -1, .events = POLLOUT };
}

/* Carries bytes until the export has said its last. */
static void
bridge (int input, int output, int export)
{
  g_autofree guint8 *up_data = g_malloc (BUFFER_SIZE);
  g_autofree guint8 *down_data = g_malloc (BUFFER_SIZE);
  Flow up = { .from = input, .to = export, .data = up_data };
  Flow down = { .from = export, .to = output, .data = down_data };
  gboolean told_end = FALSE;
  while (!down.eof || down.end > down.start)
    {
      struct pollfd fds[4];
      flow_prepare (&up, &fds[0], &fds[1]);
      flow_prepare (&down, &fds[2], &fds[3]);
      if (up.eof && up.end == up.start && !told_end)
        {
          shutdown (export, SHUT_WR);
          told_end = TRUE;
        }
      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0 && errno != EINTR)
        return;
      if (fds[0].revents != 0)
        flow_fill (&up);
      if (fds[1].revents != 0 && !flow_drain (&up))
        return;
      if (fds[2].revents != 0)
        flow_fill (&down);
      if (fds[3].revents != 0 && !flow_drain (&down))
        return;
    }
}

int
p2v_lane_run (const P2vServerConfig *config, int input, int output)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = read_first_line (input, &error);
  int export = line == NULL ? -1 : open_export (config, line, &error);
  g_autoptr (JsonObject) answer
      = export < 0 ? p2v_message_new_error (error) : p2v_message_new (P2V_MESSAGE_READY);
  g_autofree char *text = p2v_message_to_line (answer);
  gboolean answered = write_all (output, text);
  if (export < 0)
    return (int)p2v_error_code_of (error);
  if (answered)
    bridge (input, output, export);
  close (export);
  return 0;
}
