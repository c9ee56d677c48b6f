/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "common/request.h"

static P2vRequest *
parse (const char *text, GError **error)
{
  g_autoptr (JsonObject) object = p2v_json_from_text (text, -1, error);
  return object == NULL ? NULL : p2v_request_from_json (object, error);
}

static void
assert_refused (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vRequest) request = parse (text, &error);
  g_assert_null (request);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  const char *text
      = "{\"guest\":{\"name\":\"bios1\",\"vcpus\":2,\"acpi\":false,"
        "\"disks\":[\"sda\",\"sdb\"],\"nics\":[{\"nic\":\"eno1\",\"network\":\"lan\"}]}}";
  g_autoptr (P2vRequest) request = parse (text, &error);
  g_assert_no_error (error);
  g_autoptr (P2vRequest) copy = p2v_schema_copy (&p2v_request_schema, request);
  g_assert_cmpstr (copy->guest->name, ==, "bios1");
  g_assert_cmpint (copy->guest->vcpus, ==, 2);
  g_assert_cmpint (copy->guest->acpi, ==, P2V_NO);
  g_assert_cmpint (copy->guest->apic, ==, P2V_UNSET);
  g_assert_cmpstr (copy->guest->disks[1], ==, "sdb");
  const P2vGuestNic *nic = copy->guest->nics->pdata[0];
  g_assert_cmpstr (nic->network, ==, "lan");
  g_assert_null (copy->machine);
}

static void
test_wrong_types_are_refused (void)
{
  assert_refused ("{\"guest\":[]}", "request.guest: expected an object");
  assert_refused ("{\"guest\":{\"name\":7}}", "request.guest.name: expected a string");
  assert_refused ("{\"guest\":{\"vcpus\":\"2\"}}", "request.guest.vcpus: expected a whole number");
  assert_refused ("{\"guest\":{\"vcpus\":-1}}",
                  "request.guest.vcpus: expected a number from 0 to 65536");
  assert_refused ("{\"guest\":{\"acpi\":1}}", "request.guest.acpi: expected true or false");
  assert_refused ("{\"guest\":{\"disks\":[1]}}", "request.guest.disks: expected a list of strings");
  assert_refused ("{\"guest\":{\"nics\":[{\"nic\":0}]}}",
                  "request.guest.nics[0].nic: expected a string");
}

static void
test_deep_nesting_is_refused (void)
{
  GString *text = g_string_new ("{\"machine\":{\"disks\":[{\"content\":");
  for (int i = 0; i < 40; i++)
    g_string_append (text, "{\"partitions\":[{\"content\":");
  g_string_append (text, "{}");
  for (int i = 0; i < 40; i++)
    g_string_append (text, "}]}");
  g_string_append (text, "}]}}");
  g_autofree char *nested = g_string_free (text, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vRequest) request = parse (nested, &error);
  g_assert_null (request);
  g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
  g_assert_true (g_str_has_suffix (error->message, "expected less nesting"));
}

static void
test_hostile_guest_names_are_refused (void)
{
  g_autofree char *long_name = g_strnfill (300, 'a');
  const char *names[] = { "../x", "a b", "$(id)", "a\nb", "",        ".hidden", "-o",
                          "a/b",  "\"x", "a;b",   "ä",    long_name, NULL };
  for (gsize i = 0; names[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (p2v_guest_name_check (names[i], &error));
      g_assert_error (error, P2V_ERROR, P2V_ERROR_REFUSED);
      g_assert_null (strchr (error->message, '\n'));
      g_assert_cmpuint (strlen (error->message), <, 500);
    }
  g_assert_false (p2v_guest_name_check (NULL, NULL));
  g_assert_true (p2v_guest_name_check ("web-01.example.com", NULL));
}

static void
test_guest_name_from_host_name (void)
{
  g_autofree char *kept = p2v_guest_name_from ("web-01.example.com");
  g_autofree char *cleaned = p2v_guest_name_from ("  -../we b$(x)");
  g_assert_cmpstr (kept, ==, "web-01.example.com");
  g_assert_cmpstr (cleaned, ==, "webx");
  g_assert_null (p2v_guest_name_from ("../--"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/schema/round-trip", test_round_trip);
  g_test_add_func ("/schema/wrong-types-are-refused", test_wrong_types_are_refused);
  g_test_add_func ("/schema/deep-nesting-is-refused", test_deep_nesting_is_refused);
  g_test_add_func ("/request/hostile-guest-names-are-refused",
                   test_hostile_guest_names_are_refused);
  g_test_add_func ("/request/guest-name-from-host-name", test_guest_name_from_host_name);
  return g_test_run ();
}
