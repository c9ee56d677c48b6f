/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-server/report.h"

#include <string.h>

static char *
read_fixture (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path
      = g_build_filename (g_getenv ("P2V_TOP") == NULL ? "." : g_getenv ("P2V_TOP"),
                          "tests/unit/p2v-server/fixtures", name, NULL);
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static P2vReport *
parse_fixture (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = read_fixture (name);
  P2vReport *report = p2v_report_parse_log (text, -1, &error);
  g_assert_no_error (error);
  return report;
}

static void
test_recorded_debian (void)
{
  g_autoptr (P2vReport) report = parse_fixture ("v2v-debian12.log");
  g_assert_cmpstr (report->os, ==, "debian12");
  g_assert_cmpstr (report->os_type, ==, "linux");
  g_assert_cmpstr (report->distro, ==, "debian");
  g_assert_cmpstr (report->product_name, ==, "12.15");
  g_assert_cmpstr (report->arch, ==, "x86_64");
  g_assert_cmpint (report->major, ==, 12);
  g_assert_cmpint (report->minor, ==, 15);
  g_assert_cmpstr (report->root, ==, "/dev/sda2");
  g_assert_cmpstr (report->block_bus, ==, "virtio-blk");
  g_assert_cmpstr (report->net_bus, ==, "virtio-net");
  g_assert_cmpstr (report->machine, ==, "q35");
  g_assert_null (report->video);
  g_assert_true (report->virtio_rng && report->virtio_balloon && report->pvpanic);
  g_assert_true (report->virtio_socket && report->virtio_1_0 && report->acpi && report->rtc_utc);
}

static void
test_windows (void)
{
  g_autoptr (P2vReport) without = parse_fixture ("v2v-windows2019-no-virtio-win.log");
  g_assert_cmpstr (without->os, ==, "win2k19");
  g_assert_cmpstr (without->os_type, ==, "windows");
  g_assert_cmpstr (without->product_name, ==, "Windows Server 2019 Standard");
  g_assert_cmpstr (without->block_bus, ==, "ide");
  g_assert_cmpstr (without->net_bus, ==, "rtl8139");
  g_assert_false (without->virtio_rng || without->virtio_balloon || without->pvpanic
                  || without->virtio_socket);
  g_assert_true (without->acpi);
  g_assert_false (without->rtc_utc);

  g_autoptr (P2vReport) with = parse_fixture ("v2v-windows2019-virtio-win.log");
  g_assert_cmpstr (with->block_bus, ==, "virtio-blk");
  g_assert_cmpstr (with->net_bus, ==, "virtio-net");
  g_assert_true (with->virtio_rng && with->virtio_balloon);
  g_assert_false (with->rtc_utc);
}

/* What 2.8 prints in place of gcaps_acpi and gcaps_default_cpu. */
static void
test_newer_capabilities (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vReport) report
      = p2v_report_parse_log ("i_type = linux\ngcaps_block_bus = virtio-scsi\n"
                              "gcaps_net_bus = e1000\ngcaps_machine = i440fx\n"
                              "gcaps_arch_min_version = 2\ngcaps_rtc_utc = false\n",
                              -1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report->block_bus, ==, "virtio-scsi");
  g_assert_true (report->acpi);
  g_assert_false (report->rtc_utc);
}

static void
assert_refused (const char *log, gssize length, const char *pattern)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (p2v_report_parse_log (log, length, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CONVERT);
  if (!g_pattern_match_simple (pattern, error->message))
    g_error ("%s", error->message);
}

static void
test_garbage (void)
{
  assert_refused ("", -1, "*no gcaps_block_bus*");
  assert_refused ("\0\xff\n = \ngcaps_\n", 15, "*no gcaps_block_bus*");
  assert_refused ("gcaps_block_bus = virtio-blk\n", -1, "*no gcaps_block_bus*");
  assert_refused ("gcaps_block_bus = floppy\ngcaps_net_bus = e1000\n", -1,
                  "*gcaps_block_bus = floppy*");
  assert_refused ("gcaps_block_bus = ide\ngcaps_net_bus = e1000\ngcaps_acpi = maybe\n", -1,
                  "*gcaps_acpi = maybe*");
}

/* Cut off anywhere before the bus lines are whole, a log is refused; it never yields other facts
 * than the whole one. */
static void
test_truncated (void)
{
  g_autofree char *log = read_fixture ("v2v-debian12.log");
  const char *net = strstr (log, "gcaps_net_bus = virtio-net\n");
  gssize whole = net - log + (gssize)strlen ("gcaps_net_bus = virtio-net\n");
  for (gssize length = whole - 60; length < whole; length++)
    assert_refused (log, length, "*no gcaps_block_bus*");
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vReport) report = p2v_report_parse_log (log, whole, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report->net_bus, ==, "virtio-net");
}

/* The guest's console is in the log before virt-v2v's own lines. */
static void
test_last_line_counts (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vReport) report
      = p2v_report_parse_log ("gcaps_block_bus = ide\ngcaps_net_bus = e1000\ni_osinfo = a\x1b]b\n"
                              "gcaps_block_bus = virtio-blk\ngcaps_net_bus = virtio-net\n",
                              -1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report->block_bus, ==, "virtio-blk");
  g_assert_cmpstr (report->net_bus, ==, "virtio-net");
  g_assert_cmpstr (report->os, ==, "a ]b");
}

static void
test_inspection (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = read_fixture ("v2v-inspection.xml");
  g_autoptr (P2vReport) inspection = p2v_report_parse_xml (xml, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (inspection->os, ==, "fedora42");
  g_assert_cmpstr (inspection->os_type, ==, "linux");
  g_assert_cmpstr (inspection->product_name, ==, "Fedora Linux 42 (Server & more)");
  g_assert_cmpint (inspection->major, ==, 42);
  g_assert_cmpstr (inspection->root, ==, "btrfsvol:/dev/sda3/root");
  g_assert_null (inspection->block_bus);

  g_autoptr (P2vReport) report = parse_fixture ("v2v-debian12.log");
  p2v_report_adopt_inspection (report, inspection);
  g_assert_cmpstr (report->os, ==, "fedora42");
  g_assert_cmpint (report->minor, ==, 0);
  g_assert_cmpstr (report->block_bus, ==, "virtio-blk");

  static const char *const bad[]
      = { "", "<", "<domain/>", "<v2v-inspection/>", "<v2v-inspection><operatingsystem>" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) refusal = NULL;
      g_assert_null (p2v_report_parse_xml (bad[i], -1, &refusal));
      g_assert_error (refusal, P2V_ERROR, P2V_ERROR_CONVERT);
    }
}

static void
test_survives_json (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vReport) report = parse_fixture ("v2v-debian12.log");
  g_autoptr (JsonObject) object = p2v_report_to_json (report);
  g_autoptr (P2vReport) again = p2v_report_from_json (object, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again->block_bus, ==, "virtio-blk");
  g_assert_true (again->virtio_1_0 && again->acpi);
  g_assert_cmpint (again->major, ==, 12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/recorded-debian", test_recorded_debian);
  g_test_add_func ("/report/windows-with-and-without-drivers", test_windows);
  g_test_add_func ("/report/newer-capabilities", test_newer_capabilities);
  g_test_add_func ("/report/garbage-is-refused", test_garbage);
  g_test_add_func ("/report/truncated-is-refused", test_truncated);
  g_test_add_func ("/report/last-line-counts", test_last_line_counts);
  g_test_add_func ("/report/inspection-file", test_inspection);
  g_test_add_func ("/report/survives-json", test_survives_json);
  return g_test_run ();
}
