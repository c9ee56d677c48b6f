/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-server/domain.h"
#include "p2v-server/firmware.h"
#include "p2v-server/osinfo.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <string.h>

#define UUID "4c4c4544-0042-3510-8051-b7c04f4d3132"

/* A machine and its guest, built anew for each test and changed there. */
typedef struct
{
  P2vRequest *request;
  P2vPlan *plan;
  P2vReport *report;
  P2vHypervisor hypervisor;
  GPtrArray *warnings;
  char *text;
  xmlDoc *doc;
} Fixture;

static const char machine_json[]
    = "{\"machine\":{\"memory\":8589934592,"
      " \"cpu\":{\"vendor\":\"Intel\",\"sockets\":2,\"cores\":4,\"threads\":2,\"online\":16,"
      "          \"acpi\":true,\"apic\":true,\"pae\":true},"
      " \"firmware\":{\"type\":\"bios\"},\"clock\":{\"basis\":\"utc\"},"
      " \"smbios\":{\"manufacturer\":\"Dell Inc.\",\"serial\":\"8BT5QM2\",\"uuid\":\"" UUID "\"},"
      " \"disks\":[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"size\":1048576,\"serial\":\"WD-1 \"},"
      "            {\"name\":\"sdb\",\"path\":\"/dev/sdb\",\"size\":1048576,"
      "             \"serial\":\"a<b>&'c'\"},"
      "            {\"name\":\"sdc\",\"path\":\"/dev/sdc\",\"size\":1048576}],"
      " \"removables\":[{\"name\":\"sr0\",\"path\":\"/dev/sr0\"},"
      "                 {\"name\":\"fd0\",\"path\":\"/dev/fd0\"}]},"
      " \"guest\":{\"name\":\"web1\",\"vcpus\":4,\"memory\":1073741824,\"rtc_basis\":\"utc\","
      "            \"disks\":[\"sda\"]},\"output\":{}}";

static const char plan_json[]
    = "{\"method\":\"libvirt\",\"format\":\"qcow2\",\"allocation\":\"sparse\","
      " \"images\":[{\"disk\":\"sda\",\"path\":\"/images/a & b/web1-sda\",\"format\":\"qcow2\"}],"
      " \"nics\":[{\"mac\":\"52:54:00:12:34:56\",\"type\":\"network\",\"source\":\"default\"}]}";

static const char report_json[]
    = "{\"os\":\"debian11\",\"os_type\":\"linux\",\"distro\":\"debian\",\"arch\":\"x86_64\","
      " \"major\":11,\"block_bus\":\"virtio-blk\",\"net_bus\":\"virtio-net\",\"machine\":\"q35\","
      " \"virtio_rng\":true,\"virtio_balloon\":true,\"pvpanic\":true,\"virtio_socket\":true,"
      " \"virtio_1_0\":true,\"acpi\":true,\"rtc_utc\":true}";

static gpointer
parse (const P2vSchema *schema, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = p2v_json_from_text (text, -1, &error);
  g_assert_no_error (error);
  gpointer instance = p2v_schema_from_json (schema, object, &error);
  g_assert_no_error (error);
  return instance;
}

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->request = parse (&p2v_request_schema, machine_json);
  fixture->plan = parse (&p2v_plan_schema, plan_json);
  fixture->report = parse (&p2v_report_schema, report_json);
  fixture->hypervisor.kvm = TRUE;
  fixture->hypervisor.tpm = TRUE;
  fixture->warnings = g_ptr_array_new_with_free_func (g_free);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  p2v_request_free (fixture->request);
  p2v_plan_free (fixture->plan);
  p2v_report_free (fixture->report);
  g_ptr_array_unref (fixture->warnings);
  g_free (fixture->text);
  xmlFreeDoc (fixture->doc);
}

static void
set (char **member, const char *value)
{
  g_free (*member);
  *member = g_strdup (value);
}

static void
assert_valid_by_libvirts_schema (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("p2v-domain-XXXXXX.xml", &path, &error);
  g_assert_no_error (error);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_autoptr (GSubprocess) validator
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error,
                          "virt-xml-validate", path, "domain", NULL);
  g_assert_no_error (error);
  g_autofree char *output = NULL;
  g_subprocess_communicate_utf8 (validator, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  if (!g_subprocess_get_successful (validator))
    g_test_message ("%s\n%s", output, text);
  g_assert_true (g_subprocess_get_successful (validator));
  g_unlink (path);
}

/* Leaves the domain where an integration test gives it to a real libvirt. */
static void
keep (const Fixture *fixture)
{
  const char *dir = g_getenv ("P2V_KEEP_DOMAINS");
  if (dir == NULL)
    return;
  g_autofree char *name = g_path_get_basename (g_test_get_path ());
  g_autofree char *file = g_strconcat (name, ".xml", NULL);
  g_autofree char *path = g_build_filename (dir, file, NULL);
  g_assert_true (g_file_set_contents (path, fixture->text, -1, NULL));
}

/* Builds the domain; every one that any test builds must pass virt-xml-validate. */
static void
build (Fixture *fixture, const char *uuid, const char *nvram_dir)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&fixture->text, g_free);
  g_clear_pointer (&fixture->doc, xmlFreeDoc);
  fixture->text
      = p2v_domain_build (fixture->request, fixture->plan, fixture->report, &fixture->hypervisor,
                          uuid, nvram_dir, fixture->warnings, &error);
  g_assert_no_error (error);
  assert_valid_by_libvirts_schema (fixture->text);
  keep (fixture);
  fixture->doc = xmlReadMemory (fixture->text, (int)strlen (fixture->text), NULL, NULL, 0);
  g_assert_nonnull (fixture->doc);
}

/* The XPath expression as text; "" for no node, "true"/"false" for a condition. */
static char *
query (const Fixture *fixture, const char *expression)
{
  xmlXPathContext *context = xmlXPathNewContext (fixture->doc);
  xmlXPathRegisterNs (context, BAD_CAST "osinfo",
                      BAD_CAST "http://libosinfo.org/xmlns/libvirt/domain/1.0");
  xmlXPathObject *object = xmlXPathEvalExpression (BAD_CAST expression, context);
  g_assert_nonnull (object);
  xmlChar *value = xmlXPathCastToString (object);
  char *copy = g_strdup ((const char *)value);
  xmlFree (value);
  xmlXPathFreeObject (object);
  xmlXPathFreeContext (context);
  return copy;
}

#define assert_is(fixture, expression, expected)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *value_ = query (fixture, expression);                                         \
    if (g_strcmp0 (value_, expected) != 0)                                                         \
      g_test_message ("%s in\n%s", expression, (fixture)->text);                                   \
    g_assert_cmpstr (value_, ==, expected);                                                        \
  }                                                                                                \
  G_STMT_END

static gboolean
has_warning (const Fixture *fixture, const char *part)
{
  for (guint i = 0; i < fixture->warnings->len; i++)
    if (strstr (fixture->warnings->pdata[i], part) != NULL)
      return TRUE;
  return FALSE;
}

static void
test_bios_linux_is_all_virtio (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/@type", "kvm");
  assert_is (fixture, "/domain/name", "web1");
  assert_is (fixture, "/domain/uuid", UUID);
  assert_is (fixture, "/domain/memory[@unit='KiB']", "1048576");
  assert_is (fixture, "/domain/vcpu", "4");
  assert_is (fixture, "/domain/os/type/@machine", "q35");
  assert_is (fixture, "count(/domain/os/@firmware|/domain/os/loader)", "0");
  assert_is (fixture, "/domain/cpu/@mode", "host-model");
  assert_is (fixture, "/domain/clock/@offset", "utc");
  assert_is (fixture, "count(/domain/features/acpi|/domain/features/apic|/domain/features/pae)",
             "3");
  assert_is (fixture, "count(/domain/features/hyperv)", "0");
  assert_is (fixture, "/domain/metadata/osinfo:libosinfo/osinfo:os/@id",
             "http://debian.org/debian/11");
  assert_is (fixture, "//disk[@type='file']/source/@file", "/images/a & b/web1-sda");
  assert_is (fixture, "//disk/driver/@type", "qcow2");
  assert_is (fixture, "//disk/driver/@discard", "unmap");
  assert_is (fixture, "//disk/target/@bus", "virtio");
  assert_is (fixture, "//disk/target/@dev", "vda");
  assert_is (fixture, "//disk/serial", "WD-1");
  assert_is (fixture, "//disk/boot/@order", "1");
  assert_is (fixture, "//interface[@type='network']/source/@network", "default");
  assert_is (fixture, "//interface/mac/@address", "52:54:00:12:34:56");
  assert_is (fixture, "//interface/model/@type", "virtio");
  assert_is (fixture, "//channel/target/@name", "org.qemu.guest_agent.0");
  assert_is (fixture, "count(//serial[@type='pty'])", "1");
  assert_is (fixture, "//graphics[@type='vnc']/listen/@address", "127.0.0.1");
  assert_is (fixture, "//rng/@model", "virtio");
  assert_is (fixture, "//memballoon/@model", "virtio");
  assert_is (fixture, "count(//tpm|//vsock)", "0");
  g_assert_cmpuint (fixture->warnings->len, ==, 0);
}

static void
make_windows (Fixture *fixture, const char *block_bus, const char *net_bus, const char *machine)
{
  P2vReport *report = fixture->report;
  set (&report->os, "win10");
  set (&report->os_type, "windows");
  set (&report->distro, "windows");
  report->major = 10;
  report->rtc_utc = FALSE;
  report->virtio_rng = report->virtio_balloon = report->virtio_1_0
      = strcmp (net_bus, "virtio-net") == 0;
  set (&report->block_bus, block_bus);
  set (&report->net_bus, net_bus);
  set (&report->machine, machine);
}

static void
test_windows_with_secure_boot_and_tpm (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  make_windows (fixture, "virtio-scsi", "virtio-net", "q35");
  set (&fixture->request->machine->firmware->type, "uefi");
  set (&fixture->request->machine->firmware->tpm, "2.0");
  fixture->request->machine->firmware->secure_boot = TRUE;
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/os/@firmware", "efi");
  assert_is (fixture, "/domain/os/firmware/feature[@name='secure-boot']/@enabled", "yes");
  assert_is (fixture, "/domain/os/firmware/feature[@name='enrolled-keys']/@enabled", "yes");
  assert_is (fixture, "/domain/features/smm/@state", "on");
  assert_is (fixture, "//tpm[@model='tpm-crb']/backend[@type='emulator']/@version", "2.0");
  assert_is (fixture, "//controller[@type='scsi']/@model", "virtio-scsi");
  assert_is (fixture, "//disk/target[@bus='scsi']/@dev", "sda");
  assert_is (fixture, "/domain/clock/@offset", "localtime");
  assert_is (fixture, "/domain/clock/timer[@name='hypervclock']/@present", "yes");
  assert_is (fixture, "/domain/features/hyperv/spinlocks/@retries", "8191");
  assert_is (fixture, "count(/domain/features/hyperv/*[@state='on'])", "10");
  assert_is (fixture, "/domain/metadata/osinfo:libosinfo/osinfo:os/@id",
             "http://microsoft.com/win/10");
  g_assert_true (has_warning (fixture, "new, empty one"));
}

static void
test_windows_without_virtio_drivers (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  make_windows (fixture, "sata", "e1000", "q35");
  build (fixture, UUID, NULL);
  assert_is (fixture, "//disk/target[@bus='sata']/@dev", "sda");
  assert_is (fixture, "//interface/model/@type", "e1000e");
  assert_is (fixture, "count(//rng)", "0");
  assert_is (fixture, "//memballoon/@model", "none");
}

static void
test_windows_without_kvm_has_no_hyperv (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  make_windows (fixture, "ide", "rtl8139", "q35");
  fixture->hypervisor.kvm = FALSE;
  build (fixture, UUID, NULL);
  assert_is (fixture, "count(//hyperv|//timer[@name='hypervclock'])", "0");
  assert_is (fixture, "//disk/target/@bus", "sata"); /* q35 has no IDE */
  assert_is (fixture, "//interface/model/@type", "rtl8139");
}

static void
test_old_linux_gets_old_devices (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  P2vReport *report = fixture->report;
  set (&report->os, NULL);
  set (&report->machine, "i440fx");
  set (&report->block_bus, "ide");
  set (&report->net_bus, "rtl8139");
  set (&report->video, "cirrus");
  report->virtio_rng = report->virtio_balloon = report->virtio_1_0 = report->pvpanic = FALSE;
  report->acpi = FALSE;
  fixture->request->guest->removables = g_strsplit ("sr0 fd0", " ", -1);
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/os/type/@machine", "pc");
  assert_is (fixture, "//disk[@device='disk']/target[@bus='ide']/@dev", "hda");
  assert_is (fixture, "//disk[@device='cdrom']/target[@bus='ide']/@dev", "hdb");
  assert_is (fixture, "count(//disk[@device='cdrom']/source)", "0");
  assert_is (fixture, "//disk[@device='floppy']/target[@bus='fdc']/@dev", "fda");
  assert_is (fixture, "//interface/model/@type", "rtl8139");
  assert_is (fixture, "//video/model/@type", "cirrus");
  assert_is (fixture, "count(/domain/features/acpi|//panic|//rng|/domain/metadata)", "0");
}

static void
test_virtio_before_1_0_is_transitional (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->report->virtio_1_0 = FALSE;
  build (fixture, UUID, NULL);
  assert_is (fixture, "//disk/@model", "virtio-transitional");
  assert_is (fixture, "//interface/model/@type", "virtio-transitional");
  assert_is (fixture, "//rng/@model", "virtio-transitional");
  assert_is (fixture, "//memballoon/@model", "virtio-transitional");
  assert_is (fixture, "//controller[@type='virtio-serial']/@model", "virtio-transitional");
}

static void
test_virtio_before_1_0_on_i440fx_is_plain (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->report->virtio_1_0 = FALSE;
  set (&fixture->report->machine, "i440fx");
  build (fixture, UUID, NULL);
  assert_is (fixture, "count(//@*[.='virtio-transitional'])", "0");
  assert_is (fixture, "//interface/model/@type", "virtio");
}

static void
test_topology_is_the_machines (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->request->guest->phys_topo = TRUE;
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/vcpu", "16");
  assert_is (fixture, "/domain/cpu/topology/@sockets", "2");
  assert_is (fixture, "/domain/cpu/topology/@cores", "4");
  assert_is (fixture, "/domain/cpu/topology/@threads", "2");
}

static void
test_cpu_model_is_the_chosen_one (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  set (&fixture->request->guest->cpu_model, "Haswell");
  set (&fixture->request->guest->cpu_vendor, "Intel");
  fixture->request->guest->apic = P2V_NO;
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/cpu[@mode='custom']/model[@fallback='allow']", "Haswell");
  assert_is (fixture, "/domain/cpu/vendor", "Intel");
  assert_is (fixture, "/domain/cpu/topology/@cores", "4");
  assert_is (fixture, "count(/domain/features/apic)", "0");
}

static void
test_many_processors_get_their_interrupts (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->request->guest->vcpus = 288;
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/vcpu", "288");
  assert_is (fixture, "//iommu[@model='intel']/driver/@eim", "on");
}

static void
test_i440fx_has_255_processors (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->request->guest->vcpus = 288;
  set (&fixture->report->machine, "i440fx");
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/vcpu", "255");
  g_assert_true (has_warning (fixture, "255 virtual CPUs instead of 288"));
}

static void
test_emulation_has_255_processors (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->request->guest->vcpus = 288;
  fixture->hypervisor.kvm = FALSE;
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/vcpu", "255");
  assert_is (fixture, "count(//iommu|//ioapic)", "0");
  g_assert_true (has_warning (fixture, "emulation without KVM has no more"));
}

static void
add_image (Fixture *fixture, const char *disk, const char *path)
{
  P2vImage *image = p2v_image_new ();
  image->disk = g_strdup (disk);
  image->path = g_strdup (path);
  image->format = g_strdup ("raw");
  g_ptr_array_add (fixture->plan->images, image);
}

static void
test_disks_keep_their_order (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  add_image (fixture, "sdb", "/dev/vg/web1-sdb");
  add_image (fixture, "sdc", "/images/web1-sdc");
  set (&fixture->plan->allocation, "preallocated");
  build (fixture, UUID, NULL);
  assert_is (fixture, "//disk[1]/target/@dev", "vda");
  assert_is (fixture, "//disk[2]/target/@dev", "vdb");
  assert_is (fixture, "//disk[3]/target/@dev", "vdc");
  assert_is (fixture, "//disk[2][@type='block']/source/@dev", "/dev/vg/web1-sdb");
  assert_is (fixture, "//disk[3][@type='file']/source/@file", "/images/web1-sdc");
  assert_is (fixture, "//disk[2]/driver/@type", "raw");
  assert_is (fixture, "concat(//disk[1]/boot/@order,//disk[2]/boot/@order,//disk[3]/boot/@order)",
             "123");
  assert_is (fixture, "count(//disk/driver/@discard)", "0");
  /* sdb's serial number has characters that libvirt does not take: left out, not broken. */
  assert_is (fixture, "count(//disk/serial)", "1");
}

static void
test_fifth_ide_drive_goes_to_sata (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  set (&fixture->report->machine, "i440fx");
  set (&fixture->report->block_bus, "ide");
  for (int i = 0; i < 4; i++)
    add_image (fixture, "sdc", "/images/more");
  build (fixture, UUID, NULL);
  assert_is (fixture, "count(//target[@bus='ide'])", "4");
  assert_is (fixture, "//disk[5]/target[@bus='sata']/@dev", "sda");
  g_assert_true (has_warning (fixture, "may not see the disk"));
}

static void
test_many_disks_have_distinct_names (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  for (int i = 0; i < 29; i++)
    add_image (fixture, "sdc", "/images/more");
  build (fixture, UUID, NULL);
  assert_is (fixture, "//disk[26]/target/@dev", "vdz");
  assert_is (fixture, "//disk[27]/target/@dev", "vdaa");
  assert_is (fixture, "//disk[30]/target/@dev", "vdad");
}

static void
test_scsi_disks_share_a_controller (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  set (&fixture->report->block_bus, "virtio-scsi");
  for (int i = 0; i < 9; i++)
    add_image (fixture, "sdc", "/images/more");
  fixture->request->guest->removables = g_strsplit ("sr0", " ", -1);
  build (fixture, UUID, NULL);
  assert_is (fixture, "count(//disk/address[@controller='0'])", "10");
  assert_is (fixture, "//disk[10]/address/@unit", "9");
  assert_is (fixture, "//disk[@device='cdrom']/target[@bus='sata']/@dev", "sdk");
}

static void
test_nics_are_plugged_in_as_planned (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  P2vPlanNic *bridge = p2v_plan_nic_new ();
  bridge->mac = g_strdup ("52:54:00:12:34:57");
  bridge->type = g_strdup ("bridge");
  bridge->source = g_strdup ("br0");
  g_ptr_array_add (fixture->plan->nics, bridge);
  P2vPlanNic *user = p2v_plan_nic_new ();
  user->mac = g_strdup ("52:54:00:12:34:58");
  user->type = g_strdup ("user");
  g_ptr_array_add (fixture->plan->nics, user);
  build (fixture, UUID, NULL);
  assert_is (fixture, "//interface[2][@type='bridge']/source/@bridge", "br0");
  assert_is (fixture, "//interface[3][@type='user']/mac/@address", "52:54:00:12:34:58");
  assert_is (fixture, "count(//interface[3]/source)", "0");
}

static void
test_machine_without_nic (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  p2v_plan_nic_free (g_ptr_array_steal_index (fixture->plan->nics, 0));
  build (fixture, UUID, NULL);
  assert_is (fixture, "count(//interface)", "0");
}

static void
test_no_kvm_is_a_qemu_domain_with_a_warning (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->hypervisor.kvm = FALSE;
  fixture->hypervisor.kvm_problem = (char *)"it is broken.";
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/@type", "qemu");
  assert_is (fixture, "/domain/cpu/@mode", "maximum");
  g_assert_true (has_warning (fixture, "without KVM and will be slow: it is broken."));
}

static void
test_local_time_clock (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  /* A whole day is in no time zone, whatever this host's is. */
  set (&fixture->request->guest->rtc_basis, "localtime");
  fixture->request->guest->rtc_offset = 86400;
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/clock/@offset", "localtime");
  g_assert_true (has_warning (fixture, "the machine's clock was at +24.00"));
}

static void
test_odd_clock_offset_is_kept (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->request->guest->rtc_offset = -4210;
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/clock[@offset='variable'][@basis='utc']/@adjustment", "-4210");
}

static void
test_uefi_is_q35_without_secure_boot (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  set (&fixture->request->machine->firmware->type, "uefi");
  set (&fixture->report->machine, "i440fx");
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/os/type/@machine", "q35");
  assert_is (fixture, "/domain/os/@firmware", "efi");
  assert_is (fixture, "/domain/os/firmware/feature[@name='secure-boot']/@enabled", "no");
  assert_is (fixture, "count(/domain/features/smm)", "0");
}

static void
test_the_firmware_asked_for_wins (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  P2vRequest *request = fixture->request;
  set (&request->guest->firmware, "uefi-secure");
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/os/firmware/feature[@name='secure-boot']/@enabled", "yes");
  set (&request->machine->firmware->type, "uefi");
  request->machine->firmware->secure_boot = TRUE;
  set (&request->guest->firmware, "uefi");
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/os/firmware/feature[@name='secure-boot']/@enabled", "no");
  set (&request->guest->firmware, "bios");
  build (fixture, UUID, NULL);
  assert_is (fixture, "count(/domain/os/@firmware|/domain/os/loader)", "0");
}

static void
test_local_uefi_names_its_files (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  set (&fixture->request->machine->firmware->type, "uefi");
  fixture->request->machine->firmware->secure_boot = TRUE;
  build (fixture, UUID, "/images");
  g_autofree char *loader = query (fixture, "/domain/os/loader[@secure='yes']");
  g_autofree char *template = query (fixture, "/domain/os/nvram/@template");
  g_assert_true (g_file_test (loader, G_FILE_TEST_IS_REGULAR));
  g_assert_true (g_file_test (template, G_FILE_TEST_IS_REGULAR));
  assert_is (fixture, "/domain/os/nvram", "/images/web1_VARS.fd");
  assert_is (fixture, "count(/domain/os/@firmware)", "0");
}

static void
test_tpm_without_emulator_is_left_out (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  set (&fixture->request->machine->firmware->tpm, "1.2");
  fixture->hypervisor.tpm = FALSE;
  build (fixture, UUID, NULL);
  assert_is (fixture, "count(//tpm)", "0");
  g_assert_true (has_warning (fixture, "Install the packages swtpm and swtpm-tools"));
}

static void
test_old_tpm_is_a_tis (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  set (&fixture->request->machine->firmware->tpm, "1.2");
  build (fixture, UUID, NULL);
  assert_is (fixture, "//tpm[@model='tpm-tis']/backend/@version", "1.2");
}

static void
test_smbios_identity_is_the_machines (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  build (fixture, UUID, NULL);
  assert_is (fixture, "/domain/os/smbios/@mode", "sysinfo");
  assert_is (fixture, "/domain/sysinfo/system/entry[@name='serial']", "8BT5QM2");
  assert_is (fixture, "/domain/sysinfo/system/entry[@name='uuid']", UUID);
  assert_is (fixture, "count(//entry[@name='manufacturer'])", "0");
}

static void
test_another_uuid_is_not_claimed (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  build (fixture, "11111111-2222-4333-8444-555555555555", NULL);
  assert_is (fixture, "/domain/uuid", "11111111-2222-4333-8444-555555555555");
  assert_is (fixture, "count(/domain/sysinfo/system/entry[@name='uuid'])", "0");
  assert_is (fixture, "/domain/sysinfo/system/entry[@name='serial']", "8BT5QM2");
}

static void
test_meaningless_uuids_are_not_used (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static const char *const uuids[] = { "00000000-0000-0000-0000-000000000000",
                                       "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
                                       "03000200-0400-0500-0006-000700080009",
                                       "Not Specified",
                                       "",
                                       NULL };
  P2vMachine *machine = fixture->request->machine;
  for (gsize i = 0; uuids[i] != NULL; i++)
    {
      set (&machine->smbios->uuid, uuids[i]);
      g_assert_null (p2v_domain_machine_uuid (machine));
    }
  set (&machine->smbios->uuid, "4C4C4544-0042-3510-8051-B7C04F4D3132");
  g_autofree char *uuid = p2v_domain_machine_uuid (machine);
  g_assert_cmpstr (uuid, ==, UUID);
}

static void
test_osinfo_knows_releases_by_their_sisters (G_GNUC_UNUSED Fixture *fixture,
                                             G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *exact = p2v_osinfo_find_id ("fedora30");
  g_assert_cmpstr (exact, ==, "http://fedoraproject.org/fedora/30");
  g_autofree char *future = p2v_osinfo_find_id ("debian99");
  g_assert_cmpstr (future, ==, "http://debian.org/debian/99");
  g_autofree char *minor = p2v_osinfo_find_id ("rhel9.77");
  g_assert_cmpstr (minor, ==, "http://redhat.com/rhel/9.77");
  g_assert_null (p2v_osinfo_find_id ("plan9"));
  g_assert_null (p2v_osinfo_find_id ("nonsense"));
  g_assert_null (p2v_osinfo_find_id (NULL));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*test) (Fixture *, gconstpointer);
  } tests[] = {
    { "bios-linux-is-all-virtio", test_bios_linux_is_all_virtio },
    { "windows-with-secure-boot-and-tpm", test_windows_with_secure_boot_and_tpm },
    { "windows-without-virtio-drivers", test_windows_without_virtio_drivers },
    { "windows-without-kvm-has-no-hyperv", test_windows_without_kvm_has_no_hyperv },
    { "old-linux-gets-old-devices", test_old_linux_gets_old_devices },
    { "virtio-before-1.0-is-transitional", test_virtio_before_1_0_is_transitional },
    { "virtio-before-1.0-on-i440fx-is-plain", test_virtio_before_1_0_on_i440fx_is_plain },
    { "topology-is-the-machines", test_topology_is_the_machines },
    { "cpu-model-is-the-chosen-one", test_cpu_model_is_the_chosen_one },
    { "many-processors-get-their-interrupts", test_many_processors_get_their_interrupts },
    { "i440fx-has-255-processors", test_i440fx_has_255_processors },
    { "emulation-has-255-processors", test_emulation_has_255_processors },
    { "disks-keep-their-order", test_disks_keep_their_order },
    { "fifth-ide-drive-goes-to-sata", test_fifth_ide_drive_goes_to_sata },
    { "many-disks-have-distinct-names", test_many_disks_have_distinct_names },
    { "scsi-disks-share-a-controller", test_scsi_disks_share_a_controller },
    { "nics-are-plugged-in-as-planned", test_nics_are_plugged_in_as_planned },
    { "machine-without-nic", test_machine_without_nic },
    { "no-kvm-is-a-qemu-domain-with-a-warning", test_no_kvm_is_a_qemu_domain_with_a_warning },
    { "local-time-clock", test_local_time_clock },
    { "odd-clock-offset-is-kept", test_odd_clock_offset_is_kept },
    { "uefi-is-q35-without-secure-boot", test_uefi_is_q35_without_secure_boot },
    { "the-firmware-asked-for-wins", test_the_firmware_asked_for_wins },
    { "local-uefi-names-its-files", test_local_uefi_names_its_files },
    { "tpm-without-emulator-is-left-out", test_tpm_without_emulator_is_left_out },
    { "old-tpm-is-a-tis", test_old_tpm_is_a_tis },
    { "smbios-identity-is-the-machines", test_smbios_identity_is_the_machines },
    { "another-uuid-is-not-claimed", test_another_uuid_is_not_claimed },
    { "meaningless-uuids-are-not-used", test_meaningless_uuids_are_not_used },
    { "osinfo-knows-releases-by-their-sisters", test_osinfo_knows_releases_by_their_sisters },
  };
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strconcat ("/domain/", tests[i].name, NULL);
      g_test_add (path, Fixture, NULL, set_up, tests[i].test, tear_down);
    }
  return g_test_run ();
}
