/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/lvm-text.h"
#include "p2v-client/lvm.h"

#define SECTOR 512
#define MAX_SECTORS P2V_LVM_MAX_NUMBER
#define MAX_VOLUMES 4096
#define MAX_SEGMENTS 65536
#define MAX_STRIPES 128
#define ID_LENGTH 32
#define NO_SENSE "its description makes no sense"

/* States that change nothing about where a volume's data is (lib/format_text/flags.c). */
static const char *const plain_group_states[] = { "RESIZEABLE", "READ", "WRITE", NULL };
static const char *const plain_volume_states[]
    = { "READ", "WRITE", "VISIBLE", "FIXED_MINOR", "WRITE_LOCKED", NULL };
static const char *const plain_volume_flags[] = { "ACTIVATION_SKIP", "NOAUTOACTIVATE", NULL };

static void
stripe_free (gpointer data)
{
  P2vLvmStripe *stripe = data;
  g_free (stripe->physical);
  g_free (stripe);
}

static void
segment_free (gpointer data)
{
  P2vLvmSegment *segment = data;
  g_ptr_array_unref (segment->stripes);
  g_free (segment);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vLvmSegment, segment_free)

static void
volume_free (gpointer data)
{
  P2vLogicalVolume *volume = data;
  g_free (volume->id);
  g_free (volume->name);
  g_free (volume->obstacle);
  g_ptr_array_unref (volume->segments);
  g_free (volume);
}

static void
member_free (gpointer data)
{
  P2vLvmMember *member = data;
  g_free (member->id);
  g_free (member);
}

void
p2v_volume_group_free (P2vVolumeGroup *group)
{
  if (group == NULL)
    return;
  g_free (group->id);
  g_free (group->name);
  g_free (group->obstacle);
  g_ptr_array_unref (group->members);
  g_ptr_array_unref (group->volumes);
  g_free (group);
}

const P2vLvmMember *
p2v_volume_group_find_member (const P2vVolumeGroup *group, const char *id)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const P2vLvmMember *member = group->members->pdata[i];
      if (g_str_equal (member->id, id))
        return member;
    }
  return NULL;
}

/* LVM's own rule for names (lvm(8)); they become part of paths. */
static gboolean
name_is_valid (const char *name)
{
  return *name != '\0' && *name != '-' && strlen (name) < 128 && !g_str_equal (name, ".")
         && !g_str_equal (name, "..")
         && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+_.-") == strlen (name);
}

/* "mB6pJb-9iGh-…" without dashes, NULL unless it is an identifier. */
static char *
id_of (const P2vLvmNode *section)
{
  g_auto (GStrv) parts = g_strsplit (p2v_lvm_node_value (section, "id"), "-", -1);
  g_autofree char *id = g_strjoinv (NULL, parts);
  if (strlen (id) != ID_LENGTH
      || strspn (id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "!#") != ID_LENGTH)
    return NULL;
  return g_steal_pointer (&id);
}

/* The first word of a list that is not one of those expected, NULL for none. (transfer full) */
static char *
unexpected_word (const P2vLvmNode *section, const char *name, const char *const *expected)
{
  g_auto (GStrv) words = g_strsplit (p2v_lvm_node_value (section, name), "\n", -1);
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0' && !g_strv_contains (expected, *word))
      return p2v_text_clean (*word, -1);
  return NULL;
}

/* Why a thing is as it is: the first reason stays. Takes reason over. */
static void
obstruct (char **obstacle, char *reason)
{
  if (*obstacle == NULL)
    *obstacle = reason;
  else
    g_free (reason);
}

static void
read_members (const P2vLvmNode *text, P2vVolumeGroup *group)
{
  const P2vLvmNode *all = p2v_lvm_node_find (text, "physical_volumes");
  gint64 extent = group->extent_size / SECTOR;
  for (guint i = 0; all != NULL && all->children != NULL && i < all->children->len; i++)
    {
      const P2vLvmNode *node = all->children->pdata[i];
      gint64 start = p2v_lvm_node_number (node, "pe_start");
      gint64 count = p2v_lvm_node_number (node, "pe_count");
      P2vLvmMember *member = g_new0 (P2vLvmMember, 1);
      member->id = id_of (node);
      if (member->id == NULL || start < 0 || count < 0 || count > MAX_SECTORS / extent
          || p2v_volume_group_find_member (group, member->id) != NULL)
        {
          obstruct (&group->obstacle, g_strdup (NO_SENSE));
          member_free (member);
          continue;
        }
      member->start = start * SECTOR;
      member->size = count * extent * SECTOR;
      member->missing = strstr (p2v_lvm_node_value (node, "flags"), "MISSING") != NULL;
      g_ptr_array_add (group->members, member);
    }
}

/* One stripe from its two words, NULL when it lies on no physical volume of the group, or not
 * within it. */
static P2vLvmStripe *
read_stripe (const P2vLvmNode *text, const P2vVolumeGroup *group, char **words, gint64 length)
{
  gint64 extent;
  const P2vLvmNode *all = p2v_lvm_node_find (text, "physical_volumes");
  const P2vLvmNode *node = all == NULL ? NULL : p2v_lvm_node_find (all, words[0]);
  g_autofree char *id = node == NULL ? NULL : id_of (node);
  const P2vLvmMember *member = id == NULL ? NULL : p2v_volume_group_find_member (group, id);
  if (member == NULL
      || !g_ascii_string_to_signed (words[1], 10, 0, MAX_SECTORS * SECTOR / group->extent_size,
                                    &extent, NULL))
    return NULL;
  gint64 offset = extent * group->extent_size;
  if (offset > member->size || length > member->size - offset)
    return NULL;
  P2vLvmStripe *stripe = g_new0 (P2vLvmStripe, 1);
  stripe->physical = g_steal_pointer (&id);
  stripe->offset = member->start + offset;
  return stripe;
}

/* A segment that says where it lies; NULL for any other. "striped" over one stripe is how LVM says
 * linear. */
static P2vLvmSegment *
read_segment (const P2vLvmNode *text, const P2vVolumeGroup *group, const P2vLvmNode *node)
{
  g_auto (GStrv) words = g_strsplit (p2v_lvm_node_value (node, "stripes"), "\n", -1);
  gint64 stripes = p2v_lvm_node_number (node, "stripe_count");
  gint64 count = p2v_lvm_node_number (node, "extent_count");
  gint64 size = p2v_lvm_node_number (node, "stripe_size");
  if (!g_str_equal (p2v_lvm_node_value (node, "type"), "striped") || stripes < 1
      || stripes > MAX_STRIPES || g_strv_length (words) != (guint64)stripes * 2 || count < 1
      || count > MAX_SECTORS * SECTOR / group->extent_size || count % stripes != 0)
    return NULL;
  g_autoptr (P2vLvmSegment) segment = g_new0 (P2vLvmSegment, 1);
  segment->stripes = g_ptr_array_new_with_free_func (stripe_free);
  segment->length = count * group->extent_size;
  gint64 each = segment->length / stripes;
  if (stripes > 1)
    {
      if (size < 1 || each % (size * SECTOR) != 0)
        return NULL;
      segment->stripe_size = size * SECTOR;
    }
  for (gint64 i = 0; i < stripes; i++)
    {
      P2vLvmStripe *stripe = read_stripe (text, group, words + i * 2, each);
      if (stripe == NULL)
        return NULL;
      g_ptr_array_add (segment->stripes, stripe);
    }
  return g_steal_pointer (&segment);
}

static P2vLogicalVolume *
find_volume (const P2vVolumeGroup *group, const char *name)
{
  for (guint i = 0; i < group->volumes->len; i++)
    {
      P2vLogicalVolume *volume = group->volumes->pdata[i];
      if (g_str_equal (volume->name, name))
        return volume;
    }
  return NULL;
}

static void
read_segments (const P2vLvmNode *text, const P2vVolumeGroup *group, const P2vLvmNode *node,
               P2vLogicalVolume *volume)
{
  gint64 extents = 0, found = 0;
  for (guint i = 0; i < node->children->len; i++)
    {
      const P2vLvmNode *child = node->children->pdata[i];
      if (child->children == NULL || !g_str_has_prefix (child->name, "segment"))
        continue;
      gint64 count = p2v_lvm_node_number (child, "extent_count");
      if (p2v_lvm_node_number (child, "start_extent") != extents || count < 1
          || count > MAX_SECTORS * SECTOR / group->extent_size - extents || ++found > MAX_SEGMENTS)
        {
          obstruct (&volume->obstacle, g_strdup (NO_SENSE));
          break;
        }
      extents += count;
      P2vLvmSegment *segment = read_segment (text, group, child);
      if (segment != NULL)
        g_ptr_array_add (volume->segments, segment);
      else
        {
          g_autofree char *type = p2v_text_clean (p2v_lvm_node_value (child, "type"), -1);
          gboolean plain = g_strcmp0 (type, "striped") == 0;
          obstruct (&volume->obstacle,
                    plain ? g_strdup ("it lies upon another volume, or is being moved")
                          : g_strdup_printf ("it is a volume of the kind \"%s\"",
                                             type != NULL ? type : "?"));
        }
    }
  volume->size = extents * group->extent_size;
  if (found == 0 || p2v_lvm_node_number (node, "segment_count") != found)
    obstruct (&volume->obstacle, g_strdup (NO_SENSE));
}

static void
read_volumes (const P2vLvmNode *text, P2vVolumeGroup *group)
{
  const P2vLvmNode *all = p2v_lvm_node_find (text, "logical_volumes");
  for (guint i = 0; all != NULL && all->children != NULL && i < all->children->len; i++)
    {
      const P2vLvmNode *node = all->children->pdata[i];
      if (node->children == NULL || !name_is_valid (node->name)
          || group->volumes->len >= MAX_VOLUMES || find_volume (group, node->name) != NULL)
        {
          obstruct (&group->obstacle, g_strdup (NO_SENSE));
          continue;
        }
      P2vLogicalVolume *volume = g_new0 (P2vLogicalVolume, 1);
      g_ptr_array_add (group->volumes, volume);
      volume->segments = g_ptr_array_new_with_free_func (segment_free);
      volume->id = id_of (node);
      volume->name = g_strdup (node->name);
      volume->visible = strstr (p2v_lvm_node_value (node, "status"), "VISIBLE") != NULL;
      g_autofree char *state = unexpected_word (node, "status", plain_volume_states);
      g_autofree char *flag = unexpected_word (node, "flags", plain_volume_flags);
      if (state != NULL || flag != NULL)
        obstruct (&volume->obstacle,
                  g_strdup_printf ("its state is %s", state != NULL ? state : flag));
      if (volume->id == NULL)
        obstruct (&volume->obstacle, g_strdup (NO_SENSE));
      read_segments (text, group, node, volume);
    }
}

/* What a volume is to the segment of another that names it. */
static const char *
role_of (const char *type, const char *key)
{
  if (g_str_equal (type, "snapshot") && g_str_equal (key, "origin"))
    return "it has snapshots";
  if (g_str_equal (type, "snapshot"))
    return "it is a snapshot";
  return "it is a part of another volume";
}

/* Volumes that others are made of, or keep their old contents for: what their own filesystem calls
 * free may be theirs. */
static void
obstruct_parts (const P2vLvmNode *segment, P2vVolumeGroup *group)
{
  const char *type = p2v_lvm_node_value (segment, "type");
  for (guint i = 0; i < segment->children->len; i++)
    {
      const P2vLvmNode *child = segment->children->pdata[i];
      if (child->value == NULL || g_str_equal (child->name, "type"))
        continue;
      g_auto (GStrv) words = g_strsplit (child->value, "\n", -1);
      for (char **word = words; *word != NULL; word++)
        {
          P2vLogicalVolume *volume = find_volume (group, *word);
          if (volume != NULL)
            obstruct (&volume->obstacle, g_strdup (role_of (type, child->name)));
        }
    }
}

static void
find_parts (const P2vLvmNode *text, P2vVolumeGroup *group)
{
  const P2vLvmNode *all = p2v_lvm_node_find (text, "logical_volumes");
  for (guint i = 0; all != NULL && all->children != NULL && i < all->children->len; i++)
    {
      const P2vLvmNode *node = all->children->pdata[i];
      for (guint k = 0; node->children != NULL && k < node->children->len; k++)
        {
          const P2vLvmNode *child = node->children->pdata[k];
          if (child->children != NULL)
            obstruct_parts (child, group);
        }
    }
}

P2vVolumeGroup *
p2v_volume_group_parse (const char *text)
{
  g_autoptr (P2vLvmNode) root = p2v_lvm_text_parse (text);
  const P2vLvmNode *section = NULL;
  for (guint i = 0; root != NULL && section == NULL && i < root->children->len; i++)
    {
      const P2vLvmNode *child = root->children->pdata[i];
      if (child->children != NULL && name_is_valid (child->name))
        section = child;
    }
  gint64 extent = p2v_lvm_node_number (section, "extent_size");
  if (section == NULL || extent < 1)
    return NULL;
  P2vVolumeGroup *group = g_new0 (P2vVolumeGroup, 1);
  group->members = g_ptr_array_new_with_free_func (member_free);
  group->volumes = g_ptr_array_new_with_free_func (volume_free);
  group->name = g_strdup (section->name);
  group->id = id_of (section);
  group->seqno = p2v_lvm_node_number (section, "seqno");
  group->extent_size = extent * SECTOR;
  g_autofree char *state = unexpected_word (section, "status", plain_group_states);
  if (state != NULL)
    group->obstacle = g_strdup_printf ("its volume group's state is %s", state);
  if (group->id == NULL || group->seqno < 0)
    obstruct (&group->obstacle, g_strdup ("its volume group's description makes no sense"));
  const char *lock = p2v_lvm_node_value (section, "lock_type");
  if (!g_str_equal (lock, "") && !g_str_equal (lock, "none"))
    obstruct (&group->obstacle, g_strdup ("other machines may use its volume group"));
  read_members (section, group);
  read_volumes (section, group);
  find_parts (section, group);
  for (guint i = 0; i < group->volumes->len; i++)
    {
      P2vLogicalVolume *volume = group->volumes->pdata[i];
      if (!volume->visible)
        obstruct (&volume->obstacle, g_strdup ("it is a part of another volume"));
    }
  return group;
}
