/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "p2v-server/v2v.h"
#include "p2v-server/xml.h"

/* virt-v2v(1), "Minimal XML for -i libvirtxml option", and https://libvirt.org/formatdomain.html.
 * What virt-v2v takes from it: functions of its input/parse_libvirt_xml.ml. */

static xmlNode *
add (xmlNode *parent, const char *name, const char *text)
{
  return text == NULL ? p2v_xml_add (parent, name, NULL) : p2v_xml_add (parent, name, "%s", text);
}

static void
set (xmlNode *node, const char *name, const char *value)
{
  if (value != NULL)
    xmlNewProp (node, BAD_CAST name, BAD_CAST value);
}

static void
set_number (xmlNode *node, const char *name, gint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  set (node, name, text);
}

static void
add_cpu (xmlNode *domain, const P2vRequest *request)
{
  const P2vGuest *guest = request->guest;
  const P2vCpu *cpu = request->machine->cpu;
  gboolean topology = guest->phys_topo && cpu != NULL;
  if (guest->cpu_model == NULL && !topology)
    return;
  xmlNode *node = add (domain, "cpu", NULL);
  if (guest->cpu_model != NULL)
    {
      set (node, "match", "minimum");
      if (guest->cpu_vendor != NULL)
        add (node, "vendor", guest->cpu_vendor);
      set (add (node, "model", guest->cpu_model), "fallback", "allow");
    }
  if (topology)
    {
      xmlNode *child = add (node, "topology", NULL);
      set_number (child, "sockets", cpu->sockets);
      set_number (child, "cores", cpu->cores);
      set_number (child, "threads", cpu->threads);
    }
}

static void
add_feature (xmlNode *features, const char *name, P2vTristate wanted, gboolean machine)
{
  if (wanted == P2V_YES || (wanted == P2V_UNSET && machine))
    add (features, name, NULL);
}

static void
add_platform (xmlNode *domain, const P2vRequest *request)
{
  const P2vGuest *guest = request->guest;
  const P2vCpu *cpu = request->machine->cpu;
  gboolean bios = g_str_equal (p2v_request_firmware (request), P2V_FIRMWARE_BIOS);
  xmlNode *os = add (domain, "os", NULL);
  /* Said either way: without it virt-v2v guesses from the disk, and a BIOS machine may well have
   * an EFI system partition. */
  set (os, "firmware", bios ? "bios" : "efi");
  set (add (os, "type", "hvm"), "arch", "x86_64");
  xmlNode *features = add (domain, "features", NULL);
  add_feature (features, "acpi", guest->acpi, cpu == NULL || cpu->acpi);
  add_feature (features, "apic", guest->apic, cpu == NULL || cpu->apic);
  add_feature (features, "pae", guest->pae, cpu == NULL || cpu->pae);
  set (add (domain, "clock", NULL), "offset",
       g_strcmp0 (guest->rtc_basis, "localtime") == 0 ? "localtime" : "utc");
}

/* libvirt's name for the bus a disk was on, NULL for one that virt-v2v has no use for (it then
 * takes the disk for an IDE one: /dev/sdX). */
static const char *
source_bus (const P2vMachine *machine, const char *disk)
{
  static const char *const names[][2] = {
    { "ata", "sata" }, { "sata", "sata" }, { "scsi", "scsi" },     { "sas", "scsi" },
    { "ide", "ide" },  { "usb", "scsi" },  { "virtio", "virtio" },
  };
  for (guint i = 0; i < machine->disks->len; i++)
    {
      const P2vDisk *candidate = machine->disks->pdata[i];
      if (strcmp (candidate->name, disk) != 0)
        continue;
      for (gsize n = 0; n < G_N_ELEMENTS (names); n++)
        if (g_strcmp0 (candidate->bus, names[n][0]) == 0)
          return names[n][1];
    }
  return NULL;
}

/* "a", …, "z", "aa", …: how Linux counts disks. */
static char *
drive_letters (guint index)
{
  g_autoptr (GString) letters = g_string_new (NULL);
  for (guint n = index + 1; n > 0; n = (n - 1) / 26)
    g_string_prepend_c (letters, (char)('a' + (n - 1) % 26));
  return g_strdup (letters->str);
}

static void
add_disk (xmlNode *devices, const P2vJob *job, guint index, const char *path, const char *format)
{
  const P2vImage *image = job->plan->images->pdata[index];
  const char *bus = source_bus (job->request->machine, image->disk);
  xmlNode *disk = add (devices, "disk", NULL);
  /* For a block device too: as a file it is opened by the same programs in the same way. */
  set (disk, "type", "file");
  set (disk, "device", "disk");
  xmlNode *driver = add (disk, "driver", NULL);
  set (driver, "name", "qemu");
  set (driver, "type", format == NULL ? image->format : format);
  set (add (disk, "source", NULL), "file", path);
  g_autofree char *letters = drive_letters (index);
  g_autofree char *device
      = g_strconcat (g_strcmp0 (bus, "virtio") == 0 ? "vd" : "sd", letters, NULL);
  xmlNode *target = add (disk, "target", NULL);
  set (target, "dev", device);
  set (target, "bus", bus);
}

static void
add_nic (xmlNode *devices, const P2vPlanNic *nic)
{
  /* virt-v2v knows networks and bridges and leaves out everything else, which would lose the
   * interface's address; what QEMU's own network becomes is the target's decision. */
  gboolean bridge = strcmp (nic->type, "bridge") == 0;
  xmlNode *node = add (devices, "interface", NULL);
  set (node, "type", bridge ? "bridge" : "network");
  if (nic->mac != NULL)
    set (add (node, "mac", NULL), "address", nic->mac);
  set (add (node, "source", NULL), bridge ? "bridge" : "network",
       nic->source == NULL ? "default" : nic->source);
}

static void
add_removables (xmlNode *devices, const P2vGuest *guest)
{
  for (gsize i = 0; guest->removables != NULL && guest->removables[i] != NULL; i++)
    {
      xmlNode *disk = add (devices, "disk", NULL);
      set (disk, "type", "file");
      set (disk, "device", "cdrom");
      set (add (disk, "target", NULL), "dev", guest->removables[i]);
    }
}

char *
p2v_v2v_build_xml (const P2vJob *job, char *const *paths, const char *format)
{
  const P2vRequest *request = job->request;
  g_autoptr (xmlDoc) document = xmlNewDoc (BAD_CAST "1.0");
  xmlNode *domain = xmlNewDocNode (document, NULL, BAD_CAST "domain", NULL);
  xmlDocSetRootElement (document, domain);
  set (domain, "type", "physical"); /* virt-v2v's name for a machine that is none of a hypervisor */
  add (domain, "name", request->guest->name);
  /* virt-v2v reads KiB, whatever the unit attribute says. */
  xmlNode *memory
      = p2v_xml_add (domain, "memory", "%" G_GINT64_FORMAT, request->guest->memory / 1024);
  set (memory, "unit", "KiB");
  p2v_xml_add (domain, "vcpu", "%" G_GINT64_FORMAT, request->guest->vcpus);
  add_cpu (domain, request);
  add_platform (domain, request);
  xmlNode *devices = add (domain, "devices", NULL);
  for (guint i = 0; i < job->plan->images->len; i++)
    add_disk (devices, job, i, paths[i], format);
  for (guint i = 0; i < job->plan->nics->len; i++)
    add_nic (devices, job->plan->nics->pdata[i]);
  add_removables (devices, request->guest);

  return p2v_xml_to_text (document);
}
