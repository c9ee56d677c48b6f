/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/hypervisor.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

/* Another way to the same answer: QEMU's own BIOS either says its name on the debug port or QEMU
 * has given up before. */
static gboolean
bios_speaks (const char *emulator, const char *accelerator, const char *cpu)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) qemu = g_subprocess_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error, emulator,
      "-machine", "q35", "-accel", accelerator, "-cpu", cpu, "-m", "64", "-nodefaults", "-display",
      "none", "-debugcon", "stdio", "-global", "isa-debugcon.iobase=0x402", NULL);
  g_assert_no_error (error);
  GInputStream *output = g_subprocess_get_stdout_pipe (qemu);
  char first[8] = "";
  gsize length = 0;
  g_input_stream_read_all (output, first, sizeof first - 1, &length, NULL, &error);
  g_assert_no_error (error);
  g_subprocess_force_exit (qemu);
  g_subprocess_wait (qemu, NULL, NULL);
  return strcmp (first, "SeaBIOS") == 0;
}

static void
test_probe_agrees_with_qemu (void)
{
  g_autoptr (P2vHypervisor) hypervisor = p2v_hypervisor_probe ();
  g_autofree char *emulator = g_find_program_in_path ("qemu-system-x86_64");
  g_assert_cmpstr (hypervisor->emulator, ==, emulator);
  g_assert_true (bios_speaks (emulator, "tcg", "max")); /* the other way works at all */
  gboolean works = bios_speaks (emulator, "kvm", "host");
  g_test_message ("KVM works: %d; %s", works, hypervisor->kvm_problem);
  g_assert_cmpint (hypervisor->kvm_problem == NULL, ==, hypervisor->kvm);
  /* The BIOS speaks as well where KVM is too slow to be of use. */
  if (works && !hypervisor->kvm)
    g_assert_nonnull (strstr (hypervisor->kvm_problem, "slower than without it"));
  else
    g_assert_cmpint (hypervisor->kvm, ==, works);
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

/* As KVM within the guests of some clouds: each instruction costs thousands of cycles. */
static void
test_trial_fails_where_instructions_are_interpreted (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("p2v-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *slow = g_build_filename (dir, "slow-qemu", NULL);
  g_file_set_contents_full (
      slow,
      "#!/bin/sh\n"
      "exec qemu-system-x86_64 -singlestep -d cpu,nochain -D /dev/null \"$@\"\n",
      -1, G_FILE_SET_CONTENTS_NONE, 0755, &error);
  g_assert_no_error (error);
  g_autofree char *problem = NULL;
  g_assert_false (p2v_hypervisor_try (slow, "tcg", &problem));
  g_assert_nonnull (strstr (problem, "slower than without it"));
  g_unlink (slow);
  g_rmdir (dir);
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
  g_test_add_func ("/hypervisor/trial-fails-where-instructions-are-interpreted",
                   test_trial_fails_where_instructions_are_interpreted);
  g_test_add_func ("/hypervisor/missing-qemu-is-a-message", test_missing_qemu_is_a_message);
  return g_test_run ();
}
