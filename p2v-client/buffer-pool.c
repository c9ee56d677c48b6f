/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/buffer-pool.h"

#include "common/manifest.h"

#include <stdlib.h>
#include <string.h>

/* The largest logical sector that disks have, bytes: O_DIRECT asks for no more. */
#define ALIGNMENT 4096

/* The part of the available memory that buffers may take. */
#define MEMORY_PART 8

struct _P2vBufferPool
{
  GMutex lock;
  GCond given;
  GPtrArray *spare; /* buffers that nobody holds */
  guint limit;      /* buffers */
  guint held;       /* by all shares */
  guint shares;
};

P2vBufferPool *
p2v_buffer_pool_new (gsize bytes)
{
  P2vBufferPool *pool = g_new0 (P2vBufferPool, 1);
  g_mutex_init (&pool->lock);
  g_cond_init (&pool->given);
  pool->spare = g_ptr_array_new_with_free_func (free);
  pool->limit = (guint)MIN (bytes / P2V_CHUNK_SIZE, G_MAXUINT16);
  return pool;
}

void
p2v_buffer_pool_free (P2vBufferPool *pool)
{
  if (pool == NULL)
    return;
  g_assert (pool->held == 0 && pool->shares == 0);
  g_ptr_array_unref (pool->spare);
  g_cond_clear (&pool->given);
  g_mutex_clear (&pool->lock);
  g_free (pool);
}

gsize
p2v_buffer_pool_budget_for (guint64 available)
{
  if (available == 0)
    return P2V_BUFFER_POOL_MAX;
  return (gsize)MIN (available / MEMORY_PART, P2V_BUFFER_POOL_MAX);
}

gsize
p2v_buffer_pool_budget (void)
{
  g_autofree char *text = NULL;
  guint64 available = 0; /* KiB */
  const char *line = NULL;
  if (g_file_get_contents ("/proc/meminfo", &text, NULL, NULL))
    line = strstr (text, "MemAvailable:");
  if (line != NULL)
    available = g_ascii_strtoull (line + strlen ("MemAvailable:"), NULL, 10);
  return p2v_buffer_pool_budget_for (MIN (available, G_MAXUINT64 / 1024) * 1024);
}

void
p2v_buffer_share_join (P2vBufferShare *share, P2vBufferPool *pool)
{
  share->pool = pool;
  share->held = 0;
  g_mutex_lock (&pool->lock);
  pool->shares++;
  g_mutex_unlock (&pool->lock);
}

void
p2v_buffer_share_leave (P2vBufferShare *share)
{
  P2vBufferPool *pool = share->pool;
  g_mutex_lock (&pool->lock);
  g_assert (share->held == 0);
  pool->shares--;
  g_cond_broadcast (&pool->given); /* the others' parts have grown */
  g_mutex_unlock (&pool->lock);
}

static gboolean
may_take (const P2vBufferShare *share)
{
  const P2vBufferPool *pool = share->pool;
  /* Who has one gets on, however many disks there are and however little memory. */
  guint part = MAX (pool->limit / pool->shares, 1);
  guint least = MIN (part, P2V_BUFFER_SHARE_MIN);
  /* When one share leaves, the others grow into what it held; when one joins they shrink only as
   * their buffers come back, and meanwhile the sum must hold. */
  return share->held < least || (share->held < part && pool->held < pool->limit);
}

guint8 *
p2v_buffer_share_take (P2vBufferShare *share, gint64 timeout)
{
  P2vBufferPool *pool = share->pool;
  gint64 deadline = g_get_monotonic_time () + timeout;
  g_mutex_lock (&pool->lock);
  gboolean may = may_take (share);
  while (!may && g_cond_wait_until (&pool->given, &pool->lock, deadline))
    may = may_take (share);
  gpointer buffer = NULL;
  if (may)
    {
      share->held++;
      pool->held++;
      if (pool->spare->len > 0)
        buffer = g_ptr_array_steal_index_fast (pool->spare, pool->spare->len - 1);
    }
  g_mutex_unlock (&pool->lock);
  if (may && buffer == NULL && posix_memalign (&buffer, ALIGNMENT, P2V_CHUNK_SIZE) != 0)
    g_error ("no memory for a buffer of %d bytes", P2V_CHUNK_SIZE);
  return buffer;
}

void
p2v_buffer_share_give (P2vBufferShare *share, guint8 *buffer)
{
  P2vBufferPool *pool = share->pool;
  g_mutex_lock (&pool->lock);
  g_ptr_array_add (pool->spare, buffer);
  share->held--;
  pool->held--;
  g_cond_broadcast (&pool->given);
  g_mutex_unlock (&pool->lock);
}
