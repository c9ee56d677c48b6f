/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/domain-parts.h"

#include "common/error.h"
#include "p2v-server/osinfo.h"

#include <libxml/tree.h>
#include <string.h>

#define OSINFO_NAMESPACE "http://libosinfo.org/xmlns/libvirt/domain/1.0"

#define KIB 1024

void
p2v_domain_set (xmlNode *node, const char *name, const char *value)
{
  if (value != NULL)
    xmlNewProp (node, BAD_CAST name, BAD_CAST value);
}

void
p2v_domain_set_int (xmlNode *node, const char *name, gint64 value)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, value);
  p2v_domain_set (node, name, text);
}

void
p2v_domain_warn (const P2vDomainContext *context, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_ptr_array_add (context->warnings, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

char *
p2v_domain_machine_uuid (const P2vMachine *machine)
{
  const char *uuid = machine != NULL && machine->smbios != NULL ? machine->smbios->uuid : NULL;
  if (uuid == NULL || !g_uuid_string_is_valid (uuid))
    return NULL;
  g_autofree char *lower = g_ascii_strdown (uuid, -1);
  /* Boards whose maker never set one carry all zeroes, all ones, or the sample of a BIOS vendor,
   * 03000200-0400-0500-0006-000700080009. */
  gboolean same = TRUE;
  for (const char *c = lower; *c != '\0'; c++)
    same = same && (*c == '-' || *c == lower[0]);
  if (same || strcmp (lower, "03000200-0400-0500-0006-000700080009") == 0)
    return NULL;
  return g_steal_pointer (&lower);
}

char *
p2v_domain_nvram_path (const char *nvram_dir, const char *guest)
{
  g_autofree char *name = g_strconcat (guest, "_VARS.fd", NULL);
  return g_build_filename (nvram_dir, name, NULL);
}

static void
add_metadata (const P2vDomainContext *context, xmlNode *domain)
{
  if (!p2v_osinfo_is_installed ())
    {
      p2v_domain_warn (context, "the guest carries no libosinfo metadata: the database is not "
                                "installed. Install the package osinfo-db for the next one.");
      return;
    }
  g_autofree char *id = p2v_osinfo_find_id (context->report->os);
  if (id == NULL)
    return;
  xmlNode *metadata = p2v_xml_add (domain, "metadata", NULL);
  xmlNode *libosinfo = p2v_xml_add (metadata, "libosinfo", NULL);
  xmlNs *namespace = xmlNewNs (libosinfo, BAD_CAST OSINFO_NAMESPACE, BAD_CAST "libosinfo");
  xmlSetNs (libosinfo, namespace);
  /* The child inherits its parent's namespace. */
  p2v_domain_set (p2v_xml_add (libosinfo, "os", NULL), "id", id);
}

static void
add_memory (const P2vDomainContext *context, xmlNode *domain)
{
  g_autofree char *kib = g_strdup_printf ("%" G_GINT64_FORMAT, context->guest->memory / KIB);
  p2v_domain_set (p2v_xml_add (domain, "memory", "%s", kib), "unit", "KiB");
  p2v_domain_set (p2v_xml_add (domain, "currentMemory", "%s", kib), "unit", "KiB");
}

static void
add_firmware_feature (xmlNode *firmware, const char *name, gboolean enabled)
{
  xmlNode *feature = p2v_xml_add (firmware, "feature", NULL);
  p2v_domain_set (feature, "enabled", enabled ? "yes" : "no");
  p2v_domain_set (feature, "name", name);
}

static void
add_uefi (const P2vDomainContext *context, xmlNode *os)
{
  const P2vFirmwareImage *uefi = context->uefi;
  if (context->nvram_dir == NULL)
    {
      /* libvirt chooses the files itself, and again when they move in an upgrade. */
      p2v_domain_set (os, "firmware", "efi");
      xmlNode *firmware = p2v_xml_add (os, "firmware", NULL);
      if (uefi->secure_boot)
        add_firmware_feature (firmware, "enrolled-keys", TRUE);
      add_firmware_feature (firmware, "secure-boot", uefi->secure_boot);
      return;
    }
  xmlNode *loader = p2v_xml_add (os, "loader", "%s", uefi->code);
  p2v_domain_set (loader, "readonly", "yes");
  p2v_domain_set (loader, "secure", uefi->secure_boot ? "yes" : "no");
  p2v_domain_set (loader, "type", "pflash");
  g_autofree char *path = p2v_domain_nvram_path (context->nvram_dir, context->guest->name);
  p2v_domain_set (p2v_xml_add (os, "nvram", "%s", path), "template", uefi->vars);
}

/* TRUE for text that SMBIOS strings can carry unchanged. */
static gboolean
is_printable (const char *text)
{
  if (text == NULL || *text == '\0')
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isprint (*text))
      return FALSE;
  return TRUE;
}

/* Licences and inventories are tied to the serial number and the UUID, so the guest keeps them.
 * Maker and product stay QEMU's: kernels choose workarounds for faulty boards by them, and tools
 * that look for a maker's management hardware would look for it here. */
static void
add_sysinfo (const P2vDomainContext *context, xmlNode *domain, xmlNode *os)
{
  const P2vSmbios *smbios = context->machine->smbios;
  g_autofree char *uuid = p2v_domain_machine_uuid (context->machine);
  gboolean has_serial = smbios != NULL && is_printable (smbios->serial);
  /* libvirt demands that the UUID be the domain's, which it is not when that was taken. */
  gboolean has_uuid = g_strcmp0 (uuid, context->uuid) == 0;
  if (!has_serial && !has_uuid)
    return;
  p2v_domain_set (p2v_xml_add (os, "smbios", NULL), "mode", "sysinfo");
  xmlNode *sysinfo = p2v_xml_add (domain, "sysinfo", NULL);
  p2v_domain_set (sysinfo, "type", "smbios");
  xmlNode *system = p2v_xml_add (sysinfo, "system", NULL);
  if (has_serial)
    p2v_domain_set (p2v_xml_add (system, "entry", "%s", smbios->serial), "name", "serial");
  if (has_uuid)
    p2v_domain_set (p2v_xml_add (system, "entry", "%s", uuid), "name", "uuid");
}

static void
add_os (const P2vDomainContext *context, xmlNode *domain)
{
  xmlNode *os = p2v_xml_add (domain, "os", NULL);
  xmlNode *type = p2v_xml_add (os, "type", "%s", "hvm");
  /* The processor was a 64-bit one, or the live system would not have run; a 32-bit guest runs on
   * it as it did before. */
  p2v_domain_set (type, "arch", "x86_64");
  p2v_domain_set (type, "machine", context->q35 ? "q35" : "pc");
  if (context->uefi != NULL)
    add_uefi (context, os);
  add_sysinfo (context, domain, os);
}

/* Decides on type and firmware; what does not depend on a choice is filled in by the caller. */
static gboolean
decide (P2vDomainContext *context, GError **error)
{
  const char *firmware = p2v_request_firmware (context->request);
  const P2vReport *report = context->report;
  context->windows = g_strcmp0 (report->os_type, "windows") == 0;
  if (!g_str_equal (firmware, P2V_FIRMWARE_BIOS))
    {
      gboolean secure_boot = g_str_equal (firmware, P2V_FIRMWARE_UEFI_SECURE);
      context->uefi = p2v_firmware_image_find (secure_boot, error);
      if (context->uefi == NULL)
        return FALSE;
    }
  /* Secure Boot needs q35's protected memory, and whatever starts by UEFI knows PCI Express. */
  context->q35 = context->uefi != NULL || g_strcmp0 (report->machine, "q35") == 0;
  /* Behind PCI Express "virtio" means version 1.0 only; drivers older than that need a device that
   * speaks both. On i440fx every virtio device does. */
  context->virtio_model = context->q35 && !report->virtio_1_0 ? "virtio-transitional" : "virtio";
  if (!context->hypervisor->kvm)
    p2v_domain_warn (context,
                     "the guest is defined without KVM and will be slow: %s When KVM works, change "
                     "its domain type from \"qemu\" to \"kvm\" with \"virsh edit %s\".",
                     context->hypervisor->kvm_problem != NULL ? context->hypervisor->kvm_problem
                                                              : "KVM does not work here.",
                     context->guest->name);
  return TRUE;
}

static void
write_domain (P2vDomainContext *context, xmlNode *domain)
{
  p2v_domain_set (domain, "type", context->hypervisor->kvm ? "kvm" : "qemu");
  p2v_xml_add (domain, "name", "%s", context->guest->name);
  p2v_xml_add (domain, "uuid", "%s", context->uuid);
  add_metadata (context, domain);
  add_memory (context, domain);
  p2v_domain_add_vcpu (context, domain);
  add_os (context, domain);
  p2v_domain_add_features (context, domain);
  p2v_domain_add_cpu (context, domain);
  p2v_domain_add_clock (context, domain);
  p2v_xml_add (domain, "on_poweroff", "%s", "destroy");
  p2v_xml_add (domain, "on_reboot", "%s", "restart");
  p2v_xml_add (domain, "on_crash", "%s", "restart");
  xmlNode *devices = p2v_xml_add (domain, "devices", NULL);
  p2v_domain_add_disks (context, devices);
  p2v_domain_add_devices (context, devices);
}

char *
p2v_domain_build (const P2vRequest *request, const P2vPlan *plan, const P2vReport *report,
                  const P2vHypervisor *hypervisor, const char *uuid, const char *nvram_dir,
                  GPtrArray *warnings, GError **error)
{
  P2vDomainContext context = {
    .request = request,
    .machine = request->machine,
    .guest = request->guest,
    .plan = plan,
    .report = report,
    .hypervisor = hypervisor,
    .uuid = uuid,
    .nvram_dir = nvram_dir,
    .warnings = warnings,
  };
  if (!decide (&context, error))
    return NULL;
  g_autoptr (xmlDoc) doc = xmlNewDoc (BAD_CAST "1.0");
  xmlNode *domain = xmlNewNode (NULL, BAD_CAST "domain");
  xmlDocSetRootElement (doc, domain);
  write_domain (&context, domain);
  p2v_firmware_image_free (context.uefi);
  return p2v_xml_to_text (doc);
}
