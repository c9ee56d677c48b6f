/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/check.h"

#include "p2v-server/firmware.h"
#include "p2v-server/hypervisor.h"
#include "p2v-server/profile.h"

#include <glob.h>
#include <unistd.h>

typedef struct
{
  const char *program;
  const char *package; /* of Debian */
  P2vCheckStatus missing;
  const char *purpose;
} Program;

static const Program programs[] = {
  { "qemu-nbd", "qemu-utils", P2V_CHECK_PROBLEM, "it receives the disks" },
  { "qemu-img", "qemu-utils", P2V_CHECK_PROBLEM, "it makes the images" },
  { "virt-v2v-in-place", "virt-v2v", P2V_CHECK_PROBLEM, "it converts the guests" },
  { "virt-v2v", "virt-v2v", P2V_CHECK_WARNING,
    "without it only the outputs libvirt and local can be used" },
  { "nbdkit", "nbdkit", P2V_CHECK_PROBLEM, "virt-v2v needs it to read the images" },
  { "nbdcopy", "libnbd-bin", P2V_CHECK_WARNING,
    "without it only the outputs libvirt and local can be used" },
  { "xorriso", "xorriso", P2V_CHECK_OK, "only \"p2v-server media\" needs it, to prepare an image" },
};

/* sshd is not in the PATH of ordinary users. */
static const char *const sshd_places[] = { "/usr/sbin/sshd", "/usr/local/sbin/sshd", NULL };

void
p2v_check_item_free (P2vCheckItem *item)
{
  g_free (item->subject);
  g_free (item->message);
  g_free (item);
}

const char *
p2v_check_status_name (P2vCheckStatus status)
{
  static const char *const names[] = { "ok", "warning", "problem" };
  return names[status];
}

void
p2v_check_add (GPtrArray *items, P2vCheckStatus status, const char *subject, const char *format,
               ...)
{
  P2vCheckItem *item = g_new0 (P2vCheckItem, 1);
  item->status = status;
  item->subject = g_strdup (subject);
  va_list arguments;
  va_start (arguments, format);
  item->message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_ptr_array_add (items, item);
}

static void
check_program (const Program *program, GPtrArray *items)
{
  g_autofree char *path = g_find_program_in_path (program->program);
  if (path != NULL)
    p2v_check_add (items, P2V_CHECK_OK, program->program, "%s", path);
  else
    p2v_check_add (items, program->missing, program->program,
                   "not installed; %s. Install it: apt install %s", program->purpose,
                   program->package);
}

static void
check_sshd (GPtrArray *items)
{
  for (gsize i = 0; sshd_places[i] != NULL; i++)
    if (g_file_test (sshd_places[i], G_FILE_TEST_IS_EXECUTABLE))
      {
        p2v_check_add (items, P2V_CHECK_OK, "sshd", "%s", sshd_places[i]);
        return;
      }
  p2v_check_add (items, P2V_CHECK_WARNING, "sshd",
                 "not found; machines reach this server through SSH. Install it: apt install "
                 "openssh-server");
}

/* TRUE when libguestfs has an appliance that somebody made with libguestfs-make-fixed-appliance:
 * then it needs no kernel of this host (guestfs(3), LIBGUESTFS_PATH). */
static char *
find_fixed_appliance (void)
{
  const char *path = g_getenv ("LIBGUESTFS_PATH");
  g_auto (GStrv) dirs = g_strsplit (path != NULL ? path : "/usr/lib/guestfs", ":", -1);
  for (gsize i = 0; dirs[i] != NULL; i++)
    {
      g_autofree char *kernel = g_build_filename (dirs[i], "kernel", NULL);
      if (dirs[i][0] != '\0' && access (kernel, R_OK) == 0)
        return g_strdup (dirs[i]);
    }
  return NULL;
}

/* libguestfs boots a kernel of this host; some distributions let only root read them. */
static void
check_kernel (GPtrArray *items)
{
  g_autofree char *appliance = find_fixed_appliance ();
  if (appliance != NULL)
    {
      p2v_check_add (items, P2V_CHECK_OK, "kernel", "libguestfs has its own in %s", appliance);
      return;
    }
  const char *chosen = g_getenv ("SUPERMIN_KERNEL");
  glob_t kernels = { 0 };
  glob (chosen != NULL ? chosen : "/boot/vmlinuz-*", 0, NULL, &kernels);
  const char *readable = NULL;
  for (gsize i = 0; i < kernels.gl_pathc && readable == NULL; i++)
    if (access (kernels.gl_pathv[i], R_OK) == 0)
      readable = kernels.gl_pathv[i];
  if (readable != NULL)
    p2v_check_add (items, P2V_CHECK_OK, "kernel", "libguestfs can read %s", readable);
  else if (kernels.gl_pathc > 0)
    p2v_check_add (items, P2V_CHECK_PROBLEM, "kernel",
                   "libguestfs cannot read %s as this user. Allow it: dpkg-statoverride --update "
                   "--add root root 0644 %s",
                   kernels.gl_pathv[0], kernels.gl_pathv[0]);
  else
    p2v_check_add (items, P2V_CHECK_PROBLEM, "kernel",
                   "no kernel in /boot, and libguestfs needs one for its appliance. Install one: "
                   "apt install linux-image-amd64");
  globfree (&kernels);
}

static void
check_hypervisor (GPtrArray *items)
{
  g_autoptr (P2vHypervisor) hypervisor = p2v_hypervisor_probe ();
  if (hypervisor->emulator != NULL)
    p2v_check_add (items, P2V_CHECK_OK, "QEMU", "%s", hypervisor->emulator);
  else
    p2v_check_add (items, P2V_CHECK_PROBLEM, "QEMU",
                   "not installed; guests and libguestfs run in it. Install it: apt install "
                   "qemu-system-x86");
  if (hypervisor->kvm)
    p2v_check_add (items, P2V_CHECK_OK, "KVM", "works");
  else
    p2v_check_add (items, P2V_CHECK_WARNING, "KVM",
                   "does not work, so conversions are slow and guests are defined without it. %s",
                   hypervisor->kvm_problem != NULL ? hypervisor->kvm_problem : "");
  if (hypervisor->tpm)
    p2v_check_add (items, P2V_CHECK_OK, "TPM", "swtpm is installed");
  else
    p2v_check_add (items, P2V_CHECK_WARNING, "TPM",
                   "swtpm is not installed, so guests get no TPM. Install it: apt install swtpm "
                   "swtpm-tools");
}

static void
check_firmware (gboolean secure_boot, const char *subject, GPtrArray *items)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vFirmwareImage) image = p2v_firmware_image_find (secure_boot, &error);
  if (image != NULL)
    p2v_check_add (items, P2V_CHECK_OK, subject, "%s", image->code);
  else
    p2v_check_add (items, P2V_CHECK_WARNING, subject, "%s", error->message);
}

void
p2v_check_programs (GPtrArray *items)
{
  for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
    check_program (&programs[i], items);
  check_sshd (items);
  check_kernel (items);
  check_hypervisor (items);
  check_firmware (FALSE, "UEFI", items);
  check_firmware (TRUE, "Secure Boot", items);
}

static void
check_profiles (const P2vServerConfig *config, GPtrArray *items)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) profiles = p2v_profiles_load (config->profiles_file, &error);
  if (profiles == NULL)
    p2v_check_add (items, P2V_CHECK_PROBLEM, "profiles", "%s", error->message);
  else if (!g_file_test (config->profiles_file, G_FILE_TEST_EXISTS))
    p2v_check_add (items, P2V_CHECK_OK, "profiles", "none: there is no %s", config->profiles_file);
  else
    p2v_check_add (items, P2V_CHECK_OK, "profiles", "%u in %s", profiles->len,
                   config->profiles_file);
}

GPtrArray *
p2v_check_run (const P2vServerConfig *config)
{
  GPtrArray *items = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_check_item_free);
  p2v_check_add (items, P2V_CHECK_OK, "account", "checked as user %s", g_get_user_name ());
  p2v_check_programs (items);
  p2v_check_places (config, items);
  check_profiles (config, items);
  return items;
}
