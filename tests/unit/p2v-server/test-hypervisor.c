/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/hypervisor.h"

#include <gio/gio.h>
#include <string.h>

/* Long enough for QEMU to set its processor up and for the BIOS to run; a broken KVM has aborted
 * by then. */
#define PATIENCE_MICROSECONDS (3 * G_USEC_PER_SEC)

/* Another way to the same answer: QEMU with its own BIOS either still runs after a while or has
 * given up. */
static gboolean
kvm_works_by_running_the_bios (const char *emulator)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) qemu
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                          &error, emulator, "-machine", "q35", "-accel", "kvm", "-cpu", "host",
                          "-m", "64", "-nodefaults", "-display", "none", NULL);
  g_assert_no_error (error);
  gint64 deadline = g_get_monotonic_time () + PATIENCE_MICROSECONDS;
  while (g_get_monotonic_time () < deadline && g_subprocess_get_identifier (qemu) != NULL)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (50 * 1000);
    }
  gboolean runs = g_subprocess_get_identifier (qemu) != NULL;
  g_subprocess_force_exit (qemu);
  g_subprocess_wait (qemu, NULL, NULL);
  return runs;
}

static void
test_probe_agrees_with_qemu (void)
{
  g_autoptr (P2vHypervisor) hypervisor = p2v_hypervisor_probe ();
  g_autofree char *emulator = g_find_program_in_path ("qemu-system-x86_64");
  g_assert_cmpstr (hypervisor->emulator, ==, emulator);
  gboolean works = kvm_works_by_running_the_bios (emulator);
  g_test_message ("KVM works: %d; %s", works, hypervisor->kvm_problem);
  g_assert_cmpint (hypervisor->kvm, ==, works);
  g_assert_cmpint (hypervisor->kvm_problem == NULL, ==, works);
}

static void
test_trial_succeeds_where_instructions_run (void)
{
  g_autofree char *emulator = g_find_program_in_path ("qemu-system-x86_64");
  g_autofree char *problem = NULL;
  g_assert_true (p2v_hypervisor_try (emulator, "tcg", &problem));
  g_assert_null (problem);
}

static void
test_trial_reports_what_qemu_says (void)
{
  g_autofree char *emulator = g_find_program_in_path ("qemu-system-x86_64");
  g_autofree char *problem = NULL;
  g_assert_false (p2v_hypervisor_try (emulator, "xen-on-mars", &problem));
  g_assert_nonnull (strstr (problem, "xen-on-mars"));
  g_assert_null (strchr (problem, '\n'));

  /* A program that starts and ends well but executes nothing is not enough. */
  g_autofree char *nothing = NULL;
  g_assert_false (p2v_hypervisor_try ("/bin/true", "tcg", &nothing));
  g_assert_cmpstr (nothing, ==, "QEMU ended with status 0");
}

static void
test_missing_qemu_is_a_message (void)
{
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_setenv ("PATH", "/nonexistent", TRUE);
  g_autoptr (P2vHypervisor) hypervisor = p2v_hypervisor_probe ();
  g_setenv ("PATH", path, TRUE);
  if (hypervisor->emulator != NULL)
    {
      g_test_skip ("this host has QEMU outside of PATH");
      return;
    }
  g_assert_false (hypervisor->kvm);
  g_assert_false (hypervisor->tpm);
  g_assert_nonnull (strstr (hypervisor->kvm_problem, "qemu-system-x86"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hypervisor/probe-agrees-with-qemu", test_probe_agrees_with_qemu);
  g_test_add_func ("/hypervisor/trial-succeeds-where-instructions-run",
                   test_trial_succeeds_where_instructions_run);
  g_test_add_func ("/hypervisor/trial-reports-what-qemu-says", test_trial_reports_what_qemu_says);
  g_test_add_func ("/hypervisor/missing-qemu-is-a-message", test_missing_qemu_is_a_message);
  return g_test_run ();
}
