/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_BAD_RANGE_H
#define P2V_BAD_RANGE_H

#include "common/schema.h"

G_BEGIN_DECLS

/* A stretch of a disk that could not be read: it is zeroes in the guest. */
typedef struct
{
  char *disk;    /* P2vDisk.name */
  gint64 offset; /* bytes from the start of the disk */
  gint64 length; /* bytes */
  char *where;   /* what it is a part of: "ext4 on /dev/sda1", "partition table"; NULL when that is
                    not known */
} P2vBadRange;

P2V_SCHEMA_DECLARE (P2vBadRange, p2v_bad_range)

/* The most stretches that a job's list has. A machine with more is beyond what this is for; the
 * list is a part of the job's file, and of one line of the control channel (P2V_LINE_MAX). */
#define P2V_BAD_RANGES_MAX 4096

/* An empty list (of P2vBadRange, owned). */
GPtrArray *p2v_bad_ranges_new (void);

/* Adds what of a range is not in the list yet, which stays in the order of disks' names and of
 * offsets. Neighbours of the same place become one. The range is copied. */
void p2v_bad_ranges_add (GPtrArray *ranges, const P2vBadRange *range);

/* Adds all of a list to another. */
void p2v_bad_ranges_add_all (GPtrArray *ranges, const GPtrArray *others);

/* Makes a list the same as another. */
void p2v_bad_ranges_set (GPtrArray *ranges, const GPtrArray *others);

/* Takes a stretch of a disk out of the list: it could be read after all. */
void p2v_bad_ranges_remove (GPtrArray *ranges, const char *disk, gint64 offset, gint64 length);

/* Whether two lists have the same stretches of the same disks. */
gboolean p2v_bad_ranges_equal (const GPtrArray *ranges, const GPtrArray *others);

/* The bytes of all ranges. */
gint64 p2v_bad_ranges_bytes (const GPtrArray *ranges);

/* Reads a list from a member of a message that somebody else wrote; an absent one is empty.
 * disk: whose all ranges are; NULL: each names its own. size: of that disk, bytes; G_MAXINT64 when
 * not known. Fails with P2V_ERROR_REFUSED. */
GPtrArray *p2v_bad_ranges_from_json (JsonObject *message, const char *member, const char *disk,
                                     gint64 size, GError **error);

/* The list as JSON (transfer full). */
JsonArray *p2v_bad_ranges_to_json (const GPtrArray *ranges);

/* "512 bytes at byte 1048576 of disk sda (ext4 on /dev/sda1)" (transfer full). */
char *p2v_bad_range_text (const P2vBadRange *range);

/* A sentence without its full stop, on one line: how much, in how many places, that it is zeroes in
 * the guest, and the first few places (transfer full). */
char *p2v_bad_ranges_text (const GPtrArray *ranges);

G_END_DECLS

#endif
