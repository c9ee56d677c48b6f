/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

/* The vendor GUID of the variables that the UEFI specification itself defines. */
#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFIVARS "/sys/firmware/efi/efivars"
/* efivarfs puts the variable's attributes before its contents. */
#define ATTRIBUTES 4
#define MAX_VARIABLE (64 * 1024)
#define LOAD_OPTION_ACTIVE 1
/* UEFI specification 2.10, section 10.3: types of device path nodes. */
#define NODE_MEDIA 4
#define NODE_MEDIA_HARD_DRIVE 1
#define NODE_MEDIA_FILE 4
#define NODE_END 0x7f
#define HARD_DRIVE_LENGTH 42
#define SIGNATURE_MBR 1
#define SIGNATURE_GUID 2

static guint16
u16 (const guint8 *bytes)
{
  return bytes[0] | bytes[1] << 8;
}

static guint32
u32 (const guint8 *bytes)
{
  return u16 (bytes) | (guint32)u16 (bytes + 2) << 16;
}

/* The contents of a variable, without attributes. */
static GBytes *
read_variable (const P2vTree *tree, const char *name)
{
  g_autoptr (GBytes) bytes = p2v_tree_read_bytes (tree, MAX_VARIABLE, EFIVARS "/%s-" GLOBAL, name);
  gsize size = bytes == NULL ? 0 : g_bytes_get_size (bytes);
  return size <= ATTRIBUTES ? NULL : g_bytes_new_from_bytes (bytes, ATTRIBUTES, size - ATTRIBUTES);
}

/* UTF-16LE until its end or a NUL. */
static char *
text_from_utf16 (const guint8 *bytes, gsize size)
{
  g_autofree gunichar2 *units = g_new0 (gunichar2, size / 2 + 1);
  for (gsize i = 0; i < size / 2 && u16 (bytes + 2 * i) != 0; i++)
    units[i] = u16 (bytes + 2 * i);
  g_autofree char *text = g_utf16_to_utf8 (units, -1, NULL, NULL, NULL);
  return p2v_text_clean (text, -1);
}

/* The signature of a hard drive node as the kernel writes the PARTUUID. */
static char *
partition_uuid (const guint8 *node)
{
  const guint8 *s = node + 24;
  if (node[41] == SIGNATURE_MBR)
    return g_strdup_printf ("%08x-%02x", u32 (s), u32 (node + 4));
  if (node[41] != SIGNATURE_GUID)
    return NULL;
  return g_strdup_printf ("%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", u32 (s), u16 (s + 4),
                          u16 (s + 6), s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15]);
}

static void
parse_device_path (P2vBootEntry *entry, const guint8 *path, gsize size)
{
  g_autoptr (GString) loader = g_string_new (NULL);
  for (gsize at = 0; at + 4 <= size;)
    {
      const guint8 *node = path + at;
      gsize length = u16 (node + 2);
      if (length < 4 || length > size - at || node[0] == NODE_END)
        break;
      if (node[0] == NODE_MEDIA && node[1] == NODE_MEDIA_HARD_DRIVE && length >= HARD_DRIVE_LENGTH)
        {
          g_free (entry->partition_uuid);
          entry->partition_uuid = partition_uuid (node);
        }
      else if (node[0] == NODE_MEDIA && node[1] == NODE_MEDIA_FILE)
        {
          /* Several of these nodes make one path. */
          g_autofree char *part = text_from_utf16 (node + 4, length - 4);
          if (part != NULL && loader->len > 0 && *part != '\\'
              && loader->str[loader->len - 1] != '\\')
            g_string_append_c (loader, '\\');
          g_string_append (loader, part == NULL ? "" : part);
        }
      at += length;
    }
  if (loader->len > 0)
    entry->loader = g_strdup (loader->str);
}

/* EFI_LOAD_OPTION: attributes, length of the device path, description, device path. */
static P2vBootEntry *
parse_entry (const char *id, GBytes *variable)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (variable, &size);
  if (size < 8)
    return NULL;
  gsize path_size = u16 (data + 4);
  gsize end = 6;
  while (end + 2 <= size && u16 (data + end) != 0)
    end += 2;
  gsize path = end + 2;
  if (path > size || path_size > size - path)
    return NULL;
  P2vBootEntry *entry = p2v_boot_entry_new ();
  entry->id = g_ascii_strup (id, 4);
  entry->active = (u32 (data) & LOAD_OPTION_ACTIVE) != 0;
  entry->label = text_from_utf16 (data + 6, end - 6);
  parse_device_path (entry, data + path, path_size);
  return entry;
}

/* The four digits of "Boot0001-GUID", NULL for other variables ("BootOrder", "BootCurrent"). */
static char *
entry_id (const char *file)
{
  static const char suffix[] = "-" GLOBAL;
  if (!g_str_has_prefix (file, "Boot") || strlen (file) != 8 + strlen (suffix)
      || g_ascii_strcasecmp (file + 8, suffix) != 0)
    return NULL;
  for (int i = 4; i < 8; i++)
    if (!g_ascii_isxdigit (file[i]))
      return NULL;
  return g_strndup (file + 4, 4);
}

static void
read_boot_entries (const P2vTree *tree, P2vFirmware *firmware)
{
  g_auto (GStrv) names = p2v_tree_list (tree, EFIVARS);
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *id = entry_id (*name);
      g_autofree char *variable_name = id == NULL ? NULL : g_strconcat ("Boot", id, NULL);
      g_autoptr (GBytes) variable
          = variable_name == NULL ? NULL : read_variable (tree, variable_name);
      P2vBootEntry *entry = variable == NULL ? NULL : parse_entry (id, variable);
      if (entry != NULL)
        g_ptr_array_add (firmware->boot_entries, entry);
    }
  g_autoptr (GBytes) order = read_variable (tree, "BootOrder");
  gsize size = 0;
  const guint8 *data = order == NULL ? NULL : g_bytes_get_data (order, &size);
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  for (gsize at = 0; at + 2 <= size; at += 2)
    g_ptr_array_add (ids, g_strdup_printf ("%04X", u16 (data + at)));
  g_ptr_array_add (ids, NULL);
  firmware->boot_order = (char **)g_ptr_array_free (g_steal_pointer (&ids), FALSE);
}

/* The version of the TPM's interface, NULL without one. Where the live system has no driver for
 * it, the ACPI table that describes a TPM 2.0 still tells. */
static char *
find_tpm (const P2vTree *tree)
{
  g_autofree char *major = p2v_tree_read (tree, "/sys/class/tpm/tpm0/tpm_version_major");
  g_autofree char *description = p2v_tree_read (tree, "/sys/class/tpm/tpm0/device/description");
  if (g_strcmp0 (major, "2") == 0
      || (major == NULL && description != NULL && strstr (description, "2.0") != NULL))
    return g_strdup ("2.0");
  if (p2v_tree_exists (tree, "/sys/class/tpm/tpm0"))
    return g_strdup ("1.2");
  return p2v_tree_exists (tree, "/sys/firmware/acpi/tables/TPM2") ? g_strdup ("2.0") : NULL;
}

P2vFirmware *
p2v_inventory_firmware (const P2vTree *tree)
{
  P2vFirmware *firmware = p2v_firmware_new ();
  firmware->vendor = p2v_tree_read (tree, "/sys/class/dmi/id/bios_vendor");
  firmware->version = p2v_tree_read (tree, "/sys/class/dmi/id/bios_version");
  firmware->tpm = find_tpm (tree);
  if (!p2v_tree_exists (tree, "/sys/firmware/efi"))
    {
      firmware->type = g_strdup ("bios");
      return firmware;
    }
  firmware->type = g_strdup ("uefi");
  g_autoptr (GBytes) secure = read_variable (tree, "SecureBoot");
  firmware->secure_boot = secure != NULL && *(const guint8 *)g_bytes_get_data (secure, NULL) == 1;
  read_boot_entries (tree, firmware);
  return firmware;
}
