/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

#include "common/request.h"

#include <libudev.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ARP hardware type of Ethernet, include/uapi/linux/if_arp.h. InfiniBand and the like have no
 * counterpart in a guest. */
#define ARPHRD_ETHER_NUMBER 1
#define MAC_LENGTH 6
/* Larger than any address of a network interface (MAX_ADDR_LEN of the kernel). */
#define MAX_ADDRESS 32
#define PCI_IDS_LIMIT (8 * 1024 * 1024)

/* The address that the hardware came with, which a bond or an administrator may have replaced. */
static char *
permanent_address (const char *name)
{
  struct
  {
    struct ethtool_perm_addr header;
    guint8 address[MAX_ADDRESS];
  } request = { .header = { .cmd = ETHTOOL_GPERMADDR, .size = MAX_ADDRESS } };
  struct ifreq interface = { .ifr_data = (void *)&request };
  if (g_strlcpy (interface.ifr_name, name, IFNAMSIZ) >= IFNAMSIZ)
    return NULL;
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return NULL;
  gboolean ok = ioctl (fd, SIOCETHTOOL, &interface) == 0 && request.header.size == MAC_LENGTH;
  close (fd);
  static const guint8 nothing[MAC_LENGTH];
  const guint8 *a = request.address;
  if (!ok || memcmp (a, nothing, MAC_LENGTH) == 0)
    return NULL;
  return g_strdup_printf ("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

static char *
mac_address (const P2vTree *tree, const char *name)
{
  char *permanent = tree->recorded ? NULL : permanent_address (name);
  if (permanent != NULL)
    return permanent;
  g_autofree char *text = p2v_tree_read (tree, "/sys/class/net/%s/address", name);
  static const char form[] = "xx:xx:xx:xx:xx:xx";
  if (text == NULL || strlen (text) != strlen (form))
    return NULL;
  for (gsize i = 0; form[i] != '\0'; i++)
    if (form[i] == ':' ? text[i] != ':' : !g_ascii_isxdigit (text[i]))
      return NULL;
  return g_ascii_strdown (text, -1);
}

/* Takes vendor and model from udev's hardware database, which needs no running udev. */
static void
name_from_hwdb (P2vNic *nic, const char *modalias)
{
  struct udev *udev = udev_new ();
  struct udev_hwdb *hwdb = udev == NULL ? NULL : udev_hwdb_new (udev);
  if (hwdb != NULL)
    {
      struct udev_list_entry *entry;
      udev_list_entry_foreach (entry, udev_hwdb_get_properties_list_entry (hwdb, modalias, 0))
      {
        const char *name = udev_list_entry_get_name (entry);
        const char *value = udev_list_entry_get_value (entry);
        if (nic->vendor == NULL && g_strcmp0 (name, "ID_VENDOR_FROM_DATABASE") == 0)
          nic->vendor = p2v_text_clean (value, -1);
        else if (nic->model == NULL && g_strcmp0 (name, "ID_MODEL_FROM_DATABASE") == 0)
          nic->model = p2v_text_clean (value, -1);
      }
      udev_hwdb_unref (hwdb);
    }
  if (udev != NULL)
    udev_unref (udev);
}

/* The PCI ID repository's file: a line "8086  Intel Corporation" for a vendor, after it lines with
 * a tab for each of its devices. vendor, device: four hexadecimal digits in lower case. */
static void
name_from_pci_ids (const P2vTree *tree, P2vNic *nic, const char *vendor, const char *device)
{
  g_autoptr (GBytes) bytes = p2v_tree_read_bytes (tree, PCI_IDS_LIMIT, "/usr/share/misc/pci.ids");
  gsize size = 0;
  const char *data = bytes == NULL ? NULL : g_bytes_get_data (bytes, &size);
  gboolean ours = FALSE;
  for (const char *line = data, *end; line != NULL && line < data + size; line = end + 1)
    {
      end = memchr (line, '\n', data + size - line);
      end = end != NULL ? end : data + size;
      gsize length = end - line;
      if (length > 6 && g_ascii_isxdigit (*line))
        {
          if (ours)
            return;
          ours = memcmp (line, vendor, 4) == 0;
          if (ours && nic->vendor == NULL)
            nic->vendor = p2v_text_clean (line + 6, length - 6);
        }
      else if (ours && length > 7 && line[0] == '\t' && line[1] != '\t'
               && memcmp (line + 1, device, 4) == 0 && nic->model == NULL)
        nic->model = p2v_text_clean (line + 7, length - 7);
    }
}

/* A PCI identifier as the kernel writes it ("0x8086"), without its first two characters. */
static char *
pci_id (const P2vTree *tree, const char *device, const char *which)
{
  g_autofree char *text = p2v_tree_read (tree, "%s/%s", device, which);
  if (text == NULL || strlen (text) != 6 || !g_str_has_prefix (text, "0x"))
    return NULL;
  return g_ascii_strdown (text + 2, -1);
}

static void
name_maker (const P2vTree *tree, P2vNic *nic, const char *name)
{
  gint64 index = p2v_tree_read_number (tree, G_MAXINT32, 0, "/sys/class/net/%s/ifindex", name);
  g_autofree char *id = g_strdup_printf ("n%" G_GINT64_FORMAT, index);
  g_autoptr (GHashTable) udev = p2v_udev_properties (tree, id);
  nic->vendor = g_strdup (g_hash_table_lookup (udev, "ID_VENDOR_FROM_DATABASE"));
  nic->model = g_strdup (g_hash_table_lookup (udev, "ID_MODEL_FROM_DATABASE"));
  /* A virtio device has numbers of its own; what people know is the PCI device above it. */
  g_autofree char *folder = g_strdup_printf ("/sys/class/net/%s/device%s", name,
                                             g_strcmp0 (nic->bus, "virtio") == 0 ? "/.." : "");
  g_autofree char *vendor = pci_id (tree, folder, "vendor");
  g_autofree char *device = pci_id (tree, folder, "device");
  if (vendor != NULL && device != NULL && (nic->vendor == NULL || nic->model == NULL))
    name_from_pci_ids (tree, nic, vendor, device);
  g_autofree char *modalias = p2v_tree_read (tree, "%s/modalias", folder);
  if (modalias != NULL && (nic->vendor == NULL || nic->model == NULL))
    name_from_hwdb (nic, modalias);
  if (nic->vendor == NULL && vendor != NULL)
    nic->vendor = g_strconcat ("0x", vendor, NULL);
  if (nic->model == NULL && device != NULL)
    nic->model = g_strconcat ("0x", device, NULL);
}

/* TRUE for hardware: it hangs below a device, is Ethernet, and is not one of the kernel's own
 * devices on top of another (a VLAN or a bond has no device of its own, a wireless access point's
 * second interface shares one). */
static gboolean
is_physical (const P2vTree *tree, const char *name)
{
  gint64 type = p2v_tree_read_number (tree, G_MAXINT32, -1, "/sys/class/net/%s/type", name);
  return type == ARPHRD_ETHER_NUMBER && p2v_tree_exists (tree, "/sys/class/net/%s/device", name)
         && !p2v_tree_exists (tree, "/sys/class/net/%s/bonding", name)
         && !p2v_tree_exists (tree, "/sys/class/net/%s/bridge", name)
         && !p2v_tree_exists (tree, "/sys/class/net/%s/tun_flags", name);
}

void
p2v_inventory_add_nics (const P2vTree *tree, P2vMachine *machine)
{
  g_auto (GStrv) names = p2v_tree_list (tree, "/sys/class/net");
  for (char **name = names; *name != NULL; name++)
    {
      if (!p2v_name_is_plain (*name) || !is_physical (tree, *name))
        continue;
      P2vNic *nic = p2v_nic_new ();
      g_ptr_array_add (machine->nics, nic);
      nic->name = g_strdup (*name);
      nic->mac = mac_address (tree, *name);
      nic->driver = p2v_tree_link_name (tree, "/sys/class/net/%s/device/driver", *name);
      nic->bus = p2v_tree_link_name (tree, "/sys/class/net/%s/device/subsystem", *name);
      name_maker (tree, nic, *name);
      /* Both files fail to be read, or say -1, while the interface is down. */
      nic->link = p2v_tree_read_number (tree, 1, 0, "/sys/class/net/%s/carrier", *name) == 1;
      nic->speed = p2v_tree_read_number (tree, G_MAXINT32, 0, "/sys/class/net/%s/speed", *name);
    }
}
