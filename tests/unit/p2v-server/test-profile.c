/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-server/profile.h"

#include <glib/gstdio.h>

static char *file;

static GPtrArray *
load (const char *text, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_file_set_contents (file, text, -1, &failure);
  g_assert_no_error (failure);
  return p2v_profiles_load (file, error);
}

static void
assert_fails (const char *text, const char *line_and_message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) profiles = load (text, &error);
  g_assert_null (profiles);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  g_autofree char *expected = g_strdup_printf ("%s:%s", file, line_and_message);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
assert_rule (GPtrArray *rules, const char *name, const char *type, const char *target)
{
  const P2vNetworkRule *rule = p2v_network_rules_find (rules, name);
  g_assert_nonnull (rule);
  g_assert_cmpstr (rule->to_type, ==, type);
  g_assert_cmpstr (rule->to_name, ==, target);
}

static const char two_profiles[] = "<virt-v2v>\n"
                                   "  <!-- what the old program installed is of no concern -->\n"
                                   "  <capability os='linux' name='virtio'/>\n"
                                   "  <iso-path>/var/lib/virt-v2v/transfer.iso</iso-path>\n"
                                   "  <profile name='libvirt'>\n"
                                   "    <method>libvirt</method>\n"
                                   "    <storage format='raw' allocation='preallocated'>\n"
                                   "      default\n"
                                   "    </storage>\n"
                                   "    <network type='default'>\n"
                                   "      <network type='network' name='red'/>\n"
                                   "    </network>\n"
                                   "    <network type='bridge' name='br0'>\n"
                                   "      <network type='bridge' name='lan0'/>\n"
                                   "    </network>\n"
                                   "  </profile>\n"
                                   "  <profile name='lab'>\n"
                                   "    <method>local</method>\n"
                                   "    <storage>/srv/lab</storage>\n"
                                   "    <network type='default'><network type='user'/></network>\n"
                                   "    <network type='network' name='x'>\n"
                                   "      <bridge name='br7'/>\n"
                                   "    </network>\n"
                                   "  </profile>\n"
                                   "</virt-v2v>\n";

static void
test_reads_every_profile (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) profiles = load (two_profiles, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (profiles->len, ==, 2);
  P2vProfile *libvirt = p2v_profiles_find (profiles, "libvirt", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (libvirt->method, ==, "libvirt");
  g_assert_cmpstr (libvirt->storage, ==, "default");
  g_assert_cmpstr (libvirt->format, ==, "raw");
  g_assert_cmpstr (libvirt->allocation, ==, "preallocated");
  assert_rule (libvirt->networks, "br0", "bridge", "lan0");
  assert_rule (libvirt->networks, "anything", "network", "red");
  P2vProfile *lab = profiles->pdata[1];
  g_assert_cmpstr (lab->storage, ==, "/srv/lab");
  g_assert_null (lab->format);
  assert_rule (lab->networks, "x", "bridge", "br7");
  assert_rule (lab->networks, "y", "user", NULL);
}

static void
test_rules_outside_of_profiles_rank_as_in_virt_v2v (void)
{
  const char *text = "<virt-v2v>"
                     "<network type='default'><network type='network' name='file'/></network>"
                     "<network type='bridge' name='a'><network type='network' name='fa'/></network>"
                     "<network type='bridge' name='b'><network type='network' name='fb'/></network>"
                     "<profile name='p'><method>libvirt</method>"
                     "<network type='default'><network type='network' name='own'/></network>"
                     "<network type='bridge' name='a'><network type='network' name='pa'/></network>"
                     "</profile><profile name='bare'><method>libvirt</method></profile></virt-v2v>";
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) profiles = load (text, &error);
  g_assert_no_error (error);
  P2vProfile *profile = profiles->pdata[0], *bare = profiles->pdata[1];
  assert_rule (profile->networks, "a", "network", "pa");
  assert_rule (profile->networks, "b", "network", "fb");
  assert_rule (profile->networks, "c", "network", "own");
  assert_rule (bare->networks, "c", "network", "file");
  g_autoptr (GPtrArray) rules = p2v_network_rules_load (file, &error);
  g_assert_no_error (error);
  assert_rule (rules, "a", "network", "fa");
  assert_rule (rules, "c", "network", "file");
}

static void
test_a_missing_file_has_no_profiles (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) profiles = p2v_profiles_load ("/nonexistent/virt-v2v.conf", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (profiles->len, ==, 0);
}

static void
test_an_unknown_profile_is_refused_with_the_names (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) profiles = load (two_profiles, &error);
  g_assert_no_error (error);
  g_assert_null (p2v_profiles_find (profiles, "prod\n", &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  g_assert_cmpstr (error->message, ==,
                   "the server has no profile \"prod\\n\"; it has: libvirt, lab. Name one of them "
                   "with p2v.profile=, or add it to the server's profiles file.");
}

#define PROFILE(text) "<virt-v2v>\n<profile name='p'>\n" text "\n</profile></virt-v2v>"

static void
test_errors_name_file_and_line (void)
{
  assert_fails ("<virt-v2v>\n<profile>\n", "3: Premature end of data in tag profile line 2");
  assert_fails ("<domain/>", "1: the document must be <virt-v2v>, not <domain>");
  assert_fails ("<virt-v2v>\n<profile/></virt-v2v>", "2: <profile> needs a name");
  assert_fails (PROFILE ("<storage>x</storage>"),
                "2: profile \"p\" needs a <method>, e.g. <method>libvirt</method>");
  assert_fails (PROFILE ("<method/>"), "3: <method> is empty");
  assert_fails (PROFILE ("<methods>libvirt</methods>"),
                "3: <methods> is not known in a profile; there are <method>, <connection>, "
                "<storage> and <network>");
  assert_fails (PROFILE ("<storage format='vmdk'>x</storage>"),
                "3: format=\"vmdk\" is not one of raw, qcow2");
  assert_fails (PROFILE ("<storage allocation='thick'>x</storage>"),
                "3: allocation=\"thick\" is not one of sparse, preallocated");
  assert_fails (PROFILE ("<network type='bridge'>\n<network type='user'/></network>"),
                "3: <network type=\"bridge\"> needs a name");
  assert_fails (PROFILE ("<network type='default'>\n<network type='direct' name='x'/></network>"),
                "4: a network's target needs type=\"network\", \"bridge\" or \"user\"");
  assert_fails (PROFILE ("<network type='default'/>"),
                "3: <network> must hold one <network type=\"…\" name=\"…\"/> that says where its "
                "traffic goes");
}

static void
test_entities_and_doctypes_are_refused (void)
{
  assert_fails ("<!DOCTYPE virt-v2v [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n"
                "<virt-v2v><profile name='p'><method>&x;</method></profile></virt-v2v>",
                "1: a document type declaration (<!DOCTYPE …>) is not accepted");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *dir = g_dir_make_tmp ("p2v-profile-XXXXXX", NULL);
  file = g_build_filename (dir, "virt-v2v.conf", NULL);
  g_test_add_func ("/profile/reads-every-profile", test_reads_every_profile);
  g_test_add_func ("/profile/rules-outside-of-profiles-rank-as-in-virt-v2v",
                   test_rules_outside_of_profiles_rank_as_in_virt_v2v);
  g_test_add_func ("/profile/a-missing-file-has-no-profiles", test_a_missing_file_has_no_profiles);
  g_test_add_func ("/profile/an-unknown-profile-is-refused-with-the-names",
                   test_an_unknown_profile_is_refused_with_the_names);
  g_test_add_func ("/profile/errors-name-file-and-line", test_errors_name_file_and_line);
  g_test_add_func ("/profile/entities-and-doctypes-are-refused",
                   test_entities_and_doctypes_are_refused);
  int status = g_test_run ();
  g_unlink (file);
  g_rmdir (dir);
  g_free (file);
  return status;
}
