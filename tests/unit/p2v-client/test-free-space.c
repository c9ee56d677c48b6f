/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not positively known to be free is in use. The filesystems' own programs are asked in
 * tests/integration/free-space.bats; here is what they do not make. */
#include "common/error.h"
#include "p2v-client/free-space-parts.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define HEAD "# Mapfile\n0x00000000     ?\n"

static void
assert_ranges (const GArray *ranges, const P2vFreeRange *expected, guint count)
{
  g_assert_cmpuint (ranges->len, ==, count);
  for (guint i = 0; i < count; i++)
    {
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
      g_assert_cmpint (range->offset, ==, expected[i].offset);
      g_assert_cmpint (range->length, ==, expected[i].length);
    }
}

static void
test_domain_map (void)
{
  const char *text = "# written by somebody\n# Offset: 0x0\n0x0 +\n"
                     "0x00000000  0x1000 +\n0x1000\t0x2000 ?\n0x3000 0x1000 ?\n0x4000 0x1000 +\n"
                     "0x5000 0xB000 ?\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) free = p2v_domain_map_parse (text, strlen (text), 0x10000, &error);
  g_assert_no_error (error);
  assert_ranges (free, (P2vFreeRange[]){ { 0x1000, 0x3000 }, { 0x5000, 0xB000 } }, 2);
}

static void
test_hostile_domain_maps (void)
{
  const char *texts[] = {
    "",
    "\n\n",
    "# only comments\n",
    HEAD,
    HEAD "0x0 0x1000 ?",                                /* breaks off */
    HEAD "0x0 0xFFF ?\n",                               /* too short */
    HEAD "0x0 0x1001 ?\n",                              /* too long */
    HEAD "0x0 0x1000 ?\n0x1000 0x1 ?\n",                /* goes on beyond the end */
    HEAD "0x0 0x800 ?\n0x900 0x700 ?\n",                /* gap */
    HEAD "0x0 0x900 ?\n0x800 0x800 ?\n",                /* overlap */
    HEAD "0x800 0x800 ?\n0x0 0x800 ?\n",                /* order */
    HEAD "0x0 0x0 ?\n0x0 0x1000 ?\n",                   /* nothing */
    HEAD "0x0 0x1000 ?\n0x0 0x1000 +\n",                /* twice */
    HEAD "0x0 0x1000 -\n",                              /* a status that says neither */
    HEAD "0x0 0x1000 ??\n",                             /* more than a status */
    HEAD "0x0 0x1000\n",                                /* no status */
    HEAD "0x0 0x1000 ? 1\n",                            /* something after it */
    HEAD "0 4096 ?\n",                                  /* decimal */
    HEAD "0x0 0x ?\n",                                  /* no digits */
    HEAD "0x0 0x10000000000001000 ?\n",                 /* does not fit */
    HEAD "0x0 0x8000000000000000 ?\n",                  /* negative */
    HEAD "0x0 0x1000 +\n0x1000 0xFFFFFFFFFFFFF000 ?\n", /* wraps around */
    HEAD "-0x1000 0x2000 ?\n",
    HEAD " 0x0 0x1000 ?\n",
    "0x0 0x1000 ?\n", /* no current position */
    "partclone: out of memory\n" HEAD "0x0 0x1000 ?\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      GArray *free = p2v_domain_map_parse (texts[i], strlen (texts[i]), 0x1000, &error);
      if (free != NULL)
        g_error ("believed: %s", texts[i]);
      g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
    }
  const char zero[] = HEAD "0x0 0x1000 \0\n";
  g_assert_null (p2v_domain_map_parse (zero, sizeof zero - 1, 0x1000, NULL));
}

#define PLACES 200

static GArray *
random_ranges (gboolean *model)
{
  GArray *ranges = p2v_ranges_new ();
  for (int i = 0; i < PLACES; i++)
    {
      model[i] = g_test_rand_bit ();
      if (model[i])
        p2v_ranges_add (ranges, i, 1);
    }
  return ranges;
}

static void
assert_model (const GArray *ranges, const gboolean *model)
{
  gint64 end = -1;
  gboolean marked[PLACES] = { FALSE };
  for (guint i = 0; i < ranges->len; i++)
    {
      const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
      g_assert_cmpint (range->offset, >, end);
      g_assert_cmpint (range->length, >, 0);
      end = range->offset + range->length;
      g_assert_cmpint (end, <=, PLACES);
      for (gint64 at = range->offset; at < end; at++)
        marked[at] = TRUE;
    }
  g_assert_cmpmem (marked, sizeof marked, model, sizeof marked);
}

static void
test_ranges (void)
{
  for (int round = 0; round < 300; round++)
    {
      gboolean a[PLACES], b[PLACES], model[PLACES];
      g_autoptr (GArray) x = random_ranges (a), y = random_ranges (b);
      assert_model (x, a);
      g_autoptr (GArray) both = p2v_ranges_intersect (x, y);
      for (int i = 0; i < PLACES; i++)
        model[i] = a[i] && b[i];
      assert_model (both, model);
      g_autoptr (GArray) less = p2v_ranges_subtract (x, y);
      for (int i = 0; i < PLACES; i++)
        model[i] = a[i] && !b[i];
      assert_model (less, model);
      g_autoptr (GArray) rest = p2v_ranges_complement (x, 0, PLACES);
      for (int i = 0; i < PLACES; i++)
        model[i] = !a[i];
      assert_model (rest, model);
      /* Any order, and things twice. */
      g_autoptr (GArray) all = g_array_copy (y);
      g_array_append_vals (all, x->data, x->len);
      p2v_ranges_normalize (all);
      for (int i = 0; i < PLACES; i++)
        model[i] = a[i] || b[i];
      assert_model (all, model);
    }
}

static void
test_bits (void)
{
  for (int highest = 0; highest < 2; highest++)
    for (int round = 0; round < 100; round++)
      {
        guint8 bits[(PLACES + 7) / 8];
        gboolean model[PLACES] = { FALSE };
        guint count = g_test_rand_int_range (0, PLACES + 1);
        for (gsize i = 0; i < sizeof bits; i++)
          {
            const guint8 choice[] = { 0, 0xFF, g_test_rand_int_range (0, 256) };
            bits[i] = choice[g_test_rand_int_range (0, 3)];
          }
        for (guint i = 0; i < count; i++)
          model[i] = (bits[i / 8] >> (highest ? 7 - i % 8 : i % 8) & 1) == 0;
        g_autoptr (GArray) ranges = p2v_ranges_new ();
        p2v_ranges_add_bits (ranges, bits, count, 0, 1, highest);
        assert_model (ranges, model);
      }
}

static void
test_crc32c (void)
{
  /* RFC 3720, B.4. */
  guint8 zeroes[32] = { 0 };
  g_assert_cmphex (~p2v_crc32c (~0U, zeroes, sizeof zeroes), ==, 0x8A9136AA);
  g_assert_cmphex (~p2v_crc32c (~0U, (const guint8 *)"123456789", 9), ==, 0xE3069283);
}

/* A file that stands for a disk. */
typedef struct
{
  char *path;
  P2vFilesystem filesystem;
} Disk;

static void
disk_make (Disk *disk, const char *type, gint64 size)
{
  int fd = g_file_open_tmp ("p2v-free-space-XXXXXX", &disk->path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, size), ==, 0);
  disk->filesystem = (P2vFilesystem){ fd, 0, size, type, NULL, 512 };
}

static void
disk_end (Disk *disk)
{
  close (disk->filesystem.fd);
  g_unlink (disk->path);
  g_free (disk->path);
}

static void
put (const Disk *disk, gint64 offset, gconstpointer bytes, gsize length)
{
  g_assert_cmpint (pwrite (disk->filesystem.fd, bytes, length, offset), ==, length);
}

static void
put_be32 (const Disk *disk, gint64 offset, guint32 value)
{
  value = GUINT32_TO_BE (value);
  put (disk, offset, &value, sizeof value);
}

static void
put_be64 (const Disk *disk, gint64 offset, guint64 value)
{
  value = GUINT64_TO_BE (value);
  put (disk, offset, &value, sizeof value);
}

static void
assert_refused (const Disk *disk, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ranges = p2v_free_space_find (&disk->filesystem, NULL, &error);
  if (ranges != NULL)
    g_error ("not refused: %s", reason);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_SOURCE);
  if (strstr (error->message, reason) == NULL)
    g_error ("refused because %s, expected: %s", error->message, reason);
}

/* HFS+ of 4096 blocks of 4 KiB, of which the first 600 and the last 2 are in use; with a journal.
 */
static void
hfsplus_make (Disk *disk)
{
  guint8 bits[512];
  disk_make (disk, "hfsplus", 16 * MIB);
  put (disk, 1024, "H+\0\4", 4);
  put_be32 (disk, 1024 + 4, 0x2100);
  put_be32 (disk, 1024 + 12, 8);
  put_be32 (disk, 1024 + 40, 4096);
  put_be32 (disk, 1024 + 44, 4096);
  put_be32 (disk, 1024 + 48, 4096 - 602);
  put_be32 (disk, 1024 + 128, 1);
  put_be32 (disk, 1024 + 132, 1);
  memset (bits, 0, sizeof bits);
  memset (bits, 0xFF, 75);
  bits[511] = 3;
  put (disk, 4096, bits, sizeof bits);
  put_be32 (disk, 8 * 4096, 1);
  put_be64 (disk, 8 * 4096 + 36, 9 * 4096);
  put_be32 (disk, 9 * 4096, 0x4A4E4C78);
  put_be32 (disk, 9 * 4096 + 4, 0x12345678);
  put_be64 (disk, 9 * 4096 + 8, 512);
  put_be64 (disk, 9 * 4096 + 16, 512);
}

static void
test_hfsplus (void)
{
  Disk disk;
  hfsplus_make (&disk);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ranges = p2v_free_space_find (&disk.filesystem, NULL, &error);
  g_assert_no_error (error);
  assert_ranges (ranges, (P2vFreeRange[]){ { 600 * 4096, 15 * MIB - 600 * 4096 } }, 1);
  put_be32 (&disk, 1024 + 4, 0x2000);
  assert_refused (&disk, "not unmounted cleanly");
  put_be32 (&disk, 1024 + 4, 0x2900);
  assert_refused (&disk, "needs a check");
  put_be32 (&disk, 1024 + 4, 0x2100);
  put_be64 (&disk, 9 * 4096 + 16, 1024);
  assert_refused (&disk, "its journal is not empty");
  put_be64 (&disk, 9 * 4096 + 16, 512);
  put_be32 (&disk, 8 * 4096, 2);
  assert_refused (&disk, "another device");
  put_be32 (&disk, 8 * 4096, 1);
  put_be32 (&disk, 9 * 4096, 0);
  assert_refused (&disk, "its journal makes no sense");
  put_be32 (&disk, 9 * 4096, 0x4A4E4C78);
  put_be32 (&disk, 1024 + 48, 4096 - 603);
  assert_refused (&disk, "its map contradicts its superblock");
  put_be32 (&disk, 1024 + 48, 5000);
  assert_refused (&disk, "more of it is free than there is");
  put_be32 (&disk, 1024 + 48, 3000);
  put_be32 (&disk, 1024 + 132, 0);
  assert_refused (&disk, "too many pieces");
  put_be32 (&disk, 1024 + 132, 1);
  put_be32 (&disk, 1024 + 44, 4097);
  assert_refused (&disk, "larger than what it lies in");
  put_be32 (&disk, 1024 + 128, 0x7FFFFFFF);
  put_be32 (&disk, 1024 + 44, 4096);
  assert_refused (&disk, "beyond its end");
  disk_end (&disk);
}

static void
test_unknown_types (void)
{
  const char *types[] = { "apfs",      "minix",      "reiserfs", "reiser4", "jfs", "crypto_LUKS",
                          "BitLocker", "zfs_member", "ext5",     "",        NULL };
  Disk disk;
  disk_make (&disk, NULL, MIB);
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      disk.filesystem.type = types[i];
      assert_refused (&disk, "nothing here can tell");
    }
  disk_end (&disk);
}

static void
test_empty_and_tiny_areas (void)
{
  const char *types[]
      = { "ext2", "ext3", "ext4", "xfs", "vfat", "ntfs", "btrfs", "exfat", "f2fs", "hfsplus" };
  const gint64 sizes[] = { 0, 1, 511, 512, 1024, 4096, 65536 + 4096, 3 * MIB };
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (sizes); j++)
      {
        Disk disk;
        disk_make (&disk, types[i], sizes[j]);
        assert_refused (&disk, "");
        disk_end (&disk);
      }
}

static void
test_cancelling (void)
{
  Disk disk;
  hfsplus_make (&disk);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_cancellable_cancel (cancellable);
  g_assert_null (p2v_free_space_find (&disk.filesystem, cancellable, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CANCELLED);
  disk_end (&disk);
}

typedef struct
{
  const char *type;
  gint64 size;
  const char *mkfs[8]; /* the disk's path comes last */
} Kind;

/* Those that are looked into without a loop device. */
static const Kind made[] = {
  { "ext4", 40 * MIB, { "mkfs.ext4", "-q", "-F" } },
  { "ext4", 20 * MIB, { "mkfs.ext4", "-q", "-F", "-b1024", "-Ometa_bg,^resize_inode" } },
  { "ext3", 20 * MIB, { "mkfs.ext3", "-q", "-F" } },
  { "btrfs", 120 * MIB, { "mkfs.btrfs", "-q", "-f" } },
  { "vfat", 20 * MIB, { "mkfs.fat", "-F16" } },
  { "ntfs", 20 * MIB, { "mkfs.ntfs", "-F", "-Q", "-q" } },
  { "exfat", 20 * MIB, { "mkfs.exfat" } },
};

static void
make_filesystem (Disk *disk, const Kind *kind)
{
  disk_make (disk, kind->type, kind->size);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  for (gsize i = 0; kind->mkfs[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer)kind->mkfs[i]);
  g_ptr_array_add (argv, disk->path);
  g_ptr_array_add (argv, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = g_subprocess_newv (
      (const char *const *)argv->pdata,
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (process, NULL, &error));
}

/* The places of 512 bytes in which something is written. */
static GArray *
written_places (const Disk *disk)
{
  guint8 bytes[512], zeroes[512] = { 0 };
  GArray *places = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 limit = MIN (disk->filesystem.size, 32 * MIB);
  for (gint64 at = 0; at < limit; at += sizeof bytes)
    if (pread (disk->filesystem.fd, bytes, sizeof bytes, at) == sizeof bytes
        && memcmp (bytes, zeroes, sizeof bytes) != 0)
      g_array_append_val (places, at);
  return places;
}

static void
test_damaged (gconstpointer data)
{
  const Kind *kind = data;
  Disk disk;
  make_filesystem (&disk, kind);
  g_autoptr (GArray) places = written_places (&disk), sound = NULL;
  sound = p2v_free_space_find (&disk.filesystem, NULL, NULL);
  g_assert_nonnull (sound);
  g_assert_cmpint (p2v_ranges_bytes (sound), >, kind->size / 4);
  for (int round = 0; round < 400; round++)
    {
      guint8 before[512], after[512];
      gint64 at = g_array_index (places, gint64, g_test_rand_int_range (0, places->len));
      g_assert_cmpint (pread (disk.filesystem.fd, before, sizeof before, at), ==, sizeof before);
      memcpy (after, before, sizeof after);
      for (int i = g_test_rand_int_range (1, 4); i > 0; i--)
        {
          const guint8 values[] = { 0, 0xFF, 0x80, g_test_rand_int_range (0, 256) };
          after[g_test_rand_int_range (0, 512)] = values[g_test_rand_int_range (0, 4)];
        }
      put (&disk, at, after, sizeof after);
      g_autoptr (GError) error = NULL;
      g_autoptr (GArray) ranges = p2v_free_space_find (&disk.filesystem, NULL, &error);
      g_assert_true ((ranges == NULL) == (error != NULL));
      gint64 end = MIB;
      for (guint i = 0; ranges != NULL && i < ranges->len; i++)
        {
          const P2vFreeRange *range = &g_array_index (ranges, P2vFreeRange, i);
          g_assert_cmpint (range->offset, >=, end);
          end = range->offset + range->length;
          g_assert_cmpint (end, <=, kind->size - MIB);
        }
      put (&disk, at, before, sizeof before);
    }
  disk_end (&disk);
}

/* Bytes free in a disk's filesystem. */
static gint64
bytes_free (const Disk *disk)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ranges = p2v_free_space_find (&disk->filesystem, NULL, &error);
  g_assert_no_error (error);
  return p2v_ranges_bytes (ranges);
}

static gint64
count_free (const Kind *kind)
{
  Disk disk;
  make_filesystem (&disk, kind);
  gint64 bytes = bytes_free (&disk);
  disk_end (&disk);
  return bytes;
}

/* 65536 inodes of 256 bytes take 16 MiB, and the first few are in use. Without checksums of the
 * groups' descriptors nobody knows. */
static void
test_ext_inode_tables (void)
{
  const Kind checked
      = { "ext4", 200 * MIB, { "mkfs.ext4", "-q", "-F", "-N65536", "-O^has_journal" } };
  const Kind not_checked = {
    "ext4", 200 * MIB, { "mkfs.ext4", "-q", "-F", "-N65536", "-O^has_journal,^metadata_csum" }
  };
  gint64 more = count_free (&checked) - count_free (&not_checked);
  g_assert_cmpint (more, >, 15 * MIB);
  g_assert_cmpint (more, <, 16 * MIB);
}

/* Where a 32-bit number, big-endian, is the first of a block of 1 KiB. */
static gint64
find_block (const Disk *disk, guint32 number)
{
  guint8 bytes[4];
  for (gint64 at = 0; at < disk->filesystem.size; at += 1024)
    if (pread (disk->filesystem.fd, bytes, sizeof bytes, at) == sizeof bytes
        && p2v_be32 (bytes) == number)
      return at;
  g_assert_not_reached ();
}

/* The journal's 60 MiB lie in many pieces, so that its inode has a tree of them. It is free when
 * its superblock says that it is empty, and nothing about it is out of the ordinary. */
static void
test_ext_journal (void)
{
  const Kind kind
      = { "ext4", 200 * MIB, { "mkfs.ext4", "-q", "-F", "-b1024", "-O^flex_bg", "-Jsize=60" } };
  Disk disk;
  make_filesystem (&disk, &kind);
  gint64 all = bytes_free (&disk), superblock = find_block (&disk, 0xC03B3998);
  g_assert_cmpint (all, >, kind.size - 20 * MIB);
  const struct
  {
    gint64 at;
    guint8 value;
  } cases[] = {
    { 0x1F, 1 },    /* its log begins at block 1 */
    { 0x23, 5 },    /* an error was recorded */
    { 0x2B, 0x20 }, /* fast commits */
    { 0x2B, 0x10 }, /* checksums, and its own is not right */
    { 0x07, 3 },    /* its superblock is an old one */
    { 0x13, 7 },    /* its length is not that of the inode */
    { 0x16, 0xFF }, /* its log begins behind its end */
    { 0x00, 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 before;
      g_assert_cmpint (pread (disk.filesystem.fd, &before, 1, superblock + cases[i].at), ==, 1);
      put (&disk, superblock + cases[i].at, &cases[i].value, 1);
      g_assert_cmpint (all - bytes_free (&disk), >, 59 * MIB);
      put (&disk, superblock + cases[i].at, &before, 1);
    }
  g_assert_cmpint (bytes_free (&disk), ==, all);
  disk_end (&disk);
}

static void
test_ext_states (void)
{
  Disk disk;
  make_filesystem (&disk, &made[0]);
  const struct
  {
    gint64 at;
    guint8 value;
    const char *reason;
  } cases[] = {
    { 0x3A, 0, "not unmounted cleanly" }, { 0x3A, 3, "needs e2fsck" },
    { 0x3A, 5, "not unmounted cleanly" }, { 0xE8, 7, "half deleted" },
    { 0x60, 0xC6, "needs recovery" },     { 0x60, 0xCA, "journal of another" },
    { 0x60, 0xC3, "not known here" },     { 0x65, 0x06, "bigalloc" },
    { 0x65, 0x44, "not known here" },     { 0x66, 0x01, "half deleted" },
    { 0x18, 9, "makes no sense" },        { 0x38, 0, "makes no sense" },
    { 0x7, 0xFF, "larger than what it" }, { 0xE, 0xFF, "more of it is free" },
    { 0xC, 0x00, "its map contradicts" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 before;
      g_assert_cmpint (pread (disk.filesystem.fd, &before, 1, 1024 + cases[i].at), ==, 1);
      /* Fewer free blocks than the map has cannot be told from the lowest byte alone. */
      guint8 value = cases[i].at == 0xC ? before - 1 : cases[i].value;
      put (&disk, 1024 + cases[i].at, &value, 1);
      assert_refused (&disk, cases[i].reason);
      put (&disk, 1024 + cases[i].at, &before, 1);
    }
  g_autoptr (GArray) ranges = p2v_free_space_find (&disk.filesystem, NULL, NULL);
  g_assert_nonnull (ranges);
  disk_end (&disk);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/free-space/domain-map", test_domain_map);
  g_test_add_func ("/free-space/hostile-domain-maps", test_hostile_domain_maps);
  g_test_add_func ("/free-space/ranges", test_ranges);
  g_test_add_func ("/free-space/bits", test_bits);
  g_test_add_func ("/free-space/crc32c", test_crc32c);
  g_test_add_func ("/free-space/hfsplus", test_hfsplus);
  g_test_add_func ("/free-space/ext-that-is-not-clean", test_ext_states);
  g_test_add_func ("/free-space/ext-inode-tables", test_ext_inode_tables);
  g_test_add_func ("/free-space/ext-journal", test_ext_journal);
  g_test_add_func ("/free-space/unknown-types", test_unknown_types);
  g_test_add_func ("/free-space/empty-and-tiny-areas", test_empty_and_tiny_areas);
  g_test_add_func ("/free-space/cancelling", test_cancelling);
  for (gsize i = 0; i < G_N_ELEMENTS (made); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/free-space/damaged/%s-%" G_GSIZE_FORMAT, made[i].type, i);
      g_test_add_data_func (path, &made[i], test_damaged);
    }
  return g_test_run ();
}
