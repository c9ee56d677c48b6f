/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/job.h"

#include "p2v-server/job-store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_FILE "events.jsonl"

/* Hexadecimal digits of a hash that name an export's socket: enough that two never meet, few
 * enough for sun_path (see config.c). */
#define SOCKET_NAME_LENGTH 20

static char *
socket_path (const P2vJob *job, const char *disk, const char *use)
{
  /* A "/" is in no disk's name: two uses never meet. */
  g_autofree char *name = g_strconcat (job->id, "/", disk, use, NULL);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  hash[SOCKET_NAME_LENGTH] = '\0';
  /* The job's directory is STATE_DIR/jobs/ID. */
  g_autofree char *jobs = g_path_get_dirname (job->dir);
  g_autofree char *state_dir = g_path_get_dirname (jobs);
  return g_build_filename (state_dir, "run", hash, NULL);
}

char *
p2v_job_socket_path (const P2vJob *job, const char *disk)
{
  return socket_path (job, disk, "");
}

char *
p2v_job_reading_socket_path (const P2vJob *job, const char *disk)
{
  return socket_path (job, disk, "/reading");
}

char *
p2v_job_door_path (const P2vJob *job)
{
  /* No disk has an empty name. */
  return p2v_job_socket_path (job, "");
}

char **
p2v_job_socket_paths (const P2vJob *job)
{
  GStrvBuilder *paths = g_strv_builder_new ();
  char **disks = job->request->guest->disks;
  for (gsize i = 0; disks != NULL && disks[i] != NULL; i++)
    {
      g_autofree char *writing = p2v_job_socket_path (job, disks[i]);
      g_autofree char *reading = p2v_job_reading_socket_path (job, disks[i]);
      g_strv_builder_add_many (paths, writing, reading, NULL);
    }
  g_autofree char *door = p2v_job_door_path (job);
  g_strv_builder_add (paths, door);
  char **array = g_strv_builder_end (paths);
  g_strv_builder_unref (paths);
  return array;
}

/* A crash may have cut the last line short; what is appended must not become part of it. */
static gboolean
ends_in_torn_line (int fd)
{
  struct stat status;
  char last = '\n';
  if (fstat (fd, &status) < 0 || status.st_size == 0)
    return FALSE;
  return pread (fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

/* One write with O_APPEND: whole lines, whatever thread or process writes at the same time. */
static void
append_line (const P2vJob *job, const char *line, gboolean durable)
{
  g_autofree char *path = p2v_job_path (job, EVENTS_FILE);
  int fd = open (path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      g_warning ("job %s: cannot open %s: %s", job->id, path, g_strerror (errno));
      return;
    }
  g_autofree char *text = g_strconcat (ends_in_torn_line (fd) ? "\n" : "", line, "\n", NULL);
  ssize_t written = write (fd, text, strlen (text));
  if (written != (ssize_t)strlen (text) || (durable && fdatasync (fd) < 0))
    g_warning ("job %s: cannot write %s: %s", job->id, path,
               written < 0 ? g_strerror (errno) : "no space left");
  close (fd);
}

static void
append_event (const P2vJob *job, const char *kind, const char *stage, gint64 percent,
              const char *message)
{
  g_autoptr (P2vEvent) event = p2v_event_new ();
  event->time = g_get_real_time () / 1000;
  event->kind = g_strdup (kind);
  event->stage = g_strdup (stage);
  event->percent = CLAMP (percent, 0, 100);
  event->message = message == NULL ? NULL : g_utf8_make_valid (message, -1);
  g_autoptr (JsonObject) object = p2v_event_to_json (event);
  g_autofree char *line = p2v_json_to_text (object, FALSE);
  append_line (job, line, strcmp (kind, "progress") != 0);
}

void
p2v_job_event (P2vJob *job, const char *kind, const char *stage, const char *format, ...)
{
  g_autofree char *message = NULL;
  if (format != NULL)
    {
      va_list arguments;
      va_start (arguments, format);
      message = g_strdup_vprintf (format, arguments);
      va_end (arguments);
    }
  append_event (job, kind, stage, 0, message);
}

void
p2v_job_progress (P2vJob *job, const char *stage, gint64 percent, const char *message)
{
  append_event (job, "progress", stage, percent, message);
}

/* Everything in a file from offset on. */
static GByteArray *
read_from (const char *path, goffset offset, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT)
    return g_steal_pointer (&bytes);
  if (fd < 0)
    {
      p2v_store_set_errno (error, "open", path);
      return NULL;
    }
  guint8 buffer[16384];
  ssize_t got;
  while ((got = pread (fd, buffer, sizeof buffer, offset)) > 0)
    {
      g_byte_array_append (bytes, buffer, (guint)got);
      offset += got;
    }
  if (got < 0)
    p2v_store_set_errno (error, "read", path);
  close (fd);
  return got < 0 ? NULL : g_steal_pointer (&bytes);
}

/* NULL for a line that is no event: the rest of one that a crash cut short. */
static P2vEvent *
parse_event (const char *line, gsize length)
{
  g_autoptr (JsonObject) object = p2v_json_from_text (line, (gssize)length, NULL);
  g_autoptr (P2vEvent) event = object == NULL ? NULL : p2v_event_from_json (object, NULL);
  return event == NULL || event->kind == NULL ? NULL : g_steal_pointer (&event);
}

GPtrArray *
p2v_job_read_events (const P2vJob *job, goffset *offset, GError **error)
{
  g_autofree char *path = p2v_job_path (job, EVENTS_FILE);
  g_autoptr (GByteArray) bytes = read_from (path, *offset, error);
  if (bytes == NULL)
    return NULL;
  GPtrArray *events = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_event_free);
  const char *line = (const char *)bytes->data;
  gsize left = bytes->len;
  const char *newline;
  while (left > 0 && (newline = memchr (line, '\n', left)) != NULL)
    {
      gsize length = (gsize)(newline - line);
      P2vEvent *event = parse_event (line, length);
      if (event != NULL)
        g_ptr_array_add (events, event);
      line = newline + 1;
      left -= length + 1;
      *offset += (goffset)length + 1;
    }
  return events;
}
