/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#include "common/error.h"
#include "p2v-client/lvm.h"
#include "p2v-client/raid.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* No disk of a real machine has more; each costs reading. */
#define MAX_PARTITIONS 256
#define MAX_SECTORS ((G_GINT64_CONSTANT (1) << 50) / 512)
/* All that is done on one disk. */
#define LOOK_SECONDS 60
/* Where signatures are: everything known lies in the first MiB or the last 64 KiB. */
#define SIGNATURE_HEAD (1024 * 1024)
#define SIGNATURE_TAIL (64 * 1024)
/* Attribute bit 2 of a GPT entry, UEFI specification 2.10 table 5.8: legacy BIOS bootable. */
#define GPT_LEGACY_BOOT (G_GUINT64_CONSTANT (1) << 2)
#define MBR_ACTIVE 0x80

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (blkid_probe, blkid_free_probe, NULL)

gboolean
p2v_look_read (const P2vLook *look, gint64 offset, gpointer buffer, gsize length)
{
  if (offset < 0 || (gint64)length > look->size || offset > look->size - (gint64)length)
    return FALSE;
  guint8 *to = buffer;
  while (length > 0)
    {
      ssize_t got = pread (look->fd, to, length, offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return FALSE;
      to += got;
      offset += got;
      length -= got;
    }
  return TRUE;
}

gboolean
p2v_look_goes_on (const P2vLook *look)
{
  return g_get_monotonic_time () < look->deadline
         && !g_cancellable_is_cancelled (look->cancellable);
}

static blkid_probe
new_probe (const P2vLook *look, P2vArea area)
{
  g_auto (blkid_probe) probe = blkid_new_probe ();
  if (probe == NULL || blkid_probe_set_device (probe, look->fd, area.offset, area.size) != 0)
    return NULL;
  blkid_probe_set_sectorsize (probe, look->sector_size);
  return g_steal_pointer (&probe);
}

static char *
probe_value (blkid_probe probe, const char *name)
{
  const char *value;
  if (blkid_probe_lookup_value (probe, name, &value, NULL) != 0)
    return NULL;
  return p2v_text_clean (value, -1);
}

static gboolean
area_is_zero (const P2vLook *look, P2vArea area)
{
  static const guint8 zeroes[SIGNATURE_TAIL];
  guint8 buffer[SIGNATURE_TAIL];
  gint64 head = MIN (area.size, SIGNATURE_HEAD);
  for (gint64 at = 0; at < head; at += sizeof buffer)
    {
      gsize length = MIN (head - at, (gint64)sizeof buffer);
      if (!p2v_look_read (look, area.offset + at, buffer, length)
          || memcmp (buffer, zeroes, length) != 0)
        return FALSE;
    }
  gsize tail = MIN (area.size, SIGNATURE_TAIL);
  return p2v_look_read (look, area.offset + area.size - tail, buffer, tail)
         && memcmp (buffer, zeroes, tail) == 0;
}

/* P2vContent.kind for what libblkid found. */
static const char *
kind_of (const char *usage, const char *type)
{
  if (g_strcmp0 (type, "LVM2_member") == 0 || g_strcmp0 (type, "LVM1_member") == 0)
    return "lvm-pv";
  if (g_strcmp0 (type, "crypto_LUKS") == 0)
    return "luks";
  if (g_strcmp0 (type, "BitLocker") == 0)
    return "bitlocker";
  if (g_strcmp0 (type, "swap") == 0 || g_strcmp0 (type, "swsuspend") == 0)
    return "swap";
  if (g_strcmp0 (usage, "raid") == 0)
    return "raid-member";
  if (g_strcmp0 (usage, "filesystem") == 0)
    return "filesystem";
  return "unknown";
}

/* The signature of a filesystem, volume or the like, by itself. */
static P2vContent *
probe_signature (const P2vLook *look, P2vArea area)
{
  P2vContent *content = p2v_content_new ();
  g_auto (blkid_probe) probe = new_probe (look, area);
  int found = -1;
  if (probe != NULL)
    {
      blkid_probe_enable_superblocks (probe, 1);
      blkid_probe_set_superblocks_flags (probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID
                                                    | BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
      /* "Safe": two signatures that contradict each other count as none. */
      found = blkid_do_safeprobe (probe);
    }
  if (found == 0)
    {
      g_autofree char *usage = probe_value (probe, "USAGE");
      content->type = probe_value (probe, "TYPE");
      content->label = probe_value (probe, "LABEL");
      content->uuid = probe_value (probe, "UUID");
      content->kind = g_strdup (kind_of (usage, content->type));
      content->size = p2v_filesystem_size (look, area, content->type);
      if (g_strcmp0 (content->kind, "raid-member") == 0)
        content->group = g_strdup (content->label != NULL ? content->label : content->uuid);
    }
  else
    content->kind = g_strdup (found == 1 && area_is_zero (look, area) ? "empty" : "unknown");
  return content;
}

static char *
partition_device (const P2vLook *look, gint64 number)
{
  if (look->tree == NULL || look->device == NULL)
    return NULL;
  g_auto (GStrv) names = p2v_tree_list (look->tree, "/sys/class/block/%s", look->device);
  for (char **name = names; *name != NULL; name++)
    if (p2v_tree_read_number (look->tree, G_MAXINT32, 0, "/sys/class/block/%s/%s/partition",
                              look->device, *name)
        == number)
      return g_strdup (*name);
  return NULL;
}

/* What a person would call a partition of a disk that has no devices for its partitions. */
static char *
location_of (const P2vLook *look, const P2vPartition *partition)
{
  if (partition == NULL)
    return g_strdup (look->disk->path);
  if (partition->path != NULL)
    return g_strdup (partition->path);
  return g_strdup_printf ("%s partition %" G_GINT64_FORMAT, look->disk->name, partition->number);
}

/* Where a logical volume lies on the disk, when it is in one piece on this physical volume; else
 * size 0. */
static P2vArea
place_volume (const P2vLogicalVolume *volume, const P2vPhysicalVolume *physical, P2vArea area)
{
  P2vArea nowhere = { 0, 0 };
  if (volume->obstacle != NULL || volume->segments->len != 1)
    return nowhere;
  const P2vLvmSegment *segment = volume->segments->pdata[0];
  const P2vLvmStripe *stripe = segment->stripes->pdata[0];
  if (segment->stripes->len != 1 || !g_str_equal (stripe->physical, physical->id)
      || stripe->offset > area.size || segment->length > area.size - stripe->offset)
    return nowhere;
  return (P2vArea){ area.offset + stripe->offset, segment->length };
}

/* GRUB doubles the dashes within a name, as the device mapper does. */
static char *
grub_name (const char *group, const char *volume)
{
  g_auto (GStrv) group_parts = g_strsplit (group, "-", -1);
  g_auto (GStrv) volume_parts = g_strsplit (volume, "-", -1);
  g_autofree char *group_name = g_strjoinv ("--", group_parts);
  g_autofree char *volume_name = g_strjoinv ("--", volume_parts);
  return g_strdup_printf ("lvm/%s-%s", group_name, volume_name);
}

static void
add_volumes (const P2vLook *look, P2vContent *content, P2vArea area)
{
  g_autoptr (P2vPhysicalVolume) physical = p2v_physical_volume_read (look, area);
  if (physical == NULL || physical->groups->len == 0)
    return;
  const P2vVolumeGroup *group = physical->groups->pdata[0];
  content->group = g_strdup (group->name);
  content->members = MIN (group->members->len, G_MAXUINT16);
  for (guint i = 0; i < group->volumes->len && p2v_look_goes_on (look); i++)
    {
      const P2vLogicalVolume *volume = group->volumes->pdata[i];
      if (!volume->visible || content->partitions->len >= MAX_PARTITIONS)
        continue;
      P2vArea place = place_volume (volume, physical, area);
      P2vPartition *partition = p2v_partition_new ();
      g_ptr_array_add (content->partitions, partition);
      partition->number = content->partitions->len;
      partition->label = g_strdup (volume->name);
      partition->size = volume->size;
      partition->start = place.offset;
      if (place.size > 0)
        partition->content = probe_signature (look, place);
      else
        {
          partition->content = p2v_content_new ();
          partition->content->kind = g_strdup ("lvm-lv");
        }
      const char *kind = partition->content->kind;
      if (!g_str_equal (kind, "filesystem") && !g_str_equal (kind, "lvm-lv"))
        continue;
      g_autofree char *grub = grub_name (group->name, volume->name);
      g_autofree char *location = g_strdup_printf ("/dev/%s/%s", group->name, volume->name);
      partition->content->os = p2v_os_look (look, grub, place, partition->content->type, location);
    }
}

/* A member of a mirror of Linux: whether the array runs or not, GRUB's driver reads its
 * filesystem from any one member. */
static P2vOs *
look_in_array (const P2vLook *look, const P2vContent *content, const char *location)
{
  if (g_strcmp0 (content->type, "linux_raid_member") != 0 || content->uuid == NULL)
    return NULL;
  g_auto (GStrv) parts = g_strsplit (content->uuid, "-", -1);
  g_autofree char *hex = g_strjoinv (NULL, parts);
  if (strspn (hex, "0123456789abcdef") != strlen (hex))
    return NULL;
  g_autofree char *grub = g_strdup_printf ("mduuid/%s", hex);
  return p2v_os_look (look, grub, (P2vArea){ 0, 0 }, NULL, location);
}

/* How many members an array of Linux says that it has. */
static gint64
count_members (const P2vLook *look, const P2vContent *content, P2vArea area)
{
  if (g_strcmp0 (content->type, "linux_raid_member") != 0)
    return 0;
  g_autoptr (P2vRaidMember) member = p2v_raid_member_read (look, area);
  return member->devices;
}

/* Fills in what a signature alone does not tell. grub: GRUB's name of the area. */
static void
look_inside (const P2vLook *look, P2vContent *content, P2vArea area, const char *grub,
             const char *location)
{
  if (g_str_equal (content->kind, "filesystem"))
    content->os = p2v_os_look (look, grub, area, content->type, location);
  else if (g_str_equal (content->kind, "raid-member"))
    {
      content->os = look_in_array (look, content, location);
      content->members = count_members (look, content, area);
    }
  else if (g_str_equal (content->kind, "lvm-pv"))
    add_volumes (look, content, area);
}

static P2vPartition *
describe_partition (const P2vLook *look, blkid_partition source, const char *table)
{
  gint64 start = blkid_partition_get_start (source);
  gint64 size = blkid_partition_get_size (source);
  int number = blkid_partition_get_partno (source);
  if (start < 0 || size < 0 || start > MAX_SECTORS || size > MAX_SECTORS || number < 1)
    return NULL;
  P2vPartition *partition = p2v_partition_new ();
  partition->number = MIN (number, G_MAXUINT16);
  /* libblkid counts sectors of 512 bytes whatever the disk's own are. */
  partition->start = start * 512;
  partition->size = size * 512;
  partition->label = p2v_text_clean (blkid_partition_get_name (source), -1);
  partition->uuid = p2v_text_clean (blkid_partition_get_uuid (source), -1);
  g_autofree char *device = partition_device (look, number);
  partition->path = device == NULL ? NULL : p2v_tree_path (look->tree, "/dev/%s", device);
  const char *type = blkid_partition_get_type_string (source);
  partition->type = type != NULL ? g_ascii_strdown (type, -1)
                                 : g_strdup_printf ("0x%02x", blkid_partition_get_type (source));
  guint64 flags = blkid_partition_get_flags (source);
  gboolean gpt = g_strcmp0 (table, "gpt") == 0;
  partition->bootable = gpt ? (flags & GPT_LEGACY_BOOT) != 0 : (flags & MBR_ACTIVE) != 0;

  if (blkid_partition_is_extended (source))
    {
      /* A container: its logical partitions stand beside it. */
      partition->content = p2v_content_new ();
      partition->content->kind = g_strdup ("partition-table");
      partition->content->type = g_strdup (table);
      return partition;
    }
  P2vArea area = { partition->start, MIN (partition->size, look->size - partition->start) };
  if (area.size <= 0 || !p2v_look_goes_on (look))
    return partition;
  g_autofree char *location = location_of (look, partition);
  g_autofree char *grub = NULL;
  if (gpt || g_strcmp0 (table, "dos") == 0)
    grub = g_strdup_printf ("loop0,%s%d", gpt ? "gpt" : "msdos", number);
  partition->content = probe_signature (look, area);
  look_inside (look, partition->content, area, grub, location);
  return partition;
}

/* The partition table, NULL when there is none. signature: what else was found, for its label. */
static P2vContent *
probe_partitions (const P2vLook *look, const P2vContent *signature)
{
  g_auto (blkid_probe) probe = new_probe (look, (P2vArea){ 0, look->size });
  if (probe == NULL)
    return NULL;
  blkid_probe_enable_superblocks (probe, 0);
  blkid_probe_enable_partitions (probe, 1);
  blkid_probe_set_partitions_flags (probe, BLKID_PARTS_ENTRY_DETAILS);
  if (blkid_do_fullprobe (probe) != 0)
    return NULL;
  g_autofree char *type = probe_value (probe, "PTTYPE");
  if (type == NULL)
    return NULL;
  P2vContent *content = p2v_content_new ();
  content->kind = g_strdup ("partition-table");
  content->type = g_strdup (type);
  content->uuid = probe_value (probe, "PTUUID");
  /* An image for USB sticks is an ISO 9660 filesystem and a partition table at once. */
  content->label = g_strdup (signature->label);
  blkid_partlist list = blkid_probe_get_partitions (probe);
  int count = list == NULL ? 0 : blkid_partlist_numof_partitions (list);
  for (int i = 0; i < MIN (count, MAX_PARTITIONS); i++)
    {
      blkid_partition source = blkid_partlist_get_partition (list, i);
      blkid_parttable table = blkid_partition_get_table (source);
      /* BSD slices within an MBR partition are its contents, not the disk's partitions. */
      if (table != NULL && g_strcmp0 (blkid_parttable_get_type (table), type) != 0)
        continue;
      P2vPartition *partition = describe_partition (look, source, type);
      if (partition != NULL)
        g_ptr_array_add (content->partitions, partition);
    }
  return content;
}

P2vContent *
p2v_content_look (const P2vLook *look)
{
  P2vArea whole = { 0, look->size };
  g_autoptr (P2vContent) signature = probe_signature (look, whole);
  /* A member of an array has its metadata at the end and may show the array's own table. Anything
   * else beside a table with partitions is what was left behind when the table was written; a table
   * without any may be nothing but a boot sector. */
  if (!g_str_equal (signature->kind, "raid-member"))
    {
      gboolean nothing
          = g_str_equal (signature->kind, "unknown") || g_str_equal (signature->kind, "empty");
      g_autoptr (P2vContent) table = probe_partitions (look, signature);
      if (table != NULL && (nothing || table->partitions->len > 0))
        return g_steal_pointer (&table);
    }
  g_autofree char *location = location_of (look, NULL);
  look_inside (look, signature, whole, "loop0", location);
  return g_steal_pointer (&signature);
}

/* A disk image carries no sector size: a GPT whose header is in the second sector of 4096 bytes
 * was written on a disk with such sectors. */
static unsigned
guess_sector_size (const P2vLook *look)
{
  guint8 header[8];
  if (p2v_look_read (look, 512, header, sizeof header) && memcmp (header, "EFI PART", 8) == 0)
    return 512;
  if (p2v_look_read (look, 4096, header, sizeof header) && memcmp (header, "EFI PART", 8) == 0)
    return 4096;
  return 512;
}

/* Sizes of an opened file or device. For a disk of a recorded tree they were recorded. */
static gboolean
measure (P2vLook *look, P2vDisk *disk, const struct stat *status, GError **error)
{
  int logical = 0;
  unsigned physical = 0;
  guint64 bytes = 0;
  if (S_ISREG (status->st_mode))
    bytes = status->st_size;
  else if (ioctl (look->fd, BLKGETSIZE64, &bytes) != 0 || ioctl (look->fd, BLKSSZGET, &logical) != 0
           || ioctl (look->fd, BLKPBSZGET, &physical) != 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "cannot measure disk %s: %s. Check the disk.", disk->path, g_strerror (errno));
      return FALSE;
    }
  look->size = MIN (bytes, (guint64)MAX_SECTORS * 512);
  if (disk->size == 0)
    disk->size = look->size;
  if (logical == 0)
    logical = disk->logical_sector_size > 0 ? disk->logical_sector_size : guess_sector_size (look);
  disk->logical_sector_size = logical;
  if (disk->physical_sector_size == 0)
    disk->physical_sector_size = MAX ((int)physical, logical);
  look->sector_size = logical;
  return TRUE;
}

gboolean
p2v_content_describe (P2vDisk *disk, const char *path, const P2vTree *tree, const char *device,
                      GError **error)
{
  /* Not blocking, and looked at before use: the path may name anything. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  if (fd < 0 || fstat (fd, &status) != 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "cannot open disk %s: %s. Check that it is there and readable.", path,
                   g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return FALSE;
    }
  P2vLook look = {
    .tree = tree,
    .disk = disk,
    .device = device,
    .fd = fd,
    .deadline = g_get_monotonic_time () + LOOK_SECONDS * G_USEC_PER_SEC,
    .cancellable = tree == NULL ? g_cancellable_get_current () : tree->cancellable,
  };
  gboolean ok = S_ISREG (status.st_mode) || S_ISBLK (status.st_mode);
  if (!ok)
    g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                 "cannot use %s as a disk: it is neither a file nor a block device. Give the path "
                 "of a disk or of a disk image.",
                 path);
  ok = ok && measure (&look, disk, &status, error);
  if (ok)
    disk->content = p2v_content_look (&look);
  close (fd);
  return ok;
}
