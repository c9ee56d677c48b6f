/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

/* p2v's own live image has this file. It runs from memory alone: nothing of its medium is mounted,
 * and no argument names it. iso/build gives its medium the volume name. */
#define OWN_IMAGE "/etc/p2v/live"
#define OWN_VOLUME "P2V"

/* Where the media of live systems are mounted: dracut's dmsquash-live, Debian's live-boot, and the
 * root itself when the system was installed on a stick. */
static const char *const live_mounts[] = {
  "/",         "/run/initramfs/live", "/run/initramfs/isoscan",
  "/run/live", "/run/live/medium",    "/lib/live/mount/medium",
};

/* Adds a block device, what it is a partition of, and what it lies upon. */
static void
add_device (const P2vTree *tree, GHashTable *devices, const char *name)
{
  if (!g_hash_table_add (devices, g_strdup (name)))
    return;
  if (p2v_tree_exists (tree, "/sys/class/block/%s/partition", name))
    {
      g_autofree char *disk = p2v_tree_link_name (tree, "/sys/class/block/%s/..", name);
      if (disk != NULL)
        add_device (tree, devices, disk);
    }
  g_auto (GStrv) slaves = p2v_tree_list (tree, "/sys/class/block/%s/slaves", name);
  for (char **slave = slaves; *slave != NULL; slave++)
    add_device (tree, devices, *slave);
  /* A loop device on the image that lies on the medium leads to it by the image's own mount. */
}

/* The block device with a number as mountinfo shows it ("8:17"), NULL for none. */
static char *
device_by_number (const P2vTree *tree, const char *number)
{
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/block");
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *text = p2v_tree_read (tree, "/sys/class/block/%s/dev", *name);
      if (g_strcmp0 (text, number) == 0)
        return g_strdup (*name);
    }
  return NULL;
}

GHashTable *
p2v_live_devices (const P2vTree *tree)
{
  GHashTable *devices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *text = p2v_tree_read (tree, "/proc/self/mountinfo");
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      /* proc(5): ID, parent, major:minor, root, mount point, options, tags, "-", type, source.
       * The number is anonymous on Btrfs, whose source then names the device. */
      g_auto (GStrv) fields = g_strsplit (*line, " ", -1);
      if (g_strv_length (fields) < 10)
        continue;
      gboolean live = FALSE;
      for (gsize i = 0; i < G_N_ELEMENTS (live_mounts); i++)
        live |= g_str_equal (fields[4], live_mounts[i]);
      if (!live)
        continue;
      g_autofree char *device = device_by_number (tree, fields[2]);
      for (char **field = fields + 6; device == NULL && *field != NULL; field++)
        if (g_str_equal (*field, "-") && field[1] != NULL && field[2] != NULL
            && g_str_has_prefix (field[2], "/dev/"))
          device = g_path_get_basename (field[2]);
      if (device != NULL)
        add_device (tree, devices, device);
    }
  return devices;
}

/* udev writes a label's spaces and slashes as \x20 and \x2f. */
static char *
decode (const char *text)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  for (const char *p = text; *p != '\0'; p++)
    if (p[0] == '\\' && p[1] == 'x' && g_ascii_isxdigit (p[2]) && g_ascii_isxdigit (p[3]))
      {
        g_string_append_c (plain, g_ascii_xdigit_value (p[2]) * 16 + g_ascii_xdigit_value (p[3]));
        p += 3;
      }
    else
      g_string_append_c (plain, *p);
  return p2v_text_clean (plain->str, plain->len);
}

void
p2v_live_filesystem (const P2vTree *tree, char **label, char **uuid)
{
  *label = NULL;
  *uuid = NULL;
  g_autofree char *text = p2v_tree_read (tree, "/proc/cmdline");
  g_auto (GStrv) words = g_strsplit_set (text == NULL ? "" : text, " \n", -1);
  for (char **word = words; *word != NULL; word++)
    {
      if (!g_str_has_prefix (*word, "root=live:"))
        continue;
      const char *where = *word + strlen ("root=live:");
      const char *value = strrchr (where, '=');
      value = value != NULL ? value : strrchr (where, '/');
      if (value == NULL)
        continue;
      if (strstr (where, "LABEL=") != NULL || strstr (where, "/by-label/") != NULL)
        {
          g_free (*label);
          *label = decode (value + 1);
        }
      else if (strstr (where, "UUID=") != NULL || strstr (where, "/by-uuid/") != NULL)
        {
          g_free (*uuid);
          *uuid = decode (value + 1);
        }
    }
}

static gboolean
holds_own_volume (const P2vContent *content)
{
  if (content == NULL)
    return FALSE;
  if (g_strcmp0 (content->type, "iso9660") == 0 && g_strcmp0 (content->label, OWN_VOLUME) == 0)
    return TRUE;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      const P2vPartition *partition = content->partitions->pdata[i];
      if (holds_own_volume (partition->content))
        return TRUE;
    }
  return FALSE;
}

gboolean
p2v_live_is_own_medium (const P2vTree *tree, const P2vContent *content)
{
  return p2v_tree_exists (tree, OWN_IMAGE) && holds_own_volume (content);
}
