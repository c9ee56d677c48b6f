/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "convert-fixture.h"

#include "common/error.h"
#include "p2v-server/tool.h"
#include "p2v-server/v2v.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <unistd.h>

static const char *const capabilities_2_2[] = { "virt-v2v",
                                                "input:libvirtxml",
                                                "output:local",
                                                "output:null",
                                                "output:rhv",
                                                "output:rhv-upload",
                                                "",
                                                NULL };
static const char *const capabilities_2_8[]
    = { "virt-v2v", "output-xml-option", "output:null", "output:ovirt-upload", NULL };

static P2vPlan *
plan_new (const char *mode)
{
  P2vPlan *plan = p2v_plan_new ();
  plan->mode = g_strdup (mode);
  return plan;
}

static void
assert_output (const P2vPlan *plan, const char *const *capabilities, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) argv
      = p2v_v2v_output_arguments (plan, "web1", capabilities, "/job/convert.xml", &error);
  g_autofree char *joined = argv == NULL ? g_strdup (error->message) : g_strjoinv ("|", argv);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_in_place (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vPlan) plan = plan_new (NULL);
  g_auto (GStrv) old
      = p2v_v2v_in_place_arguments (plan, capabilities_2_2, "/j/c.xml", "/j/o.xml", &error);
  g_autofree char *old_line = g_strjoinv ("|", old);
  g_assert_cmpstr (old_line, ==, "virt-v2v-in-place|-v|-x|--root|first|-i|libvirtxml|/j/c.xml");
  fixture_set (&plan->root, "/dev/vg/root");
  g_auto (GStrv) new
      = p2v_v2v_in_place_arguments (plan, capabilities_2_8, "/j/c.xml", "/j/o.xml", &error);
  g_autofree char *new_line = g_strjoinv ("|", new);
  g_assert_cmpstr (new_line, ==,
                   "virt-v2v-in-place|-v|-x|--root|/dev/vg/root|-O|/j/o.xml|-i|libvirtxml|"
                   "/j/c.xml");
  static const char *const bad[] = { "ask", "-O", "", "sda1" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) refusal = NULL;
      fixture_set (&plan->root, bad[i]);
      g_assert_null (
          p2v_v2v_in_place_arguments (plan, capabilities_2_2, "/j/c.xml", "/j/o.xml", &refusal));
      g_assert_error (refusal, P2V_ERROR, P2V_ERROR_REFUSED);
    }
}

static void
test_output_modes (void)
{
  g_autoptr (P2vPlan) plan = plan_new ("null");
  fixture_set (&plan->format, "qcow2"); /* virt-v2v -o null fails when given -of */
  assert_output (plan, capabilities_2_2,
                 "virt-v2v|-v|-x|--root|first|-o|null|-on|web1|-i|libvirtxml|/job/convert.xml");
  fixture_set (&plan->mode, "ovirt-upload");
  fixture_set (&plan->connection, "https://engine/ovirt-engine/api");
  fixture_set (&plan->storage, "data domain; id");
  fixture_set (&plan->allocation, "preallocated");
  plan->options = g_strsplit ("rhv-cafile=/ca.pem,rhv-cluster=$(id)", ",", -1);
  assert_output (plan, capabilities_2_2,
                 "virt-v2v|-v|-x|--root|first|-o|rhv-upload|-oc|https://engine/ovirt-engine/api|"
                 "-os|data domain; id|-of|qcow2|-oa|preallocated|-oo|rhv-cafile=/ca.pem|-oo|"
                 "rhv-cluster=$(id)|-on|web1|-i|libvirtxml|/job/convert.xml");
  fixture_set (&plan->mode, "rhv-upload");
  g_auto (GStrv) argv = p2v_v2v_output_arguments (plan, "web1", capabilities_2_8, "/x", NULL);
  g_assert_cmpstr (argv[6], ==, "ovirt-upload");
}

static void
test_output_refusals (void)
{
  g_autoptr (P2vPlan) plan = plan_new ("vdsm");
  assert_output (plan, capabilities_2_2,
                 "output mode vdsm is not one of those that this server's virt-v2v has: local, "
                 "null, rhv, rhv-upload.");
  fixture_set (&plan->mode, "null");
  char **const members[] = { &plan->connection, &plan->storage, &plan->format, &plan->allocation };
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autoptr (GError) error = NULL;
      fixture_set (members[i], "--root=ask");
      g_assert_null (p2v_v2v_output_arguments (plan, "n", capabilities_2_2, "/x", &error));
      g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
      fixture_set (members[i], NULL);
    }
  g_autoptr (GError) error = NULL;
  plan->options = g_strsplit ("a=b,-op", ",", -1);
  g_assert_null (p2v_v2v_output_arguments (plan, "n", capabilities_2_2, "/x", &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
}

/* The installed virt-v2v answers as the rest of the code expects it to. */
static void
test_installed (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) capabilities = p2v_v2v_capabilities ("virt-v2v", &error);
  g_assert_no_error (error);
  g_assert_true (g_strv_contains ((const char *const *)capabilities, "output:null"));
  g_assert_true (g_strv_contains ((const char *const *)capabilities, "input:libvirtxml"));
}

static void
test_stages (void)
{
  g_assert_cmpstr (p2v_v2v_stage ("[  42.7] Inspecting the source"), ==, "Inspecting the source");
  g_assert_cmpstr (p2v_v2v_stage ("[1234.5] Finishing off"), ==, "Finishing off");
  static const char *const others[]
      = { "[   42.712345] sda: sda1", "[  42.7]", "[  42.7] ", "[x.1] a", "", "[", "[ .1] a",
          "Inspecting the source",    "[1.2]x" };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_null (p2v_v2v_stage (others[i]));
}

typedef struct
{
  char *dir;
  char *log;
  P2vServerConfig *config;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->dir = g_dir_make_tmp ("p2v-v2v-XXXXXX", &error);
  fixture->log = g_build_filename (fixture->dir, "log", NULL);
  fixture->config = fixture_config (fixture->dir);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const char *argv[] = { "rm", "-rf", "--", fixture->dir, NULL };
  g_assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
  p2v_server_config_free (fixture->config);
  g_free (fixture->log);
  g_free (fixture->dir);
}

static void
assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("%s\nis not in\n%s", part, text);
}

/* virt-v2v itself reads the XML as it was meant: --print-source stops before the disks are used. */
static void
test_xml (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *disk = g_build_filename (fixture->dir, "a&b <1>.raw", NULL);
  g_autofree char *xml_path = g_build_filename (fixture->dir, "in.xml", NULL);
  char *paths[] = { disk, disk, NULL };
  g_assert_true (g_file_set_contents (disk, "x", -1, NULL));
  g_assert_cmpint (truncate (disk, 1024 * 1024), ==, 0);
  g_autoptr (P2vJob) job
      = fixture_job (fixture->config, "web1", "\\EFI\\debian\\shimx64.efi", paths, "raw");
  P2vDisk *second = job->request->machine->disks->pdata[1];
  fixture_set (&second->bus, "nvme");
  job->request->guest->phys_topo = TRUE;
  job->request->guest->memory = 3 * G_GINT64_CONSTANT (1024) * 1024 * 1024;
  P2vPlanNic *nic = job->plan->nics->pdata[0];
  fixture_set (&nic->type, "bridge");
  fixture_set (&nic->source, "br\"0");
  g_autofree char *xml = p2v_v2v_build_xml (job, paths, NULL);
  g_assert_true (g_file_set_contents (xml_path, xml, -1, NULL));

  const char *argv[]
      = { "virt-v2v-in-place", "-i", "libvirtxml", xml_path, "--print-source", NULL };
  g_autofree char *source = p2v_tool_ask (argv, "virt-v2v", &error);
  g_assert_no_error (error);
  assert_contains (source, "source name: web1\n");
  assert_contains (source, "hypervisor type: physical\n");
  assert_contains (source, "memory: 3221225472 (bytes)\n");
  assert_contains (source, "nr vCPUs: 2\n");
  assert_contains (source, "CPU topology: sockets: 1 cores/socket: 2 threads/core: 1\n");
  assert_contains (source, "firmware: uefi\n");
  assert_contains (source, "CPU features: acpi,apic,pae\n");
  assert_contains (source, "\t0 [sata]\n\t1\n");
  assert_contains (source, "\tBridge \"br\"0\" mac: 52:54:00:12:34:56\n");

  fixture_set (&job->request->guest->firmware, "bios");
  g_autofree char *bios = p2v_v2v_build_xml (job, paths, "qcow2");
  assert_contains (bios, "<os firmware=\"bios\">");
  assert_contains (bios, "type=\"qcow2\"");
}

static void
test_environment (void)
{
  g_unsetenv ("LIBGUESTFS_BACKEND_SETTINGS");
  g_unsetenv ("LIBGUESTFS_BACKEND");
  g_auto (GStrv) with = p2v_v2v_environment (TRUE);
  g_assert_cmpstr (g_environ_getenv (with, "LIBGUESTFS_BACKEND"), ==, "direct");
  g_assert_null (g_environ_getenv (with, "LIBGUESTFS_BACKEND_SETTINGS"));
  g_auto (GStrv) without = p2v_v2v_environment (FALSE);
  g_assert_cmpstr (g_environ_getenv (without, "LIBGUESTFS_BACKEND_SETTINGS"), ==, "force_tcg");
  g_setenv ("LIBGUESTFS_BACKEND", "libvirt", TRUE);
  g_auto (GStrv) own = p2v_v2v_environment (TRUE);
  g_assert_cmpstr (g_environ_getenv (own, "LIBGUESTFS_BACKEND"), ==, "libvirt");
}

static gboolean
run_shell (Fixture *fixture, const char *script, gint64 timeout, GError **error)
{
  const char *argv[] = { "sh", "-c", script, NULL };
  P2vTool tool = { .argv = argv,
                   .package = "dash",
                   .log = fixture->log,
                   .timeout = timeout,
                   .timeout_key = "the key" };
  return p2v_tool_run (&tool, error);
}

static void
assert_process_is_gone (const Fixture *fixture)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (fixture->log, &text, NULL, NULL));
  const char *line = strstr (text, "pid ");
  while (line != NULL && !g_ascii_isdigit (line[4]))
    line = strstr (line + 1, "pid "); /* the first is the command itself */
  g_assert_nonnull (line);
  pid_t pid = (pid_t)strtol (line + 4, NULL, 10);
  g_assert_cmpint (pid, >, 1);
  g_assert_cmpint (kill (pid, 0), ==, -1);
}

static void
test_helpers_are_waited_for (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (run_shell (fixture, "sleep 1 & echo pid $!", 0, &error));
  g_assert_no_error (error);
  assert_process_is_gone (fixture);
}

static void
test_time_limit_ends_helpers (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (run_shell (fixture, "sleep 300 & echo pid $!; wait", 1, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CONVERT);
  assert_contains (error->message, "raise the key");
  assert_process_is_gone (fixture);
}

static gboolean
after_a_second (gpointer started)
{
  return g_get_monotonic_time () - *(gint64 *)started > G_USEC_PER_SEC;
}

/* Neither the program nor its helper goes when it is asked to. */
static void
test_cancelling_ends_helpers (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 started = g_get_monotonic_time ();
  const char *argv[]
      = { "sh", "-c", "trap '' TERM; sleep 300 & echo pid $!; while :; do wait; done", NULL };
  P2vTool tool = { .argv = argv,
                   .package = "dash",
                   .log = fixture->log,
                   .cancelled = after_a_second,
                   .cancelled_data = &started };
  g_assert_false (p2v_tool_run (&tool, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CANCELLED);
  assert_contains (error->message, "the job was cancelled");
  g_assert_cmpint (g_get_monotonic_time () - started, <, 8 * G_USEC_PER_SEC);
  assert_process_is_gone (fixture);
}

static void
test_exit_status (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (run_shell (fixture, "read line || echo no input; exit 3", 0, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CONVERT);
  assert_contains (error->message, "exit status 3");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (fixture->log, &text, NULL, NULL));
  assert_contains (text, "\nno input\n");
}

/* Often enough that some have ended before anybody looks at them. */
static void
test_short_programs (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  for (int i = 0; i < 50; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_true (run_shell (fixture, "exit 0", 0, &error));
      g_assert_no_error (error);
      g_assert_false (run_shell (fixture, "kill -9 $$", 0, &error));
      assert_contains (error->message, "ended by signal 9");
    }
}

static void
test_passwords (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const char *argv[] = { "true", "-oo", "os-password=hunter2", "-oo", "os-username=me", NULL };
  P2vTool tool = { .argv = argv, .package = "coreutils", .log = fixture->log };
  g_autofree char *text = NULL;
  g_assert_true (p2v_tool_run (&tool, NULL));
  g_assert_true (g_file_get_contents (fixture->log, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "+ true -oo os-password=*** -oo os-username=me\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/v2v/environment", test_environment);
  g_test_add_func ("/v2v/in-place-arguments", test_in_place);
  g_test_add_func ("/v2v/output-arguments", test_output_modes);
  g_test_add_func ("/v2v/output-refusals", test_output_refusals);
  g_test_add_func ("/v2v/stages", test_stages);
  g_test_add_func ("/v2v/installed-capabilities", test_installed);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/v2v/xml-is-read-as-meant", test_xml);
  ADD ("/tool/helpers-are-waited-for", test_helpers_are_waited_for);
  ADD ("/tool/time-limit-ends-helpers", test_time_limit_ends_helpers);
  ADD ("/tool/cancelling-ends-helpers", test_cancelling_ends_helpers);
  ADD ("/tool/exit-status-and-no-input", test_exit_status);
  ADD ("/tool/programs-that-end-at-once", test_short_programs);
  ADD ("/tool/passwords-are-not-logged", test_passwords);
  return g_test_run ();
}
