/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/compressor.h"

#include <string.h>
#include <zstd.h>

/* The largest block of a frame, RFC 8878 section 3.1.1.2.4. */
#define BLOCK_MAX (128 * 1024)
#define BLOCK_HEADER 3

/* Magic number, descriptor (no checksum, no dictionary, no content size) and the descriptor of a
 * window of 128 KiB: exponent 7 over 2^10. RFC 8878 sections 3.1.1 and 3.1.1.1.2. */
static const guint8 raw_frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3 };

/* From this level on zstd's tables are made for larger windows than ours, tens of megabytes for
 * each lane; and from the second on the strategy is one whose table is twice as long as what it
 * covers
 * ("btlazy2" and up). ZSTD_getParams() as of 1.5. */
#define LEVEL_OF_LARGE_TABLES 10
#define LEVEL_OF_TREES 13

struct _P2vCompressor
{
  ZSTD_CCtx *context;
  int level;      /* of the frame that is open, or of the next one */
  int next_level; /* what was asked for */
  gboolean open;  /* a frame has begun */
  gboolean pending;
};

P2vCompressor *
p2v_compressor_new (int level)
{
  P2vCompressor *compressor = g_new0 (P2vCompressor, 1);
  compressor->context = ZSTD_createCCtx ();
  if (compressor->context == NULL)
    g_error ("no memory for compression");
  ZSTD_CCtx_setParameter (compressor->context, ZSTD_c_windowLog, P2V_COMPRESSOR_WINDOW_LOG);
  compressor->level = compressor->next_level = level;
  return compressor;
}

void
p2v_compressor_free (P2vCompressor *compressor)
{
  if (compressor == NULL)
    return;
  ZSTD_freeCCtx (compressor->context);
  g_free (compressor);
}

void
p2v_compressor_set_level (P2vCompressor *compressor, int level)
{
  compressor->next_level = CLAMP (level, 0, P2V_COMPRESSOR_LEVEL_MAX);
}

gboolean
p2v_compressor_is_pending (const P2vCompressor *compressor)
{
  return compressor->pending;
}

gsize
p2v_compressor_bound (gsize length)
{
  /* At the worst two blocks that were kept back, the end of one frame, the head of another, and
   * the input as raw blocks. */
  return ZSTD_compressBound (length + 2 * BLOCK_MAX) + sizeof raw_frame
         + (length / BLOCK_MAX + 2) * BLOCK_HEADER + 64;
}

static gsize
put_block (guint8 *output, const void *data, gsize length, gboolean last)
{
  guint32 header = (guint32)length << 3 | (last ? 1 : 0); /* type 0: raw */
  output[0] = (guint8)header;
  output[1] = (guint8)(header >> 8);
  output[2] = (guint8)(header >> 16);
  if (length > 0)
    memcpy (output + BLOCK_HEADER, data, length);
  return BLOCK_HEADER + length;
}

static gsize
run_zstd (P2vCompressor *compressor, const void *data, gsize length, ZSTD_EndDirective how,
          guint8 *output, gsize room)
{
  ZSTD_inBuffer in = { data, length, 0 };
  ZSTD_outBuffer out = { output, room, 0 };
  gsize left;
  do
    {
      left = ZSTD_compressStream2 (compressor->context, &out, &in, how);
      if (ZSTD_isError (left))
        g_error ("zstd: %s", ZSTD_getErrorName (left));
    }
  while (in.pos < in.size || (how != ZSTD_e_continue && left > 0));
  return out.pos;
}

static gsize
end_frame (P2vCompressor *compressor, guint8 *output, gsize room)
{
  gsize written = compressor->level == 0 ? put_block (output, NULL, 0, TRUE)
                                         : run_zstd (compressor, NULL, 0, ZSTD_e_end, output, room);
  compressor->open = compressor->pending = FALSE;
  return written;
}

/* As ZSTD_adjustCParams() does for what is no larger than the window. 0: as the level has it. */
static void
apply_level (P2vCompressor *compressor)
{
  gboolean large = compressor->level >= LEVEL_OF_LARGE_TABLES;
  int cover = P2V_COMPRESSOR_WINDOW_LOG + (compressor->level >= LEVEL_OF_TREES ? 1 : 0);
  ZSTD_CCtx_setParameter (compressor->context, ZSTD_c_compressionLevel, compressor->level);
  ZSTD_CCtx_setParameter (compressor->context, ZSTD_c_hashLog,
                          large ? P2V_COMPRESSOR_WINDOW_LOG + 1 : 0);
  ZSTD_CCtx_setParameter (compressor->context, ZSTD_c_chainLog, large ? cover : 0);
}

static gsize
begin_frame (P2vCompressor *compressor, guint8 *output)
{
  compressor->open = TRUE;
  compressor->level = compressor->next_level;
  if (compressor->level > 0)
    {
      apply_level (compressor);
      return 0;
    }
  memcpy (output, raw_frame, sizeof raw_frame);
  return sizeof raw_frame;
}

gsize
p2v_compressor_run (P2vCompressor *compressor, const void *data, gsize length, gboolean flush,
                    guint8 *output)
{
  gsize room = p2v_compressor_bound (length);
  gsize written = 0;
  if (compressor->open && compressor->level != compressor->next_level)
    written += end_frame (compressor, output, room);
  if (!compressor->open && length > 0)
    written += begin_frame (compressor, output + written);
  if (!compressor->open)
    return written;
  if (compressor->level > 0)
    {
      compressor->pending = !flush;
      return written
             + run_zstd (compressor, data, length, flush ? ZSTD_e_flush : ZSTD_e_continue,
                         output + written, room - written);
    }
  const guint8 *bytes = data;
  for (gsize at = 0; at < length; at += BLOCK_MAX)
    written += put_block (output + written, bytes + at, MIN (BLOCK_MAX, length - at), FALSE);
  return written;
}
