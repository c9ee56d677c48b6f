/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#include "common/request.h"

#define MAX_SECTORS ((G_GINT64_CONSTANT (1) << 50) / 512)
#define MAX_SECTOR_SIZE 65536
#define MAX_MEMBERS 65535

const char *
p2v_bus_from_path (const char *path)
{
  /* In the order of nearness to the disk: a SATA disk in a USB case is a USB disk, a SAS disk is
   * also a SCSI disk. */
  static const struct
  {
    const char *part, *bus;
  } known[] = {
    { "/usb", "usb" }, { "/nvme", "nvme" },       { "/mmc_host/", "mmc" }, { "/fw", "firewire" },
    { "/ata", "ata" }, { "/end_device-", "sas" }, { "/rport-", "fc" },     { "/session", "iscsi" },
    { "/ide", "ide" }, { "/host", "scsi" },       { "/virtio", "virtio" }, { "/vbd-", "xen" },
  };
  for (gsize i = 0; path != NULL && i < G_N_ELEMENTS (known); i++)
    {
      const char *found = strstr (path, known[i].part);
      const char *end = found == NULL ? NULL : found + strlen (known[i].part);
      /* "/ata1", "/nvme/", "/nvme-subsystem/", but no word that merely begins so. */
      if (end != NULL && (strchr ("/-", end[-1]) != NULL || strchr ("/-0123456789", *end) != NULL))
        return known[i].bus;
    }
  return NULL;
}

/* The first that says something; takes both. */
static char *
first_of (char *first, char *second)
{
  if (first != NULL)
    g_free (second);
  return first != NULL ? first : second;
}

static char *
property (GHashTable *properties, const char *name)
{
  return g_strdup (g_hash_table_lookup (properties, name));
}

/* SCSI's own page of the unit's serial number (SPC-4 7.8.15): four bytes of header, then text. */
static char *
serial_from_page (const P2vTree *tree, const char *name)
{
  g_autoptr (GBytes) page
      = p2v_tree_read_bytes (tree, 256, "/sys/class/block/%s/device/vpd_pg80", name);
  gsize size = 0;
  const char *data = page == NULL ? NULL : g_bytes_get_data (page, &size);
  return size <= 4 ? NULL : p2v_text_clean (data + 4, size - 4);
}

/* The serial number of the USB device above a disk: a folder on the way up has it. */
static char *
serial_from_usb (const P2vTree *tree, const char *path)
{
  g_autofree char *at = g_strdup (path);
  while (strlen (at) > strlen ("/sys/devices"))
    {
      if (p2v_tree_exists (tree, "%s/idVendor", at))
        return p2v_tree_read (tree, "%s/serial", at);
      char *parent = g_path_get_dirname (at);
      g_free (at);
      at = parent;
    }
  return NULL;
}

static char *
find_serial (const P2vTree *tree, const P2vDisk *disk, const char *name, const char *path,
             GHashTable *udev)
{
  char *serial = first_of (property (udev, "ID_SCSI_SERIAL"), property (udev, "ID_SERIAL_SHORT"));
  if (serial == NULL && g_strcmp0 (disk->bus, "usb") == 0)
    serial = serial_from_usb (tree, path);
  serial = first_of (serial, p2v_tree_read (tree, "/sys/class/block/%s/device/serial", name));
  serial = first_of (serial, p2v_tree_read (tree, "/sys/class/block/%s/serial", name));
  return first_of (serial, serial_from_page (tree, name));
}

/* World Wide Name in udev's spelling: "0x5000c500a1b2c3d4", "eui.0025385b71b00001". */
static char *
find_wwn (const P2vTree *tree, const char *name, GHashTable *udev)
{
  char *wwn = first_of (property (udev, "ID_WWN_WITH_EXTENSION"), property (udev, "ID_WWN"));
  g_autofree char *kernel
      = first_of (p2v_tree_read (tree, "/sys/class/block/%s/wwid", name),
                  p2v_tree_read (tree, "/sys/class/block/%s/device/wwid", name));
  if (wwn != NULL || kernel == NULL)
    return wwn;
  if (g_str_has_prefix (kernel, "naa."))
    return g_strconcat ("0x", kernel + strlen ("naa."), NULL);
  /* "t10.ATA …" and "nvme.…" repeat model and serial number. */
  return g_str_has_prefix (kernel, "eui.") || g_str_has_prefix (kernel, "uuid.") ? g_strdup (kernel)
                                                                                 : NULL;
}

static void
name_maker (const P2vTree *tree, P2vDisk *disk, const char *name, GHashTable *udev)
{
  g_autofree char *vendor = p2v_tree_read (tree, "/sys/class/block/%s/device/vendor", name);
  g_autofree char *model = first_of (p2v_tree_read (tree, "/sys/class/block/%s/device/model", name),
                                     p2v_tree_read (tree, "/sys/class/block/%s/device/name", name));
  /* SCSI cuts an ATA disk's model after 16 characters; udev has asked the disk itself. */
  g_autofree char *full = property (udev, "ID_MODEL");
  if (full != NULL)
    g_strdelimit (full, "_", ' ');
  if (full != NULL && (model == NULL || g_str_has_prefix (full, model)))
    disk->model = g_steal_pointer (&full);
  else
    disk->model = g_steal_pointer (&model);
  /* "ATA" is the translation's name; of virtio this is a PCI number. */
  if (vendor != NULL && !g_str_equal (vendor, "ATA") && !g_str_has_prefix (vendor, "0x"))
    disk->vendor = g_steal_pointer (&vendor);
}

static P2vDisk *
describe (const P2vTree *tree, const char *name)
{
  P2vDisk *disk = p2v_disk_new ();
  g_autofree char *path = p2v_tree_resolve (tree, "/sys/class/block/%s", name);
  g_autofree char *number = p2v_tree_read (tree, "/sys/class/block/%s/dev", name);
  g_autofree char *id = g_strconcat ("b", number == NULL ? "" : number, NULL);
  g_autoptr (GHashTable) udev = p2v_udev_properties (tree, id);
  const char *block = "/sys/class/block";
  /* A multipath device is known by the name that the administrator gave it. */
  g_autofree char *alias = p2v_tree_read (tree, "%s/%s/dm/name", block, name);
  gboolean mapped = alias != NULL && p2v_name_is_plain (alias);
  disk->name = g_strdup (mapped ? alias : name);
  disk->path = p2v_tree_path (tree, "/dev/%s%s", mapped ? "mapper/" : "", disk->name);
  if (mapped && !g_file_test (disk->path, G_FILE_TEST_EXISTS))
    {
      g_free (disk->path);
      disk->path = p2v_tree_path (tree, "/dev/%s", name);
    }
  disk->size = p2v_tree_read_number (tree, MAX_SECTORS, 0, "%s/%s/size", block, name) * 512;
  disk->logical_sector_size = p2v_tree_read_number (tree, MAX_SECTOR_SIZE, 512,
                                                    "%s/%s/queue/logical_block_size", block, name);
  disk->physical_sector_size
      = p2v_tree_read_number (tree, MAX_SECTOR_SIZE, disk->logical_sector_size,
                              "%s/%s/queue/physical_block_size", block, name);
  disk->rotational = p2v_tree_read_number (tree, 1, 0, "%s/%s/queue/rotational", block, name) == 1;
  disk->removable = p2v_tree_read_number (tree, 1, 0, "%s/%s/removable", block, name) == 1;
  disk->read_only = p2v_tree_read_number (tree, 1, 0, "%s/%s/ro", block, name) == 1;
  disk->bus = g_strdup (p2v_bus_from_path (path));
  if (disk->bus == NULL && p2v_tree_exists (tree, "%s/%s/md", block, name))
    disk->bus = g_strdup ("raid");
  disk->missing = p2v_tree_read_number (tree, MAX_MEMBERS, 0, "%s/%s/md/degraded", block, name);
  name_maker (tree, disk, name, udev);
  disk->serial = find_serial (tree, disk, name, path == NULL ? "" : path, udev);
  disk->wwn = find_wwn (tree, name, udev);
  return disk;
}

/* The live image makes an array of snapshots of its members
 * (iso/rootfs/usr/lib/p2v/assemble-disks), whose UUID says so. */
static gboolean
is_member_snapshot (const P2vTree *tree, const char *name)
{
  g_autofree char *uuid = p2v_tree_read (tree, "/sys/class/block/%s/dm/uuid", name);
  return uuid != NULL && g_str_has_prefix (uuid, "P2V-MEMBER-");
}

/* What a device is made of ("slaves") or part of ("holders"), as if there were no such snapshots.
 */
static char **
list_related (const P2vTree *tree, const char *name, const char *relation)
{
  g_autoptr (GPtrArray) related = g_ptr_array_new_null_terminated (4, g_free, TRUE);
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block/%s/%s", name, relation);
  for (char **next = names; *next != NULL; next++)
    {
      g_auto (GStrv) beyond = NULL;
      if (is_member_snapshot (tree, *next))
        beyond = p2v_tree_list (tree, "/sys/class/block/%s/%s", *next, relation);
      for (char **real = beyond; real != NULL && *real != NULL; real++)
        /* Below a snapshot there is also the memory for what is written, a loop device. */
        if (!g_str_has_prefix (*real, "loop"))
          g_ptr_array_add (related, g_strdup (*real));
      if (beyond == NULL)
        g_ptr_array_add (related, g_strdup (*next));
    }
  return (char **)g_ptr_array_steal (related, NULL);
}

/* TRUE for arrays and multipath devices that take the place of whole disks. An array over
 * partitions is part of what its disks hold: they are converted, and it with them. */
static gboolean
is_array (const P2vTree *tree, const char *name)
{
  g_autofree char *uuid = p2v_tree_read (tree, "/sys/class/block/%s/dm/uuid", name);
  gboolean md = p2v_tree_exists (tree, "/sys/class/block/%s/md", name);
  if (!md
      && (uuid == NULL
          || !(g_str_has_prefix (uuid, "mpath-") || g_str_has_prefix (uuid, "DMRAID-"))))
    return FALSE;
  g_auto (GStrv) slaves = list_related (tree, name, "slaves");
  for (char **slave = slaves; *slave != NULL; slave++)
    if (p2v_tree_exists (tree, "/sys/class/block/%s/partition", *slave))
      return FALSE;
  return slaves[0] != NULL;
}

gboolean
p2v_disk_is_excluded (const P2vTree *tree, const char *name)
{
  static const char *const prefixes[]
      = { "loop", "ram", "zram", "fd", "sr", "nbd", "mtdblock", "drbd", "bcache", NULL };
  for (gsize i = 0; prefixes[i] != NULL; i++)
    if (g_str_has_prefix (name, prefixes[i]) && g_ascii_isdigit (name[strlen (prefixes[i])]))
      return TRUE;
  /* An eMMC's boot areas and its replay-protected one belong to the board's firmware. */
  if (g_str_has_prefix (name, "mmcblk") && (strstr (name, "boot") || strstr (name, "rpmb")))
    return TRUE;
  /* One path of several to an NVMe namespace is hidden; it cannot be opened. */
  if (p2v_tree_read_number (tree, 1, 0, "/sys/class/block/%s/hidden", name) == 1)
    return TRUE;
  gboolean stacked = p2v_tree_exists (tree, "/sys/class/block/%s/dm", name)
                     || p2v_tree_exists (tree, "/sys/class/block/%s/md", name);
  if (stacked && !is_array (tree, name))
    return TRUE;
  /* A card reader without a card; the container of an array that firmware set up. */
  return p2v_tree_read_number (tree, MAX_SECTORS, 0, "/sys/class/block/%s/size", name) == 0;
}

/* The array that takes the place of a disk, by the name it is listed with. */
static char *
find_array (const P2vTree *tree, const char *name)
{
  g_auto (GStrv) holders = list_related (tree, name, "holders");
  for (char **holder = holders; *holder != NULL; holder++)
    {
      if (p2v_disk_is_excluded (tree, *holder))
        continue;
      g_autofree char *alias = p2v_tree_read (tree, "/sys/class/block/%s/dm/name", *holder);
      return g_strdup (alias != NULL && p2v_name_is_plain (alias) ? alias : *holder);
    }
  return NULL;
}

static gboolean
holds_filesystem (const P2vContent *content, const char *label, const char *uuid)
{
  if (content == NULL)
    return FALSE;
  if ((label != NULL && g_strcmp0 (content->label, label) == 0)
      || (uuid != NULL && g_strcmp0 (content->uuid, uuid) == 0))
    return TRUE;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      const P2vPartition *partition = content->partitions->pdata[i];
      if (holds_filesystem (partition->content, label, uuid))
        return TRUE;
    }
  return FALSE;
}

/* A multipath device has no place of its own in /sys/devices: its paths have. */
static void
take_from_member (P2vMachine *machine)
{
  for (guint i = 0; i < machine->disks->len; i++)
    {
      const P2vDisk *member = machine->disks->pdata[i];
      P2vDisk *array
          = member->member_of == NULL ? NULL : p2v_machine_find_disk (machine, member->member_of);
      if (array == NULL || array == member || array->bus != NULL)
        continue;
      array->bus = g_strdup (member->bus);
      array->vendor = first_of (array->vendor, g_strdup (member->vendor));
      array->model = first_of (array->model, g_strdup (member->model));
      array->wwn = first_of (array->wwn, g_strdup (member->wwn));
    }
}

void
p2v_inventory_add_disks (const P2vTree *tree, P2vMachine *machine)
{
  g_autoptr (GHashTable) live = p2v_live_devices (tree);
  g_autofree char *label = NULL, *uuid = NULL;
  p2v_live_filesystem (tree, &label, &uuid);
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/block");
  for (char **name = names; *name != NULL; name++)
    {
      if (!p2v_name_is_plain (*name) || p2v_disk_is_excluded (tree, *name)
          || g_cancellable_is_cancelled (tree->cancellable))
        continue;
      P2vDisk *disk = describe (tree, *name);
      g_ptr_array_add (machine->disks, disk);
      disk->member_of = find_array (tree, *name);
      g_autoptr (GError) error = NULL;
      if (!p2v_content_describe (disk, disk->path, tree, *name, &error))
        g_debug ("%s", error->message);
      disk->live_medium = g_hash_table_contains (live, *name)
                          || holds_filesystem (disk->content, label, uuid)
                          || p2v_live_is_own_medium (tree, disk->content);
    }
  take_from_member (machine);
}

void
p2v_inventory_add_removables (const P2vTree *tree, P2vMachine *machine)
{
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/block");
  for (char **name = names; *name != NULL; name++)
    {
      if (!g_str_has_prefix (*name, "sr") || !p2v_name_is_plain (*name))
        continue;
      P2vRemovable *drive = p2v_removable_new ();
      g_ptr_array_add (machine->removables, drive);
      g_autofree char *path = p2v_tree_resolve (tree, "/sys/class/block/%s", *name);
      drive->name = g_strdup (*name);
      drive->path = p2v_tree_path (tree, "/dev/%s", *name);
      drive->model = p2v_tree_read (tree, "/sys/class/block/%s/device/model", *name);
      drive->vendor = p2v_tree_read (tree, "/sys/class/block/%s/device/vendor", *name);
      drive->bus = g_strdup (p2v_bus_from_path (path));
    }
}
