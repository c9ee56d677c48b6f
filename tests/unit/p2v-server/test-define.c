/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-server/define.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/libvirt.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

/* libvirt's built-in driver: real libvirt, guests of no substance. All connections of a process
 * share its state for as long as one of them is open. */
#define TEST_URI "test:///default"

#define MACHINE_UUID "4c4c4544-0042-3510-8051-b7c04f4d3132"
#define OTHER_UUID "11111111-2222-4333-8444-555555555555"

typedef struct
{
  char *dir;
  P2vServerConfig *config;
  P2vJob *job;
  P2vReport *report;
  virConnectPtr libvirt;
} Fixture;

static const char request_json[]
    = "{\"machine\":{\"cpu\":{\"acpi\":true,\"apic\":true},\"firmware\":{\"type\":\"bios\"},"
      " \"clock\":{\"basis\":\"utc\"},\"smbios\":{\"uuid\":\"" MACHINE_UUID "\"},"
      " \"disks\":[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"size\":1048576}]},"
      " \"guest\":{\"name\":\"web1\",\"vcpus\":1,\"memory\":1073741824,\"rtc_basis\":\"utc\","
      " \"disks\":[\"sda\"]},\"output\":{}}";

static const char plan_json[]
    = "{\"method\":\"libvirt\",\"connection\":\"" TEST_URI "\",\"format\":\"qcow2\","
      " \"images\":[{\"disk\":\"sda\",\"path\":\"/images/web1-sda\",\"format\":\"qcow2\","
      "              \"pool\":\"default-pool\",\"volume\":\"web1-sda\"}],"
      " \"nics\":[{\"mac\":\"52:54:00:12:34:56\",\"type\":\"network\",\"source\":\"default\"}]}";

static const char report_json[]
    = "{\"os_type\":\"linux\",\"block_bus\":\"virtio-blk\",\"net_bus\":\"virtio-net\","
      " \"machine\":\"q35\",\"virtio_1_0\":true,\"acpi\":true}";

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
  g_autoptr (GError) error = NULL;
  fixture->dir = g_dir_make_tmp ("p2v-define-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *file = g_build_filename (fixture->dir, "server.conf", NULL);
  g_autofree char *text
      = g_strdup_printf ("[server]\nstate-dir=%s/state\n[define]\ntimeout=20\n", fixture->dir);
  g_assert_true (g_file_set_contents (file, text, -1, &error));
  fixture->config = p2v_server_config_load (file, &error);
  g_assert_no_error (error);
  g_autoptr (P2vRequest) request = parse (&p2v_request_schema, request_json);
  fixture->job = p2v_job_create (fixture->config, request, &error);
  g_assert_no_error (error);
  fixture->job->plan = parse (&p2v_plan_schema, plan_json);
  fixture->report = parse (&p2v_report_schema, report_json);
  fixture->libvirt = p2v_libvirt_open (TEST_URI, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) remover
      = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, "rm", "-rf", "--", fixture->dir, NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (remover, NULL, NULL));
  virConnectClose (fixture->libvirt);
  p2v_job_free (fixture->job);
  p2v_report_free (fixture->report);
  p2v_server_config_free (fixture->config);
  g_free (fixture->dir);
}

static void
assert_defines (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  gboolean defined = p2v_define_run (fixture->config, fixture->job, fixture->report, &error);
  g_assert_no_error (error);
  g_assert_true (defined);
}

static void
assert_fails (Fixture *fixture, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_define_run (fixture->config, fixture->job, fixture->report, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CONVERT);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
  g_assert_null (fixture->job->guest_place);
}

/* A domain that somebody else has. */
static void
define_other (Fixture *fixture, const char *name, const char *uuid)
{
  g_autofree char *xml = g_strdup_printf (
      "<domain type='test'><name>%s</name><uuid>%s</uuid><description>other</description>"
      "<memory>65536</memory><os><type>hvm</type></os></domain>",
      name, uuid);
  g_autoptr (virDomain) domain = virDomainDefineXML (fixture->libvirt, xml);
  g_assert_nonnull (domain);
}

static char *
description_of (Fixture *fixture, const char *name)
{
  g_autoptr (virDomain) domain = virDomainLookupByName (fixture->libvirt, name);
  g_assert_nonnull (domain);
  char *text = virDomainGetMetadata (domain, VIR_DOMAIN_METADATA_DESCRIPTION, NULL, 0);
  return text;
}

/* TRUE when the job's events hold a warning with that text. */
static gboolean
has_warning (Fixture *fixture, const char *part)
{
  g_autoptr (GError) error = NULL;
  goffset offset = 0;
  g_autoptr (GPtrArray) events = p2v_job_read_events (fixture->job, &offset, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < events->len; i++)
    {
      const P2vEvent *event = events->pdata[i];
      if (strcmp (event->kind, "warning") == 0 && strstr (event->message, part) != NULL)
        return TRUE;
    }
  return FALSE;
}

static void
test_domain_is_in_libvirt (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  assert_defines (fixture);
  g_autoptr (virDomain) domain = virDomainLookupByName (fixture->libvirt, "web1");
  g_assert_nonnull (domain);
  char uuid[VIR_UUID_STRING_BUFLEN];
  g_assert_cmpint (virDomainGetUUIDString (domain, uuid), ==, 0);
  g_assert_cmpstr (uuid, ==, MACHINE_UUID);
  g_assert_cmpstr (fixture->job->guest_uuid, ==, MACHINE_UUID);
  g_assert_cmpstr (fixture->job->guest_place, ==, TEST_URI);
  g_autofree char *file = p2v_job_path (fixture->job, P2V_DEFINE_XML_FILE);
  g_assert_true (g_file_test (file, G_FILE_TEST_IS_REGULAR));
  g_assert_false (has_warning (fixture, "refresh"));

  /* It is in the job's file too. */
  g_autoptr (P2vJob) saved = p2v_job_load (fixture->config, fixture->job->id, NULL);
  g_assert_cmpstr (saved->guest_uuid, ==, MACHINE_UUID);
  g_assert_cmpstr (saved->guest_place, ==, TEST_URI);
}

static void
test_stage_can_be_repeated (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  assert_defines (fixture);
  /* As after a crash between libvirt's answer and the last write of the job. */
  g_clear_pointer (&fixture->job->guest_place, g_free);
  assert_defines (fixture);
  g_assert_cmpstr (fixture->job->guest_uuid, ==, MACHINE_UUID);
  g_assert_cmpstr (fixture->job->guest_place, ==, TEST_URI);
}

static void
test_taken_name_is_not_overwritten (Fixture *fixture, gconstpointer data)
{
  define_other (fixture, "web1", data);
  assert_fails (fixture, "has a domain \"web1\" already");
  g_assert_null (fixture->job->guest_uuid);
  g_autofree char *description = description_of (fixture, "web1");
  g_assert_cmpstr (description, ==, "other");
}

static void
test_taken_uuid_is_replaced (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  define_other (fixture, "another", MACHINE_UUID);
  assert_defines (fixture);
  g_assert_cmpstr (fixture->job->guest_uuid, !=, MACHINE_UUID);
  g_assert_true (g_uuid_string_is_valid (fixture->job->guest_uuid));
  g_assert_true (has_warning (fixture, "another guest has the machine's SMBIOS UUID"));
  g_autofree char *description = description_of (fixture, "another");
  g_assert_cmpstr (description, ==, "other");
}

static void
test_refusal_is_libvirts_own_text (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  P2vPlanNic *nic = fixture->job->plan->nics->pdata[0];
  g_free (nic->mac);
  nic->mac = g_strdup ("01:00:5e:00:00:01");
  assert_fails (fixture, "XML document failed to validate against schema");
  g_assert_null (fixture->job->guest_uuid);
  g_assert_null (virDomainLookupByName (fixture->libvirt, "web1"));

  /* With the cause removed a retry works. */
  g_free (nic->mac);
  nic->mac = g_strdup ("52:54:00:00:00:01");
  assert_defines (fixture);
}

static void
test_unknown_cpu_model_is_a_warning (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  fixture->job->request->guest->cpu_model = g_strdup ("Pentium-99");
  assert_defines (fixture);
  g_assert_true (has_warning (fixture, "knows no CPU model \"Pentium-99\""));
}

static void
test_unreachable_libvirt_is_named (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  char **uri = &fixture->job->plan->connection;
  g_free (*uri);
  *uri = g_strdup_printf ("qemu+unix:///system?socket=%s/none", fixture->dir);
  assert_fails (fixture, "cannot connect to libvirt at qemu+unix:///system");
}

/* A daemon that accepts connections and never says a word. Closing the socket lets the thread that
 * was left behind end before the process does. */
static GSocket *
listen_silently (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->dir, "silent", NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (socket, address, FALSE, &error));
  g_assert_true (g_socket_listen (socket, &error));
  char **uri = &fixture->job->plan->connection;
  g_free (*uri);
  *uri = g_strdup_printf ("qemu+unix:///system?socket=%s", path);
  return socket;
}

static void
test_silent_libvirt_does_not_hang (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GSocket) socket = listen_silently (fixture);
  fixture->config->define_timeout = 1;
  gint64 start = g_get_monotonic_time ();
  assert_fails (fixture, "did not answer within 1 seconds");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);
}

static gpointer
cancel_in_a_second (gpointer job)
{
  g_usleep (G_USEC_PER_SEC);
  g_assert_true (p2v_job_request_cancel (job, NULL));
  return NULL;
}

static void
test_silent_libvirt_does_not_keep_who_cancels (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = listen_silently (fixture);
  fixture->config->define_timeout = 300;
  gint64 start = g_get_monotonic_time ();
  GThread *thread = g_thread_new ("cancel", cancel_in_a_second, fixture->job);
  g_assert_false (p2v_define_run (fixture->config, fixture->job, fixture->report, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);
  g_thread_join (thread);
}

static void
make_local (Fixture *fixture, gboolean uefi)
{
  P2vPlan *plan = fixture->job->plan;
  g_free (plan->method);
  g_free (plan->storage);
  plan->method = g_strdup ("local");
  plan->storage = g_build_filename (fixture->dir, "images & more", NULL);
  g_assert_cmpint (g_mkdir (plan->storage, 0700), ==, 0);
  P2vFirmware *firmware = fixture->job->request->machine->firmware;
  if (uefi)
    {
      g_free (firmware->type);
      firmware->type = g_strdup ("uefi");
    }
}

static void
test_local_writes_files (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  make_local (fixture, TRUE);
  assert_defines (fixture);
  g_autofree char *xml = g_build_filename (fixture->job->plan->storage, "web1.xml", NULL);
  g_autofree char *vars = g_build_filename (fixture->job->plan->storage, "web1_VARS.fd", NULL);
  g_assert_cmpstr (fixture->job->guest_place, ==, xml);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (xml, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "images &amp; more/web1_VARS.fd</nvram>"));
  GStatBuf info;
  g_assert_cmpint (g_stat (vars, &info), ==, 0);
  g_assert_cmpint (info.st_size, >=, 65536);

  /* Again, as after a crash: with both files, and with the first only. */
  assert_defines (fixture);
  g_assert_cmpint (g_unlink (xml), ==, 0);
  assert_defines (fixture);
  g_assert_true (g_file_test (xml, G_FILE_TEST_IS_REGULAR));
}

static void
test_local_overwrites_nothing (Fixture *fixture, gconstpointer data)
{
  make_local (fixture, TRUE);
  g_autofree char *path = g_build_filename (fixture->job->plan->storage, data, NULL);
  g_assert_true (g_file_set_contents (path, "precious", -1, NULL));
  assert_fails (fixture, "othing was overwritten");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "precious");

  /* Neither is anything left of the attempt. */
  g_autoptr (GDir) dir = g_dir_open (fixture->job->plan->storage, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, (const char *)data);
  g_assert_null (g_dir_read_name (dir));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name, data, function) g_test_add (name, Fixture, data, set_up, function, tear_down)
  TEST ("/define/domain-is-in-libvirt", NULL, test_domain_is_in_libvirt);
  TEST ("/define/stage-can-be-repeated", NULL, test_stage_can_be_repeated);
  TEST ("/define/taken-name-is-not-overwritten", OTHER_UUID, test_taken_name_is_not_overwritten);
  TEST ("/define/same-machine-twice-is-not-overwritten", MACHINE_UUID,
        test_taken_name_is_not_overwritten);
  TEST ("/define/taken-uuid-is-replaced", NULL, test_taken_uuid_is_replaced);
  TEST ("/define/refusal-is-libvirts-own-text", NULL, test_refusal_is_libvirts_own_text);
  TEST ("/define/unknown-cpu-model-is-a-warning", NULL, test_unknown_cpu_model_is_a_warning);
  TEST ("/define/unreachable-libvirt-is-named", NULL, test_unreachable_libvirt_is_named);
  TEST ("/define/silent-libvirt-does-not-hang", NULL, test_silent_libvirt_does_not_hang);
  TEST ("/define/silent-libvirt-does-not-keep-who-cancels", NULL,
        test_silent_libvirt_does_not_keep_who_cancels);
  TEST ("/define/local-writes-files", NULL, test_local_writes_files);
  TEST ("/define/local-overwrites-no-xml", "web1.xml", test_local_overwrites_nothing);
  TEST ("/define/local-overwrites-no-variables", "web1_VARS.fd", test_local_overwrites_nothing);
  return g_test_run ();
}
