/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/config.h"

#include "common/error.h"

#include <glib/gstdio.h>

static P2vServerConfig *
load_text (const char *text, GError **error)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("p2v-config-XXXXXX", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  P2vServerConfig *config = p2v_server_config_load (path, error);
  if (config != NULL)
    g_assert_cmpstr (config->file, ==, path);
  else
    g_assert_nonnull (strstr ((*error)->message, path));
  g_unlink (path);
  return config;
}

static void
assert_refused (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vServerConfig) config = load_text (text, &error);
  g_assert_null (config);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  if (strstr (error->message, expected) == NULL)
    g_error ("expected \"%s\" in: %s", expected, error->message);
}

static void
test_empty_file_means_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vServerConfig) config = load_text ("", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (config->state_dir, ==, "/var/lib/p2v");
  g_assert_cmpint (config->max_conversions, ==, 2);
  g_assert_cmpstr (config->libvirt_uri, ==, "qemu:///system");
  const char *const allow[] = { P2V_ALLOW_POOLS, "/var/lib/p2v/images", NULL };
  g_assert_true (g_strv_equal ((const char *const *)config->storage_allow, allow));
  g_assert_cmpstr (config->storage_default, ==, "/var/lib/p2v/images");
  g_assert_cmpstr (config->storage_format, ==, "qcow2");
  const char *const modes[] = { "kubevirt", "null", "qemu", NULL };
  g_assert_true (g_strv_equal ((const char *const *)config->output_modes, modes));
  g_assert_cmpstr (config->profiles_file, ==, "/etc/virt-v2v.conf");
  g_assert_cmpstr (config->root, ==, "first");
  g_assert_cmpint (config->convert_timeout, ==, 14400);
  g_assert_cmpint (config->define_timeout, ==, 300);
  g_assert_cmpint (config->receive_timeout, ==, 0);
}

static void
test_every_key_is_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vServerConfig) config = load_text (
      "# a comment\n"
      "[server]\nstate-dir=/srv/p2v//x/../y\nmax-conversions = 7\n"
      "[libvirt]\nuri=qemu:///session\n"
      "[storage]\nallow= /srv/a b ; libvirt-pools;pool:fast\ndefault=/srv/d\nformat=raw\n"
      "[output]\nmodes=null; rhv-upload\n"
      "[profiles]\nfile=/srv/profiles.conf\n"
      "[convert]\nroot=/dev/sda2\ntimeout=60\n"
      "[define]\ntimeout=5\n[receive]\ntimeout=3600\n",
      &error);
  g_assert_no_error (error);
  g_assert_cmpstr (config->state_dir, ==, "/srv/p2v/y");
  g_assert_cmpint (config->max_conversions, ==, 7);
  g_assert_cmpstr (config->libvirt_uri, ==, "qemu:///session");
  const char *const allow[] = { "/srv/a b", P2V_ALLOW_POOLS, "pool:fast", NULL };
  g_assert_true (g_strv_equal ((const char *const *)config->storage_allow, allow));
  g_assert_cmpstr (config->storage_default, ==, "/srv/d");
  g_assert_cmpstr (config->storage_format, ==, "raw");
  const char *const modes[] = { "null", "rhv-upload", NULL };
  g_assert_true (g_strv_equal ((const char *const *)config->output_modes, modes));
  g_assert_cmpstr (config->profiles_file, ==, "/srv/profiles.conf");
  g_assert_cmpstr (config->root, ==, "/dev/sda2");
  g_assert_cmpint (config->convert_timeout, ==, 60);
  g_assert_cmpint (config->define_timeout, ==, 5);
  g_assert_cmpint (config->receive_timeout, ==, 3600);
}

static void
test_empty_allow_list_allows_nothing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vServerConfig) config = load_text ("[storage]\nallow=\n", &error);
  g_assert_no_error (error);
  g_assert_null (config->storage_allow[0]);
}

static void
test_unknown_names_are_refused_by_name (void)
{
  assert_refused ("[storage]\nalow=/srv\n", "group [storage] has no key \"alow\"");
  assert_refused ("[server]\nformat=raw\n", "group [server] has no key \"format\"");
  assert_refused ("[sever]\nstate-dir=/srv\n", "there is no group [sever]");
  assert_refused ("state-dir=/srv\n", "");
}

static void
test_wrong_values_are_refused_by_name (void)
{
  assert_refused ("[server]\nmax-conversions=0\n", "[server] max-conversions=0: expected a whole");
  assert_refused ("[server]\nmax-conversions=2x\n", "[server] max-conversions=2x");
  assert_refused ("[server]\nmax-conversions=99999999999999999999\n", "max-conversions");
  assert_refused ("[server]\nstate-dir=var/lib\n", "[server] state-dir=var/lib: expected an abs");
  assert_refused ("[server]\nstate-dir=\n", "[server] state-dir=: expected a value");
  assert_refused ("[server]\nstate-dir=/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
                  "Choose a shorter one");
  assert_refused ("[storage]\nallow=/srv;images\n", "[storage] allow=images: expected absolute");
  assert_refused ("[storage]\nallow=pool:\n", "[storage] allow=pool:: expected absolute");
  assert_refused ("[output]\nmodes=null;-o\n", "[output] modes=-o: expected names");
  assert_refused ("[storage]\nformat=vmdk\n", "[storage] format=vmdk: expected raw or qcow2");
  assert_refused ("[convert]\nroot=ask\n", "[convert] root=ask: expected first");
  assert_refused ("[convert]\ntimeout=-1\n", "[convert] timeout=-1");
  /* Escapes that do not exist: GLib returns what is left of the value. */
  assert_refused ("[libvirt]\nuri=qemu:///\\x\n", "[libvirt] uri: ");
  assert_refused ("[server]\nmax-conversions=2\\l\n", "[server] max-conversions: ");
}

static void
test_missing_file_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vServerConfig) config = p2v_server_config_load ("/nonexistent/server.conf", &error);
  g_assert_null (config);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, "/nonexistent/server.conf"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/empty-file-means-defaults", test_empty_file_means_defaults);
  g_test_add_func ("/config/every-key-is-read", test_every_key_is_read);
  g_test_add_func ("/config/empty-allow-list-allows-nothing", test_empty_allow_list_allows_nothing);
  g_test_add_func ("/config/unknown-names-are-refused-by-name",
                   test_unknown_names_are_refused_by_name);
  g_test_add_func ("/config/wrong-values-are-refused-by-name",
                   test_wrong_values_are_refused_by_name);
  g_test_add_func ("/config/missing-file-is-refused", test_missing_file_is_refused);
  return g_test_run ();
}
