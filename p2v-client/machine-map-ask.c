/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/free-space.h"
#include "p2v-client/machine-map-parts.h"

#include <fcntl.h>
#include <unistd.h>

/* The programs that are asked mostly wait: several at once cost no more than one. */
#define MAX_AT_ONCE 4

/* What one filesystem may take to answer: it reads all of its bitmaps, seconds. Reading a disk for
 * which that is not enough takes days. */
#define MAX_SECONDS (15 * 60)

/* How often the time and a cancellation are looked at, microseconds. */
#define POLL (200 * 1000)

/* The first and last bytes of a volume are never left out: boot sectors, and what lies behind a
 * filesystem's end. */
#define MARGIN (1024 * 1024)

/* How the answer of a filesystem begins that knows of its machine's hibernation: Windows keeps the
 * memory in a file of the one it started from (free-space-ntfs.c). */
#define HIBERNATED "Windows is hibernated"

/* One volume that is being asked. */
typedef struct
{
  P2vVolume *volume;
  GCancellable *cancellable;
  GAsyncQueue *done;
  gint64 started; /* atomic enough: written once, before the worker blocks; 0: not yet */
  gboolean late;
} Question;

static void
question_free (Question *question)
{
  g_object_unref (question->cancellable);
  g_free (question);
}

/* A descriptor of its own for each, since a file's position is shared by those that are copied. */
static int
reopen (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  return open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* What was said, as far as it lies where free space may be. */
static GArray *
check_ranges (const P2vVolume *volume, GArray *said)
{
  GArray *ranges = g_array_new (FALSE, FALSE, sizeof (P2vFreeRange));
  gint64 at = MARGIN;
  for (guint i = 0; i < said->len; i++)
    {
      P2vFreeRange range = g_array_index (said, P2vFreeRange, i);
      if (range.length <= 0 || range.offset < 0 || range.offset > volume->size)
        continue;
      gint64 end = MIN (range.offset + MIN (range.length, volume->size), volume->size - MARGIN);
      gint64 start = MAX (range.offset, at);
      P2vFreeRange checked = { start, end - start };
      if (checked.length <= 0)
        continue;
      g_array_append_val (ranges, checked);
      at = end;
    }
  return ranges;
}

static void
ask (gpointer data, gpointer user_data G_GNUC_UNUSED)
{
  Question *question = data;
  P2vVolume *volume = question->volume;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) said = NULL;
  int fd = reopen (volume->fd);
  __atomic_store_n (&question->started, g_get_monotonic_time (), __ATOMIC_RELEASE);
  P2vFilesystem filesystem = {
    .fd = fd,
    .offset = volume->offset,
    .size = volume->size,
    .type = volume->type,
    .device = volume->device,
    .sector_size = volume->sector_size,
  };
  if (fd >= 0 && !g_cancellable_is_cancelled (question->cancellable))
    said = p2v_free_space_find (&filesystem, question->cancellable, &error);
  if (fd >= 0)
    close (fd);
  if (said != NULL)
    volume->free = check_ranges (volume, said);
  else
    volume->reason = g_strdup (error != NULL ? error->message : "it cannot be opened");
  g_async_queue_push (question->done, question);
}

/* Ends those that take too long, or all when we are to stop. */
static void
watch (P2vMapping *mapping, GPtrArray *questions)
{
  gboolean stop = g_cancellable_is_cancelled (mapping->cancellable);
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < questions->len; i++)
    {
      Question *question = questions->pdata[i];
      gint64 started = __atomic_load_n (&question->started, __ATOMIC_ACQUIRE);
      question->late |= started != 0 && now - started > MAX_SECONDS * G_USEC_PER_SEC;
      if (stop || question->late)
        g_cancellable_cancel (question->cancellable);
    }
}

/* What a hibernated machine has in memory is not on its disks: none of them is believed, and no
 * swap area is empty. */
static void
refuse_all (P2vMapping *mapping)
{
  for (guint i = 0; i < mapping->volumes->len; i++)
    {
      P2vVolume *volume = mapping->volumes->pdata[i];
      g_clear_pointer (&volume->free, g_array_unref);
      if (volume->reason == NULL)
        volume->reason = g_strdup ("the machine is hibernated");
    }
}

void
p2v_mapping_ask (P2vMapping *mapping)
{
  if (mapping->hibernated)
    {
      refuse_all (mapping);
      return;
    }
  g_autoptr (GAsyncQueue) done = g_async_queue_new ();
  g_autoptr (GPtrArray) questions = g_ptr_array_new_with_free_func ((GDestroyNotify)question_free);
  for (guint i = 0; i < mapping->volumes->len; i++)
    {
      P2vVolume *volume = mapping->volumes->pdata[i];
      if (volume->reason != NULL || volume->is_swap)
        continue;
      Question *question = g_new0 (Question, 1);
      question->volume = volume;
      question->cancellable = g_cancellable_new ();
      question->done = done;
      g_ptr_array_add (questions, question);
    }
  GThreadPool *pool = g_thread_pool_new (ask, NULL, MAX_AT_ONCE, FALSE, NULL);
  for (guint i = 0; i < questions->len; i++)
    g_thread_pool_push (pool, questions->pdata[i], NULL);
  for (guint left = questions->len; left > 0;)
    {
      const Question *question = g_async_queue_timeout_pop (done, POLL);
      watch (mapping, questions);
      if (question == NULL)
        continue;
      left--;
      if (question->late && question->volume->free == NULL)
        {
          g_free (question->volume->reason);
          question->volume->reason = g_strdup_printf (
              "its filesystem has not answered within %d minutes", MAX_SECONDS / 60);
        }
    }
  g_thread_pool_free (pool, FALSE, TRUE);
  for (guint i = 0; i < questions->len; i++)
    {
      const Question *question = questions->pdata[i];
      mapping->hibernated |= question->volume->reason != NULL
                             && g_str_has_prefix (question->volume->reason, HIBERNATED);
    }
  if (mapping->hibernated)
    refuse_all (mapping);
}
