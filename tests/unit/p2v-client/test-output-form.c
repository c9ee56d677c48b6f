/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/firmware-text.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/output-form.h"

#include <string.h>

static void
enter (P2vOutput *output, P2vOutputField field, const char *text)
{
  g_autoptr (GError) error = NULL;
  p2v_output_enter (output, field, text, &error);
  g_assert_no_error (error);
}

static void
assert_refused (P2vOutput *output, P2vOutputField field, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (p2v_output_enter (output, field, text, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
}

static void
assert_shown (const P2vOutput *output, P2vOutputField field, const char *expected)
{
  g_autofree char *text = p2v_output_show (output, field);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_an_empty_field_says_nothing (void)
{
  g_autoptr (P2vOutput) output = p2v_output_new ();
  g_autoptr (P2vOutput) nothing = p2v_output_new ();
  for (guint i = 0; i < P2V_OUTPUT_N_FIELDS; i++)
    {
      assert_shown (output, i, "");
      enter (output, i, "  ");
    }
  g_assert_true (p2v_output_is_equal (output, nothing));
  enter (output, P2V_OUTPUT_STORAGE, " /srv/guests ");
  g_assert_cmpstr (output->storage, ==, "/srv/guests");
  g_assert_false (p2v_output_is_equal (output, nothing));
  enter (output, P2V_OUTPUT_STORAGE, "");
  g_assert_null (output->storage);
  enter (output, P2V_OUTPUT_OPTIONS, "a=b, c");
  g_assert_cmpstr (output->options[1], ==, "c");
  enter (output, P2V_OUTPUT_OPTIONS, "");
  g_assert_true (p2v_output_is_equal (output, nothing));
}

static void
test_what_cannot_be_right_is_refused_and_changes_nothing (void)
{
  g_autoptr (P2vOutput) output = p2v_output_new ();
  enter (output, P2V_OUTPUT_MODE, "local");
  assert_refused (output, P2V_OUTPUT_MODE, "-o");
  assert_refused (output, P2V_OUTPUT_MODE, "a\nb");
  g_assert_cmpstr (output->mode, ==, "local");
  assert_refused (output, P2V_OUTPUT_OPTIONS, "a=b,,c=d");
  assert_refused (output, P2V_OUTPUT_OPTIONS, "a=b,=d");
  g_assert_null (output->options);
}

static void
test_secrets_are_masked_and_stay (void)
{
  g_autoptr (P2vOutput) output = p2v_output_new ();
  enter (output, P2V_OUTPUT_CONNECTION, "https://admin:word@cloud.example.com/v3");
  enter (output, P2V_OUTPUT_OPTIONS, "os-password=word,server-id=7");
  assert_shown (output, P2V_OUTPUT_CONNECTION, "https://***@cloud.example.com/v3");
  assert_shown (output, P2V_OUTPUT_OPTIONS, "os-password=***,server-id=7");
  enter (output, P2V_OUTPUT_CONNECTION, "https://***@cloud.example.com/v3");
  enter (output, P2V_OUTPUT_OPTIONS, "os-password=***,server-id=7");
  g_assert_cmpstr (output->connection, ==, "https://admin:word@cloud.example.com/v3");
  g_assert_cmpstr (output->options[0], ==, "os-password=word");
  /* A mask is no password. */
  assert_refused (output, P2V_OUTPUT_OPTIONS, "os-password=***,server-id=8");
  g_autofree char *summary = p2v_output_summary (output);
  g_assert_cmpstr (summary, ==,
                   "-oc https://***@cloud.example.com/v3, -oo os-password=***,server-id=7");
}

static void
test_profiles_are_shown_with_where_they_lead (void)
{
  char *profiles[] = { (char *)"lan", (char *)"dmz", NULL };
  char *targets[] = { (char *)"libvirt, default", NULL };
  P2vOffers offers = { .profiles = profiles, .targets = targets };
  g_autofree char *lan = p2v_offers_profile_text (&offers, 0);
  g_autofree char *dmz = p2v_offers_profile_text (&offers, 1);
  g_assert_cmpstr (lan, ==, "lan (libvirt, default)");
  g_assert_cmpstr (dmz, ==, "dmz");
}

static void
test_another_firmware_is_remarked_on (void)
{
  char *firmwares[] = { (char *)P2V_FIRMWARE_BIOS, NULL };
  P2vOffers offers = { .firmwares = firmwares };
  g_autoptr (P2vMachine) machine = p2v_machine_new ();
  machine->firmware = p2v_firmware_new ();
  machine->firmware->type = g_strdup ("uefi");
  machine->firmware->secure_boot = TRUE;
  g_assert_cmpstr (p2v_machine_firmware (machine), ==, P2V_FIRMWARE_UEFI_SECURE);
  g_autofree char *same = p2v_firmware_note (P2V_FIRMWARE_UEFI_SECURE, machine, NULL);
  g_assert_cmpstr (same, ==, "This machine was started by UEFI with Secure Boot.");
  g_autofree char *lacks = p2v_firmware_note (P2V_FIRMWARE_UEFI_SECURE, machine, &offers);
  g_autofree char *other = p2v_firmware_note (P2V_FIRMWARE_BIOS, machine, &offers);
  g_assert_nonnull (strstr (lacks, "The server cannot do it yet"));
  g_assert_nonnull (strstr (other, "another is right only if"));
  g_assert_null (strstr (other, "The server"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/output-form/empty-says-nothing", test_an_empty_field_says_nothing);
  g_test_add_func ("/output-form/wrong-is-refused",
                   test_what_cannot_be_right_is_refused_and_changes_nothing);
  g_test_add_func ("/output-form/secrets-are-masked", test_secrets_are_masked_and_stay);
  g_test_add_func ("/output-form/profiles-lead-somewhere",
                   test_profiles_are_shown_with_where_they_lead);
  g_test_add_func ("/output-form/another-firmware", test_another_firmware_is_remarked_on);
  return g_test_run ();
}
