/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/domain-parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* APIC identifiers are 8 bits wide; more processors need the extended mode that q35 can have. */
#define XAPIC_VCPUS 255

/* How far the machine's clock may differ from this server's local time without being in another
 * time zone (there are none closer than this). */
#define TIME_ZONE_STEP 900

/* Windows NT 6.0 (Vista, Server 2008) is the first that knows Hyper-V's interfaces. */
#define WINDOWS_VISTA 6

void
p2v_domain_add_vcpu (P2vDomainContext *context, xmlNode *domain)
{
  const P2vCpu *cpu = context->machine->cpu;
  context->vcpus = MAX (context->guest->vcpus, 1);
  if (context->guest->phys_topo && cpu != NULL)
    context->vcpus = MAX (cpu->sockets, 1) * MAX (cpu->cores, 1) * MAX (cpu->threads, 1);
  /* Interrupt remapping needs q35 and KVM's divided interrupt controller. */
  gboolean remaps = context->q35 && context->hypervisor->kvm;
  if (context->vcpus > XAPIC_VCPUS && !remaps)
    {
      p2v_domain_warn (context,
                       "the guest gets %d virtual CPUs instead of %" G_GINT64_FORMAT
                       ": %s has no more.",
                       XAPIC_VCPUS, context->vcpus,
                       context->q35 ? "emulation without KVM"
                                    : "machine type i440fx, which its operating system needs,");
      context->vcpus = XAPIC_VCPUS;
    }
  g_autofree char *count = g_strdup_printf ("%" G_GINT64_FORMAT, context->vcpus);
  p2v_domain_set (p2v_xml_add (domain, "vcpu", "%s", count), "placement", "static");
}

static void
add_topology (const P2vDomainContext *context, xmlNode *cpu)
{
  const P2vCpu *machine = context->machine->cpu;
  gint64 sockets = 1, cores = context->vcpus, threads = 1;
  /* The count differs from the machine's product only when it was cut. */
  if (context->guest->phys_topo && machine != NULL
      && context->vcpus
             == MAX (machine->sockets, 1) * MAX (machine->cores, 1) * MAX (machine->threads, 1))
    {
      sockets = MAX (machine->sockets, 1);
      cores = MAX (machine->cores, 1);
      threads = MAX (machine->threads, 1);
    }
  /* libvirt's default is a socket for each; systems that are licensed by sockets, Windows among
   * them, would leave most of them unused. */
  xmlNode *topology = p2v_xml_add (cpu, "topology", NULL);
  p2v_domain_set_int (topology, "sockets", sockets);
  p2v_domain_set_int (topology, "cores", cores);
  p2v_domain_set_int (topology, "threads", threads);
}

void
p2v_domain_add_cpu (const P2vDomainContext *context, xmlNode *domain)
{
  const P2vGuest *guest = context->guest;
  xmlNode *cpu = p2v_xml_add (domain, "cpu", NULL);
  if (guest->cpu_model != NULL)
    {
      p2v_domain_set (cpu, "mode", "custom");
      p2v_domain_set (cpu, "match", "exact");
      /* Emulation has not every feature of every model; without KVM the guest shall start with
       * what there is. */
      p2v_domain_set (cpu, "check", context->hypervisor->kvm ? "partial" : "none");
      p2v_domain_set (p2v_xml_add (cpu, "model", "%s", guest->cpu_model), "fallback", "allow");
      if (guest->cpu_vendor != NULL && context->hypervisor->kvm)
        p2v_xml_add (cpu, "vendor", "%s", guest->cpu_vendor);
    }
  else if (context->hypervisor->kvm)
    {
      /* Nearly all of the host's features, and the guest can still be migrated to a like host. */
      p2v_domain_set (cpu, "mode", "host-model");
      p2v_domain_set (cpu, "check", "partial");
    }
  else
    {
      /* QEMU's default without KVM is the oldest x86-64, which newer systems refuse to run on. The
       * fifth level of page tables only slows emulation, and boot loaders have stumbled over it. */
      p2v_domain_set (cpu, "mode", "maximum");
      xmlNode *la57 = p2v_xml_add (cpu, "feature", NULL);
      p2v_domain_set (la57, "policy", "disable");
      p2v_domain_set (la57, "name", "la57");
    }
  add_topology (context, cpu);
}

/* A processor feature: as asked for, else as the machine has it, else yes. */
static gboolean
wants (P2vTristate asked, gboolean known, gboolean machine)
{
  if (asked != P2V_UNSET)
    return asked == P2V_YES;
  return !known || machine;
}

static void
add_hyperv_state (xmlNode *hyperv, const char *name)
{
  p2v_domain_set (p2v_xml_add (hyperv, name, NULL), "state", "on");
}

/* Interfaces of Hyper-V that KVM offers and that let Windows idle and keep time cheaply (QEMU's
 * docs/system/i386/hyperv.rst). Left out: what only some hosts have (reenlightenment, evmcs, avic).
 */
static void
add_hyperv (xmlNode *features)
{
  static const char *const states[] = { "relaxed", "vapic",       "vpindex",  "runtime", "synic",
                                        "stimer",  "frequencies", "tlbflush", "ipi",     NULL };
  xmlNode *hyperv = p2v_xml_add (features, "hyperv", NULL);
  p2v_domain_set (hyperv, "mode", "custom");
  for (gsize i = 0; states[i] != NULL; i++)
    add_hyperv_state (hyperv, states[i]);
  xmlNode *spinlocks = p2v_xml_add (hyperv, "spinlocks", NULL);
  p2v_domain_set (spinlocks, "state", "on");
  p2v_domain_set_int (spinlocks, "retries", 8191); /* Hyper-V's own value */
}

static gboolean
has_hyperv (const P2vDomainContext *context)
{
  /* libvirt does not start a guest with them when the accelerator cannot provide them. */
  return context->windows && context->report->major >= WINDOWS_VISTA && context->hypervisor->kvm;
}

static gboolean
wants_acpi (const P2vDomainContext *context)
{
  const P2vCpu *cpu = context->machine->cpu;
  gboolean acpi = wants (context->guest->acpi, cpu != NULL, cpu != NULL && cpu->acpi)
                  && context->report->acpi;
  if (!acpi && context->uefi != NULL)
    {
      p2v_domain_warn (context, "the guest has ACPI although it was to have none: UEFI firmware "
                                "does not work without.");
      return TRUE;
    }
  return acpi;
}

void
p2v_domain_add_features (const P2vDomainContext *context, xmlNode *domain)
{
  const P2vGuest *guest = context->guest;
  const P2vCpu *cpu = context->machine->cpu;
  xmlNode *features = p2v_xml_add (domain, "features", NULL);
  if (wants_acpi (context))
    p2v_xml_add (features, "acpi", NULL);
  if (wants (guest->apic, cpu != NULL, cpu != NULL && cpu->apic))
    p2v_xml_add (features, "apic", NULL);
  if (wants (guest->pae, cpu != NULL, cpu != NULL && cpu->pae))
    p2v_xml_add (features, "pae", NULL);
  if (has_hyperv (context))
    add_hyperv (features);
  if (context->uefi != NULL && context->uefi->smm)
    p2v_domain_set (p2v_xml_add (features, "smm", NULL), "state", "on");
  if (context->vcpus > XAPIC_VCPUS)
    p2v_domain_set (p2v_xml_add (features, "ioapic", NULL), "driver",
                    "qemu"); /* goes with <iommu> */
}

/* Seconds that local time on this server is ahead of UTC. */
static gint64
host_utc_offset (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  return g_date_time_get_utc_offset (now) / G_TIME_SPAN_SECOND;
}

static gboolean
keeps_local_time (const P2vDomainContext *context)
{
  const P2vGuest *guest = context->guest;
  if (g_strcmp0 (guest->rtc_basis, "localtime") == 0)
    return TRUE;
  /* Windows reads the hardware clock as local time whatever was measured, unless the measurement
   * says how far that is from UTC. */
  return context->windows && !context->report->rtc_utc && guest->rtc_offset == 0;
}

static void
add_timer (xmlNode *clock, const char *name, const char *attribute, const char *value)
{
  xmlNode *timer = p2v_xml_add (clock, "timer", NULL);
  p2v_domain_set (timer, "name", name);
  p2v_domain_set (timer, attribute, value);
}

void
p2v_domain_add_clock (const P2vDomainContext *context, xmlNode *domain)
{
  const P2vGuest *guest = context->guest;
  xmlNode *clock = p2v_xml_add (domain, "clock", NULL);
  if (keeps_local_time (context))
    {
      p2v_domain_set (clock, "offset", "localtime");
      gint64 host = host_utc_offset ();
      if (guest->rtc_offset != 0 && ABS (guest->rtc_offset - host) >= TIME_ZONE_STEP)
        p2v_domain_warn (context,
                         "the guest's clock follows this server's local time, which is %+.2f hours "
                         "from UTC; the machine's clock was at %+.2f. Set the server's time zone, "
                         "or replace <clock offset='localtime'> with \"virsh edit %s\".",
                         (double)host / 3600, (double)guest->rtc_offset / 3600, guest->name);
    }
  else if (guest->rtc_offset == 0)
    p2v_domain_set (clock, "offset", "utc");
  else
    {
      p2v_domain_set (clock, "offset", "variable");
      p2v_domain_set_int (clock, "adjustment", guest->rtc_offset);
      p2v_domain_set (clock, "basis", "utc");
    }
  /* Ticks that were missed while the host was busy are made up for where the guest counts them
   * (RTC) and dropped where it would run fast (PIT). */
  add_timer (clock, "rtc", "tickpolicy", "catchup");
  add_timer (clock, "pit", "tickpolicy", "delay");
  add_timer (clock, "hpet", "present", "no");
  if (has_hyperv (context))
    add_timer (clock, "hypervclock", "present", "yes");
}
