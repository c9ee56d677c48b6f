/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FREE_SPACE_NTFS_H
#define P2V_FREE_SPACE_NTFS_H

/* Files of NTFS, known only to free-space-ntfs*.c. */

#include "p2v-client/free-space-parts.h"

G_BEGIN_DECLS

typedef struct
{
  const P2vFreeLook *look;
  guint32 cluster;     /* bytes */
  guint32 record_size; /* bytes of a record of the master file table */
  guint64 clusters;    /* of the volume */
  GArray *mft;         /* of P2vNtfsRun: where the file table lies */
} P2vNtfs;

typedef struct
{
  guint64 first; /* cluster of the file */
  guint64 count; /* clusters */
  gint64 at;     /* cluster of the volume, -1 for a hole */
} P2vNtfsRun;

/* An attribute of a file: its contents are in the record, or in clusters. */
typedef struct
{
  GBytes *resident; /* NULL when in clusters */
  GArray *runs;     /* of P2vNtfsRun, NULL when resident */
  guint64 size;     /* bytes */
  guint64 valid;    /* bytes that are written, the rest reads as zeroes */
  gboolean plain;   /* neither compressed nor encrypted */
} P2vNtfsAttribute;

void p2v_ntfs_attribute_free (P2vNtfsAttribute *attribute);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vNtfsAttribute, p2v_ntfs_attribute_free)

#define P2V_NTFS_ATTRIBUTE_LIST 0x20
#define P2V_NTFS_VOLUME_INFORMATION 0x70
#define P2V_NTFS_DATA 0x80
#define P2V_NTFS_INDEX_ROOT 0x90
#define P2V_NTFS_INDEX_ALLOCATION 0xA0

/* Reads a record of the file table, checked and with its sectors' last words put back. */
guint8 *p2v_ntfs_record_read (const P2vNtfs *ntfs, guint64 number, GError **error);

/* Puts back the words that NTFS replaces at the end of each 512 bytes, FALSE when they show that it
 * was not written whole. */
gboolean p2v_ntfs_fixup (guint8 *bytes, gsize length);

/* Finds an attribute in a record. name: in ASCII, "" for the attribute without one. NULL without
 * an error when the record has none. */
P2vNtfsAttribute *p2v_ntfs_attribute_find (const P2vNtfs *ntfs, const guint8 *record, guint32 type,
                                           const char *name, GError **error);

/* Reads exactly length bytes of an attribute's contents. */
gboolean p2v_ntfs_attribute_read (const P2vNtfs *ntfs, const P2vNtfsAttribute *attribute,
                                  guint64 offset, guint8 *buffer, gsize length, GError **error);

/* The record of a file in the root folder, by its name in ASCII without regard to case; 0 when
 * there is none, which is certain. */
gboolean p2v_ntfs_root_lookup (const P2vNtfs *ntfs, const char *name, guint64 *record,
                               GError **error);

G_END_DECLS

#endif
