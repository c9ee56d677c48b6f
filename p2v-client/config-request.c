/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/config.h"

#include "common/error.h"
#include "p2v-client/inventory.h"
#include "p2v-client/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MEBIBYTE (G_GINT64_CONSTANT (1) << 20)

/* The names of things, as an error lists those there are. */
static char *
list_names (GPtrArray *items, const char *(*name_of) (gconstpointer item))
{
  GString *names = g_string_new (NULL);
  for (guint i = 0; i < items->len; i++)
    if (name_of (items->pdata[i]) != NULL)
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", name_of (items->pdata[i]));
  if (names->len == 0)
    g_string_append (names, "none");
  return g_string_free (names, FALSE);
}

static const char *
convertible_disk_name (gconstpointer item)
{
  const P2vDisk *disk = item;
  return p2v_disk_is_convertible (disk) ? disk->name : NULL;
}

static const char *
removable_name (gconstpointer item)
{
  return ((const P2vRemovable *)item)->name;
}

static const char *
nic_name (gconstpointer item)
{
  return ((const P2vNic *)item)->name;
}

static gboolean
check_convertible (const P2vDisk *disk, GError **error)
{
  if (p2v_disk_is_convertible (disk))
    return TRUE;
  if (disk->live_medium)
    g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                 "disk %s is the medium that this system was booted from, which is not converted. "
                 "Leave it out of p2v.disks.",
                 disk->name);
  else if (disk->member_of != NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                 "disk %s is only a part of %s. Convert that with p2v.disks=%s.", disk->name,
                 disk->member_of, disk->member_of);
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                 "disk %s has no size: there is no medium in it, or it does not answer. Leave it "
                 "out of p2v.disks, or check its cable.",
                 disk->name);
  return FALSE;
}

/* A file's name becomes a disk's: it must be plain, and no other disk may have it. */
static void
make_name_unique (P2vDisk *disk, const P2vMachine *machine)
{
  g_autofree char *plain = p2v_guest_name_from (disk->name);
  g_autofree char *base = plain != NULL ? g_steal_pointer (&plain) : g_strdup ("disk");
  g_free (disk->name);
  disk->name = g_strdup (base);
  for (guint i = 2; p2v_machine_find_disk (machine, disk->name) != NULL; i++)
    {
      g_free (disk->name);
      disk->name = g_strdup_printf ("%.50s-%u", base, i);
    }
}

/* An absolute path: a link to a disk of the machine (/dev/disk/by-id/...), or a file. */
static P2vDisk *
find_by_path (P2vMachine *machine, const char *path, GError **error)
{
  g_autofree char *shown = p2v_text_printable (path);
  char *resolved = realpath (path, NULL);
  if (resolved == NULL)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "cannot use disk %s: %s. Check the path in p2v.disks.", shown,
                   g_strerror (errno));
      return NULL;
    }
  P2vDisk *disk = p2v_machine_find_disk (machine, resolved);
  free (resolved);
  if (disk != NULL)
    return disk;
  disk = p2v_inventory_describe_file (path, error);
  if (disk == NULL)
    return NULL;
  make_name_unique (disk, machine);
  g_ptr_array_add (machine->disks, disk);
  return disk;
}

static P2vDisk *
find_disk (P2vMachine *machine, const char *name, GError **error)
{
  P2vDisk *disk = p2v_machine_find_disk (machine, name);
  if (disk == NULL && name[0] == '/')
    disk = find_by_path (machine, name, error);
  else if (disk == NULL)
    {
      g_autofree char *shown = p2v_text_printable (name);
      g_autofree char *names = list_names (machine->disks, convertible_disk_name);
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "this machine has no disk \"%s\". Disks it has: %s. Correct p2v.disks; for a "
                   "disk that should be there, check its cable and controller.",
                   shown, names);
    }
  return disk != NULL && check_convertible (disk, error) ? disk : NULL;
}

static gboolean
add_disk (GPtrArray *names, const P2vDisk *disk, GError **error)
{
  if (g_ptr_array_find_with_equal_func (names, disk->name, g_str_equal, NULL))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "p2v.disks names disk %s twice. Leave one of them out.", disk->name);
      return FALSE;
    }
  g_ptr_array_add (names, g_strdup (disk->name));
  return TRUE;
}

static gboolean
fill_disks (const P2vConfig *config, P2vRequest *request, GError **error)
{
  P2vMachine *machine = request->machine;
  g_autoptr (GPtrArray) names = g_ptr_array_new_null_terminated (8, g_free, TRUE);
  for (gsize i = 0; config->disks != NULL && config->disks[i] != NULL; i++)
    {
      P2vDisk *disk = find_disk (machine, config->disks[i], error);
      if (disk == NULL || !add_disk (names, disk, error))
        return FALSE;
    }
  for (guint i = 0; config->disks == NULL && i < machine->disks->len; i++)
    if (convertible_disk_name (machine->disks->pdata[i]) != NULL)
      g_ptr_array_add (names, g_strdup (convertible_disk_name (machine->disks->pdata[i])));
  if (names->len == 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_SOURCE,
                   "this machine has no disk that can be converted. Check that its disks have "
                   "power and that the kernel has a driver for their controller (p2v-client "
                   "--inventory shows what was found).");
      return FALSE;
    }
  request->guest->disks = (char **)g_ptr_array_steal (names, NULL);
  return TRUE;
}

static gboolean
fill_removables (const P2vConfig *config, P2vRequest *request, GError **error)
{
  const P2vMachine *machine = request->machine;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (gsize i = 0; config->removables != NULL && config->removables[i] != NULL; i++)
    {
      const P2vRemovable *removable = p2v_machine_find_removable (machine, config->removables[i]);
      if (removable == NULL)
        {
          g_autofree char *shown = p2v_text_printable (config->removables[i]);
          g_autofree char *names = list_names (machine->removables, removable_name);
          g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                       "this machine has no removable drive \"%s\". Drives it has: %s. Correct "
                       "p2v.removable.",
                       shown, names);
          return FALSE;
        }
      g_strv_builder_add (builder, removable->name);
    }
  for (guint i = 0; config->removables == NULL && i < machine->removables->len; i++)
    g_strv_builder_add (builder, removable_name (machine->removables->pdata[i]));
  request->guest->removables = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
check_nic (const P2vMachine *machine, const char *name, const char *argument, GError **error)
{
  if (p2v_machine_find_nic (machine, name) != NULL)
    return TRUE;
  g_autofree char *shown = p2v_text_printable (name);
  g_autofree char *names = list_names (machine->nics, nic_name);
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
               "this machine has no network interface \"%s\". Interfaces it has: %s. Correct %s.",
               shown, names, argument);
  return FALSE;
}

static void
add_nic (const P2vConfig *config, P2vGuest *guest, const char *name)
{
  P2vGuestNic *nic = p2v_guest_nic_new ();
  nic->nic = g_strdup (name);
  nic->network = g_strdup (p2v_config_network_for (config, name));
  g_ptr_array_add (guest->nics, nic);
}

static gboolean
fill_nics (const P2vConfig *config, P2vRequest *request, GError **error)
{
  const P2vMachine *machine = request->machine;
  for (guint i = 0; i < config->networks->len; i++)
    {
      const P2vNetworkMapping *mapping = config->networks->pdata[i];
      if (mapping->nic != NULL && !check_nic (machine, mapping->nic, "p2v.network", error))
        return FALSE;
    }
  for (gsize i = 0; config->interfaces != NULL && config->interfaces[i] != NULL; i++)
    {
      if (!check_nic (machine, config->interfaces[i], "p2v.interfaces", error))
        return FALSE;
      add_nic (config, request->guest, config->interfaces[i]);
    }
  for (guint i = 0; config->interfaces == NULL && i < machine->nics->len; i++)
    add_nic (config, request->guest, nic_name (machine->nics->pdata[i]));
  return TRUE;
}

/* Host name and clock are those of what is converted: files, or another system than the first. */
static void
settle_on_disks (P2vRequest *request)
{
  P2vMachine *machine = request->machine;
  GPtrArray *all = machine->disks;
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  for (gsize i = 0; request->guest->disks[i] != NULL; i++)
    g_ptr_array_add (chosen, p2v_machine_find_disk (machine, request->guest->disks[i]));
  machine->disks = chosen;
  p2v_inventory_settle (machine);
  machine->disks = all;
}

/* The host name without its domain, as virt-p2v; else what the machine says it is; else a random
 * name. Serial numbers tell apart machines of the same kind. */
char *
p2v_config_guest_name (const P2vConfig *config, const P2vMachine *machine)
{
  if (config->name != NULL)
    return g_strdup (config->name);
  const char *hostname = machine != NULL ? machine->hostname : NULL;
  const P2vSmbios *smbios = machine != NULL ? machine->smbios : NULL;
  g_autofree char *host = hostname != NULL ? g_strndup (hostname, strcspn (hostname, ".")) : NULL;
  char *name = host != NULL ? p2v_guest_name_from (host) : NULL;
  if (name == NULL && smbios != NULL && smbios->product != NULL && smbios->serial != NULL)
    {
      g_autofree char *text = g_strdup_printf ("%s-%s", smbios->product, smbios->serial);
      name = p2v_guest_name_from (text);
    }
  return name != NULL ? name : g_strdup_printf ("machine-%08x", g_random_int ());
}

static gboolean
fill_size (const P2vConfig *config, P2vRequest *request, GError **error)
{
  P2vGuest *guest = request->guest;
  const P2vCpu *cpu = request->machine->cpu;
  guest->phys_topo = config->phys_topo;
  if (config->phys_topo)
    guest->vcpus = cpu->sockets * cpu->cores * cpu->threads;
  else
    guest->vcpus = config->vcpus > 0 ? config->vcpus : cpu->online;
  guest->memory = config->memory > 0 ? config->memory : request->machine->memory;
  guest->memory -= guest->memory % MEBIBYTE;
  if (guest->vcpus < 1)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "the number of processors of this machine is not known. Give it with "
                   "p2v.vcpu.cores=N and leave out p2v.vcpu.phys_topo.");
      return FALSE;
    }
  if (guest->memory < MEBIBYTE)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "the amount of memory of this machine is not known. Give it with "
                   "p2v.memory=SIZE.");
      return FALSE;
    }
  return TRUE;
}

/* The offset is from UTC: it means something for a clock that shows UTC, or nothing certain. */
static gboolean
fill_clock (const P2vConfig *config, P2vRequest *request, GError **error)
{
  const P2vClock *clock = request->machine->clock;
  P2vGuest *guest = request->guest;
  gboolean said = config->rtc_offset_set == P2V_YES && config->rtc_offset != 0;
  const char *basis = config->rtc_basis != NULL ? config->rtc_basis : clock->basis;
  if (said && config->rtc_basis == NULL)
    basis = "utc";
  if (said && strcmp (basis, "utc") != 0)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "p2v.rtc.offset counts from UTC and goes with p2v.rtc.basis=utc, not with "
                   "p2v.rtc.basis=%s. Leave one of them out.",
                   basis);
      return FALSE;
    }
  guest->rtc_basis = g_strdup (basis);
  if (config->rtc_offset_set == P2V_YES)
    guest->rtc_offset = config->rtc_offset;
  else if (strcmp (basis, "utc") == 0 && strcmp (clock->basis, "utc") == 0)
    guest->rtc_offset = clock->offset;
  return TRUE;
}

static gboolean
fill_guest (const P2vConfig *config, P2vRequest *request, GError **error)
{
  P2vGuest *guest = request->guest;
  if (!fill_disks (config, request, error))
    return FALSE;
  settle_on_disks (request);
  guest->name = p2v_config_guest_name (config, request->machine);
  guest->firmware = g_strdup (config->firmware);
  guest->cpu_vendor = g_strdup (config->cpu_vendor);
  guest->cpu_model = g_strdup (config->cpu_model);
  guest->acpi = config->acpi;
  guest->apic = config->apic;
  guest->pae = config->pae;
  guest->root = g_strdup (config->root);
  return fill_size (config, request, error) && fill_clock (config, request, error)
         && fill_removables (config, request, error) && fill_nics (config, request, error);
}

P2vRequest *
p2v_config_to_request (const P2vConfig *config, const P2vMachine *machine, GError **error)
{
  g_autoptr (P2vRequest) request = p2v_request_new ();
  request->machine = p2v_schema_copy (&p2v_machine_schema, machine);
  request->guest = p2v_guest_new ();
  request->output = p2v_schema_copy (&p2v_output_schema, config->output);
  if (!fill_guest (config, request, error))
    return NULL;
  /* What is left for it to find is a mistake in what was asked for. */
  if (!p2v_request_check (request, error))
    {
      p2v_error_recode (error, P2V_ERROR_USAGE);
      return NULL;
    }
  return g_steal_pointer (&request);
}
