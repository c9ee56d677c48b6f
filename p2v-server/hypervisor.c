/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/hypervisor.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

/* The trial takes 0.1 s on an idle host; one this slow could not run a guest either. */
#define TRIAL_SECONDS 10

/* QEMU wants firmware in multiples of 64 KiB; it ends at 4 GiB, and the processor starts 16 bytes
 * below that (Intel SDM volume 3, section "First Instruction Executed"). */
#define FIRMWARE_SIZE 65536
#define RESET_VECTOR (FIRMWARE_SIZE - 16)

/* What the trial's firmware writes to QEMU's isa-debug-exit device, which makes it exit with
 * (value << 1) | 1. No other way of ending gives that status. */
#define TRIAL_VALUE 0x15
#define TRIAL_PORT 0xf4
#define TRIAL_STATUS ((TRIAL_VALUE << 1) | 1)

static const char *const emulators[]
    = { "qemu-system-x86_64", "/usr/libexec/qemu-kvm", "qemu-kvm", NULL };

/* Writes a firmware of three real-mode instructions: mov al, value; out port, al; hlt. */
static char *
write_trial_firmware (GError **error)
{
  static const guint8 code[] = { 0xb0, TRIAL_VALUE, 0xe6, TRIAL_PORT, 0xf4 };
  g_autofree guint8 *image = g_malloc0 (FIRMWARE_SIZE);
  memcpy (image + RESET_VECTOR, code, sizeof code);
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("p2v-kvm-XXXXXX", &path, error);
  if (fd < 0)
    return NULL;
  close (fd);
  if (!g_file_set_contents (path, (const char *)image, FIRMWARE_SIZE, error))
    {
      g_unlink (path);
      return NULL;
    }
  return g_steal_pointer (&path);
}

static void
prepare_child (G_GNUC_UNUSED gpointer data)
{
  /* QEMU aborts where KVM is broken: that is an answer, not worth a core file. */
  const struct rlimit none = { 0, 0 };
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

typedef struct
{
  GMainLoop *loop;
  GSubprocess *process;
  char *output;
  gboolean timed_out;
} Trial;

static void
on_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  Trial *trial = data;
  g_subprocess_communicate_utf8_finish (G_SUBPROCESS (source), result, &trial->output, NULL, NULL);
  g_main_loop_quit (trial->loop);
}

static gboolean
on_timeout (gpointer data)
{
  Trial *trial = data;
  trial->timed_out = TRUE;
  g_subprocess_force_exit (trial->process); /* on_ended() follows */
  return G_SOURCE_REMOVE;
}

/* Waits for the process, TRIAL_SECONDS at most, and collects what it prints. */
static void
trial_wait (Trial *trial)
{
  /* A context of its own: the caller may be inside a main loop that must not run meanwhile. */
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  trial->loop = g_main_loop_new (context, FALSE);
  g_autoptr (GSource) timeout = g_timeout_source_new_seconds (TRIAL_SECONDS);
  g_source_set_callback (timeout, on_timeout, trial, NULL);
  g_source_attach (timeout, context);
  g_subprocess_communicate_utf8_async (trial->process, NULL, NULL, on_ended, trial);
  g_main_loop_run (trial->loop);
  g_source_destroy (timeout);
  g_main_loop_unref (trial->loop);
  g_subprocess_wait (trial->process, NULL, NULL);
  g_main_context_pop_thread_default (context);
}

/* The first line of QEMU's output that is more than a warning, without QEMU's own name. */
static char *
first_complaint (const char *output)
{
  g_auto (GStrv) lines = g_strsplit (output != NULL ? output : "", "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i];
      const char *colon = strstr (line, ": ");
      if (colon != NULL && g_str_has_prefix (line, "qemu"))
        line = colon + 2;
      if (g_str_has_prefix (line, "error: "))
        line += strlen ("error: ");
      if (*line != '\0' && !g_str_has_prefix (line, "warning:"))
        return g_strdup (line);
    }
  return NULL;
}

static char *
describe_failure (const Trial *trial)
{
  if (trial->timed_out)
    return g_strdup_printf ("QEMU executed nothing within %d seconds", TRIAL_SECONDS);
  char *complaint = first_complaint (trial->output);
  if (complaint != NULL)
    return complaint;
  if (g_subprocess_get_if_signaled (trial->process))
    return g_strdup_printf ("QEMU was ended by signal %d",
                            g_subprocess_get_term_sig (trial->process));
  return g_strdup_printf ("QEMU ended with status %d",
                          g_subprocess_get_exit_status (trial->process));
}

gboolean
p2v_hypervisor_try (const char *emulator, const char *accelerator, char **problem)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *firmware = write_trial_firmware (&error);
  if (firmware == NULL)
    {
      *problem = g_strdup (error->message);
      return FALSE;
    }
  g_autofree char *device = g_strdup_printf ("isa-debug-exit,iobase=0x%x,iosize=0x01", TRIAL_PORT);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_subprocess_launcher_set_child_setup (launcher, prepare_child, NULL, NULL);
  /* "max" is every feature of the host's processor, as a guest with mode host-model gets them.
   * Creating a virtual CPU is not enough of a test, and neither is a paused one: QEMU loads the
   * processor's registers only when it is about to run, and that is where broken KVM shows. */
  const char *argv[]
      = { emulator, "-machine",    "q35",      "-accel", accelerator,       "-cpu",
          "max",    "-m",          "16",       "-bios",  firmware,          "-device",
          device,   "-nodefaults", "-display", "none",   "-no-user-config", "-no-reboot",
          NULL };
  Trial trial = { 0 };
  trial.process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  if (trial.process == NULL)
    {
      g_unlink (firmware);
      *problem = g_strdup (error->message);
      return FALSE;
    }
  trial_wait (&trial);
  g_unlink (firmware);
  gboolean works = g_subprocess_get_if_exited (trial.process)
                   && g_subprocess_get_exit_status (trial.process) == TRIAL_STATUS;
  if (!works)
    *problem = describe_failure (&trial);
  g_object_unref (trial.process);
  g_free (trial.output);
  return works;
}

static char *
find_emulator (void)
{
  for (gsize i = 0; emulators[i] != NULL; i++)
    {
      char *path = g_find_program_in_path (emulators[i]);
      if (path != NULL)
        return path;
    }
  return NULL;
}

static gboolean
is_installed (const char *program)
{
  g_autofree char *path = g_find_program_in_path (program);
  return path != NULL;
}

P2vHypervisor *
p2v_hypervisor_probe (void)
{
  P2vHypervisor *hypervisor = g_new0 (P2vHypervisor, 1);
  hypervisor->emulator = find_emulator ();
  hypervisor->tpm = is_installed ("swtpm") && is_installed ("swtpm_setup");
  g_autofree char *problem = NULL;
  if (hypervisor->emulator == NULL)
    hypervisor->kvm_problem
        = g_strdup ("QEMU is not installed. Install the package qemu-system-x86.");
  else if (p2v_hypervisor_try (hypervisor->emulator, "kvm", &problem))
    hypervisor->kvm = TRUE;
  else
    hypervisor->kvm_problem = g_strdup_printf (
        "QEMU cannot use KVM on this server: %s. Switch virtualisation on in the server's firmware "
        "(or nested virtualisation, where the server is a guest itself), load the module kvm_intel "
        "or kvm_amd, and give this user access to /dev/kvm (group kvm).",
        problem);
  return hypervisor;
}

void
p2v_hypervisor_free (P2vHypervisor *hypervisor)
{
  if (hypervisor == NULL)
    return;
  g_free (hypervisor->kvm_problem);
  g_free (hypervisor->emulator);
  g_free (hypervisor);
}
