/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/request.h"

#include "common/error.h"

#include <string.h>

/* Longest name that libvirt, an LVM volume and a file with our suffixes all accept with room. */
#define MAX_NAME_LENGTH 64

#define MIN_MEMORY (G_GINT64_CONSTANT (1) << 20)
#define MAX_MEMORY (G_GINT64_CONSTANT (1) << 50)
#define MAX_VCPUS 65536

static const P2vField guest_nic_fields[] = {
  P2V_FIELD (STRING, P2vGuestNic, nic),
  P2V_FIELD (STRING, P2vGuestNic, network),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vGuestNic, p2v_guest_nic, "guest nic", guest_nic_fields)

static const P2vField guest_fields[] = {
  P2V_FIELD (STRING, P2vGuest, name),
  P2V_FIELD (BOOLEAN, P2vGuest, phys_topo),
  P2V_FIELD_RANGE (P2vGuest, vcpus, 0, MAX_VCPUS),
  P2V_FIELD_RANGE (P2vGuest, memory, 0, MAX_MEMORY),
  P2V_FIELD (STRING, P2vGuest, firmware),
  P2V_FIELD (STRING, P2vGuest, cpu_vendor),
  P2V_FIELD (STRING, P2vGuest, cpu_model),
  P2V_FIELD (TRISTATE, P2vGuest, acpi),
  P2V_FIELD (TRISTATE, P2vGuest, apic),
  P2V_FIELD (TRISTATE, P2vGuest, pae),
  P2V_FIELD (STRING, P2vGuest, rtc_basis),
  P2V_FIELD_RANGE (P2vGuest, rtc_offset, -86400, 86400),
  P2V_FIELD (STRV, P2vGuest, disks),
  P2V_FIELD (STRV, P2vGuest, removables),
  P2V_FIELD_NESTED (ARRAY, P2vGuest, nics, &p2v_guest_nic_schema),
  P2V_FIELD (STRING, P2vGuest, root),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vGuest, p2v_guest, "guest", guest_fields)

static const P2vField output_fields[] = {
  P2V_FIELD (STRING, P2vOutput, profile),
  P2V_FIELD (STRING, P2vOutput, mode),
  P2V_FIELD (STRING, P2vOutput, connection),
  P2V_FIELD (STRING, P2vOutput, storage),
  P2V_FIELD (STRING, P2vOutput, format),
  P2V_FIELD (STRING, P2vOutput, allocation),
  P2V_FIELD (STRV, P2vOutput, options),
  P2V_FIELD (STRING, P2vOutput, verify),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vOutput, p2v_output, "output", output_fields)

static const P2vField request_fields[] = {
  P2V_FIELD_NESTED (OBJECT, P2vRequest, machine, &p2v_machine_schema),
  P2V_FIELD_NESTED (OBJECT, P2vRequest, guest, &p2v_guest_schema),
  P2V_FIELD_NESTED (OBJECT, P2vRequest, output, &p2v_output_schema),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vRequest, p2v_request, "request", request_fields)

static gboolean
is_name_character (char c)
{
  return g_ascii_isalnum (c) || strchr ("-_.+", c) != NULL;
}

gboolean
p2v_name_is_plain (const char *text)
{
  if (text == NULL || !(g_ascii_isalnum (text[0]) || text[0] == '_'))
    return FALSE;
  gsize length = 0;
  for (; text[length] != '\0'; length++)
    if (length == MAX_NAME_LENGTH || !is_name_character (text[length]))
      return FALSE;
  return TRUE;
}

gboolean
p2v_guest_name_check (const char *name, GError **error)
{
  if (p2v_name_is_plain (name))
    return TRUE;
  g_autofree char *start = g_strndup (name != NULL ? name : "", MAX_NAME_LENGTH);
  g_autofree char *shown = g_strescape (start, NULL);
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_REFUSED,
      "the guest name \"%s\" cannot be used: 1 to %d letters, digits, \"-\", \"_\", \".\" or "
      "\"+\", starting with a letter, digit or \"_\". Give another with p2v.name=NAME.",
      shown, MAX_NAME_LENGTH);
  return FALSE;
}

char *
p2v_guest_name_from (const char *text)
{
  GString *name = g_string_new (NULL);
  for (; *text != '\0' && name->len < MAX_NAME_LENGTH; text++)
    {
      gboolean fits
          = name->len == 0 ? g_ascii_isalnum (*text) || *text == '_' : is_name_character (*text);
      if (fits)
        g_string_append_c (name, *text);
    }
  return g_string_free (name, name->len == 0);
}

static gboolean
refuse (GError **error, const char *format, const char *detail)
{
  g_autofree char *shown = g_strescape (detail != NULL ? detail : "", NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED, format, shown);
  return FALSE;
}

static gboolean
check_disk (const P2vMachine *machine, const char *name, GError **error)
{
  const P2vDisk *disk = p2v_machine_find_disk (machine, name);
  if (disk == NULL)
    return refuse (error, "the machine has no disk \"%s\"", name);
  if (!p2v_name_is_plain (disk->name))
    return refuse (error, "the disk name \"%s\" cannot be used in a file name", disk->name);
  if (!p2v_disk_is_convertible (disk))
    return refuse (error,
                   "disk %s is not one to convert: it is empty, part of an array, or the medium "
                   "that the machine was booted from",
                   disk->name);
  if (disk->size % 512 != 0)
    return refuse (error, "the size of disk %s is not a whole number of 512-byte sectors",
                   disk->name);
  return TRUE;
}

static gboolean
check_disks (const P2vRequest *request, GError **error)
{
  char **disks = request->guest->disks;
  if (disks == NULL || disks[0] == NULL)
    return refuse (error, "no disk to convert was named%s", "");
  for (gsize i = 0; disks[i] != NULL; i++)
    {
      if (!check_disk (request->machine, disks[i], error))
        return FALSE;
      const P2vDisk *disk = p2v_machine_find_disk (request->machine, disks[i]);
      for (gsize k = 0; k < i; k++)
        if (g_strcmp0 (p2v_machine_find_disk (request->machine, disks[k])->name, disk->name) == 0)
          return refuse (error, "disk %s is named twice", disk->name);
    }
  return TRUE;
}

static gboolean
check_devices (const P2vRequest *request, GError **error)
{
  char **removables = request->guest->removables;
  for (gsize i = 0; removables != NULL && removables[i] != NULL; i++)
    if (p2v_machine_find_removable (request->machine, removables[i]) == NULL)
      return refuse (error, "the machine has no removable drive \"%s\"", removables[i]);
  for (guint i = 0; i < request->guest->nics->len; i++)
    {
      const P2vGuestNic *nic = request->guest->nics->pdata[i];
      if (p2v_machine_find_nic (request->machine, nic->nic) == NULL)
        return refuse (error, "the machine has no network interface \"%s\"", nic->nic);
      if (!p2v_name_is_plain (nic->network))
        return refuse (error, "the network name \"%s\" cannot be used", nic->network);
    }
  return TRUE;
}

const char *
p2v_machine_firmware (const P2vMachine *machine)
{
  const P2vFirmware *firmware = machine->firmware;
  if (firmware == NULL || g_strcmp0 (firmware->type, "uefi") != 0)
    return P2V_FIRMWARE_BIOS;
  return firmware->secure_boot ? P2V_FIRMWARE_UEFI_SECURE : P2V_FIRMWARE_UEFI;
}

const char *
p2v_request_firmware (const P2vRequest *request)
{
  const char *wanted = request->guest->firmware;
  return wanted != NULL ? wanted : p2v_machine_firmware (request->machine);
}

static gboolean
check_guest (const P2vGuest *guest, GError **error)
{
  static const char *const firmwares[]
      = { P2V_FIRMWARE_BIOS, P2V_FIRMWARE_UEFI, P2V_FIRMWARE_UEFI_SECURE, NULL };
  if (guest->vcpus < 1 || guest->memory < MIN_MEMORY)
    return refuse (error, "guest %s: number of CPUs and memory must be given", guest->name);
  if (guest->firmware != NULL && !g_strv_contains (firmwares, guest->firmware))
    return refuse (error, "the guest's firmware \"%s\" is not one of bios, uefi, uefi-secure",
                   guest->firmware);
  if (g_strcmp0 (guest->rtc_basis, "utc") != 0 && g_strcmp0 (guest->rtc_basis, "localtime") != 0
      && g_strcmp0 (guest->rtc_basis, "unknown") != 0)
    return refuse (error, "the clock basis \"%s\" is not one of utc, localtime, unknown",
                   guest->rtc_basis);
  /* virt-v2v takes a device here; "ask" would wait for a person who is not there. */
  if (guest->root != NULL && strcmp (guest->root, "first") != 0
      && strcmp (guest->root, "single") != 0 && !g_str_has_prefix (guest->root, "/dev/")
      && !g_str_has_prefix (guest->root, "btrfsvol:/dev/"))
    return refuse (error,
                   "the root \"%s\" is not one of first, single, /dev/NAME, "
                   "btrfsvol:/dev/NAME/SUBVOLUME",
                   guest->root);
  return TRUE;
}

static gboolean
check_output (const P2vOutput *output, GError **error)
{
  if (output->verify != NULL && strcmp (output->verify, "full") != 0
      && strcmp (output->verify, "off") != 0)
    return refuse (error, "the verification \"%s\" is not one of full, off", output->verify);
  return TRUE;
}

gboolean
p2v_request_check_outline (const P2vRequest *request, GError **error)
{
  const P2vMachine *machine = request->machine;
  if (machine == NULL || request->guest == NULL || request->output == NULL)
    return refuse (error, "the request lacks its machine, guest or output%s", "");
  if (machine->cpu == NULL || machine->firmware == NULL || machine->clock == NULL
      || machine->smbios == NULL)
    return refuse (error, "the machine lacks its cpu, firmware, clock or smbios%s", "");
  return p2v_guest_name_check (request->guest->name, error);
}

gboolean
p2v_request_check (const P2vRequest *request, GError **error)
{
  if (!p2v_request_check_outline (request, error))
    return FALSE;
  const P2vFirmware *firmware = request->machine->firmware;
  if (g_strcmp0 (firmware->type, "bios") != 0 && g_strcmp0 (firmware->type, "uefi") != 0)
    return refuse (error, "the firmware type \"%s\" is not one of bios, uefi", firmware->type);
  return check_guest (request->guest, error) && check_disks (request, error)
         && check_devices (request, error) && check_output (request->output, error);
}

P2vRequest *
p2v_request_new_outline (const char *name)
{
  P2vRequest *request = p2v_request_new ();
  request->machine = p2v_machine_new ();
  request->machine->cpu = p2v_cpu_new ();
  request->machine->firmware = p2v_firmware_new ();
  request->machine->clock = p2v_clock_new ();
  request->machine->smbios = p2v_smbios_new ();
  request->guest = p2v_guest_new ();
  request->guest->name = g_strdup (name);
  request->output = p2v_output_new ();
  return request;
}
