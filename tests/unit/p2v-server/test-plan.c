/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-server/job.h"
#include "p2v-server/job-store.h"
#include "p2v-server/libvirt.h"
#include "p2v-server/offers.h"
#include "p2v-server/plan.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* libvirt's own test driver: the state of test:///default lasts while a connection to it does, so
 * what a test defines here is what p2v_plan_make() sees. It keeps everything in memory. */
#define URI "test:///default"

typedef struct
{
  char *dir;
  char *images; /* the allowed directory */
  P2vServerConfig *config;
  P2vRequest *request;
  virConnectPtr libvirt;
} Fixture;

static const char request_text[]
    = "{\"machine\":{\"cpu\":{},\"firmware\":{\"type\":\"bios\"},\"clock\":{},\"smbios\":{},"
      "\"disks\":[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"size\":1048576},"
      "{\"name\":\"nvme0n1\",\"path\":\"/dev/nvme0n1\",\"size\":2097152}],"
      "\"nics\":[{\"name\":\"eno1\",\"mac\":\"52:54:00:AB:CD:EF\"}]},"
      "\"guest\":{\"name\":\"bios1\",\"vcpus\":1,\"memory\":268435456,\"rtc_basis\":\"utc\","
      "\"disks\":[\"/dev/sda\",\"nvme0n1\"],\"nics\":[{\"nic\":\"eno1\",\"network\":\"default\"}]},"
      "\"output\":{}}";

static void
write_file (const Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
define_pool (Fixture *f, const char *type, const char *name, gboolean start)
{
  g_autofree char *xml = g_strdup_printf (
      "<pool type='%s'><name>%s</name><source>%s<name>%s</name></source>"
      "<target><path>/p2v/%s</path></target></pool>",
      type, name, strcmp (type, "rbd") == 0 ? "<host name='ceph'/>" : "", name, name);
  g_autoptr (virStoragePool) pool = virStoragePoolDefineXML (f->libvirt, xml, 0);
  g_assert_nonnull (pool);
  if (start)
    g_assert_cmpint (virStoragePoolCreate (pool, 0), ==, 0);
}

static void
setup (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("p2v-plan-XXXXXX", &error);
  g_assert_no_error (error);
  f->images = g_build_filename (f->dir, "images", NULL);
  g_assert_cmpint (g_mkdir (f->images, 0700), ==, 0);
  g_autofree char *text = g_strdup_printf ("[server]\nstate-dir=%s/state\n[libvirt]\nuri=" URI
                                           "\n[storage]\nallow=libvirt-pools;%s\n"
                                           "default=%s\n[profiles]\nfile=%s/virt-v2v.conf\n",
                                           f->dir, f->images, f->images, f->dir);
  write_file (f, "server.conf", text);
  g_autofree char *path = g_build_filename (f->dir, "server.conf", NULL);
  f->config = p2v_server_config_load (path, &error);
  g_assert_no_error (error);
  g_autoptr (JsonObject) object = p2v_json_from_text (request_text, -1, &error);
  f->request = p2v_request_from_json (object, &error);
  g_assert_no_error (error);
  f->libvirt = p2v_libvirt_open (URI, &error);
  g_assert_no_error (error);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  (void)data;
  g_assert_cmpint (virConnectClose (f->libvirt), ==, 0);
  g_assert_true (p2v_store_remove_tree (f->dir, NULL));
  p2v_server_config_free (f->config);
  p2v_request_free (f->request);
  g_free (f->images);
  g_free (f->dir);
}

static void
set (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static P2vPlan *
make (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (p2v_request_check (f->request, &error));
  P2vPlan *plan = p2v_plan_make (f->config, f->request, "/job", &error);
  g_assert_no_error (error);
  return plan;
}

static void
assert_refused (Fixture *f, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vPlan) plan = p2v_plan_make (f->config, f->request, "/job", &error);
  g_assert_null (plan);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  if (strstr (error->message, expected) == NULL)
    g_error ("expected \"%s\" in: %s", expected, error->message);
  for (const char *c = error->message; *c != '\0'; c++)
    g_assert_false (g_ascii_iscntrl (*c));
}

static const P2vImage *
image (const P2vPlan *plan, guint index)
{
  g_assert_cmpuint (index, <, plan->images->len);
  return plan->images->pdata[index];
}

static void
test_libvirt_with_a_pool (Fixture *f, gconstpointer data)
{
  (void)data;
  set (&f->request->output->mode, "libvirt");
  set (&f->request->output->storage, "default-pool");
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (plan->method, ==, "libvirt");
  g_assert_cmpstr (plan->connection, ==, URI);
  g_assert_cmpstr (plan->storage, ==, "default-pool");
  g_assert_cmpstr (plan->format, ==, "qcow2");
  g_assert_cmpstr (plan->allocation, ==, "sparse");
  g_assert_cmpstr (plan->root, ==, "first");
  g_assert_cmpstr (image (plan, 0)->volume, ==, "bios1-sda");
  g_assert_cmpstr (image (plan, 1)->volume, ==, "bios1-nvme0n1");
  g_assert_cmpint (image (plan, 1)->size, ==, 2097152);
  g_assert_cmpstr (image (plan, 1)->pool, ==, "default-pool");
  const P2vPlanNic *nic = plan->nics->pdata[0];
  g_assert_cmpstr (nic->mac, ==, "52:54:00:ab:cd:ef");
  g_assert_cmpstr (nic->type, ==, "network");
  g_assert_cmpstr (nic->source, ==, "default");
  g_assert_null (plan->warnings[0]);
}

static void
test_what_is_implied_when_nothing_is_said (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autoptr (P2vPlan) no_pool = make (f);
  g_assert_cmpstr (no_pool->method, ==, "local");
  g_assert_cmpstr (no_pool->storage, ==, f->images);
  g_autofree char *path = g_build_filename (f->images, "bios1-sda", NULL);
  g_assert_cmpstr (image (no_pool, 0)->path, ==, path);
  g_assert_null (image (no_pool, 0)->pool);

  define_pool (f, "dir", "default", TRUE);
  g_autoptr (P2vPlan) with_pool = make (f);
  g_assert_cmpstr (with_pool->method, ==, "libvirt");
  g_assert_cmpstr (with_pool->storage, ==, "default");

  write_file (f, "virt-v2v.conf",
              "<virt-v2v><profile name='lab'><method>libvirt</method>"
              "<storage format='raw' allocation='preallocated'>default-pool</storage></profile>"
              "</virt-v2v>");
  g_autoptr (P2vPlan) only_profile = make (f);
  g_assert_cmpstr (only_profile->storage, ==, "default-pool");
  g_assert_cmpstr (only_profile->format, ==, "raw");
  g_assert_cmpstr (only_profile->allocation, ==, "preallocated");

  write_file (f, "virt-v2v.conf",
              "<virt-v2v><profile name='lab'><method>libvirt</method></profile>"
              "<profile name='default'><method>local</method></profile></virt-v2v>");
  g_autoptr (P2vPlan) default_profile = make (f);
  g_assert_cmpstr (default_profile->method, ==, "local");
}

static void
test_the_client_overrides_the_profile (Fixture *f, gconstpointer data)
{
  (void)data;
  write_file (f, "virt-v2v.conf",
              "<virt-v2v><profile name='lab'><method>libvirt</method>"
              "<storage format='raw' allocation='preallocated'>nowhere</storage>"
              "<network type='default'><network type='user'/></network></profile></virt-v2v>");
  set (&f->request->output->profile, "lab");
  assert_refused (f, "has no storage pool \"nowhere\"; it has: default-pool.");
  set (&f->request->output->storage, "default-pool");
  set (&f->request->output->format, "qcow2");
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (plan->storage, ==, "default-pool");
  g_assert_cmpstr (plan->format, ==, "qcow2");
  g_assert_cmpstr (plan->allocation, ==, "preallocated");
  g_assert_cmpstr (((P2vPlanNic *)plan->nics->pdata[0])->type, ==, "user");
  /* The pool of a profile for libvirt says nothing about where files go. */
  set (&f->request->output->mode, "local");
  set (&f->request->output->storage, NULL);
  g_autoptr (P2vPlan) local = make (f);
  g_assert_cmpstr (local->storage, ==, f->images);
  set (&f->request->output->profile, "prod");
  assert_refused (f, "the server has no profile \"prod\"; it has: lab.");
}

static void
test_unreadable_profiles_are_refused_with_file_and_line (Fixture *f, gconstpointer data)
{
  (void)data;
  write_file (f, "virt-v2v.conf", "<virt-v2v>\n<profile>");
  assert_refused (f, "/virt-v2v.conf:2: ");
}

static void
test_directories_outside_of_the_allow_list_are_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  set (&f->request->output->mode, "local");
  g_autofree char *sibling = g_strconcat (f->images, "2", NULL);
  g_autofree char *link = g_build_filename (f->images, "link", NULL);
  g_autofree char *up = g_strconcat (f->images, "/../images", NULL);
  g_autofree char *below = g_build_filename (f->images, "below", NULL);
  g_autofree char *line = g_strdup_printf ("under [storage] in %s: allow=libvirt-pools;%s;%s",
                                           f->config->file, f->images, sibling);
  g_assert_cmpint (g_mkdir (sibling, 0700), ==, 0);
  g_assert_cmpint (symlink (sibling, link), ==, 0);
  set (&f->request->output->storage, sibling);
  assert_refused (f, line);
  set (&f->request->output->storage, link);
  assert_refused (f, line);
  set (&f->request->output->storage, up);
  assert_refused (f, "without \"..\"");
  set (&f->request->output->storage, "/etc");
  assert_refused (f, "does not allow images in the directory /etc.");
  set (&f->request->output->storage, "/");
  assert_refused (f, "does not allow images in the directory /.");
  set (&f->request->output->storage, "/no/such/place");
  assert_refused (f, "does not allow images in the directory /no/such/place.");
  set (&f->request->output->storage, below);
  assert_refused (f, "does not exist on the server. Make it there (mkdir -p ");
  g_assert_cmpint (g_mkdir (below, 0700), ==, 0);
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (plan->storage, ==, below);
}

static void
test_hostile_words_are_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autofree char *long_path = g_strnfill (300, 'x');
  long_path[0] = '/';
  g_autofree char *huge = g_strnfill (9000, 'y');
  huge[0] = '/';
  const char *paths[] = { "/a\nb", "", "-os", "../x", "$(id)", "images", huge, long_path, "\xff" };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      set (&f->request->output->mode, "local");
      set (&f->request->output->storage, paths[i]);
      assert_refused (f, "");
      set (&f->request->output->mode, "libvirt");
      assert_refused (f, "");
    }
  set (&f->request->output->storage, NULL);
  const char *modes[] = { "--help", "a\nb", "", "$(id)", "null;x" };
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      set (&f->request->output->mode, modes[i]);
      assert_refused (f, "");
    }
}

static void
test_pools_are_subject_to_the_allow_list (Fixture *f, gconstpointer data)
{
  (void)data;
  define_pool (f, "dir", "fast", TRUE);
  g_strfreev (f->config->storage_allow);
  f->config->storage_allow = g_strsplit ("pool:fast", ";", -1);
  set (&f->request->output->mode, "libvirt");
  set (&f->request->output->storage, "default-pool");
  assert_refused (f, ": allow=pool:fast;pool:default-pool");
  set (&f->request->output->storage, "fast");
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (plan->storage, ==, "fast");
}

static void
test_pools_that_cannot_hold_images_are_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  define_pool (f, "rbd", "ceph", TRUE);
  define_pool (f, "dir", "idle", FALSE);
  define_pool (f, "logical", "vg0", TRUE);
  set (&f->request->output->mode, "libvirt");
  set (&f->request->output->storage, "ceph");
  assert_refused (f, "it is of type \"rbd\"");
  set (&f->request->output->storage, "idle");
  assert_refused (f, "virsh -c " URI " pool-start idle");
  set (&f->request->output->storage, f->images);
  assert_refused (f, "takes the name of a storage pool, not the directory");
  set (&f->request->output->storage, "vg0");
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (plan->format, ==, "raw");
  g_assert_cmpstr (image (plan, 0)->format, ==, "raw");
  set (&f->request->output->format, "qcow2");
  assert_refused (f, "Say p2v.of=raw or name another pool");
}

static void
test_taken_names_are_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  set (&f->request->output->mode, "libvirt");
  set (&f->request->output->storage, "default-pool");
  set (&f->request->guest->name, "test");
  assert_refused (f, "the guest name test is taken: libvirt (" URI ") has a guest of that name");
  set (&f->request->guest->name, "bios1");
  g_autoptr (virStoragePool) pool = virStoragePoolLookupByName (f->libvirt, "default-pool");
  g_autoptr (virStorageVol) volume = virStorageVolCreateXML (
      pool, "<volume><name>bios1-nvme0n1</name><capacity>1024</capacity></volume>", 0);
  g_assert_nonnull (volume);
  assert_refused (f, "pool default-pool has a volume bios1-nvme0n1");

  set (&f->request->output->mode, "local");
  set (&f->request->output->storage, NULL);
  g_autofree char *path = g_build_filename (f->images, "bios1-sda", NULL);
  g_assert_cmpint (symlink ("/nonexistent", path), ==, 0);
  assert_refused (f, "/images/bios1-sda exists on the server");
  g_unlink (path);
  write_file (f, "images/bios1.xml", "<domain/>");
  assert_refused (f, "/images/bios1.xml exists on the server");
  g_autofree char *description = g_build_filename (f->images, "bios1.xml", NULL);
  g_unlink (description);
  write_file (f, "images/bios1_VARS.fd", "");
  assert_refused (f, "/images/bios1_VARS.fd exists on the server");
}

static void
test_the_name_of_another_job_is_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  g_autoptr (GError) error = NULL;
  set (&f->request->output->mode, "local");
  g_autoptr (P2vJob) job = p2v_job_create (f->config, f->request, &error);
  g_assert_no_error (error);
  g_autofree char *expected = g_strdup_printf ("is taken by job %s, which is preparing", job->id);
  assert_refused (f, expected);
  /* A job does not stand in its own way, … */
  g_autoptr (P2vPlan) own = p2v_plan_make (f->config, f->request, job->dir, &error);
  g_assert_no_error (error);
  /* … nor does one that received nothing, or was given up. */
  g_autoptr (GError) failure = g_error_new_literal (P2V_ERROR, P2V_ERROR_TRANSFER, "cable");
  p2v_job_fail (job, P2V_STAGE_RECEIVE, failure);
  g_autoptr (P2vPlan) after_failure = make (f);
  p2v_job_fail (job, P2V_STAGE_CONVERT, failure);
  assert_refused (f, "p2v-server cancel ");
  g_assert_true (p2v_job_set_state (job, P2V_JOB_CANCELLED, &error));
  g_autoptr (P2vPlan) after_cancel = make (f);
}

static void
test_a_client_chooses_no_libvirt (Fixture *f, gconstpointer data)
{
  (void)data;
  set (&f->request->output->mode, "libvirt");
  set (&f->request->output->storage, "default-pool");
  set (&f->request->output->connection, "qemu+ssh://evil/system");
  assert_refused (f, "the server uses its own libvirt only, not qemu+ssh://evil/system");
  assert_refused (f, "uri=" URI);
  set (&f->request->output->connection, URI);
  g_autoptr (P2vPlan) plan = make (f);
  set (&f->request->output->mode, "local");
  set (&f->request->output->storage, NULL);
  assert_refused (f, "(p2v.oc) has no meaning for output mode local");
}

static void
test_formats_and_allocations (Fixture *f, gconstpointer data)
{
  (void)data;
  set (&f->request->output->format, "vmdk");
  assert_refused (f, "the image format \"vmdk\" is not one of raw, qcow2");
  set (&f->request->output->format, "raw");
  set (&f->request->output->allocation, "thick");
  assert_refused (f, "the allocation \"thick\" is not one of sparse, preallocated");
  set (&f->request->output->allocation, "preallocated");
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (image (plan, 0)->format, ==, "raw");
  g_assert_cmpstr (plan->allocation, ==, "preallocated");
}

static void
test_other_modes_run_virt_v2v_when_allowed (Fixture *f, gconstpointer data)
{
  (void)data;
  P2vOutput *output = f->request->output;
  set (&output->mode, "openstack");
  set (&output->connection, "https://cloud.example.com");
  output->options = g_strsplit ("server-id=conv1", ",", -1);
  assert_refused (f, "under [output] in ");
  assert_refused (f, ": modes=kubevirt;null;qemu;openstack");
  g_strfreev (f->config->output_modes);
  f->config->output_modes = g_strsplit ("null;qemu;openstack", ";", -1);
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (plan->method, ==, "virt-v2v");
  g_assert_cmpstr (plan->mode, ==, "openstack");
  g_assert_cmpstr (plan->connection, ==, "https://cloud.example.com");
  g_assert_cmpstr (plan->format, ==, "raw");
  g_assert_cmpstr (plan->options[0], ==, "server-id=conv1");
  g_assert_cmpstr (image (plan, 0)->path, ==, "/job/staging-sda.qcow2");
  g_assert_cmpstr (image (plan, 0)->format, ==, "qcow2");
  /* What virt-v2v itself would refuse only after the conversion. */
  set (&output->format, "qcow2");
  assert_refused (f, "openstack takes images of format raw only, not qcow2");
  set (&output->format, "raw");
  set (&output->allocation, "preallocated");
  assert_refused (f, "openstack takes sparse images only");
  set (&output->format, NULL);
  set (&output->allocation, NULL);

  g_clear_pointer (&output->options, g_strfreev);
  set (&output->connection, NULL);
  set (&output->mode, "qemu");
  assert_refused (f, "output mode qemu needs a directory");
  set (&output->storage, "/etc");
  assert_refused (f, "does not allow images in the directory /etc");
  set (&output->storage, f->images);
  g_autoptr (P2vPlan) qemu = make (f);
  g_assert_cmpstr (qemu->format, ==, "qcow2");
  write_file (f, "images/bios1.sh", "");
  assert_refused (f, "/images/bios1.sh exists on the server");
  set (&output->mode, "null");
  assert_refused (f, "output mode null writes nothing");
}

static void
test_options_without_meaning_are_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  P2vOutput *output = f->request->output;
  output->options = g_strsplit ("qemu-boot", ",", -1);
  set (&output->mode, "local");
  assert_refused (f, "qemu-boot (p2v.oo) has no meaning for output mode local");
  set (&output->mode, "qemu");
  set (&output->storage, f->images);
  assert_refused (f, "start the guest when the job is done");
  g_strfreev (output->options);
  output->options = g_strsplit ("-x=1", ",", -1);
  assert_refused (f, "\"-x\" (p2v.oo) is not a name");
}

static void
test_networks_are_resolved (Fixture *f, gconstpointer data)
{
  (void)data;
  P2vGuestNic *wanted = f->request->guest->nics->pdata[0];
  set (&f->request->output->mode, "libvirt");
  set (&f->request->output->storage, "default-pool");
  set (&wanted->network, "missing0");
  /* Two interfaces in it are warned of once. */
  g_ptr_array_add (f->request->guest->nics, p2v_schema_copy (&p2v_guest_nic_schema, wanted));
  g_autoptr (P2vPlan) missing = make (f);
  const P2vPlanNic *nic = missing->nics->pdata[0];
  g_assert_cmpstr (nic->type, ==, "network");
  g_assert_cmpstr (nic->source, ==, "missing0");
  g_assert_nonnull (strstr (missing->warnings[0], "network \"missing0\" does not exist"));
  g_assert_nonnull (strstr (missing->warnings[0], "virsh -c " URI " net-start missing0"));
  g_assert_null (missing->warnings[1]);

  g_autoptr (virNetwork) idle
      = virNetworkDefineXML (f->libvirt, "<network><name>missing0</name></network>");
  g_assert_nonnull (idle);
  g_autoptr (P2vPlan) stopped = make (f);
  g_assert_nonnull (strstr (stopped->warnings[0], "network \"missing0\" is not running"));

  write_file (f, "virt-v2v.conf",
              "<virt-v2v><network type='network' name='missing0'><bridge name='p2v-no-br'/>"
              "</network></virt-v2v>");
  g_autoptr (P2vPlan) bridged = make (f);
  nic = bridged->nics->pdata[0];
  g_assert_cmpstr (nic->type, ==, "bridge");
  g_assert_cmpstr (nic->source, ==, "p2v-no-br");
  g_assert_nonnull (strstr (bridged->warnings[0], "bridge \"p2v-no-br\" does not exist"));
}

static void
test_a_false_mac_address_is_refused (Fixture *f, gconstpointer data)
{
  (void)data;
  P2vNic *nic = f->request->machine->nics->pdata[0];
  set (&nic->mac, "52:54:00:ab:cd:ef'/>");
  assert_refused (f, "is not a MAC address");
  set (&nic->mac, "52:54");
  assert_refused (f, "is not a MAC address");
}

static void
test_local_needs_no_libvirt (Fixture *f, gconstpointer data)
{
  (void)data;
  set (&f->config->libvirt_uri, "qemu+unix:///system?socket=/nonexistent/socket");
  set (&f->request->output->mode, "local");
  g_autoptr (P2vPlan) plan = make (f);
  g_assert_cmpstr (plan->method, ==, "local");
  set (&f->request->output->mode, "libvirt");
  assert_refused (f, "cannot connect to libvirt at qemu+unix:///system?socket=/nonexistent/socket");
}

#define ADD(path, function) g_test_add ("/plan/" path, Fixture, NULL, setup, function, teardown)

static void
test_offers_of_a_pool (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  define_pool (f, "dir", "fast", TRUE);
  define_pool (f, "dir", "stopped", FALSE);
  define_pool (f, "rbd", "ceph", TRUE);
  set (&f->request->output->storage, "fast");
  write_file (f, "virt-v2v.conf",
              "<virt-v2v><profile name='lab'><method>local</method></profile></virt-v2v>");
  g_autoptr (P2vOffers) offers = p2v_offers_make (f->config, f->request->output);
  g_assert_cmpstr (offers->problem, ==, NULL);
  g_assert_cmpstr (offers->libvirt_problem, ==, NULL);
  g_assert_cmpstr (offers->place, ==, "storage pool fast");
  g_assert_cmpstr (offers->format, ==, "qcow2");
  g_assert_cmpint (offers->free, >, 0);
  g_assert_cmpuint (g_strv_length (offers->profiles), ==, 1);
  g_assert_cmpstr (offers->profiles[0], ==, "lab");
  /* Where images can be made: not in one that does not run, not over a network. */
  g_assert_true (g_strv_contains ((const char *const *)offers->pools, "fast"));
  g_assert_false (g_strv_contains ((const char *const *)offers->pools, "stopped"));
  g_assert_false (g_strv_contains ((const char *const *)offers->pools, "ceph"));
  g_assert_true (g_strv_contains ((const char *const *)offers->networks, "default"));
  set (&f->request->output->storage, "stopped");
  g_autoptr (P2vOffers) refused = p2v_offers_make (f->config, f->request->output);
  g_assert_nonnull (strstr (refused->problem, "pool-start stopped"));
}

static void
test_offers_without_libvirt (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  set (&f->config->libvirt_uri, "qemu+unix:///system?socket=/nowhere/libvirt-sock");
  g_autoptr (P2vOffers) offers = p2v_offers_make (f->config, f->request->output);
  g_assert_nonnull (offers->libvirt_problem);
  g_assert_cmpstr (offers->problem, ==, NULL);
  g_assert_cmpstr (offers->place, ==, f->images);
  g_assert_cmpint (offers->free, >, 0);
  g_assert_cmpuint (g_strv_length (offers->pools), ==, 0);
  set (&f->request->output->mode, "libvirt");
  g_autoptr (P2vOffers) refused = p2v_offers_make (f->config, f->request->output);
  g_assert_nonnull (refused->problem);
  set (&f->request->output->mode, "local");
  set (&f->request->output->storage, "/etc");
  g_autoptr (P2vOffers) elsewhere = p2v_offers_make (f->config, f->request->output);
  g_assert_nonnull (strstr (elsewhere->problem, "/etc"));
  g_assert_cmpstr (elsewhere->place, ==, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("libvirt-with-a-pool", test_libvirt_with_a_pool);
  ADD ("what-is-implied-when-nothing-is-said", test_what_is_implied_when_nothing_is_said);
  ADD ("the-client-overrides-the-profile", test_the_client_overrides_the_profile);
  ADD ("unreadable-profiles-are-refused-with-file-and-line",
       test_unreadable_profiles_are_refused_with_file_and_line);
  ADD ("directories-outside-of-the-allow-list-are-refused",
       test_directories_outside_of_the_allow_list_are_refused);
  ADD ("hostile-words-are-refused", test_hostile_words_are_refused);
  ADD ("pools-are-subject-to-the-allow-list", test_pools_are_subject_to_the_allow_list);
  ADD ("pools-that-cannot-hold-images-are-refused", test_pools_that_cannot_hold_images_are_refused);
  ADD ("taken-names-are-refused", test_taken_names_are_refused);
  ADD ("the-name-of-another-job-is-refused", test_the_name_of_another_job_is_refused);
  ADD ("a-client-chooses-no-libvirt", test_a_client_chooses_no_libvirt);
  ADD ("formats-and-allocations", test_formats_and_allocations);
  ADD ("other-modes-run-virt-v2v-when-allowed", test_other_modes_run_virt_v2v_when_allowed);
  ADD ("options-without-meaning-are-refused", test_options_without_meaning_are_refused);
  ADD ("networks-are-resolved", test_networks_are_resolved);
  ADD ("a-false-mac-address-is-refused", test_a_false_mac_address_is_refused);
  ADD ("local-needs-no-libvirt", test_local_needs_no_libvirt);
  ADD ("offers-of-a-pool", test_offers_of_a_pool);
  ADD ("offers-without-libvirt", test_offers_without_libvirt);
  return g_test_run ();
}
