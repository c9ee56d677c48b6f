/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/setup.h"

#include "common/error.h"

#include <string.h>

/* Made with ssh-keygen -t ed25519 for this test; the fingerprints are ssh-keygen -l's. */
#define FIRST "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM9eOg/ko5SwIuRZRsfeCRU3mPrTyKsYRNqJUHyX742T"
#define FIRST_FINGERPRINT "SHA256:MKZ+WRAUEHl2jf1tYqakfYFQkNa9a+P8FXV23PMHelc"
#define SECOND "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPQXRQEIEeNvOJ8d2O8g/ERsSjmuOO6sQy03ukNNCiQ6"
#define OPTIONS "restrict,command=\"/usr/bin/p2v-server forced\""

static P2vSshKey *
parse (const char *line)
{
  g_autoptr (GError) error = NULL;
  P2vSshKey *key = p2v_ssh_key_parse (line, "test", &error);
  g_assert_no_error (error);
  return key;
}

static void
test_key_and_its_fingerprint (void)
{
  g_autoptr (P2vSshKey) key = parse (FIRST " p2v at host\n");
  g_assert_cmpstr (key->type, ==, "ssh-ed25519");
  g_assert_cmpstr (key->fingerprint, ==, FIRST_FINGERPRINT);
  g_assert_cmpstr (key->comment, ==, "p2v at host");
  g_autofree char *line = p2v_ssh_key_line (key);
  g_assert_cmpstr (line, ==, FIRST " p2v at host");
}

static void
test_what_is_no_public_key (void)
{
  static const char *const bad[]
      = { "",
          "ssh-ed25519",
          "ssh-rsa"
          " AAAAC3NzaC1lZDI1NTE5AAAAIM9eOg/ko5SwIuRZRsfeCRU3mPrTyKsYRNqJUHyX742T",
          "ssh-ed25519 AAAA",
          "restrict " FIRST,
          FIRST "\n" SECOND,
          "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (P2vSshKey) key = p2v_ssh_key_parse (bad[i], "test", &error);
      g_assert_null (key);
      g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
    }
}

static void
assert_update (const char *old, P2vKeyOrigin origin, const char *expected, guint others)
{
  g_autoptr (P2vSshKey) key = parse (FIRST);
  guint unrestricted;
  g_autofree char *text = p2v_authorized_keys_update (old, OPTIONS, key, origin, &unrestricted);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpuint (unrestricted, ==, others);
  /* Once more changes nothing. */
  g_autofree char *again = p2v_authorized_keys_update (text, OPTIONS, key, origin, &unrestricted);
  g_assert_cmpstr (again, ==, text);
}

static void
test_authorized_keys (void)
{
  const char *const own = OPTIONS " " FIRST "\n";
  const char *const made = OPTIONS " " FIRST " " P2V_SETUP_MARK "\n";
  const char *const other_made = OPTIONS " " SECOND " p2v@host " P2V_SETUP_MARK "\n";
  g_autofree char *kept = g_strconcat ("# mine\n\n" SECOND " x\n", own, NULL);
  assert_update ("", P2V_KEY_GIVEN, own, 0);
  assert_update ("", P2V_KEY_KEPT, made, 0);
  assert_update (own, P2V_KEY_GIVEN, own, 0);
  /* Options that somebody has taken away are back; a second line is one too many. */
  assert_update (FIRST " old comment\n" FIRST "\n", P2V_KEY_GIVEN, own, 0);
  assert_update ("# mine\n\n" SECOND " x", P2V_KEY_GIVEN, kept, 1);
  /* A key of an earlier run goes when a new one comes, and stays otherwise; an administrator's own
   * always stays. */
  assert_update (other_made, P2V_KEY_NEW, made, 0);
  g_autofree char *both = g_strconcat (other_made, made, NULL);
  assert_update (other_made, P2V_KEY_KEPT, both, 0);
  g_autofree char *given = g_strconcat (OPTIONS " " SECOND " x\n", made, NULL);
  assert_update (OPTIONS " " SECOND " x\n", P2V_KEY_NEW, given, 0);
  /* A key in a comment is no key. */
  assert_update ("#" SECOND " " P2V_SETUP_MARK "\n", P2V_KEY_GIVEN,
                 "#" SECOND " " P2V_SETUP_MARK "\n" OPTIONS " " FIRST "\n", 0);
}

static void
assert_problems (const char *settings, const char *expected)
{
  static const char *const groups[] = { "p2v", "kvm", NULL };
  guint16 port;
  g_autoptr (GPtrArray) problems = p2v_sshd_find_problems (settings, "p2v", groups, &port);
  g_assert_cmpuint (problems->len, ==, expected != NULL ? 1 : 0);
  if (expected != NULL && strstr (problems->pdata[0], expected) == NULL)
    g_error ("expected \"%s\" in: %s", expected, (const char *)problems->pdata[0]);
}

static void
test_sshd_settings (void)
{
  const char *const usual
      = "pubkeyauthentication yes\nforcecommand none\nauthenticationmethods any\n"
        "authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2\n";
  assert_problems (usual, NULL);
  assert_problems ("pubkeyauthentication no\n", "PubkeyAuthentication");
  assert_problems ("authorizedkeysfile /etc/keys/%u\n", "AuthorizedKeysFile");
  assert_problems ("authenticationmethods publickey,password\n", "AuthenticationMethods");
  assert_problems ("authenticationmethods publickey\n", NULL);
  assert_problems ("forcecommand /bin/true\n", "ForceCommand");
  assert_problems ("allowusers root\nallowusers admin\n", "AllowUsers");
  assert_problems ("allowusers root\nallowusers p2*@10.0.0.*\n", NULL);
  assert_problems ("denyusers p?v\n", "DenyUsers");
  assert_problems ("allowgroups admins\n", "AllowGroups");
  assert_problems ("allowgroups admins kvm\n", NULL);
  assert_problems ("denygroups kvm\n", "DenyGroups");
}

static void
test_sshd_port (void)
{
  static const char *const groups[] = { "p2v", NULL };
  guint16 port;
  g_ptr_array_unref (p2v_sshd_find_problems ("port 2222\nport 22\n", "p2v", groups, &port));
  g_assert_cmpuint (port, ==, 2222);
  g_ptr_array_unref (p2v_sshd_find_problems ("port 99999\n", "p2v", groups, &port));
  g_assert_cmpuint (port, ==, 22);
}

static void
test_host_key_fingerprints (void)
{
  g_autofree char *good = p2v_ssh_fingerprint_parse (FIRST_FINGERPRINT "=", NULL);
  g_assert_cmpstr (good, ==, FIRST_FINGERPRINT);
  static const char *const bad[]
      = { "", "SHA256:", "MD5:00:11", FIRST_FINGERPRINT "x", FIRST_FINGERPRINT "==", "Any" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *parsed = p2v_ssh_fingerprint_parse (bad[i], NULL);
      g_assert_null (parsed);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ssh-key/public", test_key_and_its_fingerprint);
  g_test_add_func ("/ssh-key/refused", test_what_is_no_public_key);
  g_test_add_func ("/ssh-key/host-key", test_host_key_fingerprints);
  g_test_add_func ("/setup/authorized-keys", test_authorized_keys);
  g_test_add_func ("/setup/sshd", test_sshd_settings);
  g_test_add_func ("/setup/sshd-port", test_sshd_port);
  return g_test_run ();
}
