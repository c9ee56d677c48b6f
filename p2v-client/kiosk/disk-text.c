/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/disk-text.h"

#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <string.h>

char *
p2v_disk_text_title (const P2vDisk *disk)
{
  g_autofree char *size = p2v_size_format (disk->size);
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%s, %s", disk->name, size);
  if (disk->vendor != NULL || disk->model != NULL)
    g_string_append_printf (text, ", %s%s%s", disk->vendor != NULL ? disk->vendor : "",
                            disk->vendor != NULL && disk->model != NULL ? " " : "",
                            disk->model != NULL ? disk->model : "");
  g_autofree char *raw = g_string_free (text, FALSE);
  return p2v_text_printable (raw);
}

/* Calls func for a content and all that is in it. */
static void
visit (const P2vContent *content, void (*func) (const P2vContent *content, gpointer data),
       gpointer data)
{
  if (content == NULL)
    return;
  func (content, data);
  for (guint i = 0; i < content->partitions->len; i++)
    visit (((P2vPartition *)content->partitions->pdata[i])->content, func, data);
}

static void
add_once (GPtrArray *words, const char *word)
{
  if (word != NULL && !g_ptr_array_find_with_equal_func (words, word, g_str_equal, NULL))
    g_ptr_array_add (words, g_strdup (word));
}

static void
add_system (const P2vContent *content, gpointer words)
{
  const P2vOs *os = content->os;
  if (os == NULL)
    return;
  const char *name = os->name != NULL ? os->name : os->id;
  g_autofree char *text = g_strdup_printf (
      "%s%s%s", name != NULL ? name : _ ("an operating system"), os->hostname != NULL ? ", " : "",
      os->hostname != NULL ? os->hostname : "");
  add_once (words, text);
}

static void
add_kind (const P2vContent *content, gpointer words)
{
  const char *kind = content->kind;
  if (kind == NULL || strcmp (kind, "partition-table") == 0 || strcmp (kind, "lvm-lv") == 0)
    return;
  if (strcmp (kind, "lvm-pv") == 0)
    add_once (words, "LVM");
  else if (strcmp (kind, "luks") == 0)
    add_once (words, "LUKS");
  else if (strcmp (kind, "bitlocker") == 0)
    add_once (words, "BitLocker");
  else if (strcmp (kind, "raid-member") == 0)
    add_once (words, "RAID");
  else if (strcmp (kind, "filesystem") == 0)
    add_once (words, content->type);
  else if (strcmp (kind, "swap") == 0)
    add_once (words, _ ("swap"));
}

static char *
join (GPtrArray *words, const char *separator)
{
  g_ptr_array_add (words, NULL);
  return g_strjoinv (separator, (char **)words->pdata);
}

char *
p2v_disk_text_content (const P2vDisk *disk)
{
  const P2vContent *content = disk->content;
  if (content == NULL)
    return g_strdup (_ ("What is on it could not be read."));
  if (g_strcmp0 (content->kind, "empty") == 0)
    return g_strdup (_ ("Nothing is on it."));
  g_autoptr (GPtrArray) systems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) kinds = g_ptr_array_new_with_free_func (g_free);
  visit (content, add_system, systems);
  visit (content, add_kind, kinds);
  g_autofree char *system = join (systems, "; ");
  g_autofree char *kind = join (kinds, ", ");
  GString *text = g_string_new (system[0] != '\0' ? system : _ ("No operating system was found"));
  guint count = content->partitions->len;
  gboolean table = g_strcmp0 (content->kind, "partition-table") == 0;
  if (table)
    {
      g_string_append (text, "; ");
      g_string_append_printf (text, ngettext ("%u partition", "%u partitions", count), count);
    }
  if (kind[0] != '\0')
    g_string_append_printf (text, "%s%s", table ? ": " : "; ", kind);
  g_autofree char *raw = g_string_free (text, FALSE);
  return p2v_text_printable (raw);
}

char *
p2v_disk_text_obstacle (const P2vDisk *disk)
{
  if (disk->live_medium)
    return g_strdup (
        _ ("This is the medium that this system was booted from. It is not converted."));
  if (disk->member_of != NULL)
    return g_strdup_printf (_ ("Only a part of %s. It is not converted by itself; choose that."),
                            disk->member_of);
  if (!p2v_disk_is_convertible (disk))
    return g_strdup (
        _ ("It has no size: there is no medium in it, or it does not answer. Check its "
           "cable, or that the controller has made it ready."));
  return NULL;
}
