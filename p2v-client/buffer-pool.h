/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BUFFER_POOL_H
#define P2V_BUFFER_POOL_H

#include <glib.h>

G_BEGIN_DECLS

/* The memory between the disks and the lanes: buffers of one chunk each, shared by the readers of
 * all disks so that none of them takes what another needs. May be used from any thread. */
typedef struct _P2vBufferPool P2vBufferPool;

/* One user of the pool (a reader) and what it holds. */
typedef struct
{
  P2vBufferPool *pool;
  guint held; /* the pool's own */
} P2vBufferShare;

/* bytes: the most that all buffers may take together. Every user gets an equal part of them; while
 * others still hold more than theirs it can have P2V_BUFFER_SHARE_MIN of its part at once, and one
 * in any case. */
P2vBufferPool *p2v_buffer_pool_new (gsize bytes);

/* Every share must have left, with all its buffers given back. */
void p2v_buffer_pool_free (P2vBufferPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vBufferPool, p2v_buffer_pool_free)

/* How much memory buffers may take on this machine, bytes: P2V_BUFFER_POOL_MAX, or an eighth of
 * what is available when that is less (MemAvailable of proc(5)). */
gsize p2v_buffer_pool_budget (void);

/* The same for a machine with so many bytes available; 0: nobody knows. */
gsize p2v_buffer_pool_budget_for (guint64 available);

#define P2V_BUFFER_SHARE_MIN 3
#define P2V_BUFFER_POOL_MAX ((gsize)128 * 1024 * 1024)

/* Joins and leaves; the buffers are divided evenly among who has joined. */
void p2v_buffer_share_join (P2vBufferShare *share, P2vBufferPool *pool);
void p2v_buffer_share_leave (P2vBufferShare *share);

/* A buffer of P2V_CHUNK_SIZE bytes, aligned for O_DIRECT, contents undefined; NULL when none became
 * free within timeout microseconds. */
guint8 *p2v_buffer_share_take (P2vBufferShare *share, gint64 timeout);

/* Gives a buffer back that was taken from this share. */
void p2v_buffer_share_give (P2vBufferShare *share, guint8 *buffer);

G_END_DECLS

#endif
