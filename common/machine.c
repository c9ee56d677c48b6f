/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/machine.h"

/* Upper bounds are beyond any real machine; they keep later arithmetic far from overflow. */
#define MAX_DISK_SIZE (G_GINT64_CONSTANT (1) << 50)
#define MAX_MEMORY (G_GINT64_CONSTANT (1) << 50)
#define MAX_SECTOR_SIZE 65536
#define MAX_CPUS 65536
#define MAX_MEMBERS 65535

static const P2vField os_fields[] = {
  P2V_FIELD (STRING, P2vOs, id),
  P2V_FIELD (STRING, P2vOs, name),
  P2V_FIELD (STRING, P2vOs, version),
  P2V_FIELD (STRING, P2vOs, hostname),
  P2V_FIELD (STRING, P2vOs, location),
  P2V_FIELD (STRING, P2vOs, clock),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vOs, p2v_os, "os", os_fields)

static const P2vField content_fields[] = {
  P2V_FIELD (STRING, P2vContent, kind),
  P2V_FIELD (STRING, P2vContent, type),
  P2V_FIELD (STRING, P2vContent, label),
  P2V_FIELD (STRING, P2vContent, uuid),
  P2V_FIELD (STRING, P2vContent, group),
  P2V_FIELD_RANGE (P2vContent, members, 0, MAX_MEMBERS),
  P2V_FIELD_RANGE (P2vContent, size, 0, MAX_DISK_SIZE),
  P2V_FIELD_RANGE (P2vContent, used, 0, MAX_DISK_SIZE),
  P2V_FIELD (STRING, P2vContent, read_in_full),
  P2V_FIELD_NESTED (OBJECT, P2vContent, os, &p2v_os_schema),
  P2V_FIELD_NESTED (ARRAY, P2vContent, partitions, &p2v_partition_schema),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vContent, p2v_content, "content", content_fields)

static const P2vField partition_fields[] = {
  P2V_FIELD_RANGE (P2vPartition, number, 0, 65535),
  P2V_FIELD_RANGE (P2vPartition, start, 0, MAX_DISK_SIZE),
  P2V_FIELD_RANGE (P2vPartition, size, 0, MAX_DISK_SIZE),
  P2V_FIELD (STRING, P2vPartition, path),
  P2V_FIELD (STRING, P2vPartition, type),
  P2V_FIELD (STRING, P2vPartition, label),
  P2V_FIELD (STRING, P2vPartition, uuid),
  P2V_FIELD (BOOLEAN, P2vPartition, bootable),
  P2V_FIELD_NESTED (OBJECT, P2vPartition, content, &p2v_content_schema),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vPartition, p2v_partition, "partition", partition_fields)

static const P2vField disk_fields[] = {
  P2V_FIELD (STRING, P2vDisk, name),
  P2V_FIELD (STRING, P2vDisk, path),
  P2V_FIELD_RANGE (P2vDisk, size, 0, MAX_DISK_SIZE),
  P2V_FIELD_RANGE (P2vDisk, logical_sector_size, 0, MAX_SECTOR_SIZE),
  P2V_FIELD_RANGE (P2vDisk, physical_sector_size, 0, MAX_SECTOR_SIZE),
  P2V_FIELD (STRING, P2vDisk, model),
  P2V_FIELD (STRING, P2vDisk, vendor),
  P2V_FIELD (STRING, P2vDisk, serial),
  P2V_FIELD (STRING, P2vDisk, wwn),
  P2V_FIELD (STRING, P2vDisk, bus),
  P2V_FIELD (BOOLEAN, P2vDisk, rotational),
  P2V_FIELD (BOOLEAN, P2vDisk, removable),
  P2V_FIELD (BOOLEAN, P2vDisk, read_only),
  P2V_FIELD (BOOLEAN, P2vDisk, live_medium),
  P2V_FIELD (STRING, P2vDisk, member_of),
  P2V_FIELD_RANGE (P2vDisk, missing, 0, MAX_MEMBERS),
  P2V_FIELD (STRING, P2vDisk, health),
  P2V_FIELD_NESTED (OBJECT, P2vDisk, content, &p2v_content_schema),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vDisk, p2v_disk, "disk", disk_fields)

static const P2vField removable_fields[] = {
  P2V_FIELD (STRING, P2vRemovable, name),  P2V_FIELD (STRING, P2vRemovable, path),
  P2V_FIELD (STRING, P2vRemovable, model), P2V_FIELD (STRING, P2vRemovable, vendor),
  P2V_FIELD (STRING, P2vRemovable, bus),   P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vRemovable, p2v_removable, "removable", removable_fields)

static const P2vField nic_fields[] = {
  P2V_FIELD (STRING, P2vNic, name),
  P2V_FIELD (STRING, P2vNic, mac),
  P2V_FIELD (STRING, P2vNic, driver),
  P2V_FIELD (STRING, P2vNic, vendor),
  P2V_FIELD (STRING, P2vNic, model),
  P2V_FIELD (STRING, P2vNic, bus),
  P2V_FIELD (BOOLEAN, P2vNic, link),
  P2V_FIELD_RANGE (P2vNic, speed, 0, G_MAXINT32),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vNic, p2v_nic, "nic", nic_fields)

static const P2vField cpu_fields[] = {
  P2V_FIELD (STRING, P2vCpu, vendor),
  P2V_FIELD (STRING, P2vCpu, model),
  P2V_FIELD_RANGE (P2vCpu, family, 0, G_MAXINT32),
  P2V_FIELD_RANGE (P2vCpu, model_number, 0, G_MAXINT32),
  P2V_FIELD_RANGE (P2vCpu, stepping, 0, G_MAXINT32),
  P2V_FIELD_RANGE (P2vCpu, sockets, 0, MAX_CPUS),
  P2V_FIELD_RANGE (P2vCpu, cores, 0, MAX_CPUS),
  P2V_FIELD_RANGE (P2vCpu, threads, 0, MAX_CPUS),
  P2V_FIELD_RANGE (P2vCpu, online, 0, MAX_CPUS),
  P2V_FIELD (STRV, P2vCpu, features),
  P2V_FIELD (BOOLEAN, P2vCpu, acpi),
  P2V_FIELD (BOOLEAN, P2vCpu, apic),
  P2V_FIELD (BOOLEAN, P2vCpu, pae),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vCpu, p2v_cpu, "cpu", cpu_fields)

static const P2vField boot_entry_fields[] = {
  P2V_FIELD (STRING, P2vBootEntry, id),
  P2V_FIELD (STRING, P2vBootEntry, label),
  P2V_FIELD (BOOLEAN, P2vBootEntry, active),
  P2V_FIELD (STRING, P2vBootEntry, loader),
  P2V_FIELD (STRING, P2vBootEntry, partition_uuid),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vBootEntry, p2v_boot_entry, "boot_entry", boot_entry_fields)

static const P2vField firmware_fields[] = {
  P2V_FIELD (STRING, P2vFirmware, type),
  P2V_FIELD (BOOLEAN, P2vFirmware, secure_boot),
  P2V_FIELD (STRING, P2vFirmware, tpm),
  P2V_FIELD_NESTED (ARRAY, P2vFirmware, boot_entries, &p2v_boot_entry_schema),
  P2V_FIELD (STRV, P2vFirmware, boot_order),
  P2V_FIELD (STRING, P2vFirmware, vendor),
  P2V_FIELD (STRING, P2vFirmware, version),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vFirmware, p2v_firmware, "firmware", firmware_fields)

static const P2vField clock_fields[] = {
  P2V_FIELD (STRING, P2vClock, basis),
  P2V_FIELD_RANGE (P2vClock, offset, -86400, 86400),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vClock, p2v_clock, "clock", clock_fields)

static const P2vField smbios_fields[] = {
  P2V_FIELD (STRING, P2vSmbios, manufacturer), P2V_FIELD (STRING, P2vSmbios, product),
  P2V_FIELD (STRING, P2vSmbios, version),      P2V_FIELD (STRING, P2vSmbios, serial),
  P2V_FIELD (STRING, P2vSmbios, uuid),         P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vSmbios, p2v_smbios, "smbios", smbios_fields)

static const P2vField machine_fields[] = {
  P2V_FIELD (STRING, P2vMachine, hostname),
  P2V_FIELD_RANGE (P2vMachine, memory, 0, MAX_MEMORY),
  P2V_FIELD (STRING, P2vMachine, hypervisor),
  P2V_FIELD_NESTED (OBJECT, P2vMachine, cpu, &p2v_cpu_schema),
  P2V_FIELD_NESTED (OBJECT, P2vMachine, firmware, &p2v_firmware_schema),
  P2V_FIELD_NESTED (OBJECT, P2vMachine, clock, &p2v_clock_schema),
  P2V_FIELD_NESTED (OBJECT, P2vMachine, smbios, &p2v_smbios_schema),
  P2V_FIELD_NESTED (ARRAY, P2vMachine, disks, &p2v_disk_schema),
  P2V_FIELD_NESTED (ARRAY, P2vMachine, removables, &p2v_removable_schema),
  P2V_FIELD_NESTED (ARRAY, P2vMachine, nics, &p2v_nic_schema),
  P2V_FIELD_END,
};
P2V_SCHEMA_DEFINE (P2vMachine, p2v_machine, "machine", machine_fields)

P2vDisk *
p2v_machine_find_disk (const P2vMachine *machine, const char *name)
{
  for (guint i = 0; i < machine->disks->len; i++)
    {
      P2vDisk *disk = machine->disks->pdata[i];
      if (g_strcmp0 (disk->name, name) == 0 || g_strcmp0 (disk->path, name) == 0)
        return disk;
    }
  return NULL;
}

P2vNic *
p2v_machine_find_nic (const P2vMachine *machine, const char *name)
{
  for (guint i = 0; i < machine->nics->len; i++)
    {
      P2vNic *nic = machine->nics->pdata[i];
      if (g_strcmp0 (nic->name, name) == 0)
        return nic;
    }
  return NULL;
}

P2vRemovable *
p2v_machine_find_removable (const P2vMachine *machine, const char *name)
{
  for (guint i = 0; i < machine->removables->len; i++)
    {
      P2vRemovable *removable = machine->removables->pdata[i];
      if (g_strcmp0 (removable->name, name) == 0)
        return removable;
    }
  return NULL;
}

gboolean
p2v_disk_is_convertible (const P2vDisk *disk)
{
  return !disk->live_medium && disk->member_of == NULL && disk->size > 0;
}
