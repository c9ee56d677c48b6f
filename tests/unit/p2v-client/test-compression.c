/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stream that a lane sends, and how its level is chosen. */
#include "p2v-client/compression-level.h"
#include "p2v-client/compressor.h"

#include <malloc.h>
#include <string.h>
#include <zstd.h>

#define KIB 1024
#define MIB (1024 * KIB)

/* Text that compresses well, then noise that does not. */
static guint8 *
make_data (gsize length, guint32 seed)
{
  guint8 *data = g_malloc (length);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  for (gsize i = 0; i < length; i++)
    data[i] = i < length / 2 ? (guint8)('a' + g_rand_int_range (random, 0, 4))
                             : (guint8)g_rand_int (random);
  return data;
}

/* Decodes all of it as the server does, with no larger window than it has. */
static GByteArray *
decode (const GByteArray *stream)
{
  g_autofree guint8 *piece = g_malloc (MIB);
  GByteArray *data = g_byte_array_new ();
  ZSTD_DCtx *decoder = ZSTD_createDCtx ();
  ZSTD_DCtx_setParameter (decoder, ZSTD_d_windowLogMax, P2V_COMPRESSOR_WINDOW_LOG);
  ZSTD_inBuffer in = { stream->data, stream->len, 0 };
  gsize got;
  do
    {
      ZSTD_outBuffer out = { piece, MIB, 0 };
      gsize left = ZSTD_decompressStream (decoder, &out, &in);
      g_assert_false (ZSTD_isError (left));
      got = out.pos;
      g_byte_array_append (data, piece, (guint)got);
    }
  while (in.pos < in.size || got == MIB);
  ZSTD_freeDCtx (decoder);
  return data;
}

static void
run (P2vCompressor *compressor, GByteArray *stream, const guint8 *data, gsize length,
     gboolean flush)
{
  gsize bound = p2v_compressor_bound (length);
  g_autofree guint8 *output = g_malloc (bound);
  gsize written = p2v_compressor_run (compressor, data, length, flush, output);
  g_assert_cmpuint (written, <=, bound);
  g_byte_array_append (stream, output, (guint)written);
}

/* All that malloc has given away. The sanitizers' malloc does not tell. */
static gsize
memory_in_use (void)
{
  struct mallinfo2 info = mallinfo2 ();
  return info.uordblks + info.hblkhd;
}

/* Each of up to 16 lanes has one of these, on machines with 1 GB too. */
static void
test_no_level_takes_much_memory (void)
{
  gsize length = 2 * MIB;
  g_autofree guint8 *data = make_data (length, 3);
  gsize bound = p2v_compressor_bound (length);
  g_autofree guint8 *output = g_malloc (bound);
  for (int level = 0; level <= P2V_COMPRESSOR_LEVEL_MAX; level++)
    {
      gsize before = memory_in_use ();
      g_autoptr (P2vCompressor) compressor = p2v_compressor_new (level);
      p2v_compressor_run (compressor, data, length, TRUE, output);
      g_assert_cmpuint (memory_in_use (), <=, before + 24 * MIB);
    }
}

/* Pieces of any size, levels that change between them, flushes here and there. */
static void
test_the_stream_holds_what_went_in (void)
{
  static const int levels[] = { 0, 1, 3, 0, 0, 19, 2, 9, 1, 12 };
  gsize length = 12 * MIB;
  g_autofree guint8 *data = make_data (length, 7);
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  g_autoptr (P2vCompressor) compressor = p2v_compressor_new (1);
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  gsize at = 0;
  for (guint i = 0; at < length; i++)
    {
      gsize piece = (gsize)g_rand_int_range (random, 1, 600 * KIB);
      piece = MIN (piece, length - at);
      if (i % 3 == 0)
        p2v_compressor_set_level (compressor, levels[i / 3 % G_N_ELEMENTS (levels)]);
      run (compressor, stream, data + at, piece, i % 4 == 1);
      at += piece;
    }
  run (compressor, stream, NULL, 0, TRUE);
  g_assert_false (p2v_compressor_is_pending (compressor));
  g_autoptr (GByteArray) decoded = decode (stream);
  g_assert_cmpmem (decoded->data, decoded->len, data, length);
}

/* NBD waits for answers: what was flushed must be complete at the other end. */
static void
test_what_is_flushed_can_be_decoded (gconstpointer level)
{
  g_autofree guint8 *data = make_data (300 * KIB, 3);
  g_autoptr (P2vCompressor) compressor = p2v_compressor_new (GPOINTER_TO_INT (level));
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  run (compressor, stream, data, 300 * KIB, TRUE);
  g_autoptr (GByteArray) first = decode (stream);
  g_assert_cmpmem (first->data, first->len, data, 300 * KIB);
  run (compressor, stream, data, 28, FALSE);
  run (compressor, stream, NULL, 0, TRUE);
  g_autoptr (GByteArray) second = decode (stream);
  g_assert_cmpuint (second->len, ==, 300 * KIB + 28);
}

static void
test_levels_make_a_difference (void)
{
  static const int levels[] = { 0, 1, 19 };
  gsize sizes[G_N_ELEMENTS (levels)];
  g_autofree guint8 *data = make_data (2 * MIB, 5);
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    {
      g_autoptr (P2vCompressor) compressor = p2v_compressor_new (levels[i]);
      g_autoptr (GByteArray) stream = g_byte_array_new ();
      run (compressor, stream, data, 2 * MIB, TRUE);
      sizes[i] = stream->len;
    }
  g_assert_cmpuint (sizes[0], >, 2 * MIB);
  g_assert_cmpuint (sizes[0], <, 2 * MIB + 100);
  g_assert_cmpuint (sizes[1], <, sizes[0] * 7 / 10);
  g_assert_cmpuint (sizes[2], <, sizes[1]);
}

/* A machine and a link to try the choice on: seconds that a byte takes to be compressed at a level,
 * to be encrypted once compressed, and on the link; what is left of it after compression. */
typedef struct
{
  double read, compress, encrypt, link;
  double left;
} World;

/* Runs the choice for a while; returns the level that was used most in the second half, and the
 * bytes a second there. */
static int
simulate (const World *world, double *goodput)
{
  P2vCompressionLevel choice;
  guint used[P2V_COMPRESSION_LEVEL_TOP + 1] = { 0 };
  double bytes = 0;
  double time = 0;
  p2v_compression_level_init (&choice);
  for (int i = 0; i < 400; i++)
    {
      int level = choice.level;
      double packed = level == 0 ? 1 : MAX (world->left - 0.01 * (level - 1), 0.05);
      double work = level == 0 ? 0 : world->compress * (1 + 0.35 * (level - 1));
      double busy = work + packed * world->encrypt;
      double each = MAX (busy, MAX (packed * world->link, world->read));
      gint64 in = (gint64)(0.3 / each);
      P2vLaneSample sample = { .seconds = 0.3, .in = in, .out = (gint64)((double)in * packed) };
      double idle = 0.3 - (double)in * busy;
      if (packed * world->link >= world->read)
        sample.blocked = idle;
      else
        sample.starved = idle;
      if (i >= 200)
        {
          used[level]++;
          bytes += (double)in;
          time += 0.3;
        }
      p2v_compression_level_next (&choice, &sample);
    }
  int most = 0;
  for (int level = 1; level <= P2V_COMPRESSION_LEVEL_TOP; level++)
    most = used[level] > used[most] ? level : most;
  if (goodput != NULL)
    *goodput = bytes / time;
  return most;
}

static void
test_a_slow_link_is_worth_much_compression (void)
{
  World world = {
    .read = 1 / 500e6, .compress = 1 / 400e6, .encrypt = 1 / 450e6, .link = 1 / 1.25e6, .left = 0.4
  };
  g_assert_cmpint (simulate (&world, NULL), ==, P2V_COMPRESSION_LEVEL_TOP);
}

static void
test_a_gigabit_gets_what_the_processor_can_do (void)
{
  World world = {
    .read = 1 / 2000e6, .compress = 1 / 400e6, .encrypt = 1 / 450e6, .link = 1 / 117e6, .left = 0.4
  };
  double goodput;
  g_assert_cmpint (simulate (&world, &goodput), >, 0);
  g_assert_cmpfloat (goodput, >, 2 * 117e6);
}

static void
test_a_link_faster_than_compression_gets_none (void)
{
  World world = {
    .read = 1 / 2000e6, .compress = 1 / 250e6, .encrypt = 1 / 450e6, .link = 1 / 5000e6, .left = 0.6
  };
  double goodput;
  g_assert_cmpint (simulate (&world, &goodput), ==, 0);
  g_assert_cmpfloat (goodput, >, 400e6);
}

/* Compressing at 1 GB/s to a fifth is faster than encrypting everything. */
static void
test_compression_stays_where_it_saves_more_work_than_it_makes (void)
{
  World world = { .read = 1 / 5000e6,
                  .compress = 1 / 1000e6,
                  .encrypt = 1 / 300e6,
                  .link = 1 / 5000e6,
                  .left = 0.2 };
  double goodput;
  g_assert_cmpint (simulate (&world, &goodput), ==, 1);
  g_assert_cmpfloat (goodput, >, 500e6);
}

/* One sample without compression is enough to see that the link has no room for it. */
static void
test_a_hopeless_trial_is_short (void)
{
  P2vCompressionLevel choice;
  P2vLaneSample busy = { .seconds = 0.4, .in = 40 * MIB, .out = 12 * MIB };
  P2vLaneSample full = { .seconds = 0.4, .in = 24 * MIB, .out = 24 * MIB, .blocked = 0.3 };
  int samples = 0;
  p2v_compression_level_init (&choice);
  while (p2v_compression_level_next (&choice, &busy) > 0)
    g_assert_cmpint (++samples, <, 100);
  g_assert_cmpint (p2v_compression_level_next (&choice, &full), ==, 1);
}

static void
test_what_does_not_compress_is_left_alone (void)
{
  World world = {
    .read = 1 / 500e6, .compress = 1 / 400e6, .encrypt = 1 / 450e6, .link = 1 / 117e6, .left = 2
  };
  g_assert_cmpint (simulate (&world, NULL), ==, 0);
}

/* Files of 10 MB in turn, of which every other one is a film. */
static void
test_on_a_slow_link_what_compresses_is_not_missed (void)
{
  P2vCompressionLevel choice;
  gint64 at = 0;
  gint64 missed = 0;
  p2v_compression_level_init (&choice);
  while (at < 1000 * MIB)
    {
      gboolean film = at / (10 * MIB) % 2 == 0;
      double left = film || choice.level == 0 ? 1 : 0.3;
      P2vLaneSample sample = { .seconds = 0.4, .in = (gint64)(2.4e6 / left), .out = 2400000 };
      sample.blocked = 0.35;
      missed += !film && choice.level == 0 ? sample.in : 0;
      at += sample.in;
      p2v_compression_level_next (&choice, &sample);
    }
  g_assert_cmpint (missed, <, 500 * MIB / 3);
}

static void
test_a_slow_disk_changes_nothing (void)
{
  World world = {
    .read = 1 / 30e6, .compress = 1 / 400e6, .encrypt = 1 / 450e6, .link = 1 / 117e6, .left = 0.4
  };
  g_assert_cmpint (simulate (&world, NULL), ==, P2V_COMPRESSION_LEVEL_START);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compressor/the-stream-holds-what-went-in", test_the_stream_holds_what_went_in);
  g_test_add_data_func ("/compressor/flushed-raw", GINT_TO_POINTER (0),
                        test_what_is_flushed_can_be_decoded);
  g_test_add_data_func ("/compressor/flushed-level-3", GINT_TO_POINTER (3),
                        test_what_is_flushed_can_be_decoded);
  g_test_add_func ("/compressor/no-level-takes-much-memory", test_no_level_takes_much_memory);
  g_test_add_func ("/compressor/levels-make-a-difference", test_levels_make_a_difference);
  g_test_add_func ("/level/a-slow-link", test_a_slow_link_is_worth_much_compression);
  g_test_add_func ("/level/a-gigabit", test_a_gigabit_gets_what_the_processor_can_do);
  g_test_add_func ("/level/a-fast-link", test_a_link_faster_than_compression_gets_none);
  g_test_add_func ("/level/compression-that-saves-work",
                   test_compression_stays_where_it_saves_more_work_than_it_makes);
  g_test_add_func ("/level/a-hopeless-trial", test_a_hopeless_trial_is_short);
  g_test_add_func ("/level/incompressible", test_what_does_not_compress_is_left_alone);
  g_test_add_func ("/level/films-in-between", test_on_a_slow_link_what_compresses_is_not_missed);
  g_test_add_func ("/level/a-slow-disk", test_a_slow_disk_changes_nothing);
  return g_test_run ();
}
