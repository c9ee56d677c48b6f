/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_INVENTORY_PARTS_H
#define P2V_INVENTORY_PARTS_H

/* The parts of the inventory, known only to inventory*.c. Everything here treats what it reads as
 * untrusted: disks, firmware variables and device names may have been written by anybody. */

#include "common/machine.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The tree that is described: this machine, or a recorded one. */
typedef struct
{
  char *root;        /* real path without a slash at its end, "" for "/" */
  gboolean recorded; /* TRUE when root is not this machine: then no ioctl, no device database */
  GCancellable *cancellable;
} P2vTree;

/* Paths below are given without the root, starting with "/"; they may be printf formats. */

/* The path of a file of the tree as this process can open it. */
char *p2v_tree_path (const P2vTree *tree, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

gboolean p2v_tree_exists (const P2vTree *tree, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* At most limit bytes of a file, NULL when it cannot be read. */
GBytes *p2v_tree_read_bytes (const P2vTree *tree, gsize limit, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* A small text file as valid UTF-8 without control characters other than line breaks and without
 * white space at its ends. NULL when it cannot be read or is empty. */
char *p2v_tree_read (const P2vTree *tree, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* A decimal number from 0 to maximum in a file; otherwise missing. */
gint64 p2v_tree_read_number (const P2vTree *tree, gint64 maximum, gint64 missing,
                             const char *format, ...) __attribute__ ((format (printf, 4, 5)));

/* Where a symbolic link finally leads, without the root: "/sys/devices/…". NULL when it leads
 * nowhere or out of the tree. */
char *p2v_tree_resolve (const P2vTree *tree, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* The last component of where a link leads. */
char *p2v_tree_link_name (const P2vTree *tree, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* The names in a folder in the kernel's order of counting: sda … sdz, sdaa. Never NULL. */
char **p2v_tree_list (const P2vTree *tree, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* Untrusted text of any encoding as valid UTF-8, white space and control characters at the ends
 * removed, within it replaced. length: bytes or -1. NULL when nothing is left. */
char *p2v_text_clean (const char *text, gssize length);

/* The properties that udev recorded for a device in /run/udev/data (name → value), empty without
 * udev. id: "b8:0" for block devices, "n2" for network interfaces. */
GHashTable *p2v_udev_properties (const P2vTree *tree, const char *id);

/* Runs a program with fd as its descriptor 3, without input, and returns at most limit bytes of
 * what it writes. It is killed when it takes too long. NULL with an error when it is not there, is
 * cancelled, takes too long, writes more or fails. */
GBytes *p2v_tool_capture (const char *const *argv, int fd, gsize limit, GCancellable *cancellable,
                          GError **error);

/* The same with another limit than the usual one: seconds of time, and as many of a processor's. */
GBytes *p2v_tool_run (const char *const *argv, int fd, gsize limit, guint seconds,
                      GCancellable *cancellable, GError **error);

/* The same for a program whose exit status is a part of its answer; no descriptor is handed over.
 */
GBytes *p2v_tool_answer (const char *const *argv, gsize limit, guint seconds,
                         GCancellable *cancellable, GError **error);

/* A disk being looked at. */
typedef struct
{
  const P2vTree *tree; /* NULL for a disk given as a file */
  const P2vDisk *disk;
  const char *device; /* its name in /sys/class/block, NULL when it has none */
  int fd;             /* opened read-only */
  gint64 size;        /* bytes */
  unsigned sector_size;
  gint64 deadline; /* g_get_monotonic_time() after which nothing further is looked at */
  GCancellable *cancellable;
} P2vLook;

/* A stretch of a disk. */
typedef struct
{
  gint64 offset, size; /* bytes */
} P2vArea;

/* Reads exactly length bytes at offset, FALSE when that is not possible. */
gboolean p2v_look_read (const P2vLook *look, gint64 offset, gpointer buffer, gsize length);

/* TRUE when there is time left and nobody cancelled. */
gboolean p2v_look_goes_on (const P2vLook *look);

/* What is on an opened disk. Never NULL. */
P2vContent *p2v_content_look (const P2vLook *look);

/* Opens a disk, looks and fills in disk->content. path: what to open. device: as in P2vLook.
 * tree: NULL for a file; the thread's current GCancellable stops the look then. */
gboolean p2v_content_describe (P2vDisk *disk, const char *path, const P2vTree *tree,
                               const char *device, GError **error);

/* The size that a filesystem's superblock states in bytes, 0 when unknown. type: libblkid's. */
gint64 p2v_filesystem_size (const P2vLook *look, P2vArea area, const char *type);

/* Looks for an operating system in a filesystem.
 * grub: how GRUB's disk drivers call the volume within the disk ("loop0,gpt2"), NULL when they
 * do not; area: where it lies, size 0 when not in one piece; type: libblkid's, NULL when unknown;
 * location: as in P2vOs. Returns NULL when there is none or it cannot be told. */
P2vOs *p2v_os_look (const P2vLook *look, const char *grub, P2vArea area, const char *type,
                    const char *location);

/* The value of a name in a Windows registry hive as text, NULL when absent or damaged.
 * path: the keys from the root, separated by backslashes. Numbers are returned in decimal. */
char *p2v_hive_lookup (GBytes *hive, const char *path, const char *name);

/* Names of block devices (disks and partitions) that the running system was started from, as a
 * set. */
GHashTable *p2v_live_devices (const P2vTree *tree);

/* The filesystem label or UUID named by root=live:… on the kernel command line; each may be NULL.
 */
void p2v_live_filesystem (const P2vTree *tree, char **label, char **uuid);

/* TRUE when what runs is p2v's own live image, and a disk with this content (NULL: unknown) is a
 * medium of it. Any such medium: it holds a server's private key and nothing of the machine. */
gboolean p2v_live_is_own_medium (const P2vTree *tree, const P2vContent *content);

void p2v_inventory_add_disks (const P2vTree *tree, P2vMachine *machine);
void p2v_inventory_add_removables (const P2vTree *tree, P2vMachine *machine);
void p2v_inventory_add_nics (const P2vTree *tree, P2vMachine *machine);

/* TRUE for names in /sys/block that the kernel gives to what is no disk of the machine, and for
 * disks of no size. */
gboolean p2v_disk_is_excluded (const P2vTree *tree, const char *name);

/* The bus of a device by the path of its folder below /sys/devices. A constant or NULL. */
const char *p2v_bus_from_path (const char *path);

P2vCpu *p2v_inventory_cpu (const P2vTree *tree);
P2vFirmware *p2v_inventory_firmware (const P2vTree *tree);
P2vClock *p2v_inventory_clock (const P2vTree *tree);
P2vSmbios *p2v_inventory_smbios (const P2vTree *tree);

/* Bytes of memory installed. */
gint64 p2v_inventory_memory (const P2vTree *tree);

/* The hypervisor below this machine, NULL on real hardware. */
char *p2v_inventory_hypervisor (const P2vTree *tree);

G_END_DECLS

#endif
