/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/export.h"

#include "common/error.h"
#include "p2v-server/socket.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* How many lanes may be connected at once. An idle place costs nothing, and lanes whose client has
 * vanished keep theirs until TCP notices. */
#define MAX_LANES "256"

/* What is added to a disk's name in the name of the log of an export that only reads. */
#define READING "verify"

/* How long qemu-nbd may take to listen, and to write everything out when it ends. */
#define START_SECONDS 30
#define START_POLL_USEC (20 * 1000)

struct _P2vExport
{
  GSubprocess *process;
  char *socket_path;
  char *log_path;
  char *disk;
};

/* Nothing of a job may outlive its session: when that is gone, so is the export. SIGTERM lets
 * qemu-nbd write out what it holds. */
static void
die_with_parent (gpointer data G_GNUC_UNUSED)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static gboolean
is_listening (const char *path)
{
  int fd = p2v_socket_connect (path, NULL);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* What qemu-nbd said, for messages (transfer full). */
static char *
last_words (const P2vExport *export)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents (export->log_path, &text, NULL, NULL) || *g_strstrip (text) == '\0')
    return g_strdup ("it said nothing");
  return g_utf8_make_valid (text, -1);
}

static gboolean
wait_until_listening (P2vExport *export, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + START_SECONDS * G_USEC_PER_SEC;
  while (p2v_export_is_running (export) && g_get_monotonic_time () < deadline)
    {
      if (is_listening (export->socket_path))
        return TRUE;
      g_usleep (START_POLL_USEC);
    }
  g_autofree char *words = last_words (export);
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
               "qemu-nbd cannot export the image of disk %s: %s", export->disk, words);
  return FALSE;
}

/* What QEMU may want image sizes to be multiples of when it writes past the page cache, bytes. */
#define DIRECT_ALIGNMENT 4096

/* An image that is written once only pushes out of the server's page cache what is needed there,
 * and the copy into it costs a third of the time that qemu-nbd takes. Not every file system can do
 * without. */
static const char *
choose_cache (const P2vImage *image)
{
  int fd = image->size % DIRECT_ALIGNMENT == 0
               ? open (image->path, O_RDWR | O_DIRECT | O_CLOEXEC | O_NOCTTY)
               : -1;
  if (fd < 0)
    return "writeback";
  close (fd);
  return "none";
}

static gboolean
spawn (P2vExport *export, const P2vImage *image, const char *qemu_nbd, gboolean reading,
       GError **error)
{
  const char *writing_argv[] = {
    qemu_nbd,    "--persistent", "--cache",  choose_cache (image), "--shared",  MAX_LANES,
    "--format",  image->format,  "--socket", export->socket_path,  "--discard", "unmap",
    image->path, NULL,
  };
  const char *reading_argv[] = {
    qemu_nbd,      "--persistent", "--read-only",       "--shared",  MAX_LANES, "--format",
    image->format, "--socket",     export->socket_path, image->path, NULL,
  };
  const char *const *argv = reading ? reading_argv : writing_argv;
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_subprocess_launcher_set_stderr_file_path (launcher, export->log_path);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  /* A buffer for each request of 4 MiB: kept, instead of being fresh pages from the kernel each
   * time (mallopt(3)). */
  g_subprocess_launcher_setenv (launcher, "MALLOC_MMAP_THRESHOLD_", "33554432", TRUE);
  g_subprocess_launcher_setenv (launcher, "MALLOC_TRIM_THRESHOLD_", "134217728", TRUE);
  export->process = g_subprocess_launcher_spawnv (launcher, argv, error);
  return export->process != NULL;
}

static P2vExport *
start (const P2vJob *job, const P2vImage *image, gboolean reading, GError **error)
{
  g_autofree char *qemu_nbd = g_find_program_in_path ("qemu-nbd");
  if (qemu_nbd == NULL)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "qemu-nbd is not installed on the server. Install the package "
                           "qemu-utils there (Fedora, RHEL: qemu-img).");
      return NULL;
    }
  g_autofree char *log_name
      = g_strconcat (image->disk, reading ? "." READING : "", ".qemu-nbd.log", NULL);
  g_autoptr (P2vExport) export = g_new0 (P2vExport, 1);
  export->disk = g_strdup (image->disk);
  export->socket_path = reading ? p2v_job_reading_socket_path (job, image->disk)
                                : p2v_job_socket_path (job, image->disk);
  export->log_path = p2v_job_path (job, log_name);
  g_unlink (export->socket_path);
  if (!spawn (export, image, qemu_nbd, reading, error) || !wait_until_listening (export, error))
    return NULL;
  return g_steal_pointer (&export);
}

P2vExport *
p2v_export_start (const P2vJob *job, const P2vImage *image, GError **error)
{
  return start (job, image, FALSE, error);
}

P2vExport *
p2v_export_start_reading (const P2vJob *job, const P2vImage *image, GError **error)
{
  return start (job, image, TRUE, error);
}

const char *
p2v_export_socket (const P2vExport *export)
{
  return export->socket_path;
}

gboolean
p2v_export_is_running (P2vExport *export)
{
  /* The identifier goes away when GLib has reaped the process. */
  return export->process != NULL && g_subprocess_get_identifier (export->process) != NULL;
}

gboolean
p2v_export_stop (P2vExport *export, GError **error)
{
  if (export->process == NULL)
    return TRUE;
  g_subprocess_send_signal (export->process, SIGTERM);
  gboolean waited = g_subprocess_wait (export->process, NULL, error);
  gboolean clean = waited && g_subprocess_get_if_exited (export->process)
                   && g_subprocess_get_exit_status (export->process) == 0;
  g_clear_object (&export->process);
  g_unlink (export->socket_path);
  if (waited && !clean)
    {
      g_autofree char *words = last_words (export);
      g_set_error (error, P2V_ERROR, P2V_ERROR_TRANSFER,
                   "qemu-nbd did not finish the image of disk %s: %s. Look for the cause on the "
                   "server (its storage, its memory: dmesg), then start again.",
                   export->disk, words);
    }
  return clean;
}

void
p2v_export_free (P2vExport *export)
{
  if (export == NULL)
    return;
  p2v_export_stop (export, NULL);
  g_free (export->socket_path);
  g_free (export->log_path);
  g_free (export->disk);
  g_free (export);
}
