/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/domain-parts.h"

#include <string.h>

/* See domain-cpu.c: above this many processors q35 needs an interrupt remapping unit. */
#define XAPIC_VCPUS 255

#define AGENT_CHANNEL "org.qemu.guest_agent.0"

static const char *
nic_model (const P2vDomainContext *context)
{
  const char *bus = context->report->net_bus;
  if (g_strcmp0 (bus, "virtio-net") == 0)
    return context->virtio_model;
  /* On PCI Express its successor, for which every system that knows q35 has a driver. */
  if (g_strcmp0 (bus, "e1000") == 0)
    return context->q35 ? "e1000e" : "e1000";
  return "rtl8139";
}

static void
add_nics (const P2vDomainContext *context, xmlNode *devices)
{
  for (guint i = 0; i < context->plan->nics->len; i++)
    {
      const P2vPlanNic *nic = context->plan->nics->pdata[i];
      xmlNode *interface = p2v_xml_add (devices, "interface", NULL);
      p2v_domain_set (interface, "type", nic->type);
      if (nic->mac != NULL)
        p2v_domain_set (p2v_xml_add (interface, "mac", NULL), "address", nic->mac);
      if (nic->source != NULL) /* the attribute has the type's name: network='…', bridge='…' */
        p2v_domain_set (p2v_xml_add (interface, "source", NULL), nic->type, nic->source);
      p2v_domain_set (p2v_xml_add (interface, "model", NULL), "type", nic_model (context));
    }
}

static void
add_serial_console (xmlNode *devices)
{
  xmlNode *serial = p2v_xml_add (devices, "serial", NULL);
  p2v_domain_set (serial, "type", "pty");
  xmlNode *port = p2v_xml_add (serial, "target", NULL);
  p2v_domain_set (port, "type", "isa-serial");
  p2v_domain_set (port, "port", "0");
  xmlNode *console = p2v_xml_add (devices, "console", NULL);
  p2v_domain_set (console, "type", "pty");
  xmlNode *target = p2v_xml_add (console, "target", NULL);
  p2v_domain_set (target, "type", "serial");
  p2v_domain_set (target, "port", "0");
}

static void
add_agent_channel (const P2vDomainContext *context, xmlNode *devices)
{
  /* Also for a guest without the driver: it can be installed later, and the agent then works. */
  xmlNode *controller = p2v_xml_add (devices, "controller", NULL);
  p2v_domain_set (controller, "type", "virtio-serial");
  p2v_domain_set (controller, "index", "0");
  if (strcmp (context->virtio_model, "virtio") != 0)
    p2v_domain_set (controller, "model", context->virtio_model);
  xmlNode *channel = p2v_xml_add (devices, "channel", NULL);
  p2v_domain_set (channel, "type", "unix");
  xmlNode *target = p2v_xml_add (channel, "target", NULL);
  p2v_domain_set (target, "type", "virtio");
  p2v_domain_set (target, "name", AGENT_CHANNEL);
}

static void
add_input (xmlNode *devices, const char *type, const char *bus)
{
  xmlNode *input = p2v_xml_add (devices, "input", NULL);
  p2v_domain_set (input, "type", type);
  p2v_domain_set (input, "bus", bus);
}

static void
add_display (const P2vDomainContext *context, xmlNode *devices)
{
  /* The tablet makes the pointer follow; the PS/2 devices work before there is a USB driver. */
  add_input (devices, "tablet", "usb");
  add_input (devices, "mouse", "ps2");
  add_input (devices, "keyboard", "ps2");
  /* Nobody but this server's own users until an administrator says so. */
  xmlNode *graphics = p2v_xml_add (devices, "graphics", NULL);
  p2v_domain_set (graphics, "type", "vnc");
  p2v_domain_set (graphics, "port", "-1");
  p2v_domain_set (graphics, "autoport", "yes");
  xmlNode *listen = p2v_xml_add (graphics, "listen", NULL);
  p2v_domain_set (listen, "type", "address");
  p2v_domain_set (listen, "address", "127.0.0.1");
  /* Every system and every firmware has a driver for VGA. Not qxl even where virt-v2v finds its
   * driver: newer builds of QEMU have dropped it, and it is a VGA to drivers that do not know it.
   */
  gboolean cirrus = g_strcmp0 (context->report->video, "cirrus") == 0;
  xmlNode *model = p2v_xml_add (p2v_xml_add (devices, "video", NULL), "model", NULL);
  p2v_domain_set (model, "type", cirrus ? "cirrus" : "vga");
  p2v_domain_set (model, "vram", "16384");
  p2v_domain_set (model, "heads", "1");
}

static void
add_tpm (const P2vDomainContext *context, xmlNode *devices)
{
  const P2vFirmware *firmware = context->machine->firmware;
  if (firmware == NULL || firmware->tpm == NULL)
    return;
  if (!context->hypervisor->tpm)
    {
      p2v_domain_warn (context,
                       "the machine has a TPM %s and the guest has none: the TPM emulator is not "
                       "installed. Install the packages swtpm and swtpm-tools and add the TPM with "
                       "\"virsh edit %s\".",
                       firmware->tpm, context->guest->name);
      return;
    }
  gboolean old = strcmp (firmware->tpm, "1.2") == 0;
  xmlNode *tpm = p2v_xml_add (devices, "tpm", NULL);
  p2v_domain_set (tpm, "model", old ? "tpm-tis" : "tpm-crb"); /* the second does not speak 1.2 */
  xmlNode *backend = p2v_xml_add (tpm, "backend", NULL);
  p2v_domain_set (backend, "type", "emulator");
  p2v_domain_set (backend, "version", old ? "1.2" : "2.0");
  p2v_domain_warn (context,
                   "the guest's TPM is a new, empty one: what the machine's TPM guards (BitLocker, "
                   "LUKS keys) stays there. Have the recovery keys at hand for the first start.");
}

static void
add_virtio_helpers (const P2vDomainContext *context, xmlNode *devices)
{
  const P2vReport *report = context->report;
  if (report->virtio_rng)
    {
      xmlNode *rng = p2v_xml_add (devices, "rng", NULL);
      p2v_domain_set (rng, "model", context->virtio_model);
      p2v_domain_set (p2v_xml_add (rng, "backend", "%s", "/dev/urandom"), "model", "random");
    }
  /* Without the element libvirt adds a balloon of its own. */
  p2v_domain_set (p2v_xml_add (devices, "memballoon", NULL), "model",
                  report->virtio_balloon ? context->virtio_model : "none");
  if (report->pvpanic)
    p2v_domain_set (p2v_xml_add (devices, "panic", NULL), "model", "isa");
}

static void
add_interrupt_remapping (const P2vDomainContext *context, xmlNode *devices)
{
  if (context->vcpus <= XAPIC_VCPUS)
    return;
  xmlNode *iommu = p2v_xml_add (devices, "iommu", NULL);
  p2v_domain_set (iommu, "model", "intel");
  xmlNode *driver = p2v_xml_add (iommu, "driver", NULL);
  p2v_domain_set (driver, "intremap", "on");
  p2v_domain_set (driver, "eim", "on");
}

/* The virtio socket that virt-v2v reports is left out: the guest would not start on a server
 * without the vhost_vsock module, and no machine had one. */
void
p2v_domain_add_devices (const P2vDomainContext *context, xmlNode *devices)
{
  add_nics (context, devices);
  add_serial_console (devices);
  add_agent_channel (context, devices);
  add_display (context, devices);
  add_tpm (context, devices);
  add_virtio_helpers (context, devices);
  add_interrupt_remapping (context, devices);
}
