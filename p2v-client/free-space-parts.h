/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FREE_SPACE_PARTS_H
#define P2V_FREE_SPACE_PARTS_H

/* The parts of free-space.c, known only to free-space*.c and its test. All that they read was
 * written by anybody. Their errors are reasons, clauses of which the filesystem is the subject. */

#include "p2v-client/free-space.h"

G_BEGIN_DECLS

/* A filesystem being looked at, and what it says of itself. */
typedef struct
{
  const P2vFilesystem *filesystem;
  GCancellable *cancellable;
  char *device; /* what programs open; p2v_free_look_device() knows */
  int loop;     /* keeps a loop device alive, or -1 */
  gint64 size;  /* bytes that the filesystem says it has; at most the area's */
  gint64 used;  /* bytes in use by its own counters, -1 when it has none */
} P2vFreeLook;

/* What is known of one type of filesystem. */
typedef struct
{
  const char *type;      /* libblkid's name */
  const char *partclone; /* the program that maps it, NULL when map is asked */

  /* TRUE when it is positively known to be clean; then look->size and look->used are filled in. */
  gboolean (*clean) (P2vFreeLook *look, GError **error);

  /* What it calls free as read here, NULL when partclone is asked. */
  GArray *(*map) (P2vFreeLook *look, GError **error);
} P2vFreeKind;

/* Reads exactly length bytes of the area; offset in bytes from its start. */
gboolean p2v_free_look_read (const P2vFreeLook *look, gint64 offset, gpointer buffer, gsize length,
                             GError **error);

/* A block device that is the area, made when the kernel has none. Owned by look. */
const char *p2v_free_look_device (P2vFreeLook *look, GError **error);

/* Sets size and used from a superblock's numbers of units of unit bytes. free: units free,
 * G_MAXUINT64 when unknown. FALSE when they are not possible in the area. */
gboolean p2v_free_look_measure (P2vFreeLook *look, guint64 units, guint64 free, guint64 unit,
                                GError **error);

/* Sets an error with a reason. Always FALSE. */
gboolean p2v_free_refuse (GError **error, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* Little-endian and big-endian numbers at any address. */
guint16 p2v_le16 (const guint8 *bytes);
guint32 p2v_le32 (const guint8 *bytes);
guint64 p2v_le64 (const guint8 *bytes);
guint16 p2v_be16 (const guint8 *bytes);
guint32 p2v_be32 (const guint8 *bytes);
guint64 p2v_be64 (const guint8 *bytes);

/* CRC-32C (Castagnoli), begun with seed, without the final inversion. */
guint32 p2v_crc32c (guint32 seed, const guint8 *bytes, gsize length);

/* Ranges: GArrays of P2vFreeRange in order and not touching. */

/* To leave out less of a disk costs more than to read it: bytes. */
#define P2V_RANGE_SMALLEST (64 * 1024)

GArray *p2v_ranges_new (void);

/* Adds a range that begins at or beyond the end of the last one. */
void p2v_ranges_add (GArray *ranges, gint64 offset, gint64 length);

/* Adds a range of unit bytes for each of count bits that is clear. offset: of the first one's
 * range; highest_first: the first bit of a byte is its highest. */
void p2v_ranges_add_bits (GArray *ranges, const guint8 *bits, guint64 count, gint64 offset,
                          gint64 unit, gboolean highest_first);

/* Sorts what was added in any order and joins what touches or overlaps. */
void p2v_ranges_normalize (GArray *ranges);

/* What is in both. */
GArray *p2v_ranges_intersect (const GArray *a, const GArray *b);

/* What is in ranges and not in others. */
GArray *p2v_ranges_subtract (const GArray *ranges, const GArray *others);

/* What of [begin, end) is in none of the ranges. */
GArray *p2v_ranges_complement (const GArray *ranges, gint64 begin, gint64 end);

gint64 p2v_ranges_bytes (const GArray *ranges);

/* What a domain map calls free. text: partclone's output. size: the bytes that the map has to cover
 * exactly. The format is the mapfile of GNU ddrescue: lines "0xPOSITION 0xSIZE STATUS" that follow
 * one another without gaps, status + for used and ? for free; before them the current position, and
 * comments after #. */
GArray *p2v_domain_map_parse (const char *text, gsize length, gint64 size, GError **error);

/* Runs a partclone on the filesystem and returns what it calls free. */
GArray *p2v_partclone_map (P2vFreeLook *look, const char *program, GError **error);

/* Makes a block device that shows size bytes of a file from offset on, read-only, with sectors of
 * sector_size bytes. It goes away by itself once *loop and everybody else has closed it, however
 * that comes about. Returns its path. */
char *p2v_loop_new (int fd, gint64 offset, gint64 size, unsigned sector_size, int *loop,
                    GError **error);

/* For each type: is it clean, and its own map. */
gboolean p2v_free_ext_clean (P2vFreeLook *look, GError **error);
GArray *p2v_free_ext_map (P2vFreeLook *look, GError **error);
gboolean p2v_free_xfs_clean (P2vFreeLook *look, GError **error);
GArray *p2v_free_xfs_map (P2vFreeLook *look, GError **error);
gboolean p2v_free_fat_clean (P2vFreeLook *look, GError **error);
GArray *p2v_free_fat_map (P2vFreeLook *look, GError **error);
gboolean p2v_free_ntfs_clean (P2vFreeLook *look, GError **error);
GArray *p2v_free_ntfs_map (P2vFreeLook *look, GError **error);
gboolean p2v_free_btrfs_clean (P2vFreeLook *look, GError **error);
GArray *p2v_free_btrfs_map (P2vFreeLook *look, GError **error);
gboolean p2v_free_exfat_clean (P2vFreeLook *look, GError **error);
GArray *p2v_free_exfat_map (P2vFreeLook *look, GError **error);
gboolean p2v_free_f2fs_clean (P2vFreeLook *look, GError **error);
gboolean p2v_free_hfsplus_clean (P2vFreeLook *look, GError **error);
GArray *p2v_free_hfsplus_map (P2vFreeLook *look, GError **error);

G_END_DECLS

#endif
