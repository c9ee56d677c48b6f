/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/estimate.h"

#include "common/error.h"
#include "p2v-client/compressor.h"
#include "p2v-client/control.h"
#include "p2v-client/i18n.h"
#include "p2v-client/identity.h"
#include "p2v-client/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is read at once, in how many places of a disk, and how long at most, seconds: of all disks
 * together. */
#define SAMPLE (4 * 1024 * 1024)
#define PLACES 8
#define READ_SECONDS 2.0

/* What is sent at first, bytes; a block that takes less than so many seconds is followed by a
 * larger one. All of it together takes no longer than NETWORK_SECONDS and one block. */
#define FIRST_BLOCK (256 * 1024)
#define BLOCK_SECONDS 0.4
#define NETWORK_SECONDS 2.5

/* After so long without an answer what has been sent so far is what counts, seconds. */
#define PATIENCE_SECONDS 6.0

/* How often a wait looks whether it was cancelled, milliseconds. */
#define POLL_MS 100

struct _P2vEstimateTask
{
  P2vConfig *config; /* what concerns login and lanes */
  P2vMachine *machine;
  char **disks;
};

P2vEstimateTask *
p2v_estimate_task_new (const P2vConfig *config, const P2vMachine *machine, char *const *disks)
{
  P2vEstimateTask *task = g_new0 (P2vEstimateTask, 1);
  P2vConfig *own = p2v_config_new ();
  own->server = g_strdup (config->server);
  own->port = config->port;
  g_free (own->username);
  own->username = g_strdup (config->username);
  own->password = g_strdup (config->password);
  own->identity_url = g_strdup (config->identity_url);
  own->sudo = config->sudo;
  own->hostkey = g_strdup (config->hostkey);
  own->compress = config->compress;
  own->bwlimit = config->bwlimit;
  task->config = own;
  task->machine = p2v_schema_copy (&p2v_machine_schema, machine);
  task->disks = g_strdupv ((char **)disks);
  return task;
}

void
p2v_estimate_task_free (P2vEstimateTask *task)
{
  if (task == NULL)
    return;
  p2v_config_free (task->config);
  p2v_machine_free (task->machine);
  g_strfreev (task->disks);
  g_free (task);
}

static double
now (void)
{
  return (double)g_get_monotonic_time () / G_USEC_PER_SEC;
}

/* What came of reading. */
typedef struct
{
  guint8 *data; /* room for a sample, and aligned as O_DIRECT needs it */
  guint8 *packed;
  P2vCompressor *compressor;
  double seconds; /* that reading took */
  gint64 bytes;
  double packing; /* seconds that compressing took */
  gint64 unpacked, left;
} Samples;

static void
compress_sample (Samples *samples, gsize length)
{
  /* Such chunks are not sent. */
  if (samples->compressor == NULL || p2v_is_zero (samples->data, length))
    return;
  double started = now ();
  samples->left += (gint64)p2v_compressor_run (samples->compressor, samples->data, length, TRUE,
                                               samples->packed);
  samples->packing += now () - started;
  samples->unpacked += (gint64)length;
}

/* Read-only, and past the page cache, where that is possible: what is in it says nothing. */
static int
open_disk (const P2vDisk *disk)
{
  int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int fd = open (disk->path, flags | O_DIRECT);
  return fd >= 0 ? fd : open (disk->path, flags);
}

/* Places spread over the disk, each of the size of a sample. FALSE with a problem. */
static gboolean
sample_disk (const P2vDisk *disk, double seconds, Samples *samples, GCancellable *cancellable,
             GError **error)
{
  int fd = open_disk (disk);
  double deadline = now () + seconds;
  gboolean ok = fd >= 0;
  for (gint64 i = 0;
       ok && i < PLACES && now () < deadline && !g_cancellable_is_cancelled (cancellable); i++)
    {
      gint64 place = disk->size / PLACES * i / SAMPLE * SAMPLE;
      double started = now ();
      ssize_t got = pread (fd, samples->data, SAMPLE, place);
      ok = got >= 0;
      samples->seconds += now () - started;
      samples->bytes += MAX (got, 0);
      if (got > 0)
        compress_sample (samples, (gsize)got);
    }
  if (!ok)
    g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE, "disk %s cannot be read: %s", disk->name,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}

static void
measure_disks (const P2vEstimateTask *task, P2vEstimate *estimate, GCancellable *cancellable)
{
  Samples samples = { 0 };
  g_autoptr (GError) problem = NULL;
  guint count = g_strv_length (task->disks);
  if (task->config->compress != P2V_COMPRESS_OFF)
    samples.compressor
        = p2v_compressor_new (task->config->compress > 0 ? (int)task->config->compress : 1);
  samples.packed = g_malloc (p2v_compressor_bound (SAMPLE));
  samples.data = g_aligned_alloc (1, SAMPLE, 4096);
  for (guint i = 0; i < count; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (task->machine, task->disks[i]);
      if (disk == NULL)
        continue;
      estimate->bytes += p2v_estimate_disk_bytes (disk, NULL);
      if (problem == NULL)
        sample_disk (disk, READ_SECONDS / count, &samples, cancellable, &problem);
    }
  if (problem != NULL)
    estimate->problem = g_strdup (problem->message);
  else if (samples.seconds > 0)
    estimate->read = (double)samples.bytes / samples.seconds;
  if (samples.packing > 0)
    {
      estimate->ratio = MIN ((double)samples.left / (double)samples.unpacked, 1);
      estimate->compress = (double)samples.unpacked / samples.packing * g_get_num_processors ();
    }
  p2v_compressor_free (samples.compressor);
  g_free (samples.packed);
  g_aligned_free (samples.data);
}

/* Sends a block of anything until it is all gone, or time is over. */
static gboolean
send_block (int fd, gint64 length, double deadline, GCancellable *cancellable)
{
  static const guint8 data[64 * 1024];
  struct pollfd writable = { .fd = fd, .events = POLLOUT };
  while (length > 0 && now () < deadline && !g_cancellable_is_cancelled (cancellable))
    {
      ssize_t n
          = send (fd, data, (gsize)MIN (length, (gint64)sizeof data), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0)
        length -= n;
      else if (n < 0 && errno != EAGAIN && errno != EINTR)
        return FALSE;
      else
        poll (&writable, 1, POLL_MS);
    }
  return length == 0;
}

/* Whether the server has answered before the time is over. */
static gboolean
wait_for_answer (int fd, double deadline, GCancellable *cancellable)
{
  struct pollfd readable = { .fd = fd, .events = POLLIN };
  while (now () < deadline && !g_cancellable_is_cancelled (cancellable))
    if (poll (&readable, 1, POLL_MS) > 0)
      return TRUE;
  return FALSE;
}

/* One block, from its first byte to the server's word that it has the last. Returns the seconds it
 * took; 0 when that was too long. */
static double
measure_block (P2vSsh *ssh, gint64 length, double deadline, GCancellable *cancellable,
               GError **error)
{
  JsonObject *measure = p2v_message_new (P2V_MESSAGE_MEASURE);
  json_object_set_int_member (measure, "bytes", length);
  g_autoptr (JsonObject) measuring
      = p2v_control_ask (ssh, measure, P2V_MESSAGE_MEASURING, cancellable, error);
  if (measuring == NULL)
    return 0;
  double started = now ();
  int fd = p2v_ssh_get_fd (ssh);
  char line[256];
  if (!send_block (fd, length, deadline, cancellable)
      || !wait_for_answer (fd, deadline, cancellable) || read (fd, line, sizeof line) <= 0)
    return 0;
  return MAX (now () - started, 1e-6);
}

/* The fastest of the blocks: the first ones are slowed down by what opens a connection. */
static double
measure_blocks (P2vSsh *ssh, GCancellable *cancellable, GError **error)
{
  double fastest = 0;
  double begun = now ();
  double end = begun + NETWORK_SECONDS;
  gint64 before = p2v_ssh_get_sent (ssh);
  for (gint64 length = FIRST_BLOCK; now () < end && !g_cancellable_is_cancelled (cancellable);)
    {
      g_autoptr (GError) problem = NULL;
      double took = measure_block (ssh, length, begun + PATIENCE_SECONDS, cancellable, &problem);
      if (problem != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return 0;
        }
      if (took == 0)
        {
          double so_far = (double)(p2v_ssh_get_sent (ssh) - before) / (now () - begun);
          return MAX (fastest, so_far);
        }
      fastest = MAX (fastest, (double)length / took);
      if (took < BLOCK_SECONDS && length < P2V_MEASURE_MAX)
        length *= 2;
    }
  return fastest;
}

static double
measure_connection (const P2vConfig *config, const char *identity, GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (P2vBandwidth) bandwidth = p2v_bandwidth_new (config->bwlimit);
  g_autofree char *program = NULL;
  g_autoptr (P2vSsh) ssh
      = p2v_ssh_open (config, identity, P2V_COMMAND_SESSION, bandwidth, cancellable, NULL, error);
  if (ssh == NULL || !p2v_control_greet (ssh, config, &program, cancellable, error))
    return 0;
  double rate = measure_blocks (ssh, cancellable, error);
  /* What may be sent at once after a pause is no rate. */
  return config->bwlimit > 0 ? MIN (rate, (double)config->bwlimit) : rate;
}

static void
measure_network (const P2vEstimateTask *task, P2vEstimate *estimate, GCancellable *cancellable)
{
  const P2vConfig *config = task->config;
  g_autoptr (GError) problem = NULL;
  char *identity = NULL;
  if (config->identity_url != NULL)
    identity = p2v_identity_fetch (config->identity_url, cancellable, &problem);
  if (problem == NULL)
    estimate->network = measure_connection (config, identity, cancellable, &problem);
  p2v_secret_free (identity);
  if (problem == NULL || estimate->problem != NULL)
    return;
  /* One that is older than this message. */
  estimate->problem
      = g_error_matches (problem, P2V_ERROR, P2V_ERROR_REFUSED)
            ? g_strdup (_ ("the server is too old to measure the network with"))
            : g_strdup_printf (_ ("the network could not be measured: %s"), problem->message);
}

P2vEstimate *
p2v_estimate_measure (const P2vEstimateTask *task, GCancellable *cancellable)
{
  P2vEstimate *estimate = g_new0 (P2vEstimate, 1);
  estimate->ratio = 1;
  measure_disks (task, estimate, cancellable);
  measure_network (task, estimate, cancellable);
  return estimate;
}
