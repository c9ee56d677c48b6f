/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/machine-map-parts.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How much of each piece of a volume is compared with what the kernel shows of it, bytes. */
#define SAMPLE 4096
#define MAX_SAMPLES 128

/* A group, and where its members are. */
typedef struct
{
  const P2vVolumeGroup *group;
  char *obstacle;       /* why none of its volumes is to be relied on */
  GHashTable *members;  /* identifier → GPtrArray of P2vPhysicalPlace with equal contents */
  GHashTable *troubled; /* identifier → why a volume that lies there is not to be relied on */
} Group;

static void
group_free (Group *self)
{
  g_free (self->obstacle);
  g_hash_table_unref (self->members);
  g_hash_table_unref (self->troubled);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Group, group_free)

/* TRUE when another group than this counts a physical volume among its members. */
static gboolean
is_elsewhere (const P2vMapping *mapping, const P2vVolumeGroup *group, const char *physical)
{
  for (guint i = 0; i < mapping->places->len; i++)
    {
      const P2vPhysicalPlace *place = mapping->places->pdata[i];
      for (guint k = 0; k < place->physical->groups->len; k++)
        {
          const P2vVolumeGroup *other = place->physical->groups->pdata[k];
          gboolean told = g_str_equal (place->physical->id, physical)
                          || p2v_volume_group_find_member (other, physical) != NULL;
          if (told && g_strcmp0 (other->id, group->id) != 0)
            return TRUE;
        }
    }
  return FALSE;
}

static void
place_members (Group *self, const P2vMapping *mapping)
{
  for (guint i = 0; i < self->group->members->len; i++)
    {
      const P2vLvmMember *member = self->group->members->pdata[i];
      GPtrArray *found = g_ptr_array_new ();
      const char *trouble = member->missing ? "a disk of its volume group has been missing" : NULL;
      for (guint k = 0; k < mapping->places->len; k++)
        {
          P2vPhysicalPlace *place = mapping->places->pdata[k];
          if (!g_str_equal (place->physical->id, member->id))
            continue;
          const P2vPhysicalPlace *first = found->len > 0 ? found->pdata[0] : place;
          /* Halves of a mirror that agree are one; anything else is a copy that may differ. */
          if (first != place
              && (place->array == NULL || g_strcmp0 (first->array, place->array) != 0
                  || first->events != place->events || first->disk == place->disk))
            trouble = "its physical volume is there twice";
          if (member->start + member->size > place->area.size)
            trouble = "its physical volume is smaller than the volume group says";
          g_ptr_array_add (found, place);
        }
      if (is_elsewhere (mapping, self->group, member->id))
        trouble = "its physical volume belongs to two volume groups";
      if (found->len == 0)
        trouble = "it lies on a disk that is not among those converted";
      g_hash_table_insert (self->members, member->id, found);
      if (trouble != NULL)
        g_hash_table_insert (self->troubled, member->id, (gpointer)trouble);
    }
}

/* A stretch of a physical volume that belongs to a logical one. */
typedef struct
{
  gint64 offset, length; /* bytes from the start of the physical volume */
  guint volume;          /* index in the group */
} Claim;

static int
compare_claims (gconstpointer a, gconstpointer b)
{
  const Claim *left = a, *right = b;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* All that logical volumes have of a physical one, in order. NULL when two have the same. */
static GArray *
list_claims (const P2vVolumeGroup *group, const char *physical)
{
  g_autoptr (GArray) claims = g_array_new (FALSE, FALSE, sizeof (Claim));
  for (guint i = 0; i < group->volumes->len; i++)
    {
      const P2vLogicalVolume *volume = group->volumes->pdata[i];
      for (guint k = 0; k < volume->segments->len; k++)
        {
          const P2vLvmSegment *segment = volume->segments->pdata[k];
          for (guint n = 0; n < segment->stripes->len; n++)
            {
              const P2vLvmStripe *stripe = segment->stripes->pdata[n];
              Claim claim = { stripe->offset, segment->length / segment->stripes->len, i };
              if (g_str_equal (stripe->physical, physical))
                g_array_append_val (claims, claim);
            }
        }
    }
  g_array_sort (claims, compare_claims);
  for (guint i = 1; i < claims->len; i++)
    {
      const Claim *last = &g_array_index (claims, Claim, i - 1);
      if (g_array_index (claims, Claim, i).offset < last->offset + last->length)
        return NULL;
    }
  return g_steal_pointer (&claims);
}

/* Why a volume cannot be followed to its disks, NULL when it can. */
static const char *
find_obstacle (const Group *self, const P2vLogicalVolume *volume)
{
  if (self->obstacle != NULL)
    return self->obstacle;
  if (volume->obstacle != NULL)
    return volume->obstacle;
  for (guint i = 0; i < volume->segments->len; i++)
    {
      const P2vLvmSegment *segment = volume->segments->pdata[i];
      for (guint k = 0; k < segment->stripes->len; k++)
        {
          const P2vLvmStripe *stripe = segment->stripes->pdata[k];
          const char *trouble = g_hash_table_lookup (self->troubled, stripe->physical);
          if (trouble != NULL)
            return trouble;
        }
    }
  return NULL;
}

/* A volume's map; the number of copies is that of the members with the fewest. */
static void
map_volume (const Group *self, const P2vLogicalVolume *source, P2vVolumeMap *map)
{
  for (guint i = 0; i < source->segments->len; i++)
    {
      const P2vLvmSegment *segment = source->segments->pdata[i];
      /* Every stripe needs as many copies: the rest repeat the first, which is harmless. */
      guint copies = 1;
      for (guint k = 0; k < segment->stripes->len; k++)
        {
          const P2vLvmStripe *stripe = segment->stripes->pdata[k];
          const GPtrArray *places = g_hash_table_lookup (self->members, stripe->physical);
          copies = MAX (copies, places->len);
        }
      g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (P2vPlace));
      for (guint k = 0; k < segment->stripes->len; k++)
        {
          const P2vLvmStripe *stripe = segment->stripes->pdata[k];
          const GPtrArray *copy = g_hash_table_lookup (self->members, stripe->physical);
          for (guint c = 0; c < copies; c++)
            {
              const P2vPhysicalPlace *place = copy->pdata[c < copy->len ? c : 0];
              P2vPlace at = { place->disk, place->area.offset + stripe->offset };
              g_array_append_val (places, at);
            }
        }
      p2v_volume_map_add (map, segment->length, segment->stripe_size, segment->stripes->len, copies,
                          (const P2vPlace *)places->data);
    }
}

static gboolean
shows_the_same_at (const P2vMapping *mapping, const P2vVolume *volume, const P2vLook *look,
                   gint64 at)
{
  guint8 ours[SAMPLE], theirs[SAMPLE];
  gsize length = (gsize)MIN (SAMPLE, volume->size - at);
  return p2v_volume_read (mapping, volume, at, ours, length)
         && p2v_look_read (look, at, theirs, length) && memcmp (ours, theirs, length) == 0;
}

/* TRUE when a device shows what the volume's map leads to: the beginning and the end of each piece,
 * or of some where they are many. */
static gboolean
shows_the_same (const P2vMapping *mapping, const P2vVolume *volume, int fd)
{
  P2vLook look = { .fd = fd, .size = volume->size };
  gint64 step = volume->size / MAX_SAMPLES;
  gint64 at = 0;
  for (gint64 sample = 0; at < volume->size; sample++)
    {
      gint64 length = p2v_volume_map_locate (volume->map, at).length;
      gint64 end = at + length;
      if (!shows_the_same_at (mapping, volume, &look, at)
          || !shows_the_same_at (mapping, volume, &look, MAX (at, end - SAMPLE)))
        return FALSE;
      /* At uneven distances, so that every stripe has its turn. */
      if (length < step)
        {
          gint64 next = MIN (at + step + sample % 7 * length, volume->size - 1);
          end = next + p2v_volume_map_locate (volume->map, next).length;
        }
      at = end;
    }
  return TRUE;
}

/* Opens the kernel's device of a volume, when it has one that lies upon the same disks. */
static gboolean
open_device (const P2vMapping *mapping, const P2vVolumeGroup *group, const P2vLogicalVolume *source,
             P2vVolume *volume)
{
  g_autofree char *uuid = g_strconcat ("LVM-", group->id, source->id, NULL);
  g_autofree char *name = p2v_kernel_mapped (&mapping->tree, uuid);
  g_autoptr (GPtrArray) disks = g_ptr_array_new ();
  for (guint i = 0; i < mapping->disks->len; i++)
    {
      const P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, i);
      if (disk->device != NULL)
        g_ptr_array_add (disks, disk->device);
    }
  g_ptr_array_add (disks, NULL);
  if (name == NULL
      || !p2v_kernel_lies_upon (&mapping->tree, name, (const char *const *)disks->pdata))
    return FALSE;
  g_autofree char *path = p2v_tree_path (&mapping->tree, "/dev/%s", name);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  guint64 size = 0;
  if (fd < 0)
    return FALSE;
  volume->fd = fd;
  volume->own_fd = TRUE;
  volume->device = g_steal_pointer (&path);
  if (p2v_kernel_is_used (&mapping->tree, mapping->used, name))
    volume->reason = g_strdup ("this system itself uses it");
  else if (ioctl (fd, BLKGETSIZE64, &size) != 0 || size != (guint64)volume->size
           || !shows_the_same (mapping, volume, fd))
    volume->reason = g_strdup ("the kernel's volume is not what its volume group describes");
  return TRUE;
}

/* TRUE when all of a volume is one piece of one disk (of which there may be copies). */
static gboolean
is_one_piece (const P2vVolume *volume)
{
  return volume->map->segments->len == 1
         && g_array_index (volume->map->segments, P2vVolumeSegment, 0).n_stripes == 1;
}

static void
look_at_volume (P2vMapping *mapping, const P2vVolumeGroup *group, const P2vLogicalVolume *source,
                P2vVolume *volume)
{
  P2vStretch first = p2v_volume_map_locate (volume->map, 0);
  P2vMappedDisk *disk = p2v_mapping_get_disk (mapping, first.disk);
  P2vLook look = disk->look;
  gboolean active = open_device (mapping, group, source, volume);
  volume->sector_size = disk->look.sector_size;
  if (active)
    {
      look.fd = volume->fd;
      look.size = volume->size;
    }
  else
    {
      volume->fd = disk->look.fd;
      volume->offset = first.offset;
    }
  if (!active && !is_one_piece (volume))
    {
      guint8 head[P2V_SWAP_HEAD] = { 0 };
      gsize length = (gsize)MIN (volume->size, (gint64)sizeof head);
      volume->reason = g_strdup ("it is in several pieces, and the volume is not active");
      if (p2v_volume_read (mapping, volume, 0, head, length)
          && p2v_swap_is_hibernated (head, length))
        mapping->hibernated = TRUE;
      return;
    }
  g_auto (P2vSignature) signature = { 0 };
  p2v_signature_read (&look, (P2vArea){ volume->offset, volume->size }, &signature);
  g_autofree char *trouble = g_steal_pointer (&volume->reason);
  p2v_volume_identify (mapping, volume, &look, &signature);
  if (volume->reason == NULL)
    volume->reason = g_steal_pointer (&trouble);
}

/* The volumes of a group by their index, NULL for those that nobody sees. */
static GPtrArray *
add_volumes (P2vMapping *mapping, const Group *self)
{
  GPtrArray *volumes = g_ptr_array_new ();
  for (guint i = 0; i < self->group->volumes->len; i++)
    {
      const P2vLogicalVolume *source = self->group->volumes->pdata[i];
      g_autofree char *place = g_strdup_printf ("/dev/%s/%s", self->group->name, source->name);
      P2vVolume *volume
          = source->visible ? p2v_mapping_add_volume (mapping, place, source->size) : NULL;
      g_ptr_array_add (volumes, volume);
      if (volume == NULL)
        continue;
      volume->group = g_strdup (self->group->name);
      volume->name = g_strdup (source->name);
      const char *obstacle = find_obstacle (self, source);
      volume->reason = g_strdup (obstacle);
      if (obstacle != NULL)
        continue;
      map_volume (self, source, volume->map);
      look_at_volume (mapping, self->group, source, volume);
    }
  return volumes;
}

static void
add_part (P2vMapping *mapping, const P2vPhysicalPlace *place, gint64 from, gint64 to,
          const char *what, const char *reason)
{
  P2vArea area = { place->area.offset + from, to - from };
  p2v_mapping_add_part (mapping, place->disk, area, what, reason, -1);
}

/* Divides the place of a physical volume among the logical ones. */
static void
divide_place (P2vMapping *mapping, const Group *self, const P2vPhysicalPlace *place,
              const P2vLvmMember *member, GPtrArray *volumes)
{
  g_autoptr (GArray) claims = list_claims (self->group, member->id);
  g_autofree char *metadata = g_strdup_printf ("LVM metadata on %s", place->place);
  g_autofree char *rest = g_strdup_printf ("unallocated in the volume group %s", self->group->name);
  const char *nobody = "nothing is known about what is in it";
  gint64 at = member->start, end = MIN (member->start + member->size, place->area.size);
  add_part (mapping, place, 0, MIN (at, place->area.size), metadata, "it is always read");
  for (guint i = 0; i < claims->len; i++)
    {
      const Claim *claim = &g_array_index (claims, Claim, i);
      const P2vLogicalVolume *source = self->group->volumes->pdata[claim->volume];
      P2vVolume *volume = volumes->pdata[claim->volume];
      P2vArea area = { place->area.offset + claim->offset, claim->length };
      add_part (mapping, place, at, claim->offset, rest, nobody);
      if (volume != NULL)
        p2v_mapping_add_volume_part (mapping, place->disk, area, volume);
      else
        {
          g_autofree char *hidden
              = g_strdup_printf ("%s in the volume group %s", source->name, self->group->name);
          p2v_mapping_add_part (mapping, place->disk, area, hidden, source->obstacle, -1);
        }
      at = claim->offset + claim->length;
    }
  add_part (mapping, place, at, end, rest, nobody);
  add_part (mapping, place, MAX (at, end), place->area.size, metadata, "it is always read");
}

static void
divide_group (P2vMapping *mapping, const Group *self, GHashTable *done)
{
  g_autoptr (GPtrArray) volumes = add_volumes (mapping, self);
  for (guint i = 0; i < self->group->members->len; i++)
    {
      const P2vLvmMember *member = self->group->members->pdata[i];
      const GPtrArray *places = g_hash_table_lookup (self->members, member->id);
      for (guint k = 0; k < places->len; k++)
        {
          P2vPhysicalPlace *place = places->pdata[k];
          if (member->start + member->size <= place->area.size && g_hash_table_add (done, place))
            divide_place (mapping, self, place, member, volumes);
        }
    }
}

/* The same group as all its copies tell of it; obstacles where they differ. */
static Group *
group_new (const P2vMapping *mapping, const P2vVolumeGroup *group)
{
  Group *self = g_new0 (Group, 1);
  self->group = group;
  self->obstacle = g_strdup (group->obstacle);
  self->members
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  self->troubled = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < mapping->places->len; i++)
    {
      const P2vPhysicalPlace *place = mapping->places->pdata[i];
      for (guint k = 0; k < place->physical->groups->len; k++)
        {
          const P2vVolumeGroup *other = place->physical->groups->pdata[k];
          if (g_strcmp0 (other->id, group->id) == 0
              && (other->seqno != group->seqno || other->checksum != group->checksum)
              && self->obstacle == NULL)
            self->obstacle
                = g_strdup ("the disks of its volume group hold different descriptions of it");
        }
    }
  place_members (self, mapping);
  return self;
}

/* Two logical volumes in one place: then the description is good for nothing. */
static gboolean
is_sound (const P2vVolumeGroup *group)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const P2vLvmMember *member = group->members->pdata[i];
      g_autoptr (GArray) claims = list_claims (group, member->id);
      if (claims == NULL)
        return FALSE;
    }
  return group->id != NULL;
}

void
p2v_mapping_divide_groups (P2vMapping *mapping)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) done = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < mapping->places->len; i++)
    {
      const P2vPhysicalPlace *place = mapping->places->pdata[i];
      for (guint k = 0; k < place->physical->groups->len; k++)
        {
          const P2vVolumeGroup *source = place->physical->groups->pdata[k];
          if (!is_sound (source) || !g_hash_table_add (seen, source->id))
            continue;
          g_autoptr (Group) group = group_new (mapping, source);
          divide_group (mapping, group, done);
        }
    }
  for (guint i = 0; i < mapping->places->len; i++)
    {
      P2vPhysicalPlace *place = mapping->places->pdata[i];
      g_autofree char *what = g_strdup_printf ("LVM on %s", place->place);
      if (!g_hash_table_contains (done, place))
        p2v_mapping_add_part (mapping, place->disk, place->area, what,
                              "no volume group that makes sense has it among its members",
                              place->number);
    }
}
