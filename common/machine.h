/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_MACHINE_H
#define P2V_MACHINE_H

#include "common/schema.h"

G_BEGIN_DECLS

/* The physical machine as `p2v-client --inventory` prints it and as a session tells the server.
 * All strings are UTF-8 and may be NULL where nothing is known, unless said otherwise; all arrays
 * are never NULL. */

/* An installed operating system, found by looking strictly read-only. */
typedef struct
{
  char *id;       /* os-release ID ("debian"), or "windows" */
  char *name;     /* for people: "Debian GNU/Linux 12 (bookworm)" */
  char *version;  /* "12" */
  char *hostname; /* the name it gives itself */
  char *location; /* the block device that holds it: "/dev/sda1"; where there is none, words:
                     "disk.raw partition 1" */
  char *clock;    /* what it keeps the hardware clock in: "utc" or "localtime" */
} P2vOs;

typedef struct _P2vContent P2vContent;

/* What is on a disk, a partition or a logical volume. */
struct _P2vContent
{
  char *kind; /* "partition-table", "filesystem", "lvm-pv", "lvm-lv", "raid-member", "luks",
                 "bitlocker", "swap", "empty" (all zeroes where signatures are) or "unknown" */
  char *type; /* libblkid's name: "gpt", "dos", "ext4", "ntfs", "LVM2_member", … */
  char *label;
  char *uuid;
  char *group;    /* the volume group's or array's name or UUID, for lvm-pv and raid-member */
  gint64 members; /* how many members the group has by its own word, 0 when unknown */
  gint64 size;    /* bytes of the filesystem itself, 0 when it does not say */
  gint64 used;    /* bytes that are read of it, since its filesystem says that the rest is free; 0
                     when nobody has asked, or it is read in full */
  char *read_in_full; /* why all of it is read, a clause: "it was not unmounted cleanly" */
  P2vOs *os;
  GPtrArray *partitions; /* of P2vPartition, for "partition-table"; for "lvm-pv" the logical volumes
                            of its group: label is the name, start is 0 when it is not in one piece
                            on this disk */
};

typedef struct
{
  gint64 number;     /* from 1 */
  gint64 start;      /* bytes from the start of the disk */
  gint64 size;       /* bytes */
  char *path;        /* the kernel's device, NULL for a disk given as a file */
  char *type;        /* GPT type GUID in lower case, or MBR type as "0x83" */
  char *label;       /* GPT partition name */
  char *uuid;        /* PARTUUID */
  gboolean bootable; /* MBR active flag or GPT legacy-boot attribute */
  P2vContent *content;
} P2vPartition;

/* A disk (or an array shown as a disk). */
typedef struct
{
  char *name;  /* never NULL: "sda", "nvme0n1"; for a file the path's last component */
  char *path;  /* never NULL: "/dev/sda", or the absolute path of a file */
  gint64 size; /* bytes */
  gint64 logical_sector_size;  /* bytes: 512 or 4096 */
  gint64 physical_sector_size; /* bytes */
  char *model;
  char *vendor;
  char *serial;
  char *wwn;
  char *bus; /* "ata", "scsi", "sas", "nvme", "usb", "virtio", "mmc", "ide", "file", … */
  gboolean rotational;
  gboolean removable;
  gboolean read_only;
  gboolean live_medium; /* the medium this system was booted from: never converted */
  char *member_of;      /* the array or multipath device this disk is only a part of: "md127" */
  gint64 missing;       /* of an array: the members that it has to do without */
  char *health;         /* the disk's own word (SMART): "good" or "failing"; NULL when unknown */
  P2vContent *content;  /* NULL when it could not be read */
} P2vDisk;

/* A CD, DVD or other drive whose medium is not converted. */
typedef struct
{
  char *name; /* "sr0" */
  char *path;
  char *model;
  char *vendor;
  char *bus;
} P2vRemovable;

/* A physical network interface. */
typedef struct
{
  char *name; /* "eno1" */
  char *mac;  /* permanent address, "52:54:00:12:34:56" in lower case */
  char *driver;
  char *vendor; /* for people, from the hardware database where there is one */
  char *model;
  char *bus; /* "pci", "usb", … */
  gboolean link;
  gint64 speed; /* Mbit/s, 0 when unknown */
} P2vNic;

typedef struct
{
  char *vendor; /* libvirt's name: "Intel", "AMD"; else the raw vendor string */
  char *model;  /* for people: "Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz" */
  gint64 family, model_number, stepping;
  gint64 sockets, cores, threads; /* cores a socket, threads a core; each at least 1 */
  gint64 online;                  /* logical processors that run now, at least 1 */
  char **features;                /* the kernel's flag names */
  gboolean acpi, apic, pae;
} P2vCpu;

/* A UEFI boot entry, UEFI specification 2.10 section 3.1.3 (EFI_LOAD_OPTION). */
typedef struct
{
  char *id;    /* four hexadecimal digits: "0001" */
  char *label; /* "debian" */
  gboolean active;
  char *loader;         /* file on the EFI system partition: "\\EFI\\debian\\shimx64.efi" */
  char *partition_uuid; /* of the partition named by the entry's device path, lower case */
} P2vBootEntry;

typedef struct
{
  char *type; /* never NULL: "bios" or "uefi" */
  gboolean secure_boot;
  char *tpm;               /* NULL for none, else "1.2" or "2.0" */
  GPtrArray *boot_entries; /* of P2vBootEntry, in no special order */
  char **boot_order;       /* ids */
  char *vendor;
  char *version;
} P2vFirmware;

typedef struct
{
  char *basis;   /* never NULL: "utc", "localtime" or "unknown" */
  gint64 offset; /* seconds that the hardware clock is ahead of UTC */
} P2vClock;

typedef struct
{
  char *manufacturer;
  char *product;
  char *version;
  char *serial;
  char *uuid; /* lower case */
} P2vSmbios;

typedef struct
{
  char *hostname;   /* of the installed operating system, NULL when not found */
  gint64 memory;    /* bytes installed as far as can be told */
  char *hypervisor; /* NULL on real hardware, else "kvm", "vmware", … */
  P2vCpu *cpu;
  P2vFirmware *firmware;
  P2vClock *clock;
  P2vSmbios *smbios;
  GPtrArray *disks;      /* of P2vDisk, in the order the firmware or kernel lists them */
  GPtrArray *removables; /* of P2vRemovable */
  GPtrArray *nics;       /* of P2vNic */
} P2vMachine;

P2V_SCHEMA_DECLARE (P2vOs, p2v_os)
P2V_SCHEMA_DECLARE (P2vContent, p2v_content)
P2V_SCHEMA_DECLARE (P2vPartition, p2v_partition)
P2V_SCHEMA_DECLARE (P2vDisk, p2v_disk)
P2V_SCHEMA_DECLARE (P2vRemovable, p2v_removable)
P2V_SCHEMA_DECLARE (P2vNic, p2v_nic)
P2V_SCHEMA_DECLARE (P2vCpu, p2v_cpu)
P2V_SCHEMA_DECLARE (P2vBootEntry, p2v_boot_entry)
P2V_SCHEMA_DECLARE (P2vFirmware, p2v_firmware)
P2V_SCHEMA_DECLARE (P2vClock, p2v_clock)
P2V_SCHEMA_DECLARE (P2vSmbios, p2v_smbios)
P2V_SCHEMA_DECLARE (P2vMachine, p2v_machine)

/* The disk whose name or path is given, NULL for none. Owned by the machine. */
P2vDisk *p2v_machine_find_disk (const P2vMachine *machine, const char *name);

/* The interface of that name, NULL for none. Owned by the machine. */
P2vNic *p2v_machine_find_nic (const P2vMachine *machine, const char *name);

/* The removable drive of that name, NULL for none. Owned by the machine. */
P2vRemovable *p2v_machine_find_removable (const P2vMachine *machine, const char *name);

/* TRUE when the disk may be offered for conversion: neither the live medium nor part of an array.
 */
gboolean p2v_disk_is_convertible (const P2vDisk *disk);

G_END_DECLS

#endif
