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
 * (value << 1) | 1. No other way of ending gives these statuses. */
#define TRIAL_FAST 0x15
#define TRIAL_SLOW 0x16
#define TRIAL_PORT 0xf4
#define TRIAL_STATUS(value) (((value) << 1) | 1)

/* Within some clouds' guests KVM interprets every instruction: a guest starts, and takes hours to
 * boot. There a turn of the trial's loop takes 2500 cycles; two where the processor runs it, ten
 * without KVM. */
#define TRIAL_CYCLES_AT_MOST 64

#define LITTLE_ENDIAN_32(value)                                                                    \
  (value) & 0xff, ((value) >> 8) & 0xff, ((value) >> 16) & 0xff, ((guint32)(value) >> 24) & 0xff

/* At the start of the last 64 KiB below 4 GiB. In protected mode, which old processors run
 * themselves where they leave real mode to KVM, it counts the time stamp counter's cycles that a
 * loop takes; of several runs the best, since anything may come between. */
#define TRIAL_TURNS 16384
static const guint8 trial_code[] = {
  0x2e,
  0x66,
  0x0f,
  0x01,
  0x16,
  0x60,
  0x00, /* 00 lgdtl cs:0x60 */
  0x0f,
  0x20,
  0xc0, /* 07 mov eax, cr0 */
  0x0c,
  0x01, /* 0a or al, 1 */
  0x0f,
  0x22,
  0xc0, /* 0c mov cr0, eax */
  0x66,
  0xea,
  0x17,
  0x00,
  0xff,
  0xff,
  0x08,
  0x00, /* 0f jmp far 8:0xffff0017 */
  0xbe,
  0x10,
  0x00,
  0x00,
  0x00, /* 17 mov esi, 16: runs */
  0xbf,
  0xff,
  0xff,
  0xff,
  0xff, /* 1c mov edi, -1: cycles of the best run */
  0x0f,
  0x31, /* 21 rdtsc */
  0x89,
  0xc3, /* 23 mov ebx, eax */
  0xb9,
  LITTLE_ENDIAN_32 (TRIAL_TURNS), /* 25 mov ecx, turns */
  0x49,                           /* 2a dec ecx */
  0x75,
  0xfd, /* 2b jnz 2a */
  0x0f,
  0x31, /* 2d rdtsc */
  0x29,
  0xd8, /* 2f sub eax, ebx */
  0x39,
  0xf8, /* 31 cmp eax, edi */
  0x73,
  0x02, /* 33 jae 37 */
  0x89,
  0xc7, /* 35 mov edi, eax */
  0x4e, /* 37 dec esi */
  0x75,
  0xe7, /* 38 jnz 21 */
  0xb0,
  TRIAL_FAST, /* 3a mov al, fast */
  0x81,
  0xff,
  LITTLE_ENDIAN_32 (TRIAL_TURNS *TRIAL_CYCLES_AT_MOST), /* 3c cmp edi, at most */
  0x72,
  0x02, /* 42 jb 46 */
  0xb0,
  TRIAL_SLOW, /* 44 mov al, slow */
  0xe6,
  TRIAL_PORT, /* 46 out port, al */
  0xf4,       /* 48 hlt */
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0, /* 50 the table of segments: none */
  0xff,
  0xff,
  0x00,
  0x00,
  0x00,
  0x9b,
  0xcf,
  0x00, /* 58 and code, 4 GiB from 0 */
  0x0f,
  0x00,
  0x50,
  0x00,
  0xff,
  0xff, /* 60 its limit and address */
};
/* What the processor begins with: jmp to the start of the firmware. */
static const guint8 trial_reset[] = { 0xe9, 0x0d, 0x00 };

static const char *const emulators[]
    = { "qemu-system-x86_64", "/usr/libexec/qemu-kvm", "qemu-kvm", NULL };

static char *
write_trial_firmware (GError **error)
{
  g_autofree guint8 *image = g_malloc0 (FIRMWARE_SIZE);
  memcpy (image, trial_code, sizeof trial_code);
  memcpy (image + RESET_VECTOR, trial_reset, sizeof trial_reset);
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

static gboolean
has_status (const Trial *trial, int status)
{
  return g_subprocess_get_if_exited (trial->process)
         && g_subprocess_get_exit_status (trial->process) == status;
}

static char *
describe_failure (const Trial *trial)
{
  if (has_status (trial, TRIAL_STATUS (TRIAL_SLOW)))
    return g_strdup ("guests run with it, but each instruction is interpreted, much slower than "
                     "without it");
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
  gboolean works = has_status (&trial, TRIAL_STATUS (TRIAL_FAST));
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
