/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/machine-map-parts.h"

#include <blkid/blkid.h>

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (blkid_probe, blkid_free_probe, NULL)

#define MAX_SECTORS ((G_GINT64_CONSTANT (1) << 50) / 512)
/* Logical partitions of one disk; each costs reading. */
#define MAX_LOGICAL 256
/* The table of an MBR or an extended boot record: four entries of 16 bytes. */
#define MBR_ENTRIES 446
#define MBR_PROTECTIVE 0xee
#define MBR_DYNAMIC 0x42

#define ALWAYS "it is always read"

/* Something that a partition table says is somewhere. */
typedef struct
{
  gint64 number; /* of the partition; 0 for what is none */
  P2vArea area;
  gboolean container; /* an extended partition, which holds others */
  char *what;         /* of what is none: "a sector of the partition table" */
  const char *reason; /* why the partition is always read, NULL when it is not */
} Entry;

static void
clear_entry (gpointer data)
{
  Entry *entry = data;
  g_free (entry->what);
}

/* Partitions that are read whatever is in them. Types of GPT: UEFI specification 2.10 section
 * 5.3.3, the Discoverable Partitions Specification, GRUB's manual ("BIOS installation"),
 * Microsoft's documentation of PARTITION_INFORMATION_GPT. Types of MBR as fdisk lists them. */
static const struct
{
  const char *type, *reason;
} read_types[] = {
  { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "an EFI system partition is always read" },
  { "0xef", "an EFI system partition is always read" },
  { "21686148-6449-6e6f-744e-656564454649", "a BIOS boot partition is always read" },
  { "9e1a2d38-c612-4316-aa26-8b49521e5a8b", "a PReP boot partition is always read" },
  { "0x41", "a PReP boot partition is always read" },
  { "024dee41-33e7-11d3-9d69-0008c781f39f", "it holds a partition table of its own" },
  { "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "it belongs to a dynamic disk of Windows" },
  { "af9b60a0-1431-4f62-bc68-3311714a69ad", "it belongs to a dynamic disk of Windows" },
  { "0x42", "it belongs to a dynamic disk of Windows" },
  { "e75caf8f-f680-4cee-afa3-b001e56efc2d", "it belongs to a storage space of Windows" },
  { "0x84", "it may hold the memory of the hibernated machine" },
  { "d3bfe2de-3daf-11df-ba40-e3a556d89593", "it may hold the memory of the hibernated machine" },
};

static const char *
reason_for_type (blkid_partition partition)
{
  const char *guid = blkid_partition_get_type_string (partition);
  g_autofree char *type = guid != NULL
                              ? g_ascii_strdown (guid, -1)
                              : g_strdup_printf ("0x%02x", blkid_partition_get_type (partition));
  for (gsize i = 0; i < G_N_ELEMENTS (read_types); i++)
    if (g_str_equal (type, read_types[i].type))
      return read_types[i].reason;
  return NULL;
}

static guint32
le32 (const guint8 *bytes)
{
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (guint32)bytes[3] << 24;
}

static gboolean
overlap (P2vArea a, P2vArea b)
{
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

static void
add_entry (GArray *entries, P2vArea area, const char *what)
{
  Entry entry = { .area = area, .what = g_strdup (what) };
  g_array_append_val (entries, entry);
}

/* The sectors that chain the logical partitions of an extended one. They should lie between the
 * partitions; one that lies within is found to overlap. */
static void
add_chain (const P2vLook *look, P2vArea extended, GArray *entries)
{
  gint64 at = extended.offset;
  for (int i = 0; i < MAX_LOGICAL; i++)
    {
      guint8 sector[512];
      if (!p2v_look_read (look, at, sector, sizeof sector) || sector[510] != 0x55
          || sector[511] != 0xaa)
        return;
      add_entry (entries, (P2vArea){ at, look->sector_size }, "a sector of the partition table");
      gint64 next = 0;
      for (int k = 0; k < 4; k++)
        {
          const guint8 *raw = sector + MBR_ENTRIES + k * 16;
          gboolean link = raw[4] == 0x05 || raw[4] == 0x0f || raw[4] == 0x85;
          if (link && next == 0)
            next = le32 (raw + 8);
        }
      if (next == 0)
        return;
      at = extended.offset + next * look->sector_size;
    }
}

/* A GPT's protective MBR may list partitions of its own (a hybrid): those that the GPT does not
 * have as they are, somebody else may believe in. TRUE when they were all understood. */
static gboolean
add_hybrid (const P2vLook *look, GArray *entries)
{
  guint8 sector[512];
  guint partitions = entries->len;
  if (!p2v_look_read (look, 0, sector, sizeof sector))
    return FALSE;
  for (int k = 0; k < 4; k++)
    {
      const guint8 *raw = sector + MBR_ENTRIES + k * 16;
      P2vArea area = { (gint64)le32 (raw + 8) * look->sector_size,
                       (gint64)le32 (raw + 12) * look->sector_size };
      gboolean known = raw[4] == 0 || raw[4] == MBR_PROTECTIVE || area.size == 0;
      for (guint i = 0; i < partitions && !known; i++)
        {
          P2vArea other = g_array_index (entries, Entry, i).area;
          known = other.offset == area.offset && other.size == area.size;
        }
      if (!known)
        add_entry (entries, area, "a partition of the MBR that the GPT does not have");
    }
  return TRUE;
}

/* The entries of a disk's partition table in entries; NULL, or why it is not to be relied on. */
static char *
read_entries (const P2vLook *look, blkid_probe probe, gboolean gpt, GArray *entries)
{
  blkid_partlist list = blkid_probe_get_partitions (probe);
  blkid_parttable table = list == NULL ? NULL : blkid_partlist_get_table (list);
  int count = list == NULL ? 0 : blkid_partlist_numof_partitions (list);
  if (table == NULL)
    return g_strdup ("its partition table cannot be read");
  for (int i = 0; i < count; i++)
    {
      blkid_partition partition = blkid_partlist_get_partition (list, i);
      gint64 start = blkid_partition_get_start (partition);
      gint64 size = blkid_partition_get_size (partition);
      int type = blkid_partition_get_type (partition);
      /* BSD slices and the like within a partition are that partition's contents: it is found to
       * have a table of its own. */
      if (blkid_partition_get_table (partition) != table)
        continue;
      if (start < 0 || size < 0 || start > MAX_SECTORS || size > MAX_SECTORS)
        return g_strdup ("its partition table makes no sense");
      if (!gpt && (type == MBR_PROTECTIVE || type == MBR_DYNAMIC))
        return g_strdup (type == MBR_DYNAMIC ? "it is a dynamic disk of Windows"
                                             : "its partition table (GPT) is damaged");
      Entry entry = { .number = blkid_partition_get_partno (partition) };
      entry.area = (P2vArea){ start * 512, size * 512 };
      entry.container = blkid_partition_is_extended (partition);
      entry.reason = reason_for_type (partition);
      g_array_append_val (entries, entry);
    }
  guint partitions = entries->len;
  for (guint i = 0; i < partitions; i++)
    {
      Entry entry = g_array_index (entries, Entry, i);
      if (entry.container)
        add_chain (look, entry.area, entries);
    }
  if (gpt && !add_hybrid (look, entries))
    return g_strdup ("it cannot be read");
  return NULL;
}

/* Why a partition may share its place with something else, NULL when it has it for itself. */
static char *
find_overlap (GArray *entries, guint index, gint64 disk_size)
{
  const Entry *entry = &g_array_index (entries, Entry, index);
  if (entry->area.offset + entry->area.size > disk_size)
    return g_strdup ("it goes on beyond the end of the disk");
  gboolean contained = FALSE, containers = FALSE;
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *other = &g_array_index (entries, Entry, i);
      containers |= other->container;
      if (i == index || !overlap (entry->area, other->area))
        continue;
      gboolean within
          = entry->area.offset >= other->area.offset
            && entry->area.offset + entry->area.size <= other->area.offset + other->area.size;
      if (other->container && entry->number > 4 && within)
        contained = TRUE;
      else if (other->number > 0)
        return g_strdup_printf ("it overlaps partition %" G_GINT64_FORMAT, other->number);
      else
        return g_strdup_printf ("it overlaps %s", other->what);
    }
  if (containers && entry->number > 4 && !contained)
    return g_strdup ("it is a logical partition outside of the extended one");
  return NULL;
}

static char *
place_of (const P2vMapping *mapping, const P2vMappedDisk *disk, const Entry *entry)
{
  g_autofree char *name = disk->device == NULL
                              ? NULL
                              : p2v_kernel_partition (&mapping->tree, disk->device, entry->area);
  if (name != NULL)
    return g_strconcat ("/dev/", name, NULL);
  return g_strdup_printf ("%s partition %" G_GINT64_FORMAT, disk->disk->name, entry->number);
}

static int
compare_areas (gconstpointer a, gconstpointer b)
{
  const P2vArea *left = a, *right = b;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* What lies between partitions is read. */
static void
add_gaps (P2vMapping *mapping, guint index, GArray *entries, gboolean gpt)
{
  const P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, index);
  g_autoptr (GArray) areas = g_array_new (FALSE, FALSE, sizeof (P2vArea));
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      if (entry->number > 0 && !entry->container)
        g_array_append_val (areas, entry->area);
    }
  P2vArea end = { disk->look.size, 0 };
  g_array_append_val (areas, end);
  g_array_sort (areas, compare_areas);
  gint64 at = 0;
  for (guint i = 0; i < areas->len; i++)
    {
      P2vArea area = g_array_index (areas, P2vArea, i);
      gint64 next = MIN (area.offset, disk->look.size);
      gboolean last = gpt && i + 1 == areas->len;
      if (next > at)
        p2v_mapping_add_part (mapping, index, (P2vArea){ at, next - at },
                              at == 0 ? "partition table and boot loader"
                              : last  ? "gap and copy of the partition table"
                                      : "gap",
                              at == 0 ? ALWAYS : "what lies between partitions is always read", -1);
      at = MAX (at, area.offset + area.size);
    }
}

static void
divide_by_table (P2vMapping *mapping, guint index, GArray *entries, gboolean gpt)
{
  P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, index);
  add_gaps (mapping, index, entries, gpt);
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      if (entry->number == 0 || entry->container || entry->area.size == 0)
        continue;
      g_autofree char *place = place_of (mapping, disk, entry);
      g_autofree char *shared = find_overlap (entries, i, disk->look.size);
      const char *reason = shared != NULL ? shared : entry->reason;
      if (reason != NULL)
        p2v_mapping_add_part (mapping, index, entry->area, place, reason, entry->number);
      else
        {
          P2vSite site
              = { .disk = index, .area = entry->area, .place = place, .number = entry->number };
          p2v_mapping_look_at (mapping, &site);
        }
    }
}

/* Nothing on the disk is told apart. Takes reason over. */
static void
read_all (P2vMapping *mapping, guint index, char *reason)
{
  const P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, index);
  P2vArea whole = { 0, disk->look.size };
  p2v_mapping_add_part (mapping, index, whole, disk->disk->path, reason, 0);
  g_free (reason);
}

void
p2v_mapping_divide_disk (P2vMapping *mapping, guint index)
{
  P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, index);
  const P2vLook *look = &disk->look;
  P2vArea whole = { 0, look->size };
  P2vSite site = { .disk = index, .area = whole, .place = disk->disk->path };
  g_auto (P2vSignature) signature = { 0 };
  p2v_signature_read (look, whole, &signature);
  g_auto (blkid_probe) probe = blkid_new_probe ();
  if (probe == NULL || blkid_probe_set_device (probe, look->fd, 0, look->size) != 0)
    {
      read_all (mapping, index, g_strdup ("it cannot be looked at"));
      return;
    }
  blkid_probe_set_sectorsize (probe, look->sector_size);
  blkid_probe_enable_superblocks (probe, 0);
  blkid_probe_enable_partitions (probe, 1);
  blkid_probe_set_partitions_flags (probe, BLKID_PARTS_ENTRY_DETAILS);
  int found = blkid_do_fullprobe (probe);
  const char *value = NULL;
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (entries, clear_entry);
  gboolean table = found == 0 && blkid_probe_lookup_value (probe, "PTTYPE", &value, NULL) == 0;
  /* Listing the partitions probes once more, and takes the value away. */
  g_autofree char *type = table ? p2v_text_clean (value, -1) : NULL;
  gboolean gpt = g_strcmp0 (type, "gpt") == 0;
  g_autofree char *obstacle = table ? read_entries (look, probe, gpt, entries) : NULL;
  if (found != 0 && found != 1)
    read_all (mapping, index, g_strdup ("its partition table cannot be read"));
  /* An array's member has its metadata at the end and may show the array's own table. */
  else if (!table || g_strcmp0 (signature.type, "linux_raid_member") == 0)
    p2v_mapping_look_at (mapping, &site);
  else if (obstacle != NULL)
    read_all (mapping, index, g_steal_pointer (&obstacle));
  else if (entries->len == 0)
    p2v_mapping_look_at (mapping, &site);
  else if (!gpt && g_strcmp0 (type, "dos") != 0)
    read_all (mapping, index, g_strdup_printf ("its partition table is of the kind \"%s\"", type));
  else if (signature.type != NULL || signature.ambiguous)
    read_all (mapping, index,
              g_strdup_printf ("it has both a partition table and the signs of %s",
                               signature.type != NULL ? signature.type : "filesystems"));
  else
    divide_by_table (mapping, index, entries, gpt);
}
