/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/disk-layout.h"

#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <string.h>

/* A gap is shown from a hundredth of the disk on: smaller ones are there for alignment. */
#define GAP_SHARE 100

static void
stretch_free (gpointer data)
{
  P2vDiskStretch *stretch = data;
  g_free (stretch->name);
  g_free (stretch->text);
  g_free (stretch);
}

static gboolean
is_kind (const P2vContent *content, const char *kind)
{
  return content != NULL && g_strcmp0 (content->kind, kind) == 0;
}

/* Of a volume group that lies on this physical volume alone: what its volumes use. */
static gint64
group_usage (const P2vContent *content)
{
  gint64 used = 0;
  if (content->members != 1)
    return -1;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      const P2vPartition *volume = content->partitions->pdata[i];
      gint64 part = p2v_content_usage (volume->content, volume->size);
      if (part < 0)
        return -1;
      used += part;
    }
  return used;
}

gint64
p2v_content_usage (const P2vContent *content, gint64 size)
{
  gint64 used = -1;
  if (content == NULL)
    return -1;
  if (is_kind (content, "lvm-pv") && content->partitions->len > 0)
    used = group_usage (content);
  else if (content->read_in_full != NULL)
    used = size;
  else if (content->used > 0)
    used = content->used;
  return MIN (used, size);
}

/* A word for what it is. Never NULL. */
static const char *
name_content (const P2vContent *content)
{
  static const struct
  {
    const char *kind, *name;
  } names[] = {
    { "lvm-pv", "LVM" },     { "luks", "LUKS" },        { "bitlocker", "BitLocker" },
    { "swap", N_ ("swap") }, { "raid-member", "RAID" }, { "empty", N_ ("empty") },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (is_kind (content, names[i].kind))
      return _ (names[i].name);
  if (is_kind (content, "filesystem") && content->type != NULL)
    return content->type;
  return _ ("unknown");
}

/* Names a stretch and tells of it. number: 0 for the whole disk; label: may be NULL. */
static void
tell (P2vDiskStretch *stretch, const P2vContent *content, gint64 number, const char *label)
{
  GString *text = g_string_new (NULL);
  GString *name = g_string_new (NULL);
  g_autofree char *size = p2v_size_format (stretch->size);
  if (number > 0)
    {
      g_string_append_printf (name, "%" G_GINT64_FORMAT " ", number);
      g_string_append_printf (text, "%" G_GINT64_FORMAT ": ", number);
    }
  g_string_append (name, name_content (content));
  g_string_append (text, name_content (content));
  if (label != NULL && label[0] != '\0')
    g_string_append_printf (text, " \"%s\"", label);
  g_string_append_printf (text, ", %s", size);
  g_autofree char *used = p2v_size_format (stretch->used);
  if (content != NULL && content->read_in_full != NULL)
    g_string_append_printf (text, ", %s", _ ("sent in full"));
  else if (stretch->used >= 0)
    g_string_append_printf (text, _ (", %s used"), used);
  g_autofree char *raw_name = g_string_free (name, FALSE);
  g_autofree char *raw_text = g_string_free (text, FALSE);
  stretch->name = p2v_text_printable (raw_name);
  stretch->text = p2v_text_printable (raw_text);
}

static P2vDiskStretch *
add (GPtrArray *layout, gint64 offset, gint64 size)
{
  P2vDiskStretch *stretch = g_new0 (P2vDiskStretch, 1);
  stretch->offset = offset;
  stretch->size = size;
  stretch->used = -1;
  g_ptr_array_add (layout, stretch);
  return stretch;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const P2vDiskStretch *left = *(P2vDiskStretch *const *)a, *right = *(P2vDiskStretch *const *)b;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static void
add_partitions (GPtrArray *layout, const P2vDisk *disk)
{
  for (guint i = 0; i < disk->content->partitions->len; i++)
    {
      const P2vPartition *partition = disk->content->partitions->pdata[i];
      const P2vContent *content = partition->content;
      /* An extended partition only holds the logical ones, which are listed beside it. */
      if (is_kind (content, "partition-table") || partition->start >= disk->size
          || partition->size <= 0)
        continue;
      P2vDiskStretch *stretch
          = add (layout, partition->start, MIN (partition->size, disk->size - partition->start));
      stretch->used = p2v_content_usage (content, stretch->size);
      tell (stretch, content, partition->number,
            content != NULL && content->label != NULL ? content->label : partition->label);
    }
  g_ptr_array_sort (layout, compare);
}

static void
add_gaps (GPtrArray *layout, gint64 disk_size)
{
  gint64 at = 0;
  guint count = layout->len;
  for (guint i = 0; i <= count; i++)
    {
      const P2vDiskStretch *next = i < count ? layout->pdata[i] : NULL;
      gint64 start = next != NULL ? next->offset : disk_size;
      if (start - at >= disk_size / GAP_SHARE && start > at)
        {
          P2vDiskStretch *gap = add (layout, at, start - at);
          g_autofree char *size = p2v_size_format (gap->size);
          gap->gap = TRUE;
          gap->name = g_strdup ("");
          gap->text = g_strdup_printf (_ ("in no partition, %s"), size);
        }
      at = next != NULL ? MAX (at, next->offset + next->size) : at;
    }
  g_ptr_array_sort (layout, compare);
}

GPtrArray *
p2v_disk_layout_new (const P2vDisk *disk)
{
  GPtrArray *layout = g_ptr_array_new_with_free_func (stretch_free);
  const P2vContent *content = disk->content;
  if (content == NULL || disk->size <= 0)
    return layout;
  if (is_kind (content, "partition-table"))
    {
      add_partitions (layout, disk);
      add_gaps (layout, disk->size);
      return layout;
    }
  P2vDiskStretch *whole = add (layout, 0, disk->size);
  whole->used = p2v_content_usage (content, disk->size);
  tell (whole, content, 0, content->label);
  return layout;
}

void
p2v_disk_layout_share (const GPtrArray *layout, double width, double least, double *widths)
{
  guint n = layout->len;
  least = n > 0 ? MIN (least, width / n) : least;
  for (guint i = 0; i < n; i++)
    widths[i] = 0;
  /* Whoever would get too little gets the least, and the others share what is left; with each turn
   * another one may be too small. */
  for (gboolean settled = FALSE; !settled;)
    {
      double left = width, total = 0;
      settled = TRUE;
      for (guint i = 0; i < n; i++)
        {
          const P2vDiskStretch *stretch = layout->pdata[i];
          left -= widths[i];
          total += widths[i] > 0 ? 0 : (double)stretch->size;
        }
      for (guint i = 0; i < n && settled; i++)
        {
          const P2vDiskStretch *stretch = layout->pdata[i];
          if (widths[i] > 0 || left * (double)stretch->size / total >= least)
            continue;
          widths[i] = least;
          settled = FALSE;
        }
      for (guint i = 0; i < n && settled; i++)
        if (widths[i] <= 0)
          widths[i] = left * (double)((const P2vDiskStretch *)layout->pdata[i])->size / total;
    }
}

char *
p2v_disk_layout_describe (const GPtrArray *layout)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < layout->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "; " : "",
                            ((const P2vDiskStretch *)layout->pdata[i])->text);
  return g_string_free (text, FALSE);
}
