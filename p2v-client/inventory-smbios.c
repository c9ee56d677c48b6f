/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define MIB (G_GINT64_CONSTANT (1024) * 1024)
#define MAX_MEMORY (G_GINT64_CONSTANT (1) << 50)
#define MAX_TABLE (1024 * 1024)
#define TYPE_MEMORY_DEVICE 17
#define TYPE_END 127

P2vSmbios *
p2v_inventory_smbios (const P2vTree *tree)
{
  P2vSmbios *smbios = p2v_smbios_new ();
  smbios->manufacturer = p2v_tree_read (tree, "/sys/class/dmi/id/sys_vendor");
  smbios->product = p2v_tree_read (tree, "/sys/class/dmi/id/product_name");
  smbios->version = p2v_tree_read (tree, "/sys/class/dmi/id/product_version");
  smbios->serial = p2v_tree_read (tree, "/sys/class/dmi/id/product_serial");
  g_autofree char *uuid = p2v_tree_read (tree, "/sys/class/dmi/id/product_uuid");
  /* Makers who did not care left all ones or all zeroes. */
  if (uuid != NULL && g_uuid_string_is_valid (uuid) && strspn (uuid, "0-") != strlen (uuid)
      && strspn (uuid, "Ff-") != strlen (uuid))
    smbios->uuid = g_ascii_strdown (uuid, -1);
  return smbios;
}

/* The size of one memory device, SMBIOS 3.6 section 7.18: the word at 12 is MiB, or KiB with its
 * highest bit set; 0x7fff refers to the double word at 28; 0xffff is unknown, 0 an empty slot. */
static gint64
device_size (const guint8 *structure, gsize length)
{
  if (length < 14)
    return 0;
  guint size = structure[12] | structure[13] << 8;
  if (size == 0xffff)
    return 0;
  if (size == 0x7fff && length >= 32)
    {
      const guint8 *p = structure + 28;
      return (gint64)(p[0] | p[1] << 8 | p[2] << 16 | (guint32)(p[3] & 0x7f) << 24) * MIB;
    }
  return size & 0x8000 ? (gint64)(size & 0x7fff) * 1024 : size * MIB;
}

/* Adds up the memory devices of an SMBIOS table: structures, each with a type, the length of its
 * fixed part, and strings that two zero bytes end. */
static gint64
memory_of_table (const P2vTree *tree)
{
  g_autoptr (GBytes) table = p2v_tree_read_bytes (tree, MAX_TABLE, "/sys/firmware/dmi/tables/DMI");
  gsize size = 0;
  const guint8 *data = table == NULL ? NULL : g_bytes_get_data (table, &size);
  gint64 total = 0;
  for (gsize at = 0; at + 4 <= size && data[at] != TYPE_END;)
    {
      gsize length = data[at + 1];
      if (length < 4 || length > size - at)
        break;
      if (data[at] == TYPE_MEMORY_DEVICE)
        total += device_size (data + at, length);
      at += length;
      while (at + 2 <= size && (data[at] != 0 || data[at + 1] != 0))
        at++;
      at += 2;
    }
  return total;
}

/* The kernel's own blocks of memory that can be taken off and put on. */
static gint64
memory_of_blocks (const P2vTree *tree)
{
  g_autofree char *text = p2v_tree_read (tree, "/sys/devices/system/memory/block_size_bytes");
  guint64 block;
  if (text == NULL || !g_ascii_string_to_unsigned (text, 16, 1, MAX_MEMORY, &block, NULL))
    return 0;
  gint64 count = 0;
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/devices/system/memory");
  for (char **name = names; *name != NULL; name++)
    if (g_str_has_prefix (*name, "memory") && g_ascii_isdigit ((*name)[6]))
      count++;
  return count <= MAX_MEMORY / (gint64)block ? count * (gint64)block : 0;
}

static gint64
memory_of_kernel (const P2vTree *tree)
{
  g_autofree char *text = p2v_tree_read (tree, "/proc/meminfo");
  const char *found = text == NULL ? NULL : strstr (text, "MemTotal:");
  guint64 kib = found == NULL ? 0 : g_ascii_strtoull (found + strlen ("MemTotal:"), NULL, 10);
  return MIN (kib, (guint64)MAX_MEMORY / 1024) * 1024;
}

gint64
p2v_inventory_memory (const P2vTree *tree)
{
  gint64 usable = memory_of_kernel (tree);
  gint64 told[] = { memory_of_table (tree), memory_of_blocks (tree) };
  /* Who says less than the kernel uses is wrong. */
  for (gsize i = 0; i < G_N_ELEMENTS (told); i++)
    if (told[i] > 0 && told[i] >= usable && told[i] <= MAX_MEMORY)
      return told[i];
  /* The kernel and the firmware keep a few percent for themselves: up to the next sixteenth of a
   * power of two, which is what modules of memory add up to. */
  gint64 step = 64 * MIB;
  while (step * 16 < usable)
    step *= 2;
  return (usable + step - 1) / step * step;
}

#if defined(__x86_64__) || defined(__i386__)
/* Leaf 0x40000000 is where hypervisors sign. */
static const char *
hypervisor_by_signature (void)
{
  static const char *const known[][2] = {
    { "KVMKVMKVM", "kvm" },       { "TCGTCGTCGTCG", "qemu" },      { "VMwareVMware", "vmware" },
    { "Microsoft Hv", "hyperv" }, { "XenVMMXenVMM", "xen" },       { "VBoxVBoxVBox", "virtualbox" },
    { "bhyve bhyve ", "bhyve" },  { " lrpepyh  vr", "parallels" },
  };
  unsigned eax, registers[4] = { 0 };
  __cpuid (0x40000000, eax, registers[0], registers[1], registers[2]);
  (void)eax;
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strcmp ((const char *)registers, known[i][0]) == 0)
      return known[i][1];
  return NULL;
}
#else
static const char *
hypervisor_by_signature (void)
{
  return NULL;
}
#endif

static const char *
hypervisor_by_maker (const P2vTree *tree)
{
  /* A maker alone says little where it also builds real machines. */
  static const struct
  {
    const char *file, *word, *hypervisor;
  } known[] = {
    { "product_name", "VirtualBox", "virtualbox" },
    { "product_name", "KVM", "kvm" },
    { "product_name", "VMware", "vmware" },
    { "product_name", "HVM domU", "xen" },
    { "product_name", "Google Compute Engine", "kvm" },
    { "product_name", "AHV", "kvm" },
    { "product_name", "BHYVE", "bhyve" },
    { "product_name", "OpenStack", "kvm" },
    { "product_name", "Virtual Machine", "hyperv" },
    { "sys_vendor", "QEMU", "kvm" },
    { "sys_vendor", "Bochs", "qemu" },
    { "sys_vendor", "VMware", "vmware" },
    { "sys_vendor", "Xen", "xen" },
    { "sys_vendor", "Parallels", "parallels" },
    { "sys_vendor", "Amazon EC2", "kvm" },
    { "sys_vendor", "DigitalOcean", "kvm" },
    { "bios_vendor", "SeaBIOS", "kvm" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      g_autofree char *text = p2v_tree_read (tree, "/sys/class/dmi/id/%s", known[i].file);
      if (text != NULL && strstr (text, known[i].word) != NULL)
        return known[i].hypervisor;
    }
  return NULL;
}

char *
p2v_inventory_hypervisor (const P2vTree *tree)
{
  g_autofree char *xen = p2v_tree_read (tree, "/sys/hypervisor/type");
  g_autofree char *capabilities = p2v_tree_read (tree, "/proc/xen/capabilities");
  if (xen != NULL)
    /* Xen's own control domain runs on the real machine. */
    return capabilities != NULL && strstr (capabilities, "control_d") != NULL
               ? NULL
               : g_steal_pointer (&xen);
  g_autofree char *text = p2v_tree_read (tree, "/proc/cpuinfo");
  const char *flags = text == NULL ? NULL : strstr (text, "\nflags");
  g_autofree char *line = flags == NULL ? NULL : g_strndup (flags + 1, strcspn (flags + 1, "\n"));
  g_auto (GStrv) words = g_strsplit (line == NULL ? "" : line, " ", -1);
  if (!g_strv_contains ((const char *const *)words, "hypervisor"))
    return NULL;
  const char *name = tree->recorded ? NULL : hypervisor_by_signature ();
  name = name != NULL ? name : hypervisor_by_maker (tree);
  return g_strdup (name != NULL ? name : "unknown");
}
