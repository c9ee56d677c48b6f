/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/free-space.h"
#include "p2v-client/machine-map-parts.h"
#include "p2v-client/raid.h"

#include <blkid/blkid.h>

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (blkid_probe, blkid_free_probe, NULL)

static const char *
value_of (blkid_probe probe, const char *name)
{
  const char *value;
  return blkid_probe_lookup_value (probe, name, &value, NULL) == 0 ? value : NULL;
}

/* TRUE when an area has a partition table with partitions in it. A boot sector without any looks
 * like an empty table. */
static gboolean
has_partitions (const P2vLook *look, P2vArea area)
{
  g_auto (blkid_probe) probe = blkid_new_probe ();
  if (probe == NULL || blkid_probe_set_device (probe, look->fd, area.offset, area.size) != 0)
    return TRUE;
  blkid_probe_set_sectorsize (probe, look->sector_size);
  blkid_probe_enable_superblocks (probe, 0);
  blkid_probe_enable_partitions (probe, 1);
  blkid_probe_set_partitions_flags (probe, BLKID_PARTS_ENTRY_DETAILS);
  int found = blkid_do_fullprobe (probe);
  if (found == 1)
    return FALSE;
  blkid_partlist list = found == 0 ? blkid_probe_get_partitions (probe) : NULL;
  return list == NULL || blkid_partlist_numof_partitions (list) > 0;
}

/* Why a thing of a type that is no filesystem is read in full. */
static char *
type_obstacle (const char *usage, const char *type)
{
  if (g_str_has_prefix (type, "crypto_"))
    return g_strdup ("it is encrypted (LUKS)");
  if (g_str_equal (type, "BitLocker"))
    return g_strdup ("it is encrypted (BitLocker)");
  if (g_strcmp0 (usage, "raid") == 0)
    return g_strdup_printf ("it is a part of something larger (%s)", type);
  return g_strdup_printf ("nothing is known of the free space in it (%s)", type);
}

void
p2v_signature_read (const P2vLook *look, P2vArea area, P2vSignature *signature)
{
  *signature = (P2vSignature){ 0 };
  g_auto (blkid_probe) probe = blkid_new_probe ();
  if (probe == NULL || blkid_probe_set_device (probe, look->fd, area.offset, area.size) != 0)
    {
      signature->obstacle = g_strdup ("it cannot be looked at");
      return;
    }
  blkid_probe_set_sectorsize (probe, look->sector_size);
  blkid_probe_enable_superblocks (probe, 1);
  blkid_probe_set_superblocks_flags (probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
  /* "Safe": two signatures that contradict each other are an error of their own. */
  int found = blkid_do_safeprobe (probe);
  signature->ambiguous = found == -2;
  if (found == -2)
    signature->obstacle = g_strdup ("it shows signs of several filesystems");
  else if (found == 1)
    signature->obstacle
        = g_strdup (has_partitions (look, area) ? "it has a partition table of its own"
                                                : "nothing is known about what is in it");
  else if (found != 0 || value_of (probe, "TYPE") == NULL)
    signature->obstacle = g_strdup ("it cannot be looked at");
  if (signature->obstacle != NULL)
    return;
  const char *usage = value_of (probe, "USAGE");
  signature->type = p2v_text_clean (value_of (probe, "TYPE"), -1);
  signature->filesystem = g_strcmp0 (usage, "filesystem") == 0;
  gboolean known = signature->filesystem || g_str_equal (signature->type, "swap")
                   || g_str_equal (signature->type, "swsuspend")
                   || g_str_equal (signature->type, "LVM2_member")
                   || g_str_equal (signature->type, "linux_raid_member");
  if (!known)
    signature->obstacle = type_obstacle (usage, signature->type);
  /* What was left behind when the one or the other was written. */
  else if (g_strcmp0 (usage, "raid") != 0 && has_partitions (look, area))
    signature->obstacle
        = g_strdup_printf ("it has both a partition table and the signs of %s", signature->type);
}

void
p2v_signature_clear (P2vSignature *signature)
{
  g_clear_pointer (&signature->type, g_free);
  g_clear_pointer (&signature->obstacle, g_free);
}

/* The signatures of a hibernated system, at the end of the header's page: the kernel's own
 * (kernel/power/swap.c), older ones, and uswsusp's. */
static const char *const suspended[] = { "S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001" };

/* Where the signature is in a page of length bytes (include/linux/swap.h). */
#define SIGNATURE_AT(length) ((length)-10)

gboolean
p2v_swap_is_hibernated (const guint8 *head, gsize length)
{
  for (gsize page = 4096; page <= length; page *= 2)
    for (gsize i = 0; i < G_N_ELEMENTS (suspended); i++)
      if (memcmp (head + SIGNATURE_AT (page), suspended[i], strlen (suspended[i])) == 0)
        return TRUE;
  return FALSE;
}

static guint32
le32 (const guint8 *bytes)
{
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (guint32)bytes[3] << 24;
}

/* union swap_header of include/linux/swap.h: version at 1024, last_page and nr_badpages after it,
 * the list of bad pages from 1536 to the signature. */
gboolean
p2v_swap_find_free (const guint8 *head, gint64 size, GArray *free, const char **reason)
{
  gint64 page = 4096;
  while (page <= P2V_SWAP_HEAD && memcmp (head + SIGNATURE_AT (page), "SWAPSPACE2", 10) != 0)
    page *= 2;
  if (page > P2V_SWAP_HEAD || le32 (head + 1024) != 1)
    {
      *reason = "its header is not that of Linux's swap areas as they are today";
      return FALSE;
    }
  gint64 end = ((gint64)le32 (head + 1028) + 1) * page;
  if (end > size || le32 (head + 1032) > (SIGNATURE_AT (page) - 1536) / 4)
    {
      *reason = "its header makes no sense";
      return FALSE;
    }
  /* As for filesystems: neither the first nor the last MiB. */
  const gint64 margin = 1024 * 1024;
  P2vFreeRange range = { margin, MIN (end, size - margin) - margin };
  if (range.length > 0)
    g_array_append_val (free, range);
  return TRUE;
}

gboolean
p2v_volume_read (const P2vMapping *mapping, const P2vVolume *volume, gint64 offset, guint8 *buffer,
                 gsize length)
{
  if (offset < 0 || (gint64)length > volume->map->size - offset)
    return FALSE;
  while (length > 0)
    {
      P2vStretch stretch = p2v_volume_map_locate (volume->map, offset);
      gsize part = MIN (length, (gsize)stretch.length);
      const P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, stretch.disk);
      if (!p2v_look_read (&disk->look, stretch.offset, buffer, part))
        return FALSE;
      buffer += part;
      offset += (gint64)part;
      length -= part;
    }
  return TRUE;
}

static void
identify_swap (P2vVolume *volume, const guint8 *head)
{
  const char *reason;
  volume->is_swap = TRUE;
  volume->free = g_array_new (FALSE, FALSE, sizeof (P2vFreeRange));
  if (p2v_swap_find_free (head, volume->size, volume->free, &reason))
    return;
  g_clear_pointer (&volume->free, g_array_unref);
  volume->reason = g_strdup (reason);
}

void
p2v_volume_identify (P2vMapping *mapping, P2vVolume *volume, const P2vLook *look,
                     const P2vSignature *signature)
{
  guint8 head[P2V_SWAP_HEAD] = { 0 };
  P2vArea area = { volume->offset, volume->size };
  gsize length = (gsize)MIN (volume->size, (gint64)sizeof head);
  gboolean readable = p2v_look_read (look, area.offset, head, length);
  gboolean suspended_type = g_strcmp0 (signature->type, "swsuspend") == 0;
  g_free (volume->type);
  volume->type = g_strdup (signature->type);
  if (suspended_type || (signature->ambiguous && p2v_swap_is_hibernated (head, length)))
    {
      mapping->hibernated = TRUE;
      volume->is_swap = TRUE;
      volume->reason = g_strdup ("it holds the memory of the hibernated machine");
    }
  else if (signature->obstacle != NULL)
    volume->reason = g_strdup (signature->obstacle);
  else if (!readable)
    volume->reason = g_strdup ("it cannot be read");
  else if (g_str_equal (signature->type, "swap"))
    identify_swap (volume, head);
  else if (!signature->filesystem)
    volume->reason = type_obstacle (NULL, signature->type);
  else if (p2v_filesystem_size (look, area, signature->type) > volume->size)
    volume->reason = g_strdup ("it says that it is larger than the place it is in");
}

static void
keep_physical (P2vMapping *mapping, const P2vSite *site)
{
  P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, site->disk);
  g_autoptr (P2vPhysicalVolume) physical = p2v_physical_volume_read (&disk->look, site->area);
  if (physical == NULL)
    {
      g_autofree char *what = g_strdup_printf ("LVM on %s", site->place);
      p2v_mapping_add_part (mapping, site->disk, site->area, what,
                            "its description of the volume group makes no sense", site->number);
      return;
    }
  P2vPhysicalPlace *place = g_new0 (P2vPhysicalPlace, 1);
  place->physical = g_steal_pointer (&physical);
  place->disk = site->disk;
  place->area = site->area;
  place->place = g_strdup (site->place);
  place->number = site->number;
  place->array = g_strdup (site->array);
  place->events = site->events;
  g_ptr_array_add (mapping->places, place);
}

/* A member of an array of Linux: what is beside the data is read, the data looked at. */
static void
look_at_member (P2vMapping *mapping, const P2vSite *site)
{
  P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, site->disk);
  g_autoptr (P2vRaidMember) member = p2v_raid_member_read (&disk->look, site->area);
  g_autofree char *what = g_strdup_printf ("member of an array on %s", site->place);
  if (member->obstacle != NULL || site->array != NULL)
    {
      const char *reason
          = member->obstacle != NULL ? member->obstacle : "it is an array in an array";
      p2v_mapping_add_part (mapping, site->disk, site->area, what, reason, site->number);
      return;
    }
  gint64 end = site->area.offset + site->area.size;
  gint64 data_end = member->data.offset + member->data.size;
  P2vArea before = { site->area.offset, member->data.offset - site->area.offset };
  P2vArea after = { data_end, end - data_end };
  g_autofree char *metadata = g_strdup_printf ("array metadata on %s", site->place);
  p2v_mapping_add_part (mapping, site->disk, before, metadata, "it is always read", -1);
  p2v_mapping_add_part (mapping, site->disk, after, metadata, "it is always read", -1);
  P2vSite inner = *site;
  g_autofree char *place = g_strdup_printf ("the array on %s", site->place);
  inner.area = member->data;
  inner.place = place;
  inner.array = member->id;
  inner.events = member->events;
  p2v_mapping_look_at (mapping, &inner);
}

void
p2v_mapping_look_at (P2vMapping *mapping, const P2vSite *site)
{
  P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, site->disk);
  g_auto (P2vSignature) signature = { 0 };
  p2v_signature_read (&disk->look, site->area, &signature);
  if (signature.obstacle == NULL && g_str_equal (signature.type, "LVM2_member"))
    {
      keep_physical (mapping, site);
      return;
    }
  if (signature.obstacle == NULL && g_str_equal (signature.type, "linux_raid_member"))
    {
      look_at_member (mapping, site);
      return;
    }
  P2vVolume *volume = p2v_mapping_add_volume (mapping, site->place, site->area.size);
  P2vPlace place = { site->disk, site->area.offset };
  p2v_volume_map_add (volume->map, site->area.size, 0, 1, 1, &place);
  volume->disk = site->disk;
  volume->number = site->number;
  volume->fd = disk->look.fd;
  volume->offset = site->area.offset;
  volume->sector_size = disk->look.sector_size;
  p2v_mapping_add_volume_part (mapping, site->disk, site->area, volume);
  p2v_volume_identify (mapping, volume, &disk->look, &signature);
  gboolean whole = site->area.offset == 0 && site->area.size == disk->look.size;
  if (disk->device != NULL)
    {
      g_autofree char *name = whole
                                  ? g_strdup (disk->device)
                                  : p2v_kernel_partition (&mapping->tree, disk->device, site->area);
      volume->device = name == NULL ? NULL : g_strconcat ("/dev/", name, NULL);
    }
  if (volume->reason == NULL && !volume->is_swap
      && p2v_kernel_area_is_used (&mapping->tree, mapping->used, disk->device, disk->disk->path,
                                  site->area))
    volume->reason = g_strdup ("this system itself uses it");
}
