/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/domain-parts.h"

#include <string.h>
#include <sys/stat.h>

/* Two channels of two drives: all that i440fx has, and libvirt accepts no second controller. */
#define IDE_DRIVES 4

#define FLOPPY_DRIVES 2

/* Longest serial number that a guest sees whole: VIRTIO_BLK_ID_BYTES (virtio 1.2 section 5.2.6) and
 * ATA's IDENTIFY DEVICE words 10 to 19; QEMU takes 36 for SCSI and refuses longer ones. */
#define SERIAL_MAX 20
#define SERIAL_MAX_SCSI 36

/* Which target names and addresses are taken. */
typedef struct
{
  const P2vDomainContext *context;
  xmlNode *devices;
  guint virtio, ide, sd, floppy; /* devices named vdX, hdX, sdX and fdX so far */
  guint scsi;                    /* units on the virtio-scsi controller */
  guint boot;                    /* boot positions given */
} Drives;

/* "vda" … "vdz", "vdaa" … */
static char *
target_name (const char *prefix, guint index)
{
  GString *name = g_string_new (NULL);
  for (guint rest = index + 1; rest > 0; rest = (rest - 1) / 26)
    g_string_prepend_c (name, (char)('a' + (rest - 1) % 26));
  g_string_prepend (name, prefix);
  return g_string_free (name, FALSE);
}

/* The bus that a drive of the guest goes to, given what the guest can use. */
static const char *
legacy_bus (const Drives *drives)
{
  /* q35 has no IDE; its SATA answers to the drivers of IDE's successors that such a guest has. On
   * i440fx a fifth drive has only SATA left. */
  return drives->context->q35 || drives->ide >= IDE_DRIVES ? "sata" : "ide";
}

static const char *
disk_bus (const Drives *drives)
{
  const char *bus = drives->context->report->block_bus;
  if (g_strcmp0 (bus, "virtio-blk") == 0)
    return "virtio";
  if (g_strcmp0 (bus, "virtio-scsi") == 0)
    return "scsi";
  if (g_strcmp0 (bus, "sata") == 0)
    return "sata";
  return legacy_bus (drives);
}

static void
set_target (Drives *drives, xmlNode *disk, const char *bus)
{
  g_autofree char *name = NULL;
  if (strcmp (bus, "virtio") == 0)
    name = target_name ("vd", drives->virtio++);
  else if (strcmp (bus, "ide") == 0)
    name = target_name ("hd", drives->ide++);
  else if (strcmp (bus, "fdc") == 0)
    name = target_name ("fd", drives->floppy++);
  else
    name = target_name ("sd", drives->sd++); /* SATA and SCSI share their names */
  xmlNode *target = p2v_xml_add (disk, "target", NULL);
  p2v_domain_set (target, "dev", name);
  p2v_domain_set (target, "bus", bus);
  if (strcmp (bus, "scsi") != 0)
    return;
  /* All on the one controller that is virtio-scsi: for a second one libvirt would pick a model. */
  xmlNode *address = p2v_xml_add (disk, "address", NULL);
  p2v_domain_set (address, "type", "drive");
  p2v_domain_set (address, "controller", "0");
  p2v_domain_set (address, "bus", "0");
  p2v_domain_set (address, "target", "0");
  p2v_domain_set_int (address, "unit", drives->scsi++);
}

static gboolean
is_block_device (const char *path)
{
  struct stat info;
  return g_str_has_prefix (path, "/dev/") || (stat (path, &info) == 0 && S_ISBLK (info.st_mode));
}

/* The image by its path where it has one: libvirt cannot snapshot or copy a disk that is given as a
 * pool's volume. */
static void
add_source (xmlNode *disk, const P2vImage *image)
{
  gboolean local = image->path != NULL && g_path_is_absolute (image->path);
  xmlNode *source = p2v_xml_add (disk, "source", NULL);
  if (!local && image->pool != NULL)
    {
      p2v_domain_set (disk, "type", "volume");
      p2v_domain_set (source, "pool", image->pool);
      p2v_domain_set (source, "volume", image->volume);
    }
  else if (local && is_block_device (image->path))
    {
      p2v_domain_set (disk, "type", "block");
      p2v_domain_set (source, "dev", image->path);
    }
  else
    {
      p2v_domain_set (disk, "type", "file");
      p2v_domain_set (source, "file", image->path);
    }
}

/* libvirt's schema for <serial>: letters, digits and "_.+- ". */
static gboolean
is_serial (const char *serial, gsize max)
{
  gsize length = strlen (serial);
  if (length == 0 || length > max)
    return FALSE;
  for (const char *c = serial; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("_.+- ", *c) == NULL)
      return FALSE;
  return TRUE;
}

/* The machine's identification of the disk, so that names made from it (/dev/disk/by-id) have the
 * same end and inventories find it again. */
static void
add_identity (const Drives *drives, xmlNode *node, const P2vImage *image, const char *bus)
{
  const P2vDisk *disk = p2v_machine_find_disk (drives->context->machine, image->disk);
  if (disk == NULL || disk->serial == NULL)
    return;
  g_autofree char *serial = g_strstrip (g_strdup (disk->serial));
  if (is_serial (serial, strcmp (bus, "scsi") == 0 ? SERIAL_MAX_SCSI : SERIAL_MAX))
    p2v_xml_add (node, "serial", "%s", serial);
}

static void
add_disk (Drives *drives, const P2vImage *image)
{
  const P2vDomainContext *context = drives->context;
  const char *bus = disk_bus (drives);
  xmlNode *disk = p2v_xml_add (drives->devices, "disk", NULL);
  p2v_domain_set (disk, "device", "disk");
  if (strcmp (bus, "virtio") == 0 && strcmp (context->virtio_model, "virtio") != 0)
    p2v_domain_set (disk, "model", context->virtio_model);
  xmlNode *driver = p2v_xml_add (disk, "driver", NULL);
  p2v_domain_set (driver, "name", "qemu");
  p2v_domain_set (driver, "type", image->format);
  /* What the guest frees goes back to the server, unless the space was to be taken for good. */
  if (g_strcmp0 (context->plan->allocation, "preallocated") != 0)
    p2v_domain_set (driver, "discard", "unmap");
  add_source (disk, image);
  set_target (drives, disk, bus);
  add_identity (drives, disk, image, bus);
  /* Every disk may start the guest, in the machine's order: the loader need not be on the first. */
  p2v_domain_set_int (p2v_xml_add (disk, "boot", NULL), "order", ++drives->boot);
  if (strcmp (bus, "sata") == 0 && !context->q35
      && g_strcmp0 (context->report->block_bus, "ide") == 0)
    p2v_domain_warn (context,
                     "disk %s is on a SATA controller, because the guest can use only IDE and that "
                     "has room for %d drives: its operating system may not see the disk.",
                     image->disk, IDE_DRIVES);
}

/* A drive without a medium. */
static void
add_removable (Drives *drives, const P2vRemovable *removable)
{
  gboolean floppy = removable != NULL && g_str_has_prefix (removable->name, "fd");
  if (floppy && drives->floppy == FLOPPY_DRIVES)
    {
      p2v_domain_warn (drives->context, "the guest has no floppy drive %s: there is room for %d.",
                       removable->name, FLOPPY_DRIVES);
      return;
    }
  xmlNode *disk = p2v_xml_add (drives->devices, "disk", NULL);
  p2v_domain_set (disk, "type", "file");
  p2v_domain_set (disk, "device", floppy ? "floppy" : "cdrom");
  xmlNode *driver = p2v_xml_add (disk, "driver", NULL);
  p2v_domain_set (driver, "name", "qemu");
  p2v_domain_set (driver, "type", "raw");
  set_target (drives, disk, floppy ? "fdc" : legacy_bus (drives));
  if (!floppy)
    p2v_xml_add (disk, "readonly", NULL);
}

void
p2v_domain_add_disks (const P2vDomainContext *context, xmlNode *devices)
{
  Drives drives = { .context = context, .devices = devices };
  if (g_strcmp0 (context->report->block_bus, "virtio-scsi") == 0)
    {
      xmlNode *controller = p2v_xml_add (devices, "controller", NULL);
      p2v_domain_set (controller, "type", "scsi");
      p2v_domain_set (controller, "index", "0");
      p2v_domain_set (controller, "model",
                      strcmp (context->virtio_model, "virtio") == 0 ? "virtio-scsi"
                                                                    : context->virtio_model);
    }
  for (guint i = 0; i < context->plan->images->len; i++)
    add_disk (&drives, context->plan->images->pdata[i]);
  char **removables = context->guest->removables;
  for (gsize i = 0; removables != NULL && removables[i] != NULL; i++)
    add_removable (&drives, p2v_machine_find_removable (context->machine, removables[i]));
}
