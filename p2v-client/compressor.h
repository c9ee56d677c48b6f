/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_COMPRESSOR_H
#define P2V_COMPRESSOR_H

#include <glib.h>

G_BEGIN_DECLS

/* A zstd stream (RFC 8878) of any length whose level may change on its way. At level 0 it consists
 * of frames of raw blocks (section 3.1.1.2.2), which cost a copy and three bytes in 128 KiB. Any
 * zstd decoder with a window of P2V_COMPRESSOR_WINDOW bytes reads it. */
typedef struct _P2vCompressor P2vCompressor;

/* The window of the stream, bytes: what the server's end of every lane has to keep. */
#define P2V_COMPRESSOR_WINDOW_LOG 20
#define P2V_COMPRESSOR_WINDOW (1 << P2V_COMPRESSOR_WINDOW_LOG)

#define P2V_COMPRESSOR_LEVEL_MAX 19

/* level: 0 to P2V_COMPRESSOR_LEVEL_MAX, until it is changed. */
P2vCompressor *p2v_compressor_new (int level);
void p2v_compressor_free (P2vCompressor *compressor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vCompressor, p2v_compressor_free)

/* Changes the level for what comes next. */
void p2v_compressor_set_level (P2vCompressor *compressor, int level);

/* The size of output buffer that p2v_compressor_run() needs for length bytes of input. */
gsize p2v_compressor_bound (gsize length);

/* Compresses length bytes (may be 0) at data into output, which has room for
 * p2v_compressor_bound(length) bytes, and returns how many it has written there.
 * flush: everything so far can be decoded from what has been written by then; otherwise some of it
 * may be kept back, to be compressed with what follows. */
gsize p2v_compressor_run (P2vCompressor *compressor, const void *data, gsize length, gboolean flush,
                          guint8 *output);

/* TRUE when something is kept back. */
gboolean p2v_compressor_is_pending (const P2vCompressor *compressor);

G_END_DECLS

#endif
