/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/cmdline.h"
#include "p2v-client/ending.h"

#include <string.h>

static void
assert_says (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("\"%s\" is not said: %s", part, text);
}

static void
assert_foretold (const char *arguments, const char *part)
{
  g_autoptr (P2vConfig) config = p2v_cmdline_parse (arguments, NULL);
  g_assert_nonnull (config);
  g_autofree char *text = p2v_ending_foretell (config, "web1");
  assert_says (text, "only read: it stays as it is");
  assert_says (text, "does not start it");
  assert_says (text, part);
}

static void
test_what_will_happen_depends_on_what_was_asked_for (void)
{
  assert_foretold ("p2v.server=kvm1", "defines it as web1");
  assert_foretold ("p2v.server=kvm1", "compares all");
  assert_foretold ("p2v.server=kvm1", "You then decide");
  assert_foretold ("p2v.o=libvirt", "in libvirt as web1");
  assert_foretold ("p2v.o=local", "web1.xml");
  assert_foretold ("p2v.os=/images", "web1.xml");
  assert_foretold ("p2v.verify=off", "not compared with what was read here");
  assert_foretold ("p2v.wait=landed", "as soon as everything has reached");
  assert_foretold ("p2v.wait=verified", "once that has been compared");
  assert_foretold ("p2v.wait=verified p2v.verify=off", "as soon as everything has reached");
}

/* An ending, put together as a front end does. */
static void
assert_ended (const char *arguments, const char *place, const P2vVerified *verified,
              const char *check, const char *next)
{
  g_autoptr (P2vConfig) config = p2v_cmdline_parse (arguments, NULL);
  P2vGuest guest = { .name = (char *)"web1" };
  P2vRequest request = { .guest = &guest, .output = config->output };
  P2vEnding ending = { config, &request, "job1", place, verified };
  g_autofree char *headline = p2v_ending_headline (&ending);
  g_autofree char *checks = p2v_ending_checks (&ending);
  g_autofree char *step = p2v_ending_next_step (&ending);
  assert_says (headline, place != NULL ? "web1 has been made" : "by itself");
  assert_says (checks, check);
  assert_says (step, "Switch this machine off before");
  assert_says (step, next);
}

static void
test_what_was_checked_is_said_with_numbers_and_what_was_not (void)
{
  P2vVerified passed = { (char *)P2V_VERIFICATION_PASSED, 400, 12 };
  P2vVerified off = { (char *)P2V_VERIFICATION_OFF, 0, 0 };
  assert_ended ("p2v.server=kvm1", "qemu:///system", &passed,
                "All 412 chunks of 4 MiB compared with what was read, all equal: 400 with data, 12 "
                "with zeroes. Whether the guest starts was not tried.",
                "on kvm1: virsh -c qemu:///system start web1.");
  assert_ended ("p2v.server=kvm1", "/images/web1.xml", NULL, "does not say what it has compared",
                "virsh define /images/web1.xml, virsh start web1.");
  assert_ended ("p2v.server=kvm1 p2v.verify=off", "virt-v2v -o rhv -oc https://x", &off,
                "were not compared", "start the guest web1 where it is now");
  assert_ended ("p2v.server=kvm1 p2v.wait=landed", NULL, NULL, "not waited for, as p2v.wait=landed",
                "p2v-server show job1");
  assert_ended ("p2v.server=kvm1 p2v.wait=verified", NULL, NULL, "has compared all",
                "p2v-server show job1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ending/foretell", test_what_will_happen_depends_on_what_was_asked_for);
  g_test_add_func ("/ending/ended", test_what_was_checked_is_said_with_numbers_and_what_was_not);
  return g_test_run ();
}
