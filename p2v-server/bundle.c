/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/bundle.h"

#include "common/tarball.h"
#include "p2v-server/check.h"
#include "p2v-server/job-text.h"
#include "p2v-server/secrets.h"
#include "p2v-server/tool.h"
#include "p2v-server/unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Of a longer file only the end, bytes: that is where it failed. A guest's console is in the log of
 * virt-v2v, and may be of any length. */
#define LONGEST (32 * 1024 * 1024)

/* What of a job's directory goes in. Manifests are summed up in job.json; images and overlays are
 * the machine's contents. */
static const char *const suffixes[] = { ".log", ".jsonl", ".xml", NULL };

/* Programs whose versions matter, and Debian's packages of them. */
static const char *const programs[][2] = {
  { "qemu-nbd", "qemu-utils" },
  { "qemu-img", "qemu-utils" },
  { "virt-v2v", "virt-v2v" },
  { "virt-v2v-in-place", "virt-v2v" },
  { "nbdkit", "nbdkit" },
  { "nbdcopy", "libnbd-bin" },
  { "guestfish", "libguestfs-tools" },
  { "qemu-system-x86_64", "qemu-system-x86" },
  { "virsh", "libvirt-clients" },
};

typedef struct
{
  const P2vJob *job;
  P2vTarball *tarball;
} Bundle;

/* Adds a text, without its secrets. */
static gboolean
add (const Bundle *bundle, const char *name, const char *text, GError **error)
{
  g_autofree char *clean = p2v_secrets_remove (bundle->job, text);
  return p2v_tarball_add (bundle->tarball, name, clean, error);
}

/* The end of a regular file as text (transfer full). What cannot be read says so in its place. */
static char *
read_end (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;
  if (fd < 0 || fstat (fd, &status) < 0 || !S_ISREG (status.st_mode))
    {
      char *problem = g_strdup_printf ("(cannot be read: %s)\n", g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return problem;
    }
  g_autoptr (GString) text = g_string_new (NULL);
  off_t at = MAX (0, status.st_size - LONGEST);
  if (at > 0)
    g_string_append_printf (text, "(the first %" G_GINT64_FORMAT " bytes are left out)\n",
                            (gint64)at);
  char buffer[65536];
  ssize_t got;
  while (at < status.st_size && (got = pread (fd, buffer, sizeof buffer, at)) > 0)
    {
      /* A NUL would end the text. */
      for (ssize_t i = 0; i < got; i++)
        g_string_append_c (text, buffer[i] != '\0' ? buffer[i] : ' ');
      at += got;
    }
  close (fd);
  return g_strdup (text->str);
}

static gboolean
has_suffix (const char *name)
{
  for (gsize i = 0; suffixes[i] != NULL; i++)
    if (g_str_has_suffix (name, suffixes[i]))
      return TRUE;
  return FALSE;
}

static gboolean
add_files (const Bundle *bundle, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (bundle->job->dir, 0, error);
  const char *name;
  gboolean ok = dir != NULL;
  while (ok && (name = g_dir_read_name (dir)) != NULL)
    {
      if (!has_suffix (name))
        continue;
      g_autofree char *path = p2v_job_path (bundle->job, name);
      g_autofree char *text = read_end (path);
      ok = add (bundle, name, text, error);
    }
  return ok;
}

static gboolean
add_job (const Bundle *bundle, GError **error)
{
  g_autoptr (JsonObject) object = p2v_job_details_json (bundle->job);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  return add (bundle, "job.json", text, error);
}

static gboolean
add_versions (const Bundle *bundle, GError **error)
{
  g_autoptr (GString) text = g_string_new ("p2v-server " P2V_VERSION "\n");
  struct utsname kernel;
  unsigned long libvirt = 0;
  if (uname (&kernel) == 0)
    g_string_append_printf (text, "%s %s %s %s\n", kernel.sysname, kernel.release, kernel.version,
                            kernel.machine);
  if (virGetVersion (&libvirt, NULL, NULL) == 0)
    g_string_append_printf (text, "libvirt %lu.%lu.%lu (library)\n", libvirt / 1000000,
                            libvirt / 1000 % 1000, libvirt % 1000);
  for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
    {
      const char *const argv[] = { programs[i][0], "--version", NULL };
      g_autoptr (GError) problem = NULL;
      g_autofree char *answer = p2v_tool_ask (argv, programs[i][1], &problem);
      g_string_append_printf (text, "\n%s:\n%s\n", programs[i][0],
                              answer != NULL ? g_strstrip (answer) : problem->message);
    }
  g_autofree char *release = NULL;
  if (g_file_get_contents ("/etc/os-release", &release, NULL, NULL))
    g_string_append_printf (text, "\n/etc/os-release:\n%s", release);
  return add (bundle, "versions.txt", text->str, error);
}

static gboolean
add_check (const Bundle *bundle, const P2vServerConfig *config, GError **error)
{
  g_autoptr (GPtrArray) items = p2v_check_run (config);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < items->len; i++)
    {
      const P2vCheckItem *item = items->pdata[i];
      g_string_append_printf (text, "%-8s %-18s %s\n", p2v_check_status_name (item->status),
                              item->subject, item->message);
    }
  return add (bundle, "check.txt", text->str, error);
}

static gboolean
write_archive (const P2vJob *job, const P2vServerConfig *config, int fd, GError **error)
{
  g_autofree char *name = g_strconcat ("p2v-report-", job->id, NULL);
  g_autoptr (P2vTarball) tarball = p2v_tarball_new (fd, name, error);
  const Bundle bundle = { job, tarball };
  return tarball != NULL && add_job (&bundle, error) && add_files (&bundle, error)
         && add_versions (&bundle, error) && add_check (&bundle, config, error)
         && p2v_tarball_finish (tarball, error);
}

gboolean
p2v_bundle_write (const P2vServerConfig *config, const P2vJob *job, const char *path,
                  GError **error)
{
  int fd = -1;
  GError *problem = NULL;
  g_autofree char *file = p2v_unfinished_file (path, &fd, error);
  if (file == NULL)
    return FALSE;
  gboolean ok = write_archive (job, config, fd, &problem);
  if (!ok)
    g_propagate_error (error, g_error_new (problem->domain, problem->code,
                                           "%s. Free some space, or name another place with -o.",
                                           problem->message));
  g_clear_error (&problem);
  ok = ok && p2v_unfinished_finish (file, path, error);
  close (fd);
  p2v_unfinished_remove ();
  return ok;
}
