/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_READ_BACK_H
#define P2V_READ_BACK_H

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* A received image, read back as the disk that it is: through a read-only qemu-nbd, whatever the
 * image's format and place. Needs no more memory than a chunk. */
typedef struct _P2vReadBack P2vReadBack;

/* Starts the export and connects to it. Belongs to the thread that opens it, and ends with it.
 * stop: set to non-zero (g_atomic) by anybody to make what waits give up; may be NULL.
 * Everything here fails with P2V_ERROR_CANCELLED when it was, and with P2V_ERROR_FAILED when
 * qemu-nbd cannot be started, answers nonsense or is gone; P2V_ERROR_REFUSED when it is missing. */
P2vReadBack *p2v_read_back_open (const P2vJob *job, const P2vImage *image, gint *stop,
                                 GError **error);

void p2v_read_back_free (P2vReadBack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vReadBack, p2v_read_back_free)

/* Bytes of the disk that the image holds. */
gint64 p2v_read_back_size (const P2vReadBack *self);

/* The hash of at most a chunk's length of bytes at offset.
 * Fails with P2V_ERROR_TRANSFER also when the image cannot be read there. */
gboolean p2v_read_back_hash (P2vReadBack *self, gint64 offset, gsize length, P2vChunkHash *hash,
                             GError **error);

/* Whether all of it is zeroes. Holes are not read but asked for.
 * Fails with P2V_ERROR_TRANSFER also when the image cannot be read there. */
gboolean p2v_read_back_is_zero (P2vReadBack *self, gint64 offset, gsize length, gboolean *zero,
                                GError **error);

G_END_DECLS

#endif
