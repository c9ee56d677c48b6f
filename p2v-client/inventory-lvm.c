/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

/* LVM2's format on disk, from the source of LVM2: lib/format_text/layout.h (label, pv_header,
 * mda_header) and the text of lib/format_text/export.c. All numbers are little-endian. */
#define SECTOR 512
#define LABEL_SECTORS 4
#define MDA_HEADER 512
#define MAX_TEXT (4 * 1024 * 1024)
#define MAX_DEPTH 8
#define MAX_VOLUMES 256
#define MAX_SECTORS ((G_GINT64_CONSTANT (1) << 50) / SECTOR)
#define PV_UUID_LENGTH 32

/* A section ("root { … }"), or a value when children is NULL. */
typedef struct _Node Node;
struct _Node
{
  char *name;
  char *value; /* of a list: its values, separated by "\n" */
  GPtrArray *children;
};

static void
node_free (gpointer data)
{
  Node *node = data;
  if (node == NULL)
    return;
  g_free (node->name);
  g_free (node->value);
  g_clear_pointer (&node->children, g_ptr_array_unref);
  g_free (node);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Node, node_free)

/* The next word, string or punctuation mark; NULL at the end. A string's quotes are left away. */
static char *
next_token (const char **at)
{
  const char *p = *at;
  while (*p != '\0' && (g_ascii_isspace (*p) || *p == '#'))
    if (*p++ == '#')
      p += strcspn (p, "\n");
  g_autoptr (GString) token = g_string_new (NULL);
  if (*p == '"')
    {
      for (p++; *p != '\0' && *p != '"'; p++)
        {
          if (*p == '\\' && p[1] != '\0')
            p++;
          g_string_append_c (token, *p);
        }
      if (*p == '"')
        p++;
    }
  else if (*p != '\0' && strchr ("{}[]=,", *p) != NULL)
    g_string_append_c (token, *p++);
  else
    while (*p != '\0' && !g_ascii_isspace (*p) && strchr ("{}[]=,\"#", *p) == NULL)
      g_string_append_c (token, *p++);
  gboolean end = *at == p || (token->len == 0 && *p == '\0');
  *at = p;
  return end ? NULL : g_strdup (token->str);
}

static char *
parse_value (const char **at)
{
  g_autofree char *first = next_token (at);
  if (g_strcmp0 (first, "[") != 0)
    return g_steal_pointer (&first);
  g_autoptr (GString) values = g_string_new (NULL);
  for (;;)
    {
      g_autofree char *token = next_token (at);
      if (token == NULL || g_str_equal (token, "]"))
        return g_strdup (values->str);
      if (g_str_equal (token, ","))
        continue;
      if (values->len > 0)
        g_string_append_c (values, '\n');
      g_string_append (values, token);
    }
}

static Node *
parse_section (const char **at, int depth)
{
  g_autoptr (Node) section = g_new0 (Node, 1);
  section->children = g_ptr_array_new_with_free_func (node_free);
  for (;;)
    {
      g_autofree char *name = next_token (at);
      if (name == NULL || g_str_equal (name, "}"))
        return g_steal_pointer (&section);
      g_autofree char *mark = next_token (at);
      g_autoptr (Node) child = NULL;
      if (g_strcmp0 (mark, "=") == 0)
        {
          child = g_new0 (Node, 1);
          child->value = parse_value (at);
        }
      else if (g_strcmp0 (mark, "{") == 0 && depth < MAX_DEPTH)
        child = parse_section (at, depth + 1);
      if (child == NULL)
        return NULL;
      child->name = g_steal_pointer (&name);
      g_ptr_array_add (section->children, g_steal_pointer (&child));
    }
}

static const Node *
find (const Node *section, const char *name)
{
  for (guint i = 0; section != NULL && section->children != NULL && i < section->children->len; i++)
    {
      const Node *child = section->children->pdata[i];
      if (g_str_equal (child->name, name))
        return child;
    }
  return NULL;
}

/* A number from 0 to MAX_SECTORS, -1 for anything else. */
static gint64
number_of (const Node *section, const char *name)
{
  const Node *node = find (section, name);
  gint64 number;
  if (node == NULL || node->value == NULL
      || !g_ascii_string_to_signed (node->value, 10, 0, MAX_SECTORS, &number, NULL))
    return -1;
  return number;
}

static const char *
value_of (const Node *section, const char *name)
{
  const Node *node = find (section, name);
  return node == NULL || node->value == NULL ? "" : node->value;
}

/* LVM's own rule for names (lvm(8)); they become part of paths. */
static gboolean
name_is_valid (const char *name)
{
  return *name != '\0' && *name != '-' && strlen (name) < 128 && !g_str_equal (name, ".")
         && !g_str_equal (name, "..")
         && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+_.-") == strlen (name);
}

static void
volume_free (gpointer data)
{
  P2vLogicalVolume *volume = data;
  g_free (volume->name);
  g_free (volume);
}

void
p2v_volume_group_free (P2vVolumeGroup *group)
{
  if (group == NULL)
    return;
  g_free (group->name);
  g_clear_pointer (&group->volumes, g_ptr_array_unref);
  g_free (group);
}

/* The section of the physical volume whose identifier is uuid, without dashes. */
static const Node *
find_physical (const Node *group, const char *uuid)
{
  const Node *all = find (group, "physical_volumes");
  for (guint i = 0; all != NULL && all->children != NULL && i < all->children->len; i++)
    {
      const Node *physical = all->children->pdata[i];
      g_auto (GStrv) parts = g_strsplit (value_of (physical, "id"), "-", -1);
      g_autofree char *id = g_strjoinv (NULL, parts);
      if (g_str_equal (id, uuid))
        return physical;
    }
  return NULL;
}

/* Where a volume's only segment lies on the physical volume, size 0 when it is not so simple.
 * "striped" over one stripe is how LVM says linear. */
static P2vArea
place_volume (const Node *volume, const Node *group, const Node *physical, P2vArea area)
{
  P2vArea nowhere = { 0, 0 };
  const Node *segment = find (volume, "segment1");
  g_auto (GStrv) stripe = g_strsplit (value_of (segment, "stripes"), "\n", -1);
  gint64 extent = number_of (group, "extent_size");
  gint64 count = number_of (segment, "extent_count");
  gint64 first = number_of (physical, "pe_start");
  gint64 start = -1;
  if (number_of (volume, "segment_count") != 1 || g_strv_length (stripe) != 2
      || !g_str_equal (value_of (segment, "type"), "striped") || physical == NULL
      || !g_str_equal (stripe[0], physical->name) || extent <= 0 || count <= 0 || first < 0
      || !g_ascii_string_to_signed (stripe[1], 10, 0, MAX_SECTORS / extent, &start, NULL)
      || count > MAX_SECTORS / extent)
    return nowhere;
  gint64 offset = (first + start * extent) * SECTOR;
  gint64 size = count * extent * SECTOR;
  if (offset > area.size || size > area.size - offset)
    return nowhere;
  return (P2vArea){ area.offset + offset, size };
}

static gint64
volume_size (const Node *volume, const Node *group)
{
  gint64 extent = number_of (group, "extent_size");
  gint64 total = 0;
  for (guint i = 0; volume->children != NULL && i < volume->children->len; i++)
    {
      const Node *segment = volume->children->pdata[i];
      gint64 count = number_of (segment, "extent_count");
      if (count <= 0 || extent <= 0 || count > (MAX_SECTORS - total) / extent)
        continue;
      total += count * extent;
    }
  return total * SECTOR;
}

static P2vVolumeGroup *
group_from_text (const char *text, const char *uuid, P2vArea area)
{
  const char *at = text;
  g_autoptr (Node) root = parse_section (&at, 0);
  const Node *section = NULL;
  for (guint i = 0; root != NULL && section == NULL && i < root->children->len; i++)
    {
      const Node *child = root->children->pdata[i];
      if (child->children != NULL && name_is_valid (child->name))
        section = child;
    }
  if (section == NULL)
    return NULL;
  P2vVolumeGroup *group = g_new0 (P2vVolumeGroup, 1);
  group->name = g_strdup (section->name);
  group->volumes = g_ptr_array_new_with_free_func (volume_free);
  const Node *physical = find_physical (section, uuid);
  const Node *all = find (section, "logical_volumes");
  for (guint i = 0; all != NULL && all->children != NULL && i < all->children->len; i++)
    {
      const Node *node = all->children->pdata[i];
      if (strstr (value_of (node, "status"), "VISIBLE") == NULL || !name_is_valid (node->name)
          || group->volumes->len >= MAX_VOLUMES)
        continue;
      P2vLogicalVolume *volume = g_new0 (P2vLogicalVolume, 1);
      volume->name = g_strdup (node->name);
      volume->size = volume_size (node, section);
      volume->area = place_volume (node, section, physical, area);
      g_ptr_array_add (group->volumes, volume);
    }
  return group;
}

static guint64
le (const guint8 *bytes, guint width)
{
  guint64 number = 0;
  while (width-- > 0)
    number = number << 8 | bytes[width];
  return number;
}

/* The text that the metadata area at offset (relative to the physical volume) holds. */
static char *
read_text (const P2vLook *look, P2vArea area, guint64 offset)
{
  guint8 header[MDA_HEADER];
  if (offset > (guint64)area.size
      || !p2v_look_read (look, area.offset + offset, header, sizeof header)
      || memcmp (header + 4, " LVM2 x[5A%r0N*>", 16) != 0)
    return NULL;
  guint64 size = le (header + 32, 8);
  guint64 text_offset = le (header + 40, 8);
  guint64 text_size = le (header + 48, 8);
  if (text_size == 0 || text_size > MAX_TEXT || size > (guint64)area.size - offset
      || text_offset < MDA_HEADER || text_offset >= size || text_size > size - MDA_HEADER)
    return NULL;
  /* The area behind its header is a ring: a text may go on at its beginning. */
  guint64 head = MIN (text_size, size - text_offset);
  g_autofree char *text = g_malloc0 (text_size + 1);
  if (!p2v_look_read (look, area.offset + offset + text_offset, text, head)
      || !p2v_look_read (look, area.offset + offset + MDA_HEADER, text + head, text_size - head))
    return NULL;
  return g_steal_pointer (&text);
}

P2vVolumeGroup *
p2v_volume_group_read (const P2vLook *look, P2vArea area)
{
  guint8 sectors[LABEL_SECTORS * SECTOR];
  if (area.size < (gint64)sizeof sectors
      || !p2v_look_read (look, area.offset, sectors, sizeof sectors))
    return NULL;
  const guint8 *label = NULL;
  for (guint i = 0; i < LABEL_SECTORS && label == NULL; i++)
    if (memcmp (sectors + i * SECTOR, "LABELONE", 8) == 0)
      label = sectors + i * SECTOR;
  guint64 header = label == NULL ? SECTOR : le (label + 20, 4);
  if (header > SECTOR - PV_UUID_LENGTH - 8)
    return NULL;
  g_autofree char *uuid = g_strndup ((const char *)label + header, PV_UUID_LENGTH);
  /* Two lists of offset and size follow, each ended by zeroes: data areas, metadata areas. */
  int list = 0;
  for (gsize at = header + PV_UUID_LENGTH + 8; at + 16 <= SECTOR && list < 2; at += 16)
    {
      guint64 offset = le (label + at, 8);
      if (offset == 0)
        list++;
      else if (list == 1)
        {
          g_autofree char *text = read_text (look, area, offset);
          P2vVolumeGroup *group = text == NULL ? NULL : group_from_text (text, uuid, area);
          if (group != NULL)
            return group;
        }
    }
  return NULL;
}
