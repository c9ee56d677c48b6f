/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_MACHINE_MAP_PARTS_H
#define P2V_MACHINE_MAP_PARTS_H

/* The parts of the machine map, known only to machine-map*.c. */

#include "p2v-client/inventory-parts.h"
#include "p2v-client/lvm.h"
#include "p2v-client/machine-map.h"
#include "p2v-client/volume-map.h"

G_BEGIN_DECLS

/* Something that may hold a filesystem. */
typedef struct
{
  char *place;       /* where people find it: "/dev/sda1", "disk.raw partition 1", "/dev/vg/root" */
  char *type;        /* libblkid's: "ext4"; NULL when not known */
  char *reason;      /* why it is read in full; NULL when it can be asked */
  gboolean is_swap;  /* only the header of it is data */
  P2vVolumeMap *map; /* where it lies; of no segments when that is not known */
  gint64 size;       /* bytes */

  int fd;        /* to ask it: open for reading, */
  gint64 offset; /* and where it begins there */
  gboolean own_fd;
  unsigned sector_size;
  char *device; /* the kernel's device that is exactly it, NULL for none */

  guint disk;         /* where the inventory lists it: a partition, */
  gint64 number;      /* 0 for the whole disk, */
  char *group, *name; /* or a logical volume; else NULL */

  GArray *free; /* of P2vFreeRange once it has answered; in bytes from its start */
} P2vVolume;

/* A part of a disk: it belongs to a volume, or has a name of its own and is read. */
typedef struct
{
  gint64 offset, length; /* bytes */
  P2vVolume *volume;     /* owned by the mapping; NULL for none */
  char *what, *reason;   /* without a volume */
  gint64 number;         /* the partition that is read for this reason, -1 for none, 0 for the
                            whole disk */
} P2vPart;

/* A place that holds a physical volume of LVM. */
typedef struct
{
  P2vPhysicalVolume *physical;
  guint disk;
  P2vArea area;   /* on the disk */
  char *place;    /* as in P2vVolume */
  gint64 number;  /* the partition */
  char *array;    /* the array of Linux whose contents these are, NULL for none, */
  guint64 events; /* and its state */
} P2vPhysicalPlace;

typedef struct
{
  const P2vMapDisk *disk;
  P2vLook look;
  P2vDisk description; /* what the look is at */
  char *device;        /* its name in /sys/class/block, NULL for a file */
  GArray *parts;       /* of P2vPart: cover it in the end, in any order */
  GArray *free;        /* of P2vStretch */
} P2vMappedDisk;

typedef struct
{
  P2vTree tree;       /* this machine */
  GPtrArray *disks;   /* of P2vMappedDisk */
  GPtrArray *volumes; /* of P2vVolume */
  GPtrArray *places;  /* of P2vPhysicalPlace */
  GHashTable *used;   /* the kernel's names of devices that this system itself uses */
  gboolean hibernated;
  GCancellable *cancellable;
} P2vMapping;

P2vMappedDisk *p2v_mapping_get_disk (const P2vMapping *mapping, guint disk);

/* Adds a volume; owned by the mapping. place is copied. */
P2vVolume *p2v_mapping_add_volume (P2vMapping *mapping, const char *place, gint64 size);

/* Adds a part of a disk that is read in full. what and reason are copied. */
void p2v_mapping_add_part (P2vMapping *mapping, guint disk, P2vArea area, const char *what,
                           const char *reason, gint64 number);

/* Adds a part of a disk that belongs to a volume. */
void p2v_mapping_add_volume_part (P2vMapping *mapping, guint disk, P2vArea area, P2vVolume *volume);

/* Divides a disk up into its partitions and looks at each, or at the disk as a whole: parts,
 * volumes and places of physical volumes. */
void p2v_mapping_divide_disk (P2vMapping *mapping, guint disk);

/* Looks at one area: a partition, a disk, the data of an array's member. */
typedef struct
{
  guint disk;
  P2vArea area;
  const char *place;
  gint64 number; /* as in P2vVolume */
  const char *array;
  guint64 events;
} P2vSite;

void p2v_mapping_look_at (P2vMapping *mapping, const P2vSite *site);

/* What the signatures in an area say. */
typedef struct
{
  char *type;          /* libblkid's, NULL for none */
  gboolean filesystem; /* it is one */
  gboolean ambiguous;  /* several contradict each other */
  char *obstacle; /* why it cannot be believed to be what it seems, a clause; NULL when it can */
} P2vSignature;

void p2v_signature_read (const P2vLook *look, P2vArea area, P2vSignature *signature);
void p2v_signature_clear (P2vSignature *signature);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2vSignature, p2v_signature_clear)

/* Takes a signature of a volume that a volume's fd and offset lead to. look: at its fd. Volumes
 * that are nothing but a filesystem or swap remain to be asked; others get their reason. */
void p2v_volume_identify (P2vMapping *mapping, P2vVolume *volume, const P2vLook *look,
                          const P2vSignature *signature);

/* TRUE when a page of length bytes at least 64 KiB, the first of a volume, is the header of a
 * hibernated system's memory. */
gboolean p2v_swap_is_hibernated (const guint8 *head, gsize length);

/* The range of a swap area that is not its header, into free (of P2vFreeRange). FALSE with a reason
 * when its header makes no sense. head: the first 64 KiB; size: of the volume, bytes. */
gboolean p2v_swap_find_free (const guint8 *head, gint64 size, GArray *free, const char **reason);

/* Bytes at the start of a volume that p2v_swap_*() need. */
#define P2V_SWAP_HEAD (64 * 1024)

/* Joins the physical volumes found into groups, and divides their places up: volumes and parts. */
void p2v_mapping_divide_groups (P2vMapping *mapping);

/* Reads bytes of a volume by its map, whichever disks they are on. */
gboolean p2v_volume_read (const P2vMapping *mapping, const P2vVolume *volume, gint64 offset,
                          guint8 *buffer, gsize length);

/* What the kernel knows: names are those of /sys/class/block. */

/* The block device behind a descriptor, NULL for a file. */
char *p2v_kernel_device_of (const P2vTree *tree, int fd);

/* The device of the partition that is exactly this area of a disk's device, NULL for none. */
char *p2v_kernel_partition (const P2vTree *tree, const char *device, P2vArea area);

/* The device-mapper device with a UUID, NULL for none. */
char *p2v_kernel_mapped (const P2vTree *tree, const char *uuid);

/* TRUE when a device lies upon no disks but these (names of disks, NULL ends them). */
gboolean p2v_kernel_lies_upon (const P2vTree *tree, const char *device, const char *const *disks);

/* All devices that are mounted or swapped to. */
GHashTable *p2v_kernel_used_devices (const P2vTree *tree);

/* TRUE when a device, or what was made of it, is used. */
gboolean p2v_kernel_is_used (const P2vTree *tree, GHashTable *used, const char *device);

/* TRUE when an area of a disk is used through any device. device: the disk's, NULL for a file,
 * which loop devices may show. */
gboolean p2v_kernel_area_is_used (const P2vTree *tree, GHashTable *used, const char *device,
                                  const char *path, P2vArea area);

/* Asks all volumes that can be asked; those that have answered have their free ranges, the others
 * a reason. */
void p2v_mapping_ask (P2vMapping *mapping);

G_END_DECLS

#endif
