/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/medium.h"
#include "p2v-server/site.h"

#include "common/error.h"

#include <string.h>

#define KEY "-----BEGIN OPENSSH PRIVATE KEY-----\nnot really one\n"

static P2vSite *
make_site (void)
{
  P2vSite *site = p2v_site_new ();
  g_assert_true (p2v_site_set_server (site, "kvm1", NULL));
  g_assert_true (p2v_site_set_username (site, "p2v", NULL));
  site->hostkey = g_strdup ("any");
  site->identity = g_bytes_new_static (KEY, strlen (KEY));
  return site;
}

static void
test_site_image_holds_defaults_and_key (void)
{
  g_autoptr (P2vSite) site = make_site ();
  g_autoptr (GError) error = NULL;
  g_assert_true (p2v_site_add_argument (site, "p2v.post=sh -c 'sleep 5'", &error));
  g_autoptr (GBytes) image = p2v_site_image (site, &error);
  g_assert_no_error (error);
  g_autofree char *defaults = NULL;
  g_autoptr (GBytes) identity = NULL;
  g_assert_true (p2v_site_image_read (image, "x", &defaults, &identity, &error));
  g_assert_true (g_bytes_equal (identity, site->identity));
  g_assert_nonnull (strstr (defaults, "\np2v.server=kvm1\n"));
  g_assert_nonnull (strstr (defaults, "\np2v.post=\"sh -c 'sleep 5'\"\n"));
  /* The usual port goes without saying. */
  g_assert_null (strstr (defaults, "p2v.port"));

  g_autoptr (GBytes) again = p2v_site_image (site, &error);
  g_assert_true (g_bytes_equal (image, again));
}

static void
test_damaged_site_image_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *defaults = NULL;
  g_autoptr (GBytes) identity = NULL;
  g_autoptr (GBytes) junk = g_bytes_new_static ("no archive at all, but long enough", 34);
  g_assert_false (p2v_site_image_read (junk, "site.img", &defaults, &identity, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  g_assert_null (defaults);
  g_assert_null (identity);
}

static void
assert_argument_refused (const char *argument, const char *expected)
{
  g_autoptr (P2vSite) site = make_site ();
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_site_add_argument (site, argument, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  if (strstr (error->message, expected) == NULL)
    g_error ("expected \"%s\" in: %s", expected, error->message);
  g_assert_cmpuint (site->defaults->len + site->kernel->len, ==, 0);
}

static void
test_wrong_arguments_are_refused (void)
{
  assert_argument_refused ("p2v.nosuch=1", "no such argument");
  assert_argument_refused ("p2v.password=x", "does not belong on a medium");
  assert_argument_refused ("p2v.memory=8", "a size with its unit");
  assert_argument_refused ("p2v.sudo=perhaps", "yes or no");
  assert_argument_refused ("p2v.profile=", "name of a profile");
  assert_argument_refused ("p2v.profile=a\nb", "control characters");
  assert_argument_refused ("p2v.fail=a \"b\" c", "double quote");
  assert_argument_refused ("ip=dhcp vlan=x", "no blanks");
  assert_argument_refused ("a'b", "every boot loader");
  assert_argument_refused ("a=${b}", "every boot loader");
  assert_argument_refused ("", "every boot loader");
}

static void
test_secret_value_is_not_repeated_in_errors (void)
{
  g_autoptr (P2vSite) site = make_site ();
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_site_add_argument (site, "p2v.password=geheim", &error));
  g_assert_null (strstr (error->message, "geheim"));
}

static void
test_quoted_values_are_taken_as_meant (void)
{
  g_autoptr (P2vSite) site = make_site ();
  g_assert_true (p2v_site_add_argument (site, "p2v.pre=\"a b\"", NULL));
  g_assert_true (p2v_site_add_argument (site, "p2v.name=\"web\"", NULL));
  g_assert_true (p2v_site_add_argument (site, "p2v.sudo", NULL));
  g_assert_true (p2v_site_add_argument (site, "p2v.post=", NULL));
  g_assert_cmpstr (site->defaults->pdata[0], ==, "p2v.pre=\"a b\"");
  g_assert_cmpstr (site->defaults->pdata[1], ==, "p2v.name=web");
  g_assert_cmpstr (site->defaults->pdata[2], ==, "p2v.sudo");
  g_assert_cmpstr (site->defaults->pdata[3], ==, "p2v.post=");
  g_assert_false (p2v_site_add_argument (site, "p2v.guestname=db", NULL));
}

static void
test_servers (void)
{
  static const char *const good[]
      = { "kvm1", "kvm1.example.com", "10.0.0.1", "2001:db8::1", "fe80::1%eth0" };
  static const char *const bad[] = { "", "-x", "root@kvm1", "kvm1:22", "a b", "a/b", "$x", "a\nb" };
  g_autoptr (P2vSite) site = p2v_site_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (p2v_site_set_server (site, good[i], NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (p2v_site_set_server (site, bad[i], NULL));
}

static void
test_menus_of_every_boot_loader (void)
{
  static const char *const expected[] = {
    [P2V_MENU_ISOLINUX]
    = "APPEND initrd=/p2v/initramfs.img,/p2v/site.img quiet p2v.server=kvm1 ip=dhcp\n",
    [P2V_MENU_PXELINUX]
    = "APPEND initrd=p2v/initramfs.img,p2v/site.img quiet p2v.server=kvm1 ip=dhcp\n",
    [P2V_MENU_GRUB] = "linux /p2v/vmlinuz 'quiet' 'p2v.server=kvm1' 'ip=dhcp'\n",
    [P2V_MENU_IPXE] = "initrd=initramfs.img initrd=site.img quiet p2v.server=kvm1 ip=dhcp ",
  };
  g_autoptr (P2vSite) site = make_site ();
  g_assert_true (p2v_site_add_argument (site, "ip=dhcp", NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *menu = p2v_site_menu (site, (P2vMenuKind)i, " quiet \n", &error);
      g_assert_no_error (error);
      if (strstr (menu, expected[i]) == NULL)
        g_error ("expected \"%s\" in: %s", expected[i], menu);
      g_assert_null (strstr (menu, "default=unattended"));
      g_assert_null (strstr (menu, "DEFAULT unattended"));
      g_assert_null (strstr (menu, "--default unattended"));
    }
}

static void
test_a_base_argument_that_a_boot_loader_would_change_is_refused (void)
{
  g_autoptr (P2vSite) site = make_site ();
  g_autoptr (GError) error = NULL;
  g_autofree char *menu = p2v_site_menu (site, P2V_MENU_GRUB, "quiet a=$x", &error);
  g_assert_null (menu);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
}

static void
test_sums_are_replaced_in_their_place (void)
{
  static const char old[]
      = "1111111111111111111111111111111111111111111111111111111111111111  ./a\n"
        "2222222222222222222222222222222222222222222222222222222222222222  ./p2v/site.img\n"
        "3333333333333333333333333333333333333333333333333333333333333333  ./z\n";
  g_autoptr (GHashTable) files
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
  g_hash_table_insert (files, (gpointer) "p2v/site.img", g_bytes_new_static ("abc", 3));
  g_hash_table_insert (files, (gpointer) "site.ipxe", g_bytes_new_static ("", 0));
  g_autoptr (GBytes) before = g_bytes_new_static (old, strlen (old));
  g_autoptr (GBytes) after = p2v_medium_sums (before, files);
  g_autofree char *text = g_strndup (g_bytes_get_data (after, NULL), g_bytes_get_size (after));
  /* FIPS 180-2, appendix B.1, and the sum of nothing. */
  g_assert_cmpstr (text, ==,
                   "1111111111111111111111111111111111111111111111111111111111111111  ./a\n"
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  "
                   "./p2v/site.img\n"
                   "3333333333333333333333333333333333333333333333333333333333333333  ./z\n"
                   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  "
                   "./site.ipxe\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/site/image", test_site_image_holds_defaults_and_key);
  g_test_add_func ("/site/image-damaged", test_damaged_site_image_is_refused);
  g_test_add_func ("/site/arguments-refused", test_wrong_arguments_are_refused);
  g_test_add_func ("/site/secret-not-repeated", test_secret_value_is_not_repeated_in_errors);
  g_test_add_func ("/site/quoted-values", test_quoted_values_are_taken_as_meant);
  g_test_add_func ("/site/servers", test_servers);
  g_test_add_func ("/site/menus", test_menus_of_every_boot_loader);
  g_test_add_func ("/site/base-arguments",
                   test_a_base_argument_that_a_boot_loader_would_change_is_refused);
  g_test_add_func ("/medium/sums", test_sums_are_replaced_in_their_place);
  return g_test_run ();
}
